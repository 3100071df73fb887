"""The daily mail of moderators: how many ads wait and since when, how many are reported, only if one is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
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
from modules.ads.models_saved import AdReport
from modules.ads.moderation_queries import STATES
from modules.ads.people import COUNCIL
from modules.ads.settings import ads_settings

log = structlog.get_logger("repere.ads")
PAGE: Final = "/annonces/moderation?statut=pending"
REPORTED: Final = "/annonces/moderation?signalees=oui"
ESCALATED: Final = "/annonces/moderation?statut=pending&remontees=oui"
NAMED: Final = 10
"""Councils that the national digest names, those with the most ads first."""
TITLE: Final = "Annonces en attente de publication"
TITLE_REPORTED: Final = "Annonces signalées"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a council: ads to read, the oldest of them, ads of which a report is open."""

    council: str
    count: int = 0
    oldest: datetime | None = None
    reported: int = 0


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
    """Return what waits, by council; `escalated`: only what does for so long that the national level is told."""
    wanted = (
        select(Ad.council, func.count(), func.min(Ad.submitted_at))
        .where(Ad.state == "pending", Ad.submitted_at <= until, Ad.council.is_not(None))
        .group_by(Ad.council)
        .order_by(Ad.council)
    )
    if escalated:
        wanted = wanted.where(Ad.escalated_at.is_not(None))
    rows: Sequence[Any] = (await session.execute(wanted)).all()
    found = {council: Waiting(council, count, oldest) for council, count, oldest in rows}
    wait = timedelta(days=ads_settings().escalate_days if escalated else 0)
    reports: Sequence[Any] = (
        await session.execute(
            select(Ad.council, func.count(AdReport.ad_id.distinct()))
            .join(Ad, Ad.id == AdReport.ad_id)
            .where(
                AdReport.closed_at.is_(None),
                AdReport.reported_at <= until - wait,
                Ad.state.in_(STATES),
                Ad.council.is_not(None),
            )
            .group_by(Ad.council)
            .order_by(Ad.council)
        )
    ).all()
    for council, count in reports:
        found[council] = replace(found.get(council, Waiting(council)), reported=count)
    return sorted(found.values(), key=lambda one: one.council)


async def _national(session: AsyncSession, until: datetime, day: str) -> int:
    waiting = await _waiting(session, until, escalated=True)
    if not waiting:
        return 0
    total = Waiting(
        councils.NATIONAL,
        sum(one.count for one in waiting),
        min((one.oldest for one in waiting if one.oldest is not None), default=None),
        sum(one.reported for one in waiting),
    )
    sent = 0
    for holder in await holders(session, "administrator"):
        sent += await _tell(session, holder, total, f"{holder.uid}:{councils.NATIONAL}:{day}", waiting)
    return sent


def _counts(waiting: Waiting) -> str:
    reported = counted(waiting.reported, "signalée") if waiting.reported else ""
    return ", ".join(part for part in (str(waiting.count) if waiting.count else "", reported) if part)


async def _tell(
    session: AsyncSession, holder: Holder, waiting: Waiting, key: str, by_council: Sequence[Waiting] = ()
) -> bool:
    if holder.email is None:
        return False
    national = waiting.council == councils.NATIONAL
    longest = sorted(by_council, key=lambda one: (-one.count, -one.reported, one.council))
    title = TITLE if waiting.count else TITLE_REPORTED
    path = (ESCALATED if national else PAGE) if waiting.count else REPORTED
    context = {
        "title": f"{title}\u00a0: {counted(waiting.count or waiting.reported, 'annonce')}",
        "count": waiting.count,
        "reported": waiting.reported,
        "reported_path": REPORTED,
        "oldest": waiting.oldest,
        "council": councils.title(waiting.council),
        "escalated": national,
        "days": ads_settings().escalate_days,
        "by_council": [(councils.title(one.council), _counts(one)) for one in longest[:NAMED]],
        "others": max(0, len(longest) - NAMED),
        "path": path,
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
