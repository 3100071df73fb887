"""Searches of ads: one statement for the ads of a page and the totals, one for the towns of the map."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, DATEMULTIRANGE, Range
from sqlalchemy.ext.asyncio import AsyncSession

from modules.ads.models import Ad
from modules.ads.models_search import AdSearch
from modules.ads.people import today
from modules.ads.schemas import Period
from modules.ads.search_places import Wanted, wanted
from modules.ads.search_query import AdQuery
from modules.ads.views import AdView, views

_AREA_RANK: Final = 1
"""Of an ad for a whole area, behind the ads that name the very town."""


@dataclass(frozen=True, slots=True)
class FoundAd:
    """An ad of a page: its key, and its distance in metres from the nearest searched town, when one is searched."""

    ad_id: int
    metres: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search answers. `total` is never capped; `unplaced` of them have no town, so that no map shows them."""

    total: int
    unplaced: int
    ads: tuple[FoundAd, ...]
    wanted: Wanted


@dataclass(frozen=True, slots=True)
class TownCount:
    """A town of the map, how many ads name it, and the latest of them."""

    place_id: int
    count: int
    ad_ids: tuple[int, ...]


async def search(session: AsyncSession, query: AdQuery) -> Found:
    """Return the ads of a page, newest or nearest first, with the totals.

    Raises:
        ValueError: a searched place is no longer known.
    """
    asked = await wanted(session, query)
    columns = [AdSearch.ad_id, AdSearch.published_at, AdSearch.towns]
    if query.sort == "distance":
        columns.append(AdSearch.places)
    found = (
        select(*columns).where(conditions(query, asked)).cte("found").prefix_with("MATERIALIZED", dialect="postgresql")
    )
    totals = (
        select(func.count().label("total"), func.count().filter(found.c.towns == text("'{}'")).label("unplaced"))
        .select_from(found)
        .subquery("totals")
    )
    page = _nearest(found, asked) if query.sort == "distance" else _latest(found)
    rows = page.limit(query.limit).offset(query.offset).subquery("page")
    answer = await session.execute(
        select(totals.c.total, totals.c.unplaced, rows.c.ad_id, rows.c.metres)
        .select_from(totals.outerjoin(rows, true()))
        .order_by(rows.c.metres.asc().nulls_last(), rows.c.rank, rows.c.published_at.desc(), rows.c.ad_id.desc())
    )
    lines = answer.all()
    ads = tuple(FoundAd(line.ad_id, line.metres) for line in lines if line.ad_id is not None)
    return Found(lines[0].total, lines[0].unplaced, ads, asked)


async def hydrate(session: AsyncSession, found: Collection[FoundAd]) -> list[AdView]:
    """Return the ads of a page as they are shown, in its order; those that ended meanwhile are left out."""
    kept = {ad.id: ad for ad in await session.scalars(select(Ad).where(Ad.id.in_([one.ad_id for one in found])))}
    return await views(session, [kept[one.ad_id] for one in found if one.ad_id in kept])


async def matching(session: AsyncSession, query: AdQuery, ad_ids: Collection[int]) -> set[int]:
    """Return which of some ads answer a search, whatever their number.

    Raises:
        ValueError: a searched place is no longer known.
    """
    asked = await wanted(session, query)
    rows = await session.scalars(
        select(AdSearch.ad_id).where(AdSearch.ad_id.in_(ad_ids), conditions(query, asked)).order_by(AdSearch.ad_id)
    )
    return set(rows)


async def towns_of(session: AsyncSession, query: AdQuery, *, most: int) -> list[TownCount]:
    """Return the towns of every ad that answers a search, with how many name each and its latest ads.

    Raises:
        ValueError: a searched place is no longer known.
    """
    asked = await wanted(session, query)
    town = func.unnest(AdSearch.towns).label("town")
    found = select(AdSearch.ad_id, AdSearch.published_at, town).where(conditions(query, asked)).subquery("found")
    latest = func.array_agg(
        literal_column("found.ad_id ORDER BY found.published_at DESC, found.ad_id DESC", ARRAY(Integer))
    )
    rows = await session.execute(
        select(found.c.town, func.count().label("ads_count"), latest.label("ads"))
        .group_by(found.c.town)
        .order_by(found.c.town)
    )
    return [TownCount(row.town, row.ads_count, tuple(row.ads[:most])) for row in rows]


def conditions(query: AdQuery, asked: Wanted) -> ColumnElement[bool]:
    """Select the rows of the projection that answer a search. What is late to be taken off is not shown."""
    rules: list[ColumnElement[bool]] = [AdSearch.ends_on >= today()]
    tags = [tag for tag in (query.category, query.side, query.specialty) if tag]
    if tags:
        rules.append(AdSearch.tags.contains(cast(tags, ARRAY(Text))))
    if asked.keys is not None:
        rules.append(AdSearch.places.overlap(_integers(asked.keys)))
    if query.periods:
        spans = [_span(period) for period in query.periods]
        rules.append(AdSearch.periods.op("&&")(bindparam(None, spans, DATEMULTIRANGE)))
    if query.q:
        rules.append(AdSearch.words.op("@@")(func.websearch_to_tsquery(text("'ads.french'::regconfig"), query.q)))
    return and_(*rules)


def _span(period: Period) -> Range[Any]:
    return Range(period.starts_on, period.ends_on, bounds="[]" if period.ends_on else "[)")


def _integers(values: Collection[int]) -> ColumnElement[Any]:
    """Return keys as one parameter: the driver writes thousands of them as one text."""
    return cast(cast("{" + ",".join(map(str, values)) + "}", Text), ARRAY(Integer))


def _latest(found: Any) -> Select[Any]:
    nothing = cast(None, Integer).label("metres")
    return select(found.c.ad_id, found.c.published_at, nothing, literal_column("0").label("rank")).order_by(
        found.c.published_at.desc(), found.c.ad_id.desc()
    )


def _nearest(found: Any, asked: Wanted) -> Select[Any]:
    """Order by distance from the nearest searched town, then as the module `search_places` says."""
    known: Mapping[int, int] = asked.metres
    far = (
        func.unnest(_integers(list(known)), _integers(list(known.values())))
        .table_valued("town", "metres")
        .render_derived("far")
    )
    held = select(found.c.ad_id, func.unnest(found.c.towns).label("town")).subquery("held")
    least = (
        select(held.c.ad_id, func.min(far.c.metres).label("metres"))
        .join(far, far.c.town == held.c.town)
        .group_by(held.c.ad_id)
        .subquery("least")
    )
    whole = found.c.places.overlap(_integers(asked.around))
    metres = case((whole, 0), else_=least.c.metres)
    rank = case((and_(whole, func.coalesce(least.c.metres, 1) > 0), _AREA_RANK), else_=0)
    return (
        select(found.c.ad_id, found.c.published_at, metres.label("metres"), rank.label("rank"))
        .select_from(found.outerjoin(least, least.c.ad_id == found.c.ad_id))
        .order_by(metres.asc().nulls_last(), rank, found.c.published_at.desc(), found.c.ad_id.desc())
    )
