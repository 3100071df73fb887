"""The daily mail of moderators: how many ads wait and since when, only if one does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Final

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Holder, holders
from core import clock, mail
from core.db import unit_of_work
from core.errors import InvalidInput
from core.ui.filters import counted
from modules.ads import clockwork, councils
from modules.ads.models import Ad
from modules.ads.people import COUNCIL
from modules.ads.settings import ads_settings

log = structlog.get_logger("repere.ads")
PAGE: Final = "/annonces/moderation?statut=pending"
ESCALATED: Final = "/annonces/moderation?statut=pending&remontees=oui"
NAMED: Final = 10
"""Councils that the national digest names, those with the most ads first."""
TITLE: Final = "Annonces en attente de publication"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a council."""

    council: str
    count: int
    oldest: datetime


async def send(*, at_once: bool = False) -> int:
    """Write the digests of the day; return how many mails are new, none when asked again the same day.

    They tell of what waited at the hour of the digest, so that one that is late tells the same thing.

    Args:
        at_once: whatever the hour, of what waits now: for those who schedule it themselves.
    """
    await clockwork.escalate()
    await councils.ready()
    async with unit_of_work() as session:
        now = await clock.now(session)
        day = clock.today(now)
        due = datetime.combine(day, time(ads_settings().digest_hour), clock.PARIS)
        if now < due and not at_once:
            return 0
        until = now if at_once else due
        waiting = await _waiting(session, until)
        sent = 0
        if waiting:
            by_council = {one.council: one for one in waiting}
            scopes = [f"{COUNCIL}{council}" for council in by_council]
            for holder in await holders(session, "moderator", scopes=scopes):
                for council in holder.numbers("council"):
                    if council in by_council:
                        sent += await _tell(session, holder, by_council[council], f"{holder.uid}:{council}:{day}")
        sent += await _national(session, until, day.isoformat())
        return sent


async def _waiting(session: AsyncSession, until: datetime, *, escalated: bool = False) -> list[Waiting]:
    wanted = (
        select(Ad.council, func.count(), func.min(Ad.submitted_at))
        .where(Ad.state == "pending", Ad.submitted_at <= until, Ad.council.is_not(None))
        .group_by(Ad.council)
        .order_by(Ad.council)
    )
    if escalated:
        wanted = wanted.where(Ad.escalated_at.is_not(None))
    rows: Sequence[Any] = (await session.execute(wanted)).all()
    return [Waiting(council, count, oldest) for council, count, oldest in rows]


async def _national(session: AsyncSession, until: datetime, day: str) -> int:
    waiting = await _waiting(session, until, escalated=True)
    if not waiting:
        return 0
    total = Waiting(councils.NATIONAL, sum(one.count for one in waiting), min(one.oldest for one in waiting))
    sent = 0
    for holder in await holders(session, "administrator"):
        sent += await _tell(session, holder, total, f"{holder.uid}:{councils.NATIONAL}:{day}", waiting)
    return sent


async def _tell(
    session: AsyncSession, holder: Holder, waiting: Waiting, key: str, by_council: Sequence[Waiting] = ()
) -> bool:
    if holder.email is None:
        return False
    national = waiting.council == councils.NATIONAL
    longest = sorted(by_council, key=lambda one: (-one.count, one.council))
    context = {
        "title": f"{TITLE}\u00a0: {counted(waiting.count, 'annonce')}",
        "count": waiting.count,
        "oldest": waiting.oldest,
        "council": councils.title(waiting.council),
        "escalated": national,
        "days": ads_settings().escalate_days,
        "by_council": [(councils.title(one.council), one.count) for one in longest[:NAMED]],
        "others": max(0, len(longest) - NAMED),
        "path": ESCALATED if national else PAGE,
    }
    try:
        return await mail.queue(
            session,
            kind="ads.digest",
            key=key,
            to=holder.email,
            to_name=holder.name,
            template="ads/digest",
            context=context,
        )
    except InvalidInput:
        log.warning("ad_digest_not_written", account=str(holder.uid))
        return False
