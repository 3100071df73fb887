"""What the clock does to ads: takes off those that end, warns of the end, sends up what waits, deletes what is old.

Each batch is a transaction of its own, whose rows are locked and skipped by others: two workers share the work, and
one that dies leaves what it had not committed to the next.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from core import clock
from core.db import unit_of_work
from directory.api import offer_known_people
from modules.ads import files, life, notices, suspension
from modules.ads.models import Ad
from modules.ads.people import today
from modules.ads.settings import ads_settings

BATCH: Final = 100
AUTHORS: Final = 500
"""Authors whose standing is read at once."""
WARNED_BEFORE: Final = 7
"""Days before the end of publication at which its author is told."""

Work = Callable[[AsyncSession, Ad], Awaitable[None]]


async def _in_batches(chosen: Callable[[], ColumnElement[bool]], *order: InstrumentedAttribute[Any], work: Work) -> int:
    done = 0
    while True:
        async with unit_of_work() as session:
            rows = await session.scalars(
                select(Ad).where(chosen()).order_by(*order, Ad.id).limit(BATCH).with_for_update(skip_locked=True)
            )
            found = rows.all()
            for ad in found:
                await work(session, ad)
        done += len(found)
        if not found:
            return done


async def expire() -> int:
    """Take off the ads whose last day is past, published or waiting; return how many."""
    return await _in_batches(
        lambda: and_(Ad.state.in_(("published", "pending")), Ad.ends_on < today()), Ad.ends_on, work=life.expire
    )


async def suspend() -> int:
    """Take off what its authors may no longer publish: a licence is over, a register knows them no more; count it."""
    # Without the registers, nobody would be a doctor.
    offer_known_people()
    done, after = 0, 0
    while True:
        async with unit_of_work() as session:
            wanted = select(Ad.account_id).where(Ad.state.in_(suspension.LIVE), Ad.account_id > after).distinct()
            authors = (await session.scalars(wanted.order_by(Ad.account_id).limit(AUTHORS))).all()
            if not authors:
                return done
            done += await suspension.suspend(session, authors)
        after = authors[-1]


async def warn() -> int:
    """Tell the authors of the ads that end within a week, once for each end; return how many.

    Who published or extended within that week has just chosen the date: they are told of an end only when it was
    further away than that.
    """

    def chosen() -> ColumnElement[bool]:
        soon = today() + WARNED_BEFORE
        since = func.timezone("Europe/Paris", Ad.published_at)
        return and_(
            Ad.state == "published",
            Ad.ends_on.between(today(), soon),
            or_(Ad.warned_for.is_(None), Ad.warned_for != Ad.ends_on),
            since < Ad.ends_on - (WARNED_BEFORE - 1),
        )

    async def work(session: AsyncSession, ad: Ad) -> None:
        await notices.warn(session, ad)
        ad.warned_for = ad.ends_on

    return await _in_batches(chosen, Ad.ends_on, work=work)


async def escalate() -> int:
    """Send up to the national level the ads that nobody read for some days; return how many."""
    wait = timedelta(days=ads_settings().escalate_days)

    def chosen() -> ColumnElement[bool]:
        return and_(Ad.state == "pending", Ad.escalated_at.is_(None), Ad.submitted_at <= func.core.now() - wait)

    async def work(session: AsyncSession, ad: Ad) -> None:
        # Not a passage: what a moderator is reading at this instant stays current.
        ad.escalated_at = await clock.now(session)

    return await _in_batches(chosen, Ad.submitted_at, work=work)


async def sweep() -> int:
    """Remove the contents of files that are on no ad any more; return how many."""
    removed = 0
    while True:
        async with unit_of_work() as session:
            swept = await files.sweep_unused(session)
        removed += swept
        if swept < files.SWEPT_AT_ONCE:
            return removed


async def purge() -> int:
    """Delete the drafts and the ads no longer shown that nobody touched for as long as they are kept; count them."""
    settings = ads_settings()

    def untouched(days: int) -> ColumnElement[bool]:
        return Ad.updated_at < func.core.now() - timedelta(days=days)

    def chosen() -> ColumnElement[bool]:
        draft = and_(Ad.state == "draft", untouched(settings.draft_days))
        closed = and_(
            Ad.state.in_(("unpublished", "refused")),
            untouched(settings.closed_days),
            Ad.closed_at < func.core.now() - timedelta(days=settings.closed_days),
        )
        return or_(draft, closed)

    return await _in_batches(chosen, Ad.updated_at, work=life.purge)
