"""The `postgis` engine: plain SQL over the projection, the oracle of the others and the degraded mode.

Facets come from one pass that first groups equal sets of codes (most offers of a profession share theirs), so
that codes are unnested once per distinct set and not once per offer. The page
is then read by the plan that suits the size of the match set: every distance when it is small, rings around
the place, widened until the page is full, when it is large.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from sqlalchemy import ColumnElement, Integer, Numeric, Row, Select, cast, func, literal, null, select, text, union_all
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from directory.api import OfferSearch
from search_api import postgis_map, postgis_suggest
from search_api.engine import Counts, EngineAnswer, EngineQuery, Hit, MapCells, SuggestArea, Suggested, Term, match_set
from search_api.predicates import base, distance, matching, ticked, within
from search_api.relevance import BANDS, best_beyond, nearness, nearness_sql, own_score_sql
from search_api.schemas import BBox, FacetKey, Sort

SPARSE = 4_000
"""Offers up to which every distance is computed: about 2 µs each, so some 8 ms."""
RINGS_M = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000)
EVERYTHING = "toutes les offres trouvées sont classées"
OFFERS_PER_SITE = 50
"""Offers shown inside a site; their number is always told in full."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What does not depend on the page, the order or the place that distances are told from."""

    counts: Counts
    facets: Mapping[FacetKey, Mapping[int, int]]


class _Summaries:
    """The last summaries of this process. Their key holds the database's snapshot: any write makes a new one.

    A commune is a centre and limits nothing, so people of different towns ask for one match set.
    """

    kept: ClassVar[OrderedDict[tuple[str, EngineQuery], Summary]] = OrderedDict()
    most: Final = 256

    @classmethod
    def find(cls, key: tuple[str, EngineQuery]) -> Summary | None:
        found = cls.kept.get(key)
        if found is not None:
            cls.kept.move_to_end(key)
        return found

    @classmethod
    def keep(cls, key: tuple[str, EngineQuery], summary: Summary) -> None:
        cls.kept[key] = summary
        while len(cls.kept) > cls.most:
            cls.kept.popitem(last=False)


class PostgisEngine:
    """`SearchEngine` in SQL."""

    name = "postgis"

    async def answer(self, session: AsyncSession, query: EngineQuery) -> EngineAnswer:
        """See `SearchEngine.answer`."""
        summary = await self._summary(session, query)
        counts = summary.counts
        if not counts.offers:
            return EngineAnswer(counts, (), summary.facets, ("aucune offre",))
        by_distance = query.sort is Sort.distance and bool(query.origins)
        if query.origins and counts.offers > SPARSE:
            rows, plan = await _rings(session, query, counts.sites, by_distance=by_distance)
        else:
            rows, plan = list(await session.execute(_ranked(query, by_distance=by_distance))), EVERYTHING
        return EngineAnswer(counts, await _hits(session, query, rows), summary.facets, (plan,))

    async def count(self, session: AsyncSession, query: EngineQuery) -> Counts:
        """See `SearchEngine.count`."""
        return (await self._summary(session, replace(query, facet_of={}))).counts

    async def _summary(self, session: AsyncSession, query: EngineQuery) -> Summary:
        snapshot = await session.scalar(
            text(
                "SELECT CASE WHEN pg_current_xact_id_if_assigned() IS NULL"
                " THEN current_database() || ' ' || pg_current_snapshot() END"
            )
        )
        matched = match_set(query)
        # The counts of a query without facets are not those of the same query with them.
        key = (f"{snapshot} {bool(query.facet_of)}", matched)
        if snapshot is not None and (found := _Summaries.find(key)) is not None:
            return found
        summary = await _summarise(session, query)
        if snapshot is not None:
            _Summaries.keep(key, summary)
        return summary

    async def suggest(
        self, session: AsyncSession, codes: frozenset[int], names: tuple[Term, ...], area: SuggestArea, level: int
    ) -> Suggested:
        """See `SearchEngine.suggest`."""
        return await postgis_suggest.suggest(session, codes, names, area, level)

    async def map_features(
        self, session: AsyncSession, query: EngineQuery, view: BBox, cell_degrees: float
    ) -> MapCells:
        """See `SearchEngine.map_features`."""
        cells = await postgis_map.cells(session, query, view, cell_degrees)
        inside = Counts(sum(cell.sites for cell in cells), sum(cell.offers for cell in cells))
        return MapCells(cells, inside, await self.count(session, query))

    async def position(self, session: AsyncSession) -> int:
        """The database is always up to date: its last event."""
        found = await session.scalar(text("SELECT coalesce(max(position), 0) FROM core.event"))
        return int(found or 0)


SITES, OFFERS = -1, 0
"""Pseudo-codes of the rows that hold the totals: identities of concepts start at 1."""


