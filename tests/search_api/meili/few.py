"""The ways of the engine with a country, taken with few documents."""

from typing import Any

from core.db import unit_of_work
from search_api.engine import EngineQuery, EngineUnavailable
from search_api.meili.engine import MeiliEngine
from search_api.schemas import Sort
from tests.search_api import oracle as brute
from tests.search_api.test_engine import compare

FEW: dict[str, dict[str, Any]] = {
    # Rings around the origins, from the smallest, and the offers of the largest.
    "rings": {"WHOLE": 0, "RANKED": 60, "enough": property(lambda search: min(search.wanted, 3))},
    # As far from everything, or in a crowd: the order of the server, on its sphere.
    "the server's order": {"WHOLE": 0, "RANKED": 8, "NEAR_MOST": 0},
}
"""What `order` is told for each way; `enough` is a property of its `Search`."""


async def compare_few(oracle: brute.Oracle, query: EngineQuery, engine: MeiliEngine, way: str) -> None:
    async with unit_of_work() as session:
        try:
            answer = await engine.answer(session, query)
        except EngineUnavailable:
            # Another engine is asked for far pages by relevance, and where the server's order does not suffice.
            assert query.origins and (query.sort is Sort.relevance or way != "rings")
            return
    if query.sort is Sort.relevance and answer.plan and "plus proches" in answer.plan[0]:
        offers, sites, facets = oracle.answer(query)
        assert (answer.counts.sites, answer.counts.offers, answer.facets) == (len(sites), offers, facets)
        told = {site.site_id: (site.metres, site.exact, site.score) for site in sites}
        assert all(told[hit.site_id] == (hit.distance_m, hit.exact, hit.score) for hit in answer.hits)
    else:
        await compare(oracle, query, engine)
