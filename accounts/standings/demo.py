"""People of the demonstration who are known to a council, and who may be reached."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.coordinates.service import file_of, lock
from accounts.models import Account
from accounts.models_coordinates import Coordinate, CoordinateUse, GivenStanding
from accounts.service import DEMO_ACTOR, note
from core import clock


async def demo_standing(
    session: AsyncSession,
    key: str,
    *,
    council: str,
    kind: str | None = None,
    licence_until: date | None = None,
    specialty: str | None = None,
    coordinates: Mapping[str, str] | None = None,
) -> None:
    """Have an invented person belong to a council and be reached for ads; what they changed since stays theirs.

    Args:
        session: the unit of work, which the caller commits.
        key: an invented person, whose account is made.
        council: their council, which they have confirmed.
        kind: what the council said that they are; None for a doctor whom the registers know.
        licence_until: the last day of a licence.
        specialty: what they specialise in (`system|code`).
        coordinates: values by kind, shown on ads; e-mails are confirmed.
    """
    account = (await session.scalars(select(Account).where(Account.demo == key))).one()
    await lock(session, account.id)
    file = await file_of(session, account.id)
    if file.visited_at is not None:
        return
    now = await clock.now(session)
    file.council, file.council_confirmed_at, file.visited_at = council, now, now
    file.version += 1
    if kind is not None:
        await session.execute(
            insert(GivenStanding)
            .values(
                account_id=account.id, kind=kind, licence_until=licence_until, specialty=specialty, given_by=DEMO_ACTOR
            )
            .on_conflict_do_nothing()
        )
        note(session, account.id, DEMO_ACTOR, "standing_given", {"standing": kind})
    for name, value in (coordinates or {}).items():
        row = Coordinate(account_id=account.id, kind=name, value=value, confirmed_at=now if name == "email" else None)
        session.add(row)
        await session.flush()
        session.add_all(
            CoordinateUse(account_id=account.id, use=use, kind=name, coordinate_id=row.id)
            for use in ("annonces", "ordre")
        )
