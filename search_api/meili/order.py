"""The page in order: which documents are read to know it, and how it is known that they suffice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from search_api.engine import Counts, EngineQuery, EngineUnavailable, LatLon, Term
from search_api.meili import filters, grid, ranking
from search_api.meili.client import Query, Server
from search_api.meili.documents import index_name
from search_api.meili.ranking import Found, Ranked
from search_api.postgis import EVERYTHING
from search_api.schemas import FacetKey

MARGIN = 30
"""Sites read beyond the page, at least."""
NEAR_MOST = 20_000
"""Offers whose sites may be read to put them in order."""
WHOLE = 2_000
"""Offers whose sites are read without looking how many are near."""
RANKED = 4_000
"""Offers ranked by relevance one by one."""
WAYS_MOST = 64
"""Combinations of ways to meet the words of a text that are asked for at once."""
PLACED = ["id", "site_id", "_geo", "approximate"]
NEAREST = "seules les {} offres les plus proches sont classées"
EVERYWHERE = float("inf")


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


@dataclass(frozen=True, slots=True)
class Search:
    """A search whose totals are known. `wanted` counts the sites up to the end of the page."""

    query: EngineQuery
    matched: Matched
    counts: Counts
    wanted: int

    @property
    def enough(self) -> int:
        """Offers of a ring that probably hold the page: a third of its area is at less than it surely holds."""
        return 4 * self.wanted + MARGIN


Rings = list[dict[int, int]]
"""For each origin, the offers around it by level of the grid."""
Levels = list[int | None]
"""For each origin, the level whose ring is read; none for the whole match set."""


def ask(
    server: Server,
    conditions: Sequence[str],
    *,
    attributes: Sequence[str] = ("id",),
    limit: int | None = None,
    distinct: bool = False,
    sort: list[str] | None = None,
    facets: list[str] | None = None,
) -> Query:
    """Return a search of the index; without a limit, it is for exact totals and facets, and brings no document."""
    return Query(
        index_uid=index_name(server.settings),
        filter=list(conditions),
        attributes_to_retrieve=list(attributes),
        limit=limit or 0,
        hits_per_page=0 if limit is None else None,
        distinct="site_id" if distinct else None,
        sort=sort,
        facets=facets,
    )


def weighed(terms: Sequence[Term]) -> list[str]:
    """Return the attributes that the score of an offer needs."""
    return [*PLACED, "merit", *(["codes", "names"] if terms else [])]


async def by_distance(server: Server, search: Search) -> tuple[list[Ranked], str]:
    """Read the sites of the smallest rings that may hold the page, and of larger ones until they surely do.

    Raises:
        EngineUnavailable: the server is, or too many sites are as far as the last of the page.
    """
    for levels in _growing(search, await _rings(server, search)):
        offers, reached = await _inside(server, search, levels, PLACED, NEAR_MOST, distinct=True)
        ordered = _ordered(offers, search.query.origins)
        if ranking.enough_near(ordered, search.wanted, reached):
            return ordered, EVERYTHING
    offers, reached = await _nearest(server, search, PLACED, search.wanted + MARGIN, distinct=True)
    ordered = _ordered(offers, search.query.origins)
    if not ranking.enough_near(ordered, search.wanted, reached):
        raise EngineUnavailable("Trop de lieux sont à la même distance.")
    return ordered, EVERYTHING


async def by_relevance(server: Server, search: Search) -> tuple[list[Ranked], str]:
    """Rank the offers one by one when they are few; else the best by merit, or those around the origins.

    Raises:
        EngineUnavailable: the server is, or the text can be met in too many ways.
    """
    query = search.query
    attributes = weighed(query.terms)
    if search.counts.offers <= RANKED:
        (found,) = await server.search([ask(server, search.matched.whole, attributes=attributes, limit=RANKED)])
        offers, reached = [ranking.found(hit, query.terms) for hit in found.hits], EVERYWHERE
    elif not query.origins:
        offers, reached = await _by_ways(server, search), EVERYWHERE
    elif (levels := _largest(search, await _rings(server, search))) is not None:
        offers, reached = await _inside(server, search, levels, attributes, RANKED)
    else:
        offers, reached = await _nearest(server, search, attributes, RANKED)
    ordered = _ordered(offers, query.origins, relevant=True)
    exact = ranking.enough_relevant(ordered, search.wanted, reached, query.terms)
    return ordered, EVERYTHING if exact else NEAREST.format(f"{len(offers):,}".replace(",", "\u202f"))


async def _rings(server: Server, search: Search) -> Rings:
    """Count the offers around each origin, unless the match set is small enough to be read whole."""
    if search.counts.offers <= WHOLE:
        return [dict.fromkeys(grid.LEVELS, 0) for _ in search.query.origins]
    asked = [
        ask(server, [*search.matched.whole, filters.any_of("cells", grid.block(level, origin))])
        for origin in search.query.origins
        for level in grid.LEVELS
    ]
    sizes = iter(await server.search(asked))
    return [{level: next(sizes).total for level in grid.LEVELS} for _ in search.query.origins]


def _growing(search: Search, rings: Rings) -> Iterator[Levels]:
    """Give levels whose rings hold enough offers, finest first; last, the whole match set."""
    levels: Levels = [
        next((level for level in reversed(grid.LEVELS) if ring[level] >= search.enough), None) for ring in rings
    ]
    while all(
        (search.counts.offers if level is None else ring[level]) <= NEAR_MOST
        for level, ring in zip(levels, rings, strict=True)
    ):
        yield levels
        if None in levels:
            return
        levels = [level - 1 if level is not None and level > grid.LEVELS[0] else None for level in levels]


def _largest(search: Search, rings: Rings) -> Levels | None:
    """Return the coarsest levels whose rings hold no more offers than are ranked, when they hold enough."""
    levels: Levels = [
        next((level for level in grid.LEVELS if search.enough <= ring[level] <= RANKED), None) for ring in rings
    ]
    return None if None in levels else levels


async def _inside(
    server: Server,
    search: Search,
    levels: Levels,
    attributes: list[str],
    limit: int,
    *,
    distinct: bool = False,
) -> tuple[list[Found], float]:
    """Read the rings of a level around each origin, the whole match set for no level; tell how far they reach."""
    query = search.query
    asked, reached = [], EVERYWHERE
    for origin, level in zip(query.origins, levels, strict=True):
        ring = [] if level is None else [filters.any_of("cells", grid.block(level, origin))]
        asked.append(
            ask(server, [*search.matched.whole, *ring], attributes=attributes, limit=limit + 1, distinct=distinct)
        )
        reached = min(reached, EVERYWHERE if level is None else grid.reach(level, origin))
    results = await server.search(asked)
    if any(len(result.hits) > limit for result in results):
        raise EngineUnavailable("L’index a changé pendant la recherche.")
    offers = [ranking.found(hit, query.terms) for result in results for hit in result.hits]
    return offers, EVERYWHERE if None in levels else reached


async def _nearest(
    server: Server, search: Search, attributes: list[str], limit: int, *, distinct: bool = False
) -> tuple[list[Found], float]:
    """Read the first in Meilisearch's own order around each origin, where no ring has the right size."""
    query = search.query
    asked = [
        ask(server, search.matched.whole, attributes=attributes, limit=limit, distinct=distinct, sort=_geo_sort(origin))
        for origin in query.origins
    ]
    lists = [[ranking.found(hit, query.terms) for hit in one.hits] for one in await server.search(asked)]
    reached = min(ranking.reach(hits, origin, limit) for hits, origin in zip(lists, query.origins, strict=True))
    return [one for hits in lists for one in hits], reached


async def _by_ways(server: Server, search: Search) -> list[Found]:
    """Read the best sites for each combination of ways to meet the words: there, merit alone orders."""
    query = search.query
    combinations = list(product(*filters.ways(query.terms)))
    if len(combinations) > WAYS_MOST:
        raise EngineUnavailable("Le texte peut être compris de trop de façons.")
    asked = [
        ask(
            server,
            [*search.matched.whole, *combination],
            attributes=weighed(query.terms),
            limit=search.wanted,
            distinct=True,
            sort=["merit:desc", "approximate:asc", "site_id:asc"],
        )
        for combination in combinations
    ]
    results = await server.search(asked)
    return [ranking.found(hit, query.terms) for result in results for hit in result.hits]


def _geo_sort(origin: LatLon) -> list[str]:
    place = f"{filters.degrees(origin.lat)}, {filters.degrees(origin.lon)}"
    return [f"_geoPoint({place}):asc", "approximate:asc", "site_id:asc"]


def _ordered(offers: Sequence[Found], origins: Sequence[LatLon], *, relevant: bool = False) -> list[Ranked]:
    ranked = ranking.sites(offers, origins)
    return sorted(ranked, key=lambda site: site.relevant if relevant else site.near)
