"""What is kept of how a person is reached, given to them or erased with their account."""

from sqlalchemy import Text, cast, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.coordinates.service import mine
from accounts.models import AccountHistory
from accounts.models_coordinates import Coordinate, CoordinateUse, GivenStanding, OrdinalFile
from core import personal
from core.mail.forgetting import forget_recipients


async def _export(session: AsyncSession, subject: personal.Subject) -> object:
    kept = await mine(session, subject.account_id)
    file = await session.get(OrdinalFile, subject.account_id)
    given = await session.get(GivenStanding, subject.account_id)
    return {
        "coordonnees": [
            {
                "kind": row.kind,
                "value": row.value,
                "origin": row.origin,
                "confirmed_at": row.confirmed_at,
                "added_at": row.added_at,
                "uses": kept.uses_of(row),
            }
            for row in kept.rows
        ],
        "conseil": file
        and {
            "council": file.council,
            "council_confirmed_at": file.council_confirmed_at,
            "ads_consent": file.ads_consent,
            "ads_consent_at": file.ads_consent_at,
            "visited_at": file.visited_at,
        },
        "situation": given
        and {
            "kind": given.kind,
            "licence_until": given.licence_until,
            "specialty": given.specialty,
            "given_at": given.given_at,
            "ended_at": given.ended_at,
        },
    }


async def _erase(session: AsyncSession, subject: personal.Subject) -> None:
    mails = await session.scalars(
        select(Coordinate.value).where(
            Coordinate.account_id == subject.account_id,
            Coordinate.kind == "email",
            # One that was only typed may be a stranger's.
            Coordinate.confirmed_at.is_not(None),
        )
    )
    await forget_recipients(session, mails.all())
    for table in (CoordinateUse, Coordinate, OrdinalFile, GivenStanding):
        await session.execute(delete(table).where(table.account_id == subject.account_id))
    # That a council refused stays; what it wrote of them goes.
    await session.execute(
        update(AccountHistory)
        .where(AccountHistory.account_id == subject.account_id, AccountHistory.action == "council_refused")
        .values(detail=AccountHistory.detail.op("-")(cast("reason", Text)))
    )


def register() -> None:
    """Give these to whoever downloads what is kept of them, and erase them with their account."""
    personal.register("coordonnees", erase=_erase, export=_export)
