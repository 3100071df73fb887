"""`SearchEngine` on Meilisearch: totals, facets and candidates in one round trip, the page's offers in another.

The points of the map and the names of suggestions are read from PostgreSQL: they are sums of positions and the
names of people, which the index does not hold.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from search_api import postgis_suggest
from search_api.engine import (
    Counts,
    EngineAnswer,
    EngineQuery,
    EngineUnavailable,
    Hit,
    LatLon,
    MapCells,
    SuggestArea,
    Suggested,
    Term,
)
from search_api.meili import filters, ranking
from search_api.meili.client import Query, Result, Server
from search_api.meili.indexing import index_name, state
from search_api.meili.ranking import Found, Ranked
from search_api.meili.settings import MeiliSettings
from search_api.models import IndexState
from search_api.postgis import EVERYTHING, OFFERS_PER_SITE, PostgisEngine
from search_api.relevance import nearness
from search_api.schemas import BBox, FacetKey, Sort

MARGIN = 30
"""Sites read beyond the page, so that those that change places on the ellipsoid are all there."""
NEAR_MOST = 20_000
"""Sites that one more question may bring when many are as far as the last of the page."""
RANKED = 1_000
"""Offers ranked by relevance one by one."""
RING_MOST = 5_000
"""Sites of which a radius may need the exact distance."""
WAYS_MOST = 64
"""Combinations of ways to meet the words of a text that are asked for at once."""
PAGE_OFFERS = 10_000
"""Offers of the sites of a page, at most."""
SUMMARIES = 256
"""Totals and facets kept: people of different towns ask for one match set."""
PLACED = ["id", "site_id", "_geo", "approximate"]
NEAREST = "les {} offres les plus proches sont classées"

Kept = tuple[str, EngineQuery]


@dataclass(frozen=True, slots=True)
class Summary:
    """What does not depend on the page, the order or the place that distances are told from."""

    counts: Counts
    facets: Mapping[FacetKey, Mapping[int, int]]


@dataclass(frozen=True, slots=True)
class Matched:
    """The filters of a query: every condition but the ticks, and one for each ticked facet."""

    base: list[str]
    ticks: dict[FacetKey, str]

    @property
    def whole(self) -> list[str]:
        """Every condition."""
        return self.base + list(self.ticks.values())

    def without(self, key: FacetKey) -> list[str]:
        """Every condition but a facet's own ticks."""
        return self.base + [condition for other, condition in self.ticks.items() if other is not key]


