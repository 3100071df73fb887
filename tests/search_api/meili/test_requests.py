"""The shape of the requests, kept in `requests.json`, and what becomes of answers in the API's shape."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.db import unit_of_work
from search_api.engine import Counts, EngineQuery, EngineUnavailable, Hit, LatLon, SuggestArea, Term
from search_api.meili import grid
from search_api.meili.engine import MeiliEngine
from search_api.schemas import BBox, FacetKey, Sort
from tests.search_api.meili.documented import Documented

KEPT = Path(__file__).with_name("requests.json")
CONSTANT = {
    "q": None,
    "offset": 0,
    "page": None,
    "attributesToCrop": None,
    "cropLength": 200,
    "cropMarker": "...",
    "attributesToHighlight": None,
    "highlightPreTag": "<em>",
    "highlightPostTag": "</em>",
    "showMatchesPosition": False,
    "matchingStrategy": "last",
    "attributesToSearchOn": None,
    "showRankingScore": False,
    "showRankingScoreDetails": False,
    "rankingScoreThreshold": None,
    "vector": None,
    "hybrid": None,
    "locales": None,
}
"""What the library says of itself in every search: the defaults of the API."""

MANTES, VERSAILLES = LatLon(48.99, 1.71), LatLon(48.8, 2.13)
DOCTOR = Term("médecin", codes=frozenset({11, 12, 13}), primary=frozenset({11}), lexemes=(frozenset({"medecin"}),))
NAMED = Term("d'artagnan", lexemes=(frozenset({"d'artagnan", "artagnan"}), frozenset({'l"hay'})))
FACETS = {21: FacetKey.modes, 22: FacetKey.modes, 31: FacetKey.patients}

NONE: list[dict[str, Any]] = [{"hits": [], "totalHits": 0, "facetDistribution": {"codes": {}}}] * 4
THOUSANDS: list[dict[str, Any]] = [{"hits": [], "totalHits": 9_000}, {"hits": [], "totalHits": 5_000}]
RINGS: list[dict[str, Any]] = [{"hits": [], "totalHits": 9_000 >> 2 * rank} for rank in range(len(grid.LEVELS))]
"""From the coarsest: 9 000 offers, 2 250, 562, 140, 35…"""

QUERIES: dict[str, tuple[EngineQuery, list[dict[str, Any]]]] = {
    "everything": (EngineQuery(), NONE),
    "every condition": (
        EngineQuery(
            terms=(DOCTOR, NAMED),
            codes=(frozenset({41}),),
            boundaries=frozenset({7, 5}),
            bbox=BBox(west=-1.5, south=48.0, east=0.00001, north=49.25),
            origins=(MANTES,),
            ticks={FacetKey.modes: frozenset({22, 21}), FacetKey.patients: frozenset({31})},
            age=17,
            week_minute=1440 + 9 * 60 + 7,
            visits=frozenset({8}),
            accepts_new=True,
            offset=30,
            facet_of=FACETS,
        ),
        NONE,
    ),
    "a short radius around two places, for a professional": (
        EngineQuery(level=2, centres=(MANTES, VERSAILLES), radius_m=300.0, boundaries=frozenset({5})),
        [{"hits": []}] * 2 + NONE,
    ),
    "ticks that no concept has": (EngineQuery(ticks={FacetKey.skills: frozenset()}, facet_of=FACETS), NONE),
    "a word that means nothing": (EngineQuery(terms=(Term("zzz"),)), NONE),
    "few offers by distance, second page": (
        EngineQuery(origins=(MANTES,), offset=15),
        [{"hits": [], "totalHits": 40}] * 2,
    ),
    "thousands of offers by distance": (EngineQuery(origins=(MANTES,)), THOUSANDS + RINGS),
    "by distance, far from everything": (
        EngineQuery(origins=(MANTES,)),
        [{"hits": [], "totalHits": 90_000}] * 2 + [{"hits": [], "totalHits": 0}] * len(grid.LEVELS),
    ),
    "thousands of offers by relevance": (
        EngineQuery(terms=(DOCTOR,), origins=(MANTES,), sort=Sort.relevance),
        THOUSANDS + RINGS,
    ),
    "thousands of offers by relevance, nowhere": (
        EngineQuery(terms=(DOCTOR, NAMED), sort=Sort.relevance, limit=50),
        THOUSANDS,
    ),
}
"""What is asked, and the first results; the others hold no document, so that what is asked depends on these alone."""


def compact(path: str, body: Any) -> Any:
    """Leave out what never changes, having looked that it does not."""
    if path != "/multi-search":
        return body
    assert body["federation"] is None
    for query in body["queries"]:
        assert {name: query[name] for name in CONSTANT} == CONSTANT
    return [
        {name: value for name, value in query.items() if name not in CONSTANT and value is not None}
        for query in body["queries"]
    ]


def shape(documented: Documented) -> list[dict[str, Any]]:
    return [{"request": f"{method} {path}", "body": compact(path, body)} for method, path, body in documented.requests]


def expected(name: str) -> Any:
    return json.loads(KEPT.read_text("utf-8"))[name]


@pytest.mark.parametrize("name", QUERIES)
async def test_a_query_asks_for_what_was_recorded(engine: MeiliEngine, loaded: Documented, name: str) -> None:
    query, canned = QUERIES[name]
    loaded.canned = list(canned)
    async with unit_of_work() as session:
        try:
            assert (await engine.answer(session, query)).counts == Counts(0, 0)
        except EngineUnavailable:
            # Sites were promised, and no document brings them.
            assert any(one.get("totalHits") for one in canned)
    assert shape(loaded) == expected(name)


async def test_suggestions_and_counts_ask_for_totals_alone(engine: MeiliEngine, loaded: Documented) -> None:
    async with unit_of_work() as session:
        await engine.suggest(session, frozenset({11, 12}), (), SuggestArea(boundaries=frozenset({5})), 1)
        await engine.count(session, EngineQuery(facet_of=FACETS))
    assert shape(loaded) == expected("suggestions and counts")


async def test_answers_become_hits_totals_and_counts(engine: MeiliEngine, loaded: Documented) -> None:
    """Two sites in the wrong order, one without a position, and a site with three offers."""

    def site(number: int, lat: float | None, lng: float = 1.71, approximate: int = 0) -> dict[str, Any]:
        place = {} if lat is None else {"_geo": {"lat": lat, "lng": lng}, "_geoDistance": 1}
        return {"id": number * 10, "site_id": number, "approximate": approximate} | place

    def offer(number: int, site_id: int, merit: int, codes: list[int], names: list[str]) -> dict[str, Any]:
        return {"id": number, "site_id": site_id, "approximate": 0, "merit": merit, "codes": codes, "names": names}

    facets = {"codes": {"21": 4, "22": 0, "31": 5, "99": 5}}
    loaded.canned = [
        {"hits": [], "totalHits": 5, "facetDistribution": facets},
        {"hits": [], "totalHits": 3},
        {"hits": [], "totalHits": 6, "facetDistribution": {"codes": {"21": 4, "22": 2, "31": 6}}},
        {"hits": [site(2, 48.9991), site(1, 48.99901), site(3, None, approximate=1)]},
        {
            "hits": [
                offer(10, 1, 5, [12], []),
                offer(11, 1, 45, [12], ["medecin"]),
                offer(12, 1, 35, [11], []),
                offer(20, 2, 0, [13], []),
                offer(30, 3, 15, [11], []),
            ]
        },
    ]
    query = EngineQuery(
        terms=(DOCTOR,), origins=(MANTES,), ticks={FacetKey.modes: frozenset({21})}, facet_of=FACETS, limit=15
    )
    async with unit_of_work() as session:
        answer = await engine.answer(session, query)
    assert answer.counts == Counts(sites=3, offers=5)
    assert answer.hits == (
        Hit(1, 1002, True, 45 + 50 + 50, (11, 12, 10), 3),
        Hit(2, 1012, True, 40 + 50, (20,), 1),
        Hit(3, None, False, 60 + 15, (30,), 1),
    )
    empty: dict[FacetKey, dict[int, int]] = {key: {} for key in FacetKey}
    assert answer.facets == empty | {FacetKey.modes: {21: 4, 22: 2}, FacetKey.patients: {31: 5}}
