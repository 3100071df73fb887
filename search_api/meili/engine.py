"""`SearchEngine` on Meilisearch, in a few round trips: totals and facets; the sites in order; their offers.

The points of the map and the names of suggestions are read from PostgreSQL: they are sums of positions and the
names of people, which the index does not hold.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from search_api import postgis_suggest
from search_api.engine import (
    Counts,
    EngineAnswer,
    EngineQuery,
    EngineUnavailable,
    Hit,
    MapCells,
    SuggestArea,
    Suggested,
    Term,
)
from search_api.meili import filters, grid, order, ranking
from search_api.meili.client import Server
from search_api.meili.indexing import state
from search_api.meili.order import Matched
from search_api.meili.ranking import Found, Ranked
from search_api.meili.settings import MeiliSettings
from search_api.models import IndexState
from search_api.postgis import OFFERS_PER_SITE, PostgisEngine
from search_api.relevance import nearness
from search_api.schemas import BBox, FacetKey, Sort

EDGE_MOST = 10_000
"""Sites near the circle of a radius, of which the distance is measured."""
PAGE_OFFERS = 10_000
"""Offers of the sites of a page, at most."""
SUMMARIES = 256
"""Totals and facets kept: people of different towns ask for one match set."""

Kept = tuple[str, EngineQuery]


@dataclass(frozen=True, slots=True)
class Summary:
    """What does not depend on the page, the order or the place that distances are told from."""

    counts: Counts
    facets: Mapping[FacetKey, Mapping[int, int]]


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
        summary = kept or self._keep(key, await self._summary(query, matched))
        counts = summary.counts
        if not counts.offers:
            return EngineAnswer(counts, (), summary.facets, ("aucune offre",))
        wanted = min(query.offset + query.limit, counts.sites)
        if wanted <= query.offset:
            return EngineAnswer(counts, (), summary.facets, ("la page est après le dernier résultat",))
        rank = order.by_distance if query.sort is Sort.distance and query.origins else order.by_relevance
        ordered, plan = await rank(self.server, order.Search(query, matched, counts, wanted))
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
        return self._keep(key, await self._summary(query, matched)).counts

    async def suggest(
        self, session: AsyncSession, codes: frozenset[int], names: tuple[Term, ...], area: SuggestArea, level: int
    ) -> Suggested:
        """See `SearchEngine.suggest`."""
        counts: dict[int, int] = {}
        if codes:
            await self._key(session, EngineQuery())
            centres = (area.centre,) if area.centre is not None and not area.boundaries else ()
            radius = area.radius_m if centres else None
            around = EngineQuery(
                level=level, boundaries=area.boundaries, centres=centres, radius_m=radius, zone=area.zone
            )
            matched = await self._match(replace(around, codes=(codes,)))
            (found,) = await self.server.search([order.ask(self.server, matched.base, facets=["codes"])])
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

    async def _match(self, query: EngineQuery) -> Matched:
        """Return the filters. A radius is exact: sites in the cells that its circle crosses are measured."""
        base = filters.elsewhere(query)
        area = [filters.any_of("places", query.boundaries)] if query.boundaries else []
        if query.radius_m is not None and query.centres:
            discs = [grid.disc(centre, query.radius_m) for centre in query.centres]
            area.append(filters.any_of("cells", frozenset().union(*(one.inside for one in discs))))
            area.append(filters.any_of("site_id", await self._on_edges(query, base, discs, query.radius_m)))
        if area:
            base.append(" OR ".join(way for way in area if way != filters.NOTHING) or filters.NOTHING)
        return Matched(base, filters.ticked(query))

    async def _on_edges(
        self, query: EngineQuery, base: list[str], discs: Sequence[grid.Disc], radius_m: float
    ) -> set[int]:
        """Return the sites within the radius of a centre among those near its circle."""
        asked = [
            order.ask(
                self.server,
                [*base, filters.any_of("cells", one.edge)],
                attributes=order.PLACED,
                limit=EDGE_MOST,
                distinct=True,
            )
            for one in discs
        ]
        inside: set[int] = set()
        for centre, result in zip(query.centres, await self.server.search(asked), strict=True):
            if len(result.hits) == EDGE_MOST:
                raise EngineUnavailable("Trop de lieux sont à la limite du rayon demandé.")
            near = [ranking.found(hit, ()) for hit in result.hits]
            points = [(one.site_id, one.point) for one in near if one.point is not None]
            metres = grid.metres([point for _, point in points], centre)
            inside |= {site for (site, _), far in zip(points, metres, strict=True) if far <= radius_m}
        return inside

    async def _summary(self, query: EngineQuery, matched: Matched) -> Summary:
        """Count sites, offers and concepts: each ticked facet has a search of its own, without its ticks."""
        facets = ["codes"] if query.facet_of else None
        asked = [
            order.ask(self.server, matched.whole, facets=facets),
            order.ask(self.server, matched.whole, distinct=True),
        ]
        if facets:
            asked += [order.ask(self.server, matched.without(key), facets=facets) for key in matched.ticks]
        offers, sites, *own = await self.server.search(asked)
        counts = Counts(sites=sites.total, offers=offers.total)
        if not facets:
            return Summary(counts, {})
        ticked = dict(zip(matched.ticks, own, strict=True))
        found: dict[FacetKey, dict[int, int]] = {key: {} for key in FacetKey}
        for key, values in found.items():
            for code, number in ticked.get(key, offers).codes.items():
                if number and query.facet_of.get(code) is key:
                    values[code] = number
        return Summary(counts, found)

    async def _hits(self, query: EngineQuery, matched: Matched, page: Sequence[Ranked]) -> tuple[Hit, ...]:
        """Add to each site of the page its matching offers, best first."""
        conditions = [*matched.whole, filters.any_of("site_id", {site.site_id for site in page})]
        attributes = order.weighed(query.terms)
        (found,) = await self.server.search(
            [order.ask(self.server, conditions, attributes=attributes, limit=PAGE_OFFERS)]
        )
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
