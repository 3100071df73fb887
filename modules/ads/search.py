"""Searches of ads: one statement for the ads of a page and the totals, one for what is shown of them."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Text,
    any_,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, DATEMULTIRANGE, array
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import Fixed, keys
from modules.ads.models import Ad
from modules.ads.models_search import AdSearch, AdSpot
from modules.ads.people import today
from modules.ads.search_places import Wanted, wanted
from modules.ads.search_query import AdQuery, Sort
from modules.ads.views import AdView, views_of


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
class TownAd:
    """An ad that names a town of the map."""

    number: int
    title: str


async def search(session: AsyncSession, query: AdQuery) -> Found:
    """Return the ads of a page, newest or nearest first, with the totals.

    Raises:
        ValueError: a searched place is no longer known.
    """
    asked = await wanted(session, query)
    statement = _page(_shape(query, asked), query.sort)
    lines = await statement.rows(session, limit=query.limit, offset=query.offset, **_values(query, asked))
    ads = tuple(
        FoundAd(line.ad_id, None if line.rank is None else line.rank // 2) for line in lines if line.ad_id is not None
    )
    return Found(lines[0].total, lines[0].unplaced, ads, asked)


async def hydrate(session: AsyncSession, found: Collection[FoundAd]) -> list[AdView]:
    """Return the ads of a page as they are shown, in its order; one statement."""
    return await views_of(session, [one.ad_id for one in found])


async def matching(session: AsyncSession, query: AdQuery, ad_ids: Collection[int]) -> set[int]:
    """Return which of some ads answer a search, whatever their number.

    Raises:
        ValueError: a searched place is no longer known.
    """
    asked = await wanted(session, query)
    found = _answering(_shape(query, asked)).subquery("found")
    rows = await session.scalars(select(found.c.ad_id).where(found.c.ad_id.in_(ad_ids)), _values(query, asked))
    return set(rows)


async def places_of(session: AsyncSession, query: AdQuery) -> dict[int, int]:
    """Return how many of the ads that answer a search, and have a town, name each place, towns and others.

    Raises:
        ValueError: a searched place is no longer known.
    """
    asked = await wanted(session, query)
    rows = await _counts(_shape(query, asked)).rows(session, **_values(query, asked))
    return {row.place: row.ads for row in rows}


async def latest_of(
    session: AsyncSession, query: AdQuery, towns: Collection[int], most: int
) -> dict[int, list[TownAd]]:
    """Return, of the ads that answer a search, the latest that name each of some towns.

    Raises:
        ValueError: a searched place is no longer known.
    """
    asked = await wanted(session, query)
    statement = _latest(_shape(query, asked))
    found: dict[int, list[TownAd]] = {}
    for row in await statement.rows(session, towns=keys(towns), most=most, **_values(query, asked)):
        found.setdefault(row.town, []).append(TownAd(row.number, row.title))
    return found


def _naming(shape: frozenset[str], *columns: Any) -> Select[Any]:
    """Select the places that the ads that answer the searches of a shape name, of those that have a town.

    The lines of one index say it alone, unless the ads are those of some places, or of some words.
    """
    named: Select[Any] = select(*columns).where(AdSpot.key > 0, AdSpot.placed)
    if not shape & {"keys", "words"}:
        return named.where(*_spot_rules(shape))
    held = _answering(shape).subquery("held")
    return named.join(held, held.c.ad_id == AdSpot.ad_id)


@cache
def _counts(shape: frozenset[str]) -> Fixed:
    """Return what counts the ads of each place, of the searches of a shape."""
    named = _naming(shape, AdSpot.key.label("place"), func.count().label("ads"))
    return Fixed(named.group_by(AdSpot.key).order_by(AdSpot.key))


@cache
def _latest(shape: frozenset[str]) -> Fixed:
    """Return what reads the latest ads of some towns, of the searches of a shape."""
    newest = (AdSpot.published_at.desc(), AdSpot.ad_id.desc())
    rank = func.row_number().over(partition_by=AdSpot.key, order_by=newest).label("rank")
    named = _naming(shape, AdSpot.ad_id, AdSpot.key.label("town"), rank)
    ranked = named.where(AdSpot.key == any_(_given("towns", ARRAY(Integer)))).subquery("ranked")
    return Fixed(
        select(ranked.c.town, Ad.number, Ad.title)
        .join(Ad, Ad.id == ranked.c.ad_id)
        .where(ranked.c.rank <= bindparam("most", type_=Integer))
        .order_by(ranked.c.town, ranked.c.rank)
    )


def _shape(query: AdQuery, asked: Wanted) -> frozenset[str]:
    """Return which parameters a search has: those of one shape are one statement."""
    return frozenset(_values(query, asked))


def _values(query: AdQuery, asked: Wanted) -> dict[str, Any]:
    """Return the parameters of a search, as the statement of its shape takes them."""
    values: dict[str, Any] = {
        "category": query.category,
        "side": query.side,
        "specialty": query.specialty,
        "words": query.q or None,
        "periods": _multirange(query) if query.periods else None,
    }
    if asked.keys is not None:
        values |= {"keys": keys(asked.keys.keys()), "ranks": keys(asked.keys.values())}
    return {name: value for name, value in values.items() if value is not None}


def _multirange(query: AdQuery) -> str:
    spans = (f"[{one.starts_on},{one.ends_on}]" if one.ends_on else f"[{one.starts_on},)" for one in query.periods)
    return "{" + ",".join(spans) + "}"


@cache
def _page(shape: frozenset[str], sort: Sort) -> Fixed:
    """Return what reads a page of the searches of a shape, and their totals."""
    counted: Any
    listed: Any
    if shape & {"keys", "periods", "words"}:
        # Read once for the page and for the totals.
        counted = listed = _answering(shape).cte("found").prefix_with("MATERIALIZED", dialect="postgresql")
    else:
        # All the ads, or all of a kind, are better counted in an index, and read from the end of another.
        counted, listed = _answering(shape).subquery("counted"), _answering(shape).subquery("listed")
    totals = (
        select(func.count().label("total"), func.count().filter(~counted.c.placed).label("unplaced"))
        .select_from(counted)
        .subquery("totals")
    )
    limits = {"limit": bindparam("limit", type_=Integer), "offset": bindparam("offset", type_=Integer)}
    page = select(listed).order_by(*_order(listed, sort)).limit(limits["limit"]).offset(limits["offset"])
    rows = page.subquery("page")
    return Fixed(
        select(totals.c.total, totals.c.unplaced, rows.c.ad_id, rows.c.rank)
        .select_from(totals.outerjoin(rows, true()))
        .order_by(*_order(rows, sort))
    )


def _order(found: Any, sort: Sort) -> list[ColumnElement[Any]]:
    newest: list[ColumnElement[Any]] = [found.c.published_at.desc(), found.c.ad_id.desc()]
    return [found.c.rank.asc().nulls_last(), *newest] if sort == "distance" else newest


def _answering(shape: frozenset[str]) -> Select[Any]:
    """Select the ads that answer the searches of a shape: key, publication, whether they have a town, rank."""
    if "keys" not in shape:
        nothing = literal_column("NULL::integer", Integer).label("rank")
        columns: list[Any] = [AdSearch.ad_id, AdSearch.published_at, AdSearch.placed, nothing]
        whole: Select[Any] = select(*columns)
        return whole.where(*_rules(shape))
    lists = func.unnest(_given("keys", ARRAY(Integer)), _given("ranks", ARRAY(Integer)))
    asked = lists.table_valued("key", "rank").render_derived("asked")
    # A subquery for each key, that no planner takes apart: hundreds of keys are as many readings of one index.
    spot = (
        select(AdSpot.ad_id, AdSpot.published_at, AdSpot.placed)
        .where(AdSpot.key == asked.c.key, *_spot_rules(shape))
        .offset(literal_column("0"))
        .lateral("spot")
    )
    found: Select[Any] = select(
        *(spot.c[name] for name in ("ad_id", "published_at", "placed")), func.min(asked.c.rank).label("rank")
    )
    found = found.select_from(asked.join(spot, true()))
    if "words" in shape:
        found = found.where(spot.c.ad_id.in_(select(AdSearch.ad_id).where(_said())))
    return found.group_by(spot.c.ad_id, spot.c.published_at, spot.c.placed)


def _rules(shape: frozenset[str]) -> list[ColumnElement[bool]]:
    """Return what a search asks of an ad, but places. What is late to be taken off is not shown."""
    rules: list[ColumnElement[bool]] = [AdSearch.ends_on >= today()]
    tags = [bindparam(name, type_=Text) for name in ("category", "side", "specialty") if name in shape]
    if tags:
        rules.append(AdSearch.tags.contains(cast(array(tags), ARRAY(Text))))
    if "periods" in shape:
        rules.append(AdSearch.periods.op("&&")(_given("periods", DATEMULTIRANGE)))
    if "words" in shape:
        rules.append(_said())
    return rules


def _spot_rules(shape: frozenset[str]) -> list[ColumnElement[bool]]:
    """Return the same, of the lines of `AdSpot`, but words."""
    rules: list[ColumnElement[bool]] = [AdSpot.ends_on >= today()]
    for name, column in (("specialty", AdSpot.specialty), ("category", AdSpot.category), ("side", AdSpot.side)):
        if name in shape:
            rules.append(column == bindparam(name, type_=Text))
    if "periods" in shape:
        rules.append(AdSpot.periods.op("&&")(_given("periods", DATEMULTIRANGE)))
    return rules


def _said() -> ColumnElement[bool]:
    words = func.websearch_to_tsquery(literal_column("'ads.french'::regconfig"), bindparam("words", type_=Text))
    return AdSearch.words.op("@@")(words)


def _given(name: str, kind: Any) -> ColumnElement[Any]:
    """Return a parameter that travels as one text: the driver has nothing to convert."""
    return cast(bindparam(name, type_=Text), kind)
