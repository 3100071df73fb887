"""The engine against the oracle: totals, facets, order and pages, on queries drawn at random."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import URL

from core.db import unit_of_work
from maps.api import resolve_ref
from search_api import postgis
from search_api.engine import EngineQuery, LatLon, SearchEngine, Term
from search_api.labels import FACET_SYSTEMS
from search_api.postgis import PostgisEngine
from search_api.schemas import BBox, FacetKey, Sort
from tests.search_api import oracle as brute
from tests.search_api.conftest import dsn

ENGINE = PostgisEngine()


@pytest.fixture(scope="module")
def oracle(filled: URL) -> brute.Oracle:
    return brute.load(dsn(filled))


def point(code: str) -> LatLon:
    hit = resolve_ref("commune", code)
    assert hit and hit.lat is not None and hit.lon is not None
    return LatLon(hit.lat, hit.lon)


def place_id(kind: str, code: str) -> int:
    hit = resolve_ref(kind, code)
    assert hit
    return hit.id


async def compare(oracle: brute.Oracle, query: EngineQuery, engine: SearchEngine = ENGINE) -> None:
    offers, sites, facets = oracle.answer(query)
    async with unit_of_work() as session:
        answer = await engine.answer(session, query)
        counts = await engine.count(session, query)
    assert (answer.counts.sites, answer.counts.offers) == (len(sites), offers)
    assert (counts.sites, counts.offers) == (len(sites), offers)
    assert {key: dict(values) for key, values in answer.facets.items()} == facets
    page = sites[query.offset : query.offset + query.limit]
    assert [
        (hit.site_id, hit.distance_m, hit.exact, hit.score, hit.offers, hit.offers_count) for hit in answer.hits
    ] == [
        (site.site_id, site.metres, site.exact, site.score, site.offers[: postgis.OFFERS_PER_SITE], len(site.offers))
        for site in page
    ]


@st.composite
def queries(draw: st.DrawFn, oracle: brute.Oracle) -> EngineQuery:
    codes = sorted({code for row in oracle.rows for code in row.codes})
    one = st.sampled_from(codes)
    words = st.sampled_from(sorted({word for row in oracle.rows for word in row.lexemes}))
    communes = st.sampled_from(["78361", "78646", "78335", "78531"])
    terms = draw(
        st.lists(
            st.builds(
                lambda ids, primary, names: Term("x", frozenset(ids), frozenset(ids[:primary]), tuple(names)),
                st.lists(one, max_size=3),
                st.integers(0, 3),
                st.lists(st.frozensets(words, min_size=1, max_size=2), max_size=2),
            ),
            max_size=2,
        )
    )
    ticks = {}
    for key in draw(st.lists(st.sampled_from(list(FacetKey)), max_size=3, unique=True)):
        own = [code for code in codes if oracle.systems[code] in FACET_SYSTEMS[key]]
        ticks[key] = frozenset(draw(st.lists(st.sampled_from(own), max_size=2))) if own else frozenset[int]()
    centres = tuple(point(code) for code in draw(st.lists(communes, max_size=2, unique=True)))
    box = draw(st.sampled_from([None, None, BBox(west=1.65, south=48.95, east=1.76, north=49.02)]))
    return EngineQuery(
        facet_of=oracle.facet_of,
        level=draw(st.sampled_from([1, 1, 2])),
        terms=tuple(terms),
        codes=tuple(frozenset([code]) for code in draw(st.lists(one, max_size=1))),
        boundaries=draw(
            st.sampled_from(
                [
                    frozenset[int](),
                    frozenset([place_id("departement", "78")]),
                    frozenset([place_id("epci", "200059889")]),
                ]
            )
        ),
        within=tuple(
            frozenset([place_id(kind, code)])
            for kind, code in draw(
                st.lists(
                    st.sampled_from([("departement", "78"), ("commune", "78361"), ("epci", "200059889")]), max_size=2
                )
            )
        ),
        centres=centres,
        radius_m=draw(st.sampled_from([None, 1_500.0, 8_000.0])) if centres else None,
        bbox=box,
        origins=centres,
        ticks=ticks,
        age=draw(st.sampled_from([None, None, 0, 17, 18, 150])),
        week_minute=draw(st.sampled_from([None, None, 570, 5 * 1440 + 570, 6 * 1440 + 1439, 0])),
        visits=frozenset(draw(st.sampled_from([[], [], [place_id("commune", "78361")]]))),
        accepts_new=draw(st.sampled_from([False, False, True])),
        zone=draw(
            st.sampled_from(
                [
                    None,
                    None,
                    frozenset([place_id("commune", "78361"), place_id("commune", "78646")]),
                    frozenset([place_id("epci", "200059889")]),
                    frozenset[int](),
                ]
            )
        ),
        sort=draw(st.sampled_from(list(Sort))),
        offset=draw(st.sampled_from([0, 0, 15, 60])),
    )


@pytest.mark.parametrize("sparse", [postgis.SPARSE, 0], ids=["every distance", "rings"])
@settings(max_examples=120)
@given(data=st.data())
async def test_random_queries_have_the_answers_of_brute_force(
    oracle: brute.Oracle, monkeypatch: pytest.MonkeyPatch, sparse: int, data: st.DataObject
) -> None:
    monkeypatch.setattr(postgis, "SPARSE", sparse)
    await compare(oracle, data.draw(queries(oracle)))


async def test_the_whole_directory_page_by_page(oracle: brute.Oracle) -> None:
    for offset in range(0, 120, 15):
        await compare(oracle, EngineQuery(origins=(point("78361"),), offset=offset, facet_of=oracle.facet_of))


def test_the_fixture_holds_every_case(oracle: brute.Oracle) -> None:
    rows = oracle.rows
    assert any(row.point is None for row in rows)
    assert any(not row.exact and row.point for row in rows)
    assert any(row.sensitive for row in rows)
    assert any(row.hours for row in rows)
    assert any(row.territory for row in rows)
    assert len({row.point for row in rows if row.exact}) < len({row.site_id for row in rows if row.exact})
