"""Reports of ads by readers to the council that moderates them, and what their authors are told of it.

Moderators read of them in the digest (`digest`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Limit, standings_of, take
from core.errors import Conflict, Forbidden, InvalidInput, TooMany
from modules.ads import notices
from modules.ads.models import Ad
from modules.ads.models_saved import AdReport
from modules.ads.people import Reader

LONGEST: Final = 1000
SHORTEST: Final = 5
KEPT: Final = "le conseil a examiné votre signalement et n’a pas retiré l’annonce."
REMOVED: Final = "le conseil a retiré l’annonce."
GONE: Final = "l’annonce a été supprimée depuis\u00a0: elle n’est plus publiée."
REPORTS: Final = Limit("ads-reports", 10, timedelta(minutes=30))


@dataclass(frozen=True, slots=True)
class OpenReport:
    """A report that waits: who reported the ad (moderators alone read it), when and why."""

    id: int
    ad_id: int
    reporter: str
    reason: str
    reported_at: datetime


async def report(session: AsyncSession, reader: Reader, ad: Ad, reason: str) -> bool:
    """Report an ad to its council; return whether it is new: one report waits for each reader and ad.

    A new one is acknowledged by mail.

    Raises:
        InvalidInput: the reason is missing or too long.
        Conflict: it is one's own ad.
        TooMany: this account reports too much.
    """
    text = reason.replace("\x00", "").strip()
    if len(text) < SHORTEST:
        said = "Dites ce qui ne va pas : le conseil en a besoin pour agir."
        raise InvalidInput(said, fields={"reason": said})
    if len(text) > LONGEST:
        said = f"Le motif compte {LONGEST} caractères au plus ({len(text)} pour le moment)."
        raise InvalidInput(said, fields={"reason": said})
    if ad.account_id == reader.account_id:
        raise Conflict("C’est votre annonce : modifiez-la ou dépubliez-la.")
    if await take(session, REPORTS, str(reader.account_id)) is not None:
        raise TooMany("Vous avez signalé beaucoup d’annonces. Réessayez plus tard, ou écrivez à l’assistance.")
    added = await session.execute(
        insert(AdReport)
        .values(ad_id=ad.id, account_id=reader.account_id, reason=text)
        .on_conflict_do_nothing(index_elements=["ad_id", "account_id"], index_where=AdReport.closed_at.is_(None))
        .returning(AdReport.uid)
    )
    uid = added.scalar()
    if uid is not None:
        await notices.tell(session, ad, "report_received", str(uid), account_id=reader.account_id)
    return uid is not None


async def open_reports(session: AsyncSession, ad_ids: Collection[int]) -> dict[int, list[OpenReport]]:
    """Return the reports that wait, by ad, oldest first; whoever calls has checked that the reader moderates them."""
    rows = (
        await session.scalars(
            select(AdReport)
            .where(AdReport.ad_id.in_(ad_ids), AdReport.closed_at.is_(None))
            .order_by(AdReport.ad_id, AdReport.id)
        )
    ).all()
    known = await standings_of(session, {row.account_id for row in rows})
    found: dict[int, list[OpenReport]] = {}
    for row in rows:
        # A moderator of another council, or somebody who left, has no standing.
        name = known[row.account_id].name if row.account_id in known else "Un lecteur"
        found.setdefault(row.ad_id, []).append(OpenReport(row.id, row.ad_id, name, row.reason, row.reported_at))
    return found


async def close(session: AsyncSession, moderator: Reader, ad: Ad, outcome: str) -> int:
    """Close the reports of an ad that somebody moderates, and tell who made them; return how many waited.

    Raises:
        Forbidden: they wrote the ad.
    """
    if ad.account_id == moderator.account_id:
        raise Forbidden("Vous êtes l’auteur de cette annonce : un autre modérateur examine ses signalements.")
    return await _answer(session, ad, moderator.person.actor, outcome)


async def close_gone(session: AsyncSession, ad: Ad, actor: str) -> int:
    """Close the reports of an ad that is being deleted, before what it said goes; return how many waited."""
    return await _answer(session, ad, actor, GONE)


async def _answer(session: AsyncSession, ad: Ad, actor: str, outcome: str) -> int:
    closed = await session.execute(
        update(AdReport)
        .where(AdReport.ad_id == ad.id, AdReport.closed_at.is_(None))
        .values(closed_at=func.core.now(), closed_by=actor)
        .returning(AdReport.uid, AdReport.account_id)
    )
    rows = closed.all()
    for uid, account_id in rows:
        await notices.tell(session, ad, "report_closed", str(uid), outcome, account_id=account_id)
    return len(rows)