async def _summarise(session: AsyncSession, query: EngineQuery) -> Summary:
    """Read the match set once, and count its sites, its offers and the concepts of each facet.

    `mask` has a bit for each ticked facet that an offer meets. A facet's own ticks are ignored in its counts:
    an offer that misses only that facet's bit still counts there; one that misses two counts nowhere.
    """
    keys = list(query.ticks) if query.facet_of else []
    full = (1 << len(keys)) - 1
    conditions = base(query) if query.facet_of else matching(query)
    mask: ColumnElement[int] = literal(0, Integer)
    missed: ColumnElement[int] = literal(0, Integer)
    for bit, tick in enumerate(ticked(query) if keys else []):
        met = cast(tick, Integer)
        mask = mask + met * (1 << bit)
        missed = missed + (1 - met)
    if keys:
        conditions.append(missed <= 1)
    columns: list[ColumnElement[Any]] = [OfferSearch.site_id.label("site_id"), OfferSearch.codes.label("codes")]
    found = (
        select(*columns, *([mask.label("mask")] if keys else []))
        .where(*conditions)
        .cte("found")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    whole = [found.c.mask == full] if keys else []
    sites = select(func.count().label("n")).select_from(found).where(*whole).group_by(found.c.site_id).cte("sites")
    none = [cast(null(), Numeric) for _ in keys]
    parts: list[Select[Any]] = [
        select(literal(SITES), cast(func.count(), Numeric), *none).select_from(sites),
        select(literal(OFFERS), func.sum(sites.c.n), *none),
    ]
    if query.facet_of:
        masks = [found.c.mask] if keys else []
        sets = select(found.c.codes, *masks, func.count().label("n")).group_by(found.c.codes, *masks).cte("sets")
        each = select(func.unnest(sets.c.codes).label("code"), *([sets.c.mask] if keys else []), sets.c.n).subquery()
        total = func.sum(each.c.n)
        counted_in = [total.filter(each.c.mask == full) if keys else total]
        counted_in += [total.filter(each.c.mask.op("|")(1 << bit) == full) for bit in range(len(keys))]
        parts.append(select(each.c.code, *counted_in).group_by(each.c.code))
    own = {key: 2 + bit for bit, key in enumerate(keys)}
    counts: dict[FacetKey, dict[int, int]] = {key: {} for key in FacetKey} if query.facet_of else {}
    totals = {SITES: 0, OFFERS: 0}
    for row in await session.execute(union_all(*parts)):
        if row[0] in totals:
            totals[row[0]] = int(row[1] or 0)
            continue
        key = query.facet_of.get(row[0])
        if key is not None and (counted := row[own.get(key, 1)]):
            counts[key][row[0]] = int(counted)
    return Summary(Counts(totals[SITES], totals[OFFERS]), counts)


Ranked = Row[Any]


def _ranked(query: EngineQuery, *, by_distance: bool, ring_m: int | None = None) -> Select[Any]:
    """Select the page of sites in order: id, metres, exact, points, matching offers, sites in all.

    Offers of a site share its position: its distance is computed once, after they are grouped.
    """
    conditions = matching(query)
    if ring_m is not None:
        conditions.append(within(query.origins, ring_m + 1))
    grouped = (
        select(
            OfferSearch.site_id,
            func.min(OfferSearch.offer_id).label("offer_id"),
            func.bool_or(OfferSearch.exact).label("exact"),
            func.max(literal(0, Integer) if by_distance else own_score_sql(query.terms)).label("own"),
            func.count().label("offers"),
        )
        .where(*conditions)
        .group_by(OfferSearch.site_id)
        .cte("grouped")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    metres = distance(query.origins) if query.origins else cast(null(), Integer)
    placed = (
        select(grouped, metres.label("metres"))
        .join_from(grouped, OfferSearch, OfferSearch.offer_id == grouped.c.offer_id)
        .cte("placed")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    points = placed.c.own if by_distance else placed.c.own + nearness_sql(placed.c.metres)
    columns = [placed.c.site_id, placed.c.metres, placed.c.exact, points.label("points"), placed.c.offers]
    statement = select(*columns, func.count().over().label("sites"))
    if ring_m is not None:
        statement = statement.where(placed.c.metres <= ring_m)
    order = [placed.c.metres.asc().nulls_last(), placed.c.exact.desc(), placed.c.site_id]
    if not by_distance:
        order.insert(0, points.desc())
    return statement.order_by(*order).limit(query.limit).offset(query.offset)


async def _rings(
    session: AsyncSession, query: EngineQuery, sites: int, *, by_distance: bool
) -> tuple[list[Ranked], str]:
    """Read the page inside the smallest ring that holds it.

    By distance, a ring holds the page when it has enough sites. By relevance, when the last site of the page has
    at least the points that anything farther may have: with as many, the nearer one comes first. What has no
    position comes with the last plan, which ranks everything.
    """
    wanted = min(query.offset + query.limit, sites) - query.offset
    if wanted <= 0:
        return [], "la page est après le dernier résultat"
    for ring_m in RINGS_M if by_distance else (limit for limit, _ in BANDS):
        rows = list(await session.execute(_ranked(query, by_distance=by_distance, ring_m=ring_m)))
        if len(rows) == wanted and (by_distance or rows[-1].points >= best_beyond(query.terms, ring_m)):
            return rows, f"les sites à moins de {ring_m // 1000} km suffisent à la page"
    return list(await session.execute(_ranked(query, by_distance=by_distance))), EVERYTHING


async def _hits(session: AsyncSession, query: EngineQuery, rows: Sequence[Ranked]) -> tuple[Hit, ...]:
    """Add to each site of the page its matching offers, best first."""
    if not rows:
        return ()
    found = (
        select(
            OfferSearch.site_id.label("site_id"),
            OfferSearch.offer_id.label("offer_id"),
            own_score_sql(query.terms).label("points"),
        )
        .where(*matching(query), OfferSearch.site_id.in_([row.site_id for row in rows]))
        .subquery()
    )
    grouped = select(
        found.c.site_id,
        func.array_agg(aggregate_order_by(found.c.offer_id, found.c.points.desc(), found.c.offer_id)),
        func.max(found.c.points),
    ).group_by(found.c.site_id)
    offers = {row[0]: (tuple(row[1][:OFFERS_PER_SITE]), row[2]) for row in await session.execute(grouped)}
    return tuple(
        Hit(
            site_id=row.site_id,
            distance_m=row.metres,
            exact=row.exact,
            score=offers[row.site_id][1] + nearness(row.metres),
            offers=offers[row.site_id][0],
            offers_count=row.offers,
        )
        for row in rows
        if row.site_id in offers
    )
