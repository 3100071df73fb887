"""What the requests mean by the documentation of the API: the answers of brute force, whatever the way taken."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.db import unit_of_work
from search_api import postgis
from search_api.engine import EngineQuery, LatLon, SuggestArea
from search_api.meili import grid, order
from search_api.meili.documents import blocks, blocks_of
from search_api.meili.engine import MeiliEngine
from tests.search_api import oracle as brute
from tests.search_api.meili.few import FEW, compare_few
from tests.search_api.test_engine import compare, oracle, place_id, point, queries

__all__ = ["oracle"]

MANY = settings(max_examples=80)


@MANY
@given(data=st.data())
async def test_random_queries_have_the_answers_of_brute_force(
    oracle: brute.Oracle,
    engine: MeiliEngine,
    data: st.DataObject,
) -> None:
    await compare(oracle, data.draw(queries(oracle)), engine)


@pytest.mark.parametrize("way", FEW)
@settings(MANY, max_examples=40)
@given(data=st.data())
async def test_few_documents_at_a_time_give_the_same_answers(
    oracle: brute.Oracle, engine: MeiliEngine, monkeypatch: pytest.MonkeyPatch, way: str, data: st.DataObject
) -> None:
    for name, value in FEW[way].items():
        monkeypatch.setattr(order.Search if name == "enough" else order, name, value)
    await compare_few(oracle, data.draw(queries(oracle)), engine, way)


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


PLACES = st.builds(LatLon, st.floats(-89, 89), st.floats(-180, 180))


@given(centre=PLACES, other=PLACES, share=st.floats(0, 2), scale=st.sampled_from([1.0, 0.1, 0.01, 0.001]))
def test_a_disc_and_a_ring_hold_what_they_should(centre: LatLon, other: LatLon, share: float, scale: float) -> None:
    near = LatLon(
        max(-90.0, min(90.0, centre.lat + other.lat / 90 * scale)),
        (centre.lon + other.lon / 180 * scale + 180) % 360 - 180,
    )
    for place in (other, near):
        held, (far,) = set(grid.cells(place)), grid.metres([place], centre)
        disc = grid.disc(centre, far * share)
        assert not disc.inside & disc.edge
        if share > 1:
            assert held & (disc.inside | disc.edge)
        elif share < 1 and far > 0:
            assert not held & disc.inside
        for level in grid.LEVELS:
            assert far > grid.reach(level, centre) or held & grid.block(level, centre)


@given(low=st.integers(0, 10_079), length=st.integers(1, 4_000), minute=st.integers(0, 10_079))
def test_a_minute_is_open_when_one_of_its_blocks_is(low: int, length: int, minute: int) -> None:
    high = min(low + length, 10_080)
    cut = blocks([(low, high)])
    assert len(cut) == len(set(cut))
    assert (low <= minute < high) == bool(set(cut) & set(blocks_of(minute)))
