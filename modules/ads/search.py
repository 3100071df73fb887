"""Searches of ads: one statement for the ads of a page and the totals, one for the towns of the map."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, Text, bindparam, cast, func, literal_column, select, text, true
from sqlalchemy.dialects.postgresql import ARRAY, DATEMULTIRANGE, Range
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import keys
from modules.ads.models import Ad
from modules.ads.models_search import AdSearch, AdSpot
from modules.ads.people import today
from modules.ads.search_places import Wanted, wanted
from modules.ads.search_query import AdQuery
from modules.ads.views import AdView, views


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
    answering = _answering(query, asked)
    # Read once for the page and for the totals; all the ads are better counted in their index, and read from its end.
    narrowed = asked.keys is not None or query.q or query.periods
    found = answering.cte("found").prefix_with("MATERIALIZED", dialect="postgresql") if narrowed else None
    counted = found if found is not None else answering.subquery("found")
    totals = (
        select(func.count().label("total"), func.count().filter(~counted.c.placed).label("unplaced"))
        .select_from(counted)
        .subquery("totals")
    )
    listed = found if found is not None else _answering(query, asked).subquery("listed")
    nearest = listed.c.rank.asc().nulls_last()
    order = [listed.c.published_at.desc(), listed.c.ad_id.desc()]
    page = select(listed).order_by(*([nearest, *order] if query.sort == "distance" else order))
    rows = page.limit(query.limit).offset(query.offset).subquery("page")
    order = [rows.c.published_at.desc(), rows.c.ad_id.desc()]
    answer = await session.execute(
        select(totals.c.total, totals.c.unplaced, rows.c.ad_id, rows.c.rank)
        .select_from(totals.outerjoin(rows, true()))
        .order_by(*([rows.c.rank.asc().nulls_last(), *order] if query.sort == "distance" else order))
    )
    lines = answer.all()
    ads = tuple(
        FoundAd(line.ad_id, None if line.rank is None else line.rank // 2) for line in lines if line.ad_id is not None
    )
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
    if asked.keys is None:
        rows = select(AdSearch.ad_id).where(AdSearch.ad_id.in_(ad_ids), *_rules(query))
    else:
        rows = select(AdSpot.ad_id).where(AdSpot.ad_id.in_(ad_ids), AdSpot.key.in_(asked.keys), *_spot_rules(query))
    return set(await session.scalars(rows))


async def towns_of(session: AsyncSession, query: AdQuery, *, most: int) -> list[TownCount]:
    """Return the towns of every ad that answers a search, with how many name each and its latest ads.

    Raises:
        ValueError: a searched place is no longer known.
    """
    asked = await wanted(session, query)
    held = _answering(query, asked).subquery("held")
    town = func.unnest(AdSearch.towns).label("town")
    found = select(AdSearch.ad_id, AdSearch.published_at, town).join(held, held.c.ad_id == AdSearch.ad_id)
    listed = found.where(AdSearch.placed).subquery("found")
    latest = func.array_agg(
        literal_column("found.ad_id ORDER BY found.published_at DESC, found.ad_id DESC", ARRAY(Integer))
    )
    counts = select(listed.c.town, func.count().label("ads_count"), latest.label("ads"))
    rows = await session.execute(counts.group_by(listed.c.town).order_by(listed.c.town))
    return [TownCount(row.town, row.ads_count, tuple(row.ads[:most])) for row in rows]


def _answering(query: AdQuery, asked: Wanted) -> Select[Any]:
    """Select the ads that answer a search: key, publication, whether they have a town, rank by distance."""
    if asked.keys is None:
        nothing = cast(None, Integer).label("rank")
        whole: Select[Any] = select(AdSearch.ad_id, AdSearch.published_at, AdSearch.placed, nothing)
        return whole.where(*_rules(query))
    wanted_keys = func.unnest(_integers(asked.keys.keys()), _integers(asked.keys.values()))
    asked_for = wanted_keys.table_valued("key", "rank").render_derived("asked")
    # A subquery for each key, that no planner takes apart: hundreds of keys are as many readings of one index.
    spot = (
        select(AdSpot.ad_id, AdSpot.published_at, AdSpot.placed)
        .where(AdSpot.key == asked_for.c.key, *_spot_rules(query))
        .offset(0)
        .lateral("spot")
    )
    found: Select[Any] = (
        select(spot.c.ad_id, spot.c.published_at, spot.c.placed, func.min(asked_for.c.rank).label("rank"))
        .select_from(asked_for.join(spot, true()))
        .group_by(spot.c.ad_id, spot.c.published_at, spot.c.placed)
    )
    return found


def _rules(query: AdQuery) -> list[ColumnElement[bool]]:
    """Return what a search asks of an ad, but places. What is late to be taken off is not shown."""
    rules: list[ColumnElement[bool]] = [AdSearch.ends_on >= today()]
    tags = [tag for tag in (query.category, query.side, query.specialty) if tag]
    if tags:
        rules.append(AdSearch.tags.contains(cast(tags, ARRAY(Text))))
    if query.periods:
        rules.append(AdSearch.periods.op("&&")(_spans(query)))
    if query.q:
        rules.append(_said(query.q))
    return rules


def _spot_rules(query: AdQuery) -> list[ColumnElement[bool]]:
    """Return the same, of the lines of `AdSpot`."""
    rules: list[ColumnElement[bool]] = [AdSpot.ends_on >= today()]
    for column, value in (
        (AdSpot.specialty, query.specialty),
        (AdSpot.category, query.category),
        (AdSpot.side, query.side),
    ):
        if value:
            rules.append(column == value)
    if query.periods:
        rules.append(AdSpot.periods.op("&&")(_spans(query)))
    if query.q:
        rules.append(AdSpot.ad_id.in_(select(AdSearch.ad_id).where(_said(query.q))))
    return rules


def _said(words: str) -> ColumnElement[bool]:
    return AdSearch.words.op("@@")(func.websearch_to_tsquery(text("'ads.french'::regconfig"), words))


def _spans(query: AdQuery) -> ColumnElement[Any]:
    spans = [Range(one.starts_on, one.ends_on, bounds="[]" if one.ends_on else "[)") for one in query.periods]
    return bindparam(None, spans, DATEMULTIRANGE)


def _integers(values: Iterable[int | None]) -> ColumnElement[Any]:
    """Return keys as one parameter: the driver writes thousands of them as one text."""
    return cast(cast(keys(values), Text), ARRAY(Integer))
