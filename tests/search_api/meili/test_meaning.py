"""What the requests mean by the documentation of the API: the answers of brute force, whatever the way taken."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.db import unit_of_work
from search_api import postgis
from search_api.engine import EngineQuery, EngineUnavailable, SuggestArea
from search_api.meili import engine as meili
from search_api.meili.documents import blocks, blocks_of
from search_api.meili.engine import MeiliEngine
from search_api.schemas import Sort
from tests.search_api import oracle as brute
from tests.search_api.test_engine import compare, oracle, place_id, point, queries

__all__ = ["oracle"]

MANY = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@MANY
@given(data=st.data())
async def test_random_queries_have_the_answers_of_brute_force(
    oracle: brute.Oracle,
    engine: MeiliEngine,
    data: st.DataObject,
) -> None:
    await compare(oracle, data.draw(queries(oracle)), engine)


@MANY
@given(data=st.data())
async def test_few_candidates_at_a_time_give_the_same_answers(
    oracle: brute.Oracle,
    engine: MeiliEngine,
    monkeypatch: pytest.MonkeyPatch,
    data: st.DataObject,
) -> None:
    """As with a country: distances told from more questions, relevance from a merit order by way of meeting words."""
    monkeypatch.setattr(meili, "MARGIN", 1)
    monkeypatch.setattr(meili, "RANKED", 8)
    query = data.draw(queries(oracle))
    async with unit_of_work() as session:
        try:
            answer = await engine.answer(session, query)
        except EngineUnavailable:
            # Only the places near an origin are ranked by relevance: far pages are for another engine.
            assert query.origins and query.sort is Sort.relevance
            return
    if answer.plan == (meili.NEAREST.format("8"),):
        offers, sites, facets = oracle.answer(query)
        assert (answer.counts.sites, answer.counts.offers, answer.facets) == (len(sites), offers, facets)
        told = {site.site_id: (site.metres, site.exact, site.score) for site in sites}
        assert all(told[hit.site_id] == (hit.distance_m, hit.exact, hit.score) for hit in answer.hits)
    else:
        await compare(oracle, query, engine)


async def test_the_whole_directory_page_by_page(oracle: brute.Oracle, engine: MeiliEngine) -> None:
    for offset in range(0, 120, 15):
        query = EngineQuery(origins=(point("78361"),), offset=offset, facet_of=oracle.facet_of)
        await compare(oracle, query, engine)


async def test_a_radius_is_geodesic_to_the_metre(oracle: brute.Oracle, engine: MeiliEngine) -> None:
    """A radius that ends between two sites: the sphere alone would take both or none."""
    centre = point("78646")
    metres = sorted({brute.exact_metres(row.point, centre) for row in oracle.rows if row.point})
    for near, far in zip(metres[::9], metres[1::9], strict=False):
        for radius in (near - 0.01, near + 0.01, (near + far) / 2):
            around = EngineQuery(centres=(centre,), origins=(centre,), radius_m=radius, facet_of=oracle.facet_of)
            await compare(oracle, around, engine)


async def test_suggestions_count_as_postgresql_does(oracle: brute.Oracle, engine: MeiliEngine) -> None:
    codes = frozenset(code for row in oracle.rows for code in row.codes)
    areas = (
        SuggestArea(),
        SuggestArea(centre=point("78361"), radius_m=5_000),
        SuggestArea(boundaries=frozenset([place_id("epci", "200059889")])),
    )
    async with unit_of_work() as session:
        for area in areas:
            for level in (1, 2):
                found = await engine.suggest(session, codes, (), area, level)
                assert found == await postgis.PostgisEngine().suggest(session, codes, (), area, level)
                assert found.counts


@given(low=st.integers(0, 10_079), length=st.integers(1, 4_000), minute=st.integers(0, 10_079))
def test_a_minute_is_open_when_one_of_its_blocks_is(low: int, length: int, minute: int) -> None:
    high = min(low + length, 10_080)
    cut = blocks([(low, high)])
    assert len(cut) == len(set(cut))
    assert (low <= minute < high) == bool(set(cut) & set(blocks_of(minute)))
