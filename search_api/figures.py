"""Size and freshness of the directory, for the home page; counted once in ten minutes."""

import time
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict
from sqlalchemy import distinct, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.models import Event
from directory.api import PUBLIC, OfferSearch, Practitioner, searchable

KEPT_SECONDS: Final = 600
"""Counting two million rows takes a second; the figures of the home page may be ten minutes old."""
PUBLICATIONS: Final = ("published", "published_full")


class Figures(BaseModel):
    """What may be found, and when the registers were last read (None before the first load)."""

    model_config = ConfigDict(frozen=True)

    offers: int
    sites: int
    practitioners: int
    described: int
    updated_at: datetime | None


class _Kept:
    figures: Figures | None = None
    until: float = 0.0


async def directory_figures(session: AsyncSession) -> Figures:
    """Return the figures of the directory; a publication renews them at once."""
    updated = await session.scalar(select(func.max(Event.at)).where(Event.kind.in_(PUBLICATIONS)))
    kept = _Kept.figures
    if kept is not None and time.monotonic() < _Kept.until and kept.updated_at == updated:
        return kept
    public = searchable(PUBLIC)
    figures = Figures(
        offers=await session.scalar(select(func.count()).select_from(OfferSearch).where(public)) or 0,
        sites=await session.scalar(select(func.count(distinct(OfferSearch.site_id))).where(public)) or 0,
        practitioners=await session.scalar(
            select(func.count()).select_from(Practitioner).where(Practitioner.closed_on.is_(None))
        )
        or 0,
        described=await session.scalar(
            select(func.count()).select_from(OfferSearch).where(public, OfferSearch.described)
        )
        or 0,
        updated_at=updated,
    )
    _Kept.figures, _Kept.until = figures, time.monotonic() + KEPT_SECONDS
    return figures
