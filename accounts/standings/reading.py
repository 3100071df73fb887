"""What people are, as other packages ask it: from the registers, else from what a council gave."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from sqlalchemy import BigInteger, Text, and_, any_, bindparam, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.models import Account
from accounts.models_coordinates import GivenStanding, OrdinalFile
from accounts.standings.known import KnownPerson, known_people
from core import clock
from core.db import Fixed, keys

Kind = Literal["doctor", "junior", "licensed", "intern"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody is. `specialty` is written `system|code`; `council` is the code of a département.

    The council is where their main practice is, until `council_confirmed`. `visited`: their first visit is done.
    `licence_ended`: last day of a licence that is over and that nothing has replaced. `practises`: département of the
    main practice by the registers, whatever council they named.
    """

    kind: Kind
    specialty: str | None
    council: str | None
    council_confirmed: bool
    rpps: str | None
    name: str
    visited: bool = False
    licence_ended: date | None = None
    practises: str | None = None

    @property
    def elsewhere(self) -> str | None:
        """Return where they practise by the registers when it is not in the département of their council."""
        return self.practises if self.practises != self.council else None


_STATEMENT: Final = Fixed(
    select(
        Account.id,
        Account.rpps,
        Account.first_name,
        Account.last_name,
        GivenStanding.kind,
        GivenStanding.licence_until,
        GivenStanding.specialty,
        OrdinalFile.council,
        OrdinalFile.council_confirmed_at,
        OrdinalFile.visited_at,
        func.core.now().label("now"),
    )
    .outerjoin(GivenStanding, and_(GivenStanding.account_id == Account.id, GivenStanding.ended_at.is_(None)))
    .outerjoin(OrdinalFile, OrdinalFile.account_id == Account.id)
    .where(Account.id == any_(cast(bindparam("ids", type_=Text), ARRAY(BigInteger))), Account.status == "active")
    .order_by(Account.id)
)
"""What is known of some accounts: asked at every page of who reads what is kept for doctors."""


def _kind(row: Any, known: KnownPerson | None, today: date) -> Kind | None:
    if known is not None and known.kind == "doctor":
        return "doctor"
    if row.kind is not None:
        if row.kind == "junior":
            return "junior"
        over = row.licence_until is not None and row.licence_until < today
        return "licensed" if row.kind == "licensed" and not over else "intern"
    return None if known is None else "intern"


async def standings_of(session: AsyncSession, account_ids: Collection[int]) -> dict[int, Standing]:
    """Return what several people are, by account; those of whom nothing is known, or who left, are left out."""
    # What waits in the session is written first: the reading goes past it.
    await session.flush()
    rows = await _STATEMENT.rows(session, ids=keys(sorted(account_ids)))
    known = await known_people(session, sorted({row.rpps for row in rows if row.rpps}))
    found: dict[int, Standing] = {}
    for row in rows:
        person = known.get(row.rpps or "")
        kind = _kind(row, person, clock.today(row.now))
        if kind is None:
            continue
        asked = row.specialty if row.kind is not None and kind != "doctor" else None
        found[row.id] = Standing(
            kind=kind,
            specialty=asked or (person.specialty if person else None),
            council=row.council or (person.departement if person else None),
            council_confirmed=row.council_confirmed_at is not None,
            rpps=row.rpps,
            name=f"{row.first_name} {row.last_name}".strip(),
            visited=row.visited_at is not None,
            licence_ended=row.licence_until if kind == "intern" and row.kind == "licensed" else None,
            practises=person.departement if person else None,
        )
    return found


async def standing_of(session: AsyncSession, account_id: int) -> Standing | None:
    """Return what somebody is; None when neither the registers nor a council know it."""
    return (await standings_of(session, (account_id,))).get(account_id)
