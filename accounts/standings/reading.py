"""What people are, as other packages ask it: from the registers, else from what a council gave."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.models import Account
from accounts.models_coordinates import GivenStanding, OrdinalFile
from accounts.standings.known import KnownPerson, known_people
from core import clock

Kind = Literal["doctor", "junior", "licensed", "intern"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody is. `specialty` is written `system|code`; `council` is the code of a département.

    The council is where their main practice is, until `council_confirmed`. `visited`: their first visit is done.
    """

    kind: Kind
    specialty: str | None
    council: str | None
    council_confirmed: bool
    rpps: str | None
    name: str
    visited: bool = False


def _kind(given: GivenStanding | None, known: KnownPerson | None, today: date) -> Kind | None:
    if known is not None and known.kind == "doctor":
        return "doctor"
    if given is not None:
        if given.kind == "junior":
            return "junior"
        over = given.licence_until is not None and given.licence_until < today
        return "licensed" if given.kind == "licensed" and not over else "intern"
    return None if known is None else "intern"


async def standings_of(session: AsyncSession, account_ids: Collection[int]) -> dict[int, Standing]:
    """Return what several people are, by account; those of whom nothing is known, or who left, are left out."""
    rows = (
        await session.execute(
            select(Account, GivenStanding, OrdinalFile, func.core.now())
            .outerjoin(GivenStanding, and_(GivenStanding.account_id == Account.id, GivenStanding.ended_at.is_(None)))
            .outerjoin(OrdinalFile, OrdinalFile.account_id == Account.id)
            .where(Account.id.in_(account_ids), Account.status == "active")
            .order_by(Account.id)
        )
    ).all()
    known = await known_people(session, sorted({account.rpps for account, _, _, _ in rows if account.rpps}))
    found: dict[int, Standing] = {}
    for account, given, kept, now in rows:
        person = known.get(account.rpps or "")
        kind = _kind(given, person, clock.today(now))
        if kind is None:
            continue
        asked = given.specialty if given is not None and kind != "doctor" else None
        found[account.id] = Standing(
            kind=kind,
            specialty=asked or (person.specialty if person else None),
            council=(kept.council if kept else None) or (person.departement if person else None),
            council_confirmed=kept is not None and kept.council_confirmed_at is not None,
            rpps=account.rpps,
            name=f"{account.first_name} {account.last_name}".strip(),
            visited=kept is not None and kept.visited_at is not None,
        )
    return found


async def standing_of(session: AsyncSession, account_id: int) -> Standing | None:
    """Return what somebody is; None when neither the registers nor a council know it."""
    return (await standings_of(session, (account_id,))).get(account_id)
