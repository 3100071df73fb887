"""Tiles of offers, read by GDAL, against brute force over the rows of the projection; validators; the map's limits."""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL

from core.db import unit_of_work
from core.events import NewEvent, record
from directory.api import OfferDescription, describe_offer, refresh_search, republish_offer, unpublish_offer
from search_api.tiles import GRID, POINTS_ZOOM
from tests.search_api import oracle as brute
from tests.search_api.conftest import dsn
from tests.search_api.seed import CANARY
from tests.vector_tiles import MVT, decode, tile_of

Index = tuple[int, int]
MOST = (GRID + 2) ** 2
"""Features of a tile: the cells that it may touch; the towns of approximate positions are fewer here."""


@pytest.fixture(scope="module")
def oracle(filled: URL) -> brute.Oracle:
    return brute.load(dsn(filled))


async def fetch(api: httpx.AsyncClient, z: int, x: int, y: int, **params: Any) -> list[dict[str, Any]]:
    answer = await api.get(f"/tiles/offers/{z}/{x}/{y}.mvt", params=params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == MVT
    return decode(answer.content, "offers", z, x, y)


def by_tile(oracle: brute.Oracle, z: int) -> dict[Index, dict[int, int]]:
    """For each tile that holds a point that the public may find: the sites in it, and the offers of each."""
    found: dict[Index, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for row in oracle.rows:
        if row.point is not None and not row.sensitive:
            found[tile_of(row.point.lon, row.point.lat, z)][row.site_id] += 1
    return found


def around(tiles: Iterable[Index]) -> list[Index]:
    """Every tile of the rectangle that holds these, and of the ring around it."""
    columns, rows = zip(*tiles, strict=True)
    return list(itertools.product(range(min(columns) - 1, max(columns) + 2), range(min(rows) - 1, max(rows) + 2)))


def total(features: Iterable[dict[str, Any]], name: str) -> int:
    return sum(feature["properties"][name] for feature in features)


@pytest.mark.parametrize("z", [5, 9, 11])
async def test_the_tiles_of_a_zoom_count_every_site_once(api: httpx.AsyncClient, oracle: brute.Oracle, z: int) -> None:
    expected = by_tile(oracle, z)
    assert sum(len(sites) for sites in expected.values()) > 60
    for x, y in around(expected):
        features = await fetch(api, z, x, y)
        sites = expected.get((x, y), {})
        assert total(features, "sites") == len(sites)
        assert total(features, "offers") == sum(sites.values())
        assert len(features) <= MOST
        for feature in features:
            alone = feature["properties"]["sites"] == 1
            assert ("uid" in feature["properties"] and feature["properties"]["uid"] is not None) is alone


async def test_the_world_is_a_tile(api: httpx.AsyncClient, oracle: brute.Oracle) -> None:
    features = await fetch(api, 0, 0, 0)
    [sites] = by_tile(oracle, 0).values()
    assert total(features, "sites") == len(sites) and total(features, "offers") == sum(sites.values())


async def test_close_up_each_site_is_a_point(api: httpx.AsyncClient, oracle: brute.Oracle, filled: URL) -> None:
    with psycopg.connect(dsn(filled)) as conn:
        known = {str(row[0]): row[1:] for row in conn.execute("SELECT uid, id, name FROM directory.site")}
    where = {row.site_id: row for row in oracle.rows}
    expected = by_tile(oracle, POINTS_ZOOM)
    fullest = sorted(expected, key=lambda tile: -len(expected[tile]))[:8]
    assert len(expected[fullest[0]]) > 3
    for x, y in fullest:
        features = await fetch(api, POINTS_ZOOM, x, y)
        found = {known[f["properties"]["uid"]][0]: f for f in features}
        assert len(found) == len(features)
        assert {site: f["properties"]["offers"] for site, f in found.items()} == expected[x, y]
        for site, feature in found.items():
            row = where[site]
            assert row.point is not None
            assert feature["geometry"]["coordinates"] == pytest.approx((row.point.lon, row.point.lat), abs=2e-5)
            assert feature["properties"]["name"] == known[feature["properties"]["uid"]][1]
            assert feature["properties"]["exact"] is row.exact


@pytest.mark.parametrize(
    "params",
    [
        {"q": "kiné"},
        {"q": "dupont"},
        {"q": "kiné dupont"},
        {"q": "rien de tel"},
        {"professions": "G15|70", "patients": "enfant"},
        {"where": "departement:78", "kind": "liberal"},
        {"where": "commune:78361", "radius_km": "3"},
        {"age": "2", "accepts_new": "1"},
        {"open_at": "2026-11-23T09:30"},
        {"visits": "78361"},
        {"bbox": "1.65,48.95,1.76,49.02"},
    ],
    ids=str,
)
async def test_a_tile_of_a_search_holds_that_search(api: httpx.AsyncClient, params: dict[str, str]) -> None:
    answer = (await api.get("/api/v1/search", params=params)).json()
    plan = (await api.get("/api/v1/map", params={**params, "view": "-5,41,10,52", "zoom": "9"})).json()
    x, y = tile_of(1.7, 48.9, 3)
    features = await fetch(api, 3, x, y, **params)
    assert total(features, "sites") == plan["total"] == answer["total"] - plan["outside"]
    assert total(features, "offers") == plan["total_offers"] <= answer["total_offers"]


async def test_what_only_orders_a_search_changes_nothing_to_its_tiles(api: httpx.AsyncClient) -> None:
    address = "/tiles/offers/6/32/22.mvt"
    plain = await api.get(address, params={"q": "kiné"})
    ordered = await api.get(address, params={"q": "kiné", "where": "commune:78361", "sort": "relevance", "page": "3"})
    assert plain.content and ordered.headers["etag"] == plain.headers["etag"]


async def test_the_description_keeps_the_search(api: httpx.AsyncClient) -> None:
    answer = await api.get("/tiles/offers.json", params={"q": "kiné", "where": "commune:78361", "radius_km": "20"})
    document = answer.json()
    assert document["tilejson"] == "3.0.0" and document["maxzoom"] == POINTS_ZOOM
    assert document["vector_layers"][0]["fields"].keys() == {"sites", "offers", "uid", "name", "exact"}
    assert "sans position" in document["description"]
    x, y = tile_of(1.7154, 48.9894, 8)
    address = document["tiles"][0].replace("{z}", "8").replace("{x}", str(x)).replace("{y}", str(y))
    tile = await api.get(address)
    found = decode(tile.content, "offers", 8, x, y)
    expected = (await api.get("/api/v1/search", params={"q": "kiné", "where": "commune:78361", "radius_km": 20})).json()
    assert 0 < total(found, "sites") <= expected["total"]
    assert (await api.get("/tiles/offers.json", headers={"If-None-Match": answer.headers["etag"]})).status_code == 200
    same = {"q": "kiné", "where": "commune:78361", "radius_km": "20"}
    again = await api.get("/tiles/offers.json", params=same, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert (await api.get("/tiles/offers.json", params={"where": "commune:00000"})).status_code == 422


@pytest.mark.parametrize(
    ("path", "params", "field", "words"),
    [
        ("-1/0/0", {}, "z", "de 0 à 22"),
        ("23/0/0", {}, "z", "de 0 à 22"),
        ("4/16/0", {}, "x", "de 0 à 15"),
        ("4/0/-3", {}, "y", "de 0 à 15"),
        ("NaN/0/0", {}, "z", "entier"),
        ("4/inf/0", {}, "x", "entier"),
        (f"4/{'9' * 5000}/0", {}, "x", "refusée"),
        ("4/8/5", {"couleur": "bleu"}, "couleur", "inconnu"),
        ("4/8/5", {"where": "commune:00000"}, "where", "Aucun lieu"),
        ("4/8/5", {"q": "a" * 10_000}, "q", "trop long"),
        ("4/8/5", {"bbox": "170,-20,-170,-10"}, "bbox", "ouest"),
    ],
)
async def test_wrong_tiles(api: httpx.AsyncClient, path: str, params: dict[str, str], field: str, words: str) -> None:
    answer = await api.get(f"/tiles/offers/{path}.mvt", params=params)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in {error["field"]: error["detail"] for error in answer.json()["errors"]}[field]


@pytest.mark.parametrize(
    ("params", "field", "words"),
    [
        ({"zoom": "5"}, "view", "obligatoire"),
        ({"view": "1,48,2,49"}, "zoom", "obligatoire"),
        ({"view": "1,48,2,49", "zoom": "20"}, "zoom", "au plus 19"),
        ({"view": "1,48,2,49", "zoom": "-1"}, "zoom", "au moins 0"),
        ({"view": "1,48,2,49", "zoom": "NaN"}, "zoom", "entier"),
        ({"view": "1,48,2", "zoom": "5"}, "view", "Quatre"),
        ({"view": "nan,48,2,49", "zoom": "5"}, "view", "nombre"),
        ({"view": "1,48,inf,49", "zoom": "5"}, "view", "nombre"),
        ({"view": "1,48,1e3,49", "zoom": "5"}, "view", "nombre"),
        ({"view": "2,48,1,49", "zoom": "5"}, "view", "ouest"),
        ({"view": "1,49,2,48", "zoom": "5"}, "view", "sud"),
        ({"view": "170,-20,-170,-10", "zoom": "5"}, "view", "ouest"),
        ({"view": "-181,48,2,49", "zoom": "5"}, "view", "longitude"),
        ({"view": "1,-91,2,49", "zoom": "5"}, "view", "latitude"),
        ({"view": "1" * 10_000, "zoom": "5"}, "view", "Quatre"),
        ({"view": ",".join(["9" * 2_500] * 4), "zoom": "5"}, "view", "nombre"),
        ({"view": "1,48,2,49", "zoom": "5", "bbox": "1,2,3"}, "bbox", "Quatre"),
        ({"view": "1,48,2,49", "zoom": ["5", "6"]}, "zoom", "une fois"),
        ({"view": ["1,48,2,49", "1,48,2,50"], "zoom": "5"}, "view", "une fois"),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_wrong_views_of_the_map(api: httpx.AsyncClient, params: dict[str, Any], field: str, words: str) -> None:
    answer = await api.get("/api/v1/map", params=params)
    assert answer.status_code == 422
    assert words in {error["field"]: error["detail"] for error in answer.json()["errors"]}[field]


@pytest.fixture
async def crowd(filled: URL) -> AsyncIterator[int]:
    """Three thousand more sites over France, half of them known by their town only; an event, as any writer leaves."""
    added = """
        INSERT INTO directory.offer_search (offer_id, site_id, kind, position, exact, commune_id, places, codes,
            territory, age_min, age_max, names, described, sensitive, updated_at)
        SELECT 1000000 + i, 1000000 + i, 'liberal',
               ST_SetSRID(ST_MakePoint(-4 + (i % 60) * 0.2, 42 + (i / 60) * 0.18), 4326)::geography, i % 2 = 0,
               CASE WHEN i % 2 = 1 THEN 1000000 + i END, '{}', '{}', '{}', 0, 150, '', false, false, now()
        FROM generate_series(0, 2999) i
    """
    with psycopg.connect(dsn(filled)) as conn:
        conn.execute(added)
    async with unit_of_work() as session:
        await record(session, [NewEvent(kind="essai", entity="load")])
    yield 3000
    with psycopg.connect(dsn(filled)) as conn:
        conn.execute("DELETE FROM directory.offer_search WHERE offer_id >= 1000000")
    async with unit_of_work() as session:
        await record(session, [NewEvent(kind="essai", entity="load")])


@pytest.mark.parametrize("zoom", [0, 6, 9, 13, 19])
async def test_the_map_has_few_points_and_leaves_nothing_out(
    api: httpx.AsyncClient, oracle: brute.Oracle, crowd: int, zoom: int
) -> None:
    answer = (await api.get("/api/v1/map", params={"view": "-6,41,11,52", "zoom": zoom})).json()
    placed = {row.site_id for row in oracle.rows if row.point is not None and not row.sensitive}
    assert answer["total"] == len(placed) + crowd
    assert len(answer["features"]) <= 500
    assert sum(feature["properties"]["count"] for feature in answer["features"]) == answer["total"]
    assert sum(feature["properties"]["offers"] for feature in answer["features"]) == answer["total_offers"]


async def test_a_crowded_tile_stays_small_and_leaves_nothing_out(
    api: httpx.AsyncClient, oracle: brute.Oracle, crowd: int
) -> None:
    counted = 0
    for x, y in around([tile_of(-4, 42, 5), tile_of(8, 51, 5)]):
        features = await fetch(api, 5, x, y)
        assert len(features) <= MOST
        counted += total(features, "sites")
    placed = {row.site_id for row in oracle.rows if row.point is not None and not row.sensitive}
    assert counted == len(placed) + crowd


PLACES = {
    "tile": "/tiles/offers/7/64/43.mvt",
    "points": "/tiles/offers/14/{}/{}.mvt".format(*tile_of(1.7154, 48.9894, 14)),
    "map": "/api/v1/map?view=-5,41,10,52&zoom=6",
}


async def tags(api: httpx.AsyncClient) -> dict[str, str]:
    return {name: (await api.get(address)).headers["etag"] for name, address in PLACES.items()}


async def test_a_validator_spares_the_search(api: httpx.AsyncClient, filled: URL) -> None:
    held = await tags(api)
    with psycopg.connect(dsn(filled)) as conn:
        conn.execute("LOCK TABLE directory.offer_search IN ACCESS EXCLUSIVE MODE")
        for name, address in PLACES.items():
            for value in (held[name], f'"autre", W/{held[name]}', "*"):
                again = await api.get(address, headers={"If-None-Match": value})
                assert (again.status_code, again.content) == (304, b"")
                assert again.headers["etag"] == held[name]
                assert again.headers["cache-control"].startswith("public, max-age=")
        stopped = await asyncio.gather(
            api.get("/tiles/offers/6/32/21.mvt"), api.get("/api/v1/map?view=1,48,2,49&zoom=9")
        )
        for answer in stopped:
            assert answer.status_code == 503
            assert "arrêtée au bout de 5 secondes" in answer.json()["detail"]
    assert (await api.get("/tiles/offers/6/32/21.mvt")).status_code == 200
    other = await api.get(PLACES["tile"], headers={"If-None-Match": '"autre"'})
    assert other.status_code == 200 and other.headers["etag"] == held["tile"]


async def test_a_validator_follows_what_the_public_sees(api: httpx.AsyncClient, filled: URL) -> None:
    with psycopg.connect(dsn(filled)) as conn:
        row = conn.execute(
            "SELECT o.uid, o.version FROM directory.offer o JOIN directory.offer_search s ON s.offer_id = o.id"
            " JOIN directory.site e ON e.id = s.site_id WHERE NOT s.sensitive AND s.exact AND e.commune_code = '78361'"
            " ORDER BY ST_Distance(s.position, 'SRID=4326;POINT(1.7154 48.9894)'::geography), o.id LIMIT 1"
        ).fetchone()
    assert row
    uid, version = row
    before = await tags(api)
    sites = total(await fetch(api, 7, 64, 43), "offers")
    async with unit_of_work() as session:
        version = (await unpublish_offer(session, uid, "essai", version)).version
    after = await tags(api)
    assert after["tile"] != before["tile"] and after["map"] != before["map"]
    assert total(await fetch(api, 7, 64, 43), "offers") == sites - 1
    async with unit_of_work() as session:
        await republish_offer(session, uid, "essai", version)
    assert await tags(api) == before


async def test_sensitive_offers_are_in_no_tile_and_move_no_validator(
    api: httpx.AsyncClient, oracle: brute.Oracle, filled: URL
) -> None:
    hidden = [row for row in oracle.rows if row.sensitive]
    assert len(hidden) > 3
    with psycopg.connect(dsn(filled)) as conn:
        row = conn.execute("SELECT uid, version FROM directory.offer WHERE id = %s", (hidden[0].offer_id,)).fetchone()
        uids = {str(uid): key for key, uid in conn.execute("SELECT id, uid FROM directory.site")}
    assert row
    expected = by_tile(oracle, POINTS_ZOOM)
    for x, y in {tile_of(one.point.lon, one.point.lat, POINTS_ZOOM) for one in hidden if one.point is not None}:
        features = await fetch(api, POINTS_ZOOM, x, y)
        counted = {uids[f["properties"]["uid"]]: f["properties"]["offers"] for f in features}
        assert counted == expected.get((x, y), {})
        assert CANARY.casefold() not in str(features).casefold()
    searched = await api.get("/tiles/offers/0/0/0.mvt", params={"q": CANARY})
    assert searched.content == b""
    before = await tags(api)
    async with unit_of_work() as session:
        description = OfferDescription(age_min=3, comment="modifiée")
        await describe_offer(session, row[0], description, "essai", row[1])
    assert await tags(api) == before


async def test_a_site_whose_offers_become_sensitive_leaves_the_tiles(api: httpx.AsyncClient, filled: URL) -> None:
    with psycopg.connect(dsn(filled)) as conn:
        row = conn.execute(
            "SELECT e.id, e.uid, array_agg(s.offer_id), min(ST_X(s.position::geometry)) AS lon,"
            " min(ST_Y(s.position::geometry)) AS lat"
            " FROM directory.offer_search s JOIN directory.site e ON e.id = s.site_id"
            " GROUP BY e.id HAVING NOT bool_or(s.sensitive) AND bool_and(s.exact) ORDER BY count(*), e.id LIMIT 1"
        ).fetchone()
    assert row
    site, uid, offers, lon, lat = row
    z, (x, y) = POINTS_ZOOM, tile_of(lon, lat, POINTS_ZOOM)

    async def mark(*, sensitive: bool) -> None:
        async with unit_of_work() as session:
            statement = text("UPDATE directory.offer SET sensitive = :value WHERE id = ANY(:ids)")
            await session.execute(statement, {"value": sensitive, "ids": offers})
            await refresh_search(session, offers)
            await record(session, [NewEvent(kind="essai", entity="site", entity_id=site)])

    first = await fetch(api, z, x, y)
    assert str(uid) in {feature["properties"]["uid"] for feature in first}
    await mark(sensitive=True)
    hidden = await fetch(api, z, x, y)
    await mark(sensitive=False)
    assert [feature for feature in first if feature["properties"]["uid"] != str(uid)] == hidden
    assert await fetch(api, z, x, y) == first
