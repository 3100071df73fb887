"""Ads whose author may no longer publish them: taken off, and published again by their author once they may.

A council or an administrator ends a standing at once; a licence that is over and somebody who left the registers are
found by the clock.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import follow_standings, standings_of
from modules.ads import life
from modules.ads.models import Ad
from modules.ads.situations import refused_to

LIVE = ("published", "pending")


async def suspend(session: AsyncSession, account_ids: Collection[int]) -> int:
    """Take off what some accounts may no longer publish, published or waiting; return how many ads.

    The rows are locked once it is known which: nobody waits for an ad that stays.
    """
    standings = await standings_of(session, account_ids)
    rows = await session.execute(
        select(Ad.id, Ad.account_id, Ad.category, Ad.side).where(Ad.account_id.in_(account_ids), Ad.state.in_(LIVE))
    )
    refused: dict[int, Any] = {}
    for row in rows:
        standing = standings.get(row.account_id)
        why = refused_to(standing, row.category, row.side)
        if why is not None:
            refused[row.id] = (why, standing)
    if not refused:
        return 0
    wanted = select(Ad).where(Ad.id.in_(refused), Ad.state.in_(LIVE)).order_by(Ad.id).with_for_update()
    ads = (await session.scalars(wanted.execution_options(populate_existing=True))).all()
    for ad in ads:
        why, standing = refused[ad.id]
        await life.suspend(session, ad, why, standing)
    return len(ads)


async def _changed(session: AsyncSession, account_id: int) -> None:
    await suspend(session, (account_id,))


def offer() -> None:
    """Have the end of a standing take off the ads that it allowed."""
    follow_standings("annonces", _changed)
