"""Reading and writing of what an ad says, under the lock of its row."""

from collections.abc import Sequence

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from modules.ads.models import Ad, AdFile, AdPeriod, AdPlace
from modules.ads.schemas import AdContent, FileRef, Period


async def read(session: AsyncSession, ad: Ad) -> AdContent:
    """Return what an ad says now."""
    return (await read_all(session, [ad]))[ad.id]


async def read_all(session: AsyncSession, ads: Sequence[Ad]) -> dict[int, AdContent]:
    """Return what ads say, by their key; three statements whatever their number."""
    ids = [ad.id for ad in ads]
    places: dict[int, list[int]] = {}
    for ad_id, place_id in await session.execute(
        select(AdPlace.ad_id, AdPlace.place_id)
        .where(AdPlace.ad_id.in_(ids))
        .order_by(AdPlace.ad_id, AdPlace.position, AdPlace.place_id)
    ):
        places.setdefault(ad_id, []).append(place_id)
    periods: dict[int, list[Period]] = {}
    for period in await session.scalars(
        select(AdPeriod).where(AdPeriod.ad_id.in_(ids)).order_by(AdPeriod.ad_id, AdPeriod.position)
    ):
        periods.setdefault(period.ad_id, []).append(Period(starts_on=period.starts_on, ends_on=period.ends_on))
    files: dict[int, list[FileRef]] = {}
    for file in await session.scalars(
        select(AdFile).where(AdFile.ad_id.in_(ids)).order_by(AdFile.ad_id, AdFile.position, AdFile.id)
    ):
        files.setdefault(file.ad_id, []).append(FileRef(name=file.name, digest=file.digest))
    return {
        ad.id: AdContent(
            category=ad.category,
            side=ad.side,
            specialty=ad.specialty,
            title=ad.title,
            description=ad.description,
            conditions=ad.conditions,
            urgent=ad.urgent,
            anonymous=ad.anonymous,
            places=tuple(places.get(ad.id, ())),
            periods=tuple(periods.get(ad.id, ())),
            files=tuple(files.get(ad.id, ())),
        )
        for ad in ads
    }


async def write(session: AsyncSession, ad: Ad, content: AdContent) -> None:
    """Give an ad another content; its files are written by `files`, which this leaves as they are."""
    ad.category, ad.side, ad.specialty = content.category, content.side, content.specialty
    ad.title, ad.description, ad.conditions = content.title, content.description, content.conditions
    ad.urgent, ad.anonymous = content.urgent, content.anonymous
    await session.execute(delete(AdPlace).where(AdPlace.ad_id == ad.id))
    await session.execute(delete(AdPeriod).where(AdPeriod.ad_id == ad.id))
    places = list(dict.fromkeys(content.places))
    if places:
        rows = [{"ad_id": ad.id, "place_id": place, "position": rank} for rank, place in enumerate(places)]
        await session.execute(insert(AdPlace), rows)
    if content.periods:
        lines = [
            {"ad_id": ad.id, "position": rank, "starts_on": period.starts_on, "ends_on": period.ends_on}
            for rank, period in enumerate(content.periods)
        ]
        await session.execute(insert(AdPeriod), lines)
    await session.flush()