class MeiliEngine:
    """Answers from a Meilisearch server; `EngineUnavailable` when it cannot, or not as exactly as the others."""

    name = "meilisearch"

    def __init__(self, settings: MeiliSettings) -> None:
        self.server = Server(settings)
        self._summaries: OrderedDict[Kept, Summary] = OrderedDict()

    async def answer(self, session: AsyncSession, query: EngineQuery) -> EngineAnswer:
        """See `SearchEngine.answer`."""
        key = await self._key(session, query)
        matched = await self._match(query)
        kept = self._find(key)
        asked = [] if kept else self._summary_queries(query, matched)
        by_distance = query.sort is Sort.distance and bool(query.origins)
        candidates = self._candidates(query, matched, by_distance=by_distance)
        results = await self.server.search([*asked, *candidates])
        summary = kept or self._keep(key, _summary(query, matched, results[: len(asked)]))
        counts = summary.counts
        if not counts.offers:
            return EngineAnswer(counts, (), summary.facets, ("aucune offre",))
        wanted = min(query.offset + query.limit, counts.sites)
        if wanted <= query.offset:
            return EngineAnswer(counts, (), summary.facets, ("la page est après le dernier résultat",))
        lists = [[ranking.found(hit, query.terms) for hit in result.hits] for result in results[len(asked) :]]
        rank = self._by_distance if by_distance else self._by_relevance
        ordered, plan = await rank(query, matched, lists, wanted)
        if len(ordered) < wanted:
            raise EngineUnavailable("Meilisearch ne va pas jusqu’à cette page.")
        hits = await self._hits(query, matched, ordered[query.offset : wanted])
        return EngineAnswer(counts, hits, summary.facets, (plan,))

    async def count(self, session: AsyncSession, query: EngineQuery) -> Counts:
        """See `SearchEngine.count`."""
        query = replace(query, facet_of={})
        key = await self._key(session, query)
        if (kept := self._find(key)) is not None:
            return kept.counts
        matched = await self._match(query)
        results = await self.server.search(self._summary_queries(query, matched))
        return self._keep(key, _summary(query, matched, results)).counts

    async def suggest(
        self, session: AsyncSession, codes: frozenset[int], names: tuple[Term, ...], area: SuggestArea, level: int
    ) -> Suggested:
        """See `SearchEngine.suggest`."""
        counts: dict[int, int] = {}
        if codes:
            await self._key(session, EngineQuery())
            centres = (area.centre,) if area.centre is not None and not area.boundaries else ()
            radius = area.radius_m if centres else None
            around = EngineQuery(level=level, boundaries=area.boundaries, centres=centres, radius_m=radius)
            matched = await self._match(replace(around, codes=(codes,)))
            (found,) = await self.server.search([self._query(matched.base, hits_per_page=0, facets=["codes"])])
            counts = {code: number for code, number in found.codes.items() if code in codes}
        named = await postgis_suggest.suggest(session, frozenset(), names, area, level)
        return Suggested(counts, named.names)

    async def map_features(
        self, session: AsyncSession, query: EngineQuery, view: BBox, cell_degrees: float
    ) -> MapCells:
        """See `SearchEngine.map_features`."""
        return await PostgisEngine().map_features(session, query, view, cell_degrees)

    async def position(self, session: AsyncSession) -> int:
        """The last event that the follower saw Meilisearch take in."""
        found = await session.scalar(select(IndexState.position).where(state(self.server.settings)))
        return int(found or 0)

    async def _key(self, session: AsyncSession, query: EngineQuery) -> Kept:
        """Return what a summary is kept under: whatever the follower writes makes it another one."""
        statement = select(IndexState.position, IndexState.built_at).where(state(self.server.settings))
        row = (await session.execute(statement)).one_or_none()
        if row is None:
            raise EngineUnavailable("Rien n’est encore chargé dans Meilisearch : lancez ./repere index meilisearch.")
        matched = replace(query, origins=(), sort=Sort.distance, offset=0, limit=0)
        return f"{row.position} {row.built_at.isoformat()} {bool(query.facet_of)}", matched

    def _find(self, key: Kept) -> Summary | None:
        found = self._summaries.get(key)
        if found is not None:
            self._summaries.move_to_end(key)
        return found

    def _keep(self, key: Kept, summary: Summary) -> Summary:
        self._summaries[key] = summary
        while len(self._summaries) > SUMMARIES:
            self._summaries.popitem(last=False)
        return summary

    def _query(
        self,
        conditions: list[str],
        *,
        attributes: Sequence[str] = ("id",),
        limit: int | None = None,
        hits_per_page: int | None = None,
        distinct: bool = False,
        sort: list[str] | None = None,
        facets: list[str] | None = None,
    ) -> Query:
        return Query(
            index_uid=index_name(self.server.settings),
            filter=list(conditions),
            attributes_to_retrieve=list(attributes),
            limit=limit or 0,
            hits_per_page=hits_per_page,
            distinct="site_id" if distinct else None,
            sort=sort,
            facets=facets,
        )

    async def _match(self, query: EngineQuery) -> Matched:
        """Return the filters. A radius is exact: sites that only the ellipsoid can tell in or out are measured."""
        base = filters.elsewhere(query)
        area = [filters.any_of("places", query.boundaries)] if query.boundaries else []
        if query.radius_m is not None and query.centres:
            area += [filters.surely(centre, query.radius_m) for centre in query.centres]
            between = await self._between(query, base, query.radius_m)
            area += [filters.any_of("site_id", between)] if between else []
        if area:
            base.append(" OR ".join(area))
        return Matched(base, filters.ticked(query))

    async def _between(self, query: EngineQuery, base: list[str], radius_m: float) -> set[int]:
        """Return the sites within the radius among those that the sphere leaves in doubt."""
        doubtful = [
            self._query(
                [*base, filters.perhaps(centre, radius_m), f"NOT {filters.surely(centre, radius_m)}"],
                attributes=PLACED,
                limit=RING_MOST,
                distinct=True,
            )
            for centre in query.centres
        ]
        inside: set[int] = set()
        for centre, result in zip(query.centres, await self.server.search(doubtful), strict=True):
            if len(result.hits) == RING_MOST:
                raise EngineUnavailable("Trop de lieux sont à la limite du rayon demandé.")
            near = [ranking.found(hit, ()) for hit in result.hits]
            points = [(one.site_id, one.point) for one in near if one.point is not None]
            metres = ranking.exact_metres([point for _, point in points], centre)
            inside |= {site for (site, _), far in zip(points, metres, strict=True) if far <= radius_m}
        return inside

    def _summary_queries(self, query: EngineQuery, matched: Matched) -> list[Query]:
        facets = ["codes"] if query.facet_of else None
        asked = [
            self._query(matched.whole, hits_per_page=0, facets=facets),
            self._query(matched.whole, hits_per_page=0, distinct=True),
        ]
        if facets:
            asked += [self._query(matched.without(key), hits_per_page=0, facets=facets) for key in matched.ticks]
        return asked

    def _candidates(self, query: EngineQuery, matched: Matched, *, by_distance: bool) -> list[Query]:
        """Return the first sites around each origin; by relevance, the offers around each, with what they weigh."""
        sorts = [_around(origin) for origin in query.origins] or [["merit:desc", "approximate:asc", "site_id:asc"]]
        if by_distance:
            limit = query.offset + query.limit + MARGIN
            return [
                self._query(matched.whole, attributes=PLACED, limit=limit, distinct=True, sort=sort) for sort in sorts
            ]
        return [self._query(matched.whole, attributes=_weighed(query.terms), limit=RANKED, sort=sort) for sort in sorts]

    async def _by_distance(
        self, query: EngineQuery, matched: Matched, lists: list[list[Found]], wanted: int
    ) -> tuple[list[Ranked], str]:
        limit = query.offset + query.limit + MARGIN
        reached = min(ranking.reach(hits, origin, limit) for hits, origin in zip(lists, query.origins, strict=True))
        ordered = _ordered([one for hits in lists for one in hits], query.origins)
        if ranking.enough_near(ordered, wanted, reached):
            return ordered, EVERYTHING
        # Many sites stand as far as the last of the page: all of them are read, however many the page holds.
        last = ordered[min(wanted, len(ordered)) - 1].metres or 0
        more = [
            self._query(
                [*matched.whole, filters.perhaps(origin, last + 1)], attributes=PLACED, limit=NEAR_MOST, distinct=True
            )
            for origin in query.origins
        ]
        results = await self.server.search(more)
        if any(len(result.hits) == NEAR_MOST for result in results):
            raise EngineUnavailable("Trop de lieux sont à la même distance.")
        near = [ranking.found(hit, ()) for result in results for hit in result.hits]
        return _ordered(near, query.origins), EVERYTHING

    async def _by_relevance(
        self, query: EngineQuery, matched: Matched, lists: list[list[Found]], wanted: int
    ) -> tuple[list[Ranked], str]:
        if not query.origins and len(lists[0]) == RANKED:
            lists = await self._by_ways(query, matched)
            return _ordered([one for hits in lists for one in hits], (), relevant=True), EVERYTHING
        around = zip(lists, query.origins, strict=bool(query.origins))
        reached = min((ranking.reach(hits, origin, RANKED) for hits, origin in around), default=float("inf"))
        ordered = _ordered([one for hits in lists for one in hits], query.origins, relevant=True)
        exact = ranking.enough_relevant(ordered, wanted, reached, query.terms)
        return ordered, EVERYTHING if exact else NEAREST.format(f"{RANKED:,}".replace(",", "\u202f"))

    async def _by_ways(self, query: EngineQuery, matched: Matched) -> list[list[Found]]:
        """Read the best sites for each combination of ways to meet the words: there, merit alone orders."""
        combinations = list(product(*filters.ways(query.terms)))
        if len(combinations) > WAYS_MOST:
            raise EngineUnavailable("Le texte peut être compris de trop de façons.")
        asked = [
            self._query(
                [*matched.whole, *(condition for _, condition in combination)],
                attributes=_weighed(query.terms),
                limit=query.offset + query.limit,
                distinct=True,
                sort=["merit:desc", "approximate:asc", "site_id:asc"],
            )
            for combination in combinations
        ]
        results = await self.server.search(asked)
        return [[ranking.found(hit, query.terms) for hit in result.hits] for result in results]

    async def _hits(self, query: EngineQuery, matched: Matched, page: Sequence[Ranked]) -> tuple[Hit, ...]:
        """Add to each site of the page its matching offers, best first."""
        conditions = [*matched.whole, filters.any_of("site_id", {site.site_id for site in page})]
        attributes = _weighed(query.terms)
        (found,) = await self.server.search([self._query(conditions, attributes=attributes, limit=PAGE_OFFERS)])
        if len(found.hits) == PAGE_OFFERS:
            raise EngineUnavailable("Les lieux de cette page ont trop d’offres.")
        grouped: dict[int, list[Found]] = {}
        for hit in found.hits:
            one = ranking.found(hit, query.terms)
            grouped.setdefault(one.site_id, []).append(one)
        hits = []
        for site in page:
            offers = sorted(grouped.get(site.site_id, []), key=lambda one: (-one.own, one.offer_id))
            if offers:
                best = tuple(one.offer_id for one in offers[:OFFERS_PER_SITE])
                points = offers[0].own + nearness(site.metres)
                hits.append(Hit(site.site_id, site.metres, site.exact, points, best, len(offers)))
        return tuple(hits)


def _around(origin: LatLon) -> list[str]:
    place = f"{filters.degrees(origin.lat)}, {filters.degrees(origin.lon)}"
    return [f"_geoPoint({place}):asc", "approximate:asc", "site_id:asc"]


def _weighed(terms: Sequence[Term]) -> list[str]:
    return [*PLACED, "merit", *(["codes", "names"] if terms else [])]


def _ordered(offers: Sequence[Found], origins: Sequence[LatLon], *, relevant: bool = False) -> list[Ranked]:
    ranked = ranking.sites(offers, origins)
    return sorted(ranked, key=lambda site: site.relevant if relevant else site.near)


def _summary(query: EngineQuery, matched: Matched, results: Sequence[Result]) -> Summary:
    offers, sites, *own = results
    counts = Counts(sites=sites.total, offers=offers.total)
    if not query.facet_of:
        return Summary(counts, {})
    ticked = dict(zip(matched.ticks, own, strict=True))
    facets: dict[FacetKey, dict[int, int]] = {key: {} for key in FacetKey}
    for key, found in facets.items():
        for code, number in ticked.get(key, offers).codes.items():
            if number and query.facet_of.get(code) is key:
                found[code] = number
    return Summary(counts, facets)
