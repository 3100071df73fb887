"""Vector tiles of places, read by GDAL, against the contours that they are drawn from."""

from typing import Any

import httpx
import psycopg
import pytest
import shapely
from geoalchemy2 import Geometry
from sqlalchemy import Integer, String, column, func, select, values
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncSession

from maps import api
from maps.tiles import BUFFER, EXTENT
from tests.conftest import _dsn, load_place_rows
from tests.vector_tiles import MVT, decode, tile_of

MANTES = (1.7154, 48.9894)


async def fetch(client: httpx.AsyncClient, layer: str, z: int, x: int, y: int) -> list[dict[str, Any]]:
    answer = await client.get(f"/tiles/{layer}/{z}/{x}/{y}.mvt")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == MVT
    return decode(answer.content, layer, z, x, y)


def points(shape: Any) -> int:
    return int(shapely.get_num_coordinates(shape))


@pytest.mark.usefixtures("places")
async def test_a_tile_shows_the_contours_that_touch_it(client: httpx.AsyncClient, clean_database: URL) -> None:
    x, y = tile_of(*MANTES, 11)
    west, south, east, north = api.tile_at(11, x, y).bounds
    margin = (east - west) * BUFFER / EXTENT
    with psycopg.connect(_dsn(clean_database)) as conn:
        rows = conn.execute(
            "SELECT code, name, population, departement_code, ST_AsBinary(contour) FROM maps.place"
            " WHERE kind = 'commune' AND contour IS NOT NULL"
        ).fetchall()
    stored = {code: shapely.from_wkb(bytes(contour)) for code, _, _, _, contour in rows}
    said = {row[0]: row[1:4] for row in rows}
    inside, around = shapely.box(west, south, east, north), shapely.box(west, south, east, north).buffer(margin * 1.5)
    found = await fetch(client, "communes", 11, x, y)
    drawn = {f["properties"]["code"]: shapely.geometry.shape(f["geometry"]) for f in found}
    assert {c for c, s in stored.items() if s.intersection(inside).area > 1e-6} <= drawn.keys()
    assert drawn.keys() <= {c for c, s in stored.items() if s.intersects(around)}
    for feature in found:
        properties = feature["properties"]
        assert (properties["name"], properties["population"], properties["departement"]) == said[properties["code"]]
    for code, shape in drawn.items():
        wanted = stored[code].intersection(inside).area
        assert shape.buffer(0).intersection(inside).area == pytest.approx(wanted, rel=0.02, abs=2e-6)


@pytest.mark.usefixtures("places")
async def test_contours_are_simpler_from_afar(client: httpx.AsyncClient, clean_database: URL) -> None:
    with psycopg.connect(_dsn(clean_database)) as conn:
        row = conn.execute(
            "SELECT ST_NPoints(contour) FROM maps.place WHERE kind = 'departement' AND code = '78'"
        ).fetchone()
    assert row
    seen = []
    for z in (3, 6):
        found = await fetch(client, "departements", z, *tile_of(*MANTES, z))
        assert {"75", "78"} <= {f["properties"]["code"] for f in found}
        [yvelines] = [f for f in found if f["properties"]["code"] == "78"]
        assert yvelines["properties"]["name"] == "Yvelines"
        seen.append(points(shapely.geometry.shape(yvelines["geometry"])))
    assert 4 <= seen[0] < seen[1] < row[0]


@pytest.mark.usefixtures("places")
async def test_tiles_where_nothing_lies_are_empty(client: httpx.AsyncClient) -> None:
    assert await fetch(client, "communes", 9, 0, 0) == []
    assert await fetch(client, "departements", 22, 2**22 - 1, 2**22 - 1) == []


@pytest.mark.usefixtures("places")
async def test_a_validator_follows_the_places_and_spares_the_drawing(
    client: httpx.AsyncClient, clean_database: URL, place_rows: list[Any]
) -> None:
    address = "/tiles/communes/8/{}/{}.mvt".format(*tile_of(*MANTES, 8))
    beside = "/tiles/departements/5/{}/{}.mvt".format(*tile_of(*MANTES, 5))
    first = await client.get(address)
    assert first.headers["cache-control"].startswith("public")
    held = {"If-None-Match": first.headers["etag"]}
    with psycopg.connect(_dsn(clean_database)) as conn:
        conn.execute("LOCK TABLE maps.place IN ACCESS EXCLUSIVE MODE")
        again = await client.get(address, headers=held)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        stopped = await client.get(beside)
        assert stopped.status_code == 503
        assert "arrêtée au bout de 5 secondes" in stopped.json()["detail"]
    assert (await client.get(beside)).status_code == 200
    load_place_rows(place_rows)
    changed = await client.get(address, headers=held)
    assert changed.status_code == 200 and changed.headers["etag"] != first.headers["etag"]
    assert changed.content == first.content


@pytest.mark.usefixtures("places")
async def test_the_description_of_a_layer_leads_to_its_tiles(client: httpx.AsyncClient) -> None:
    for layer, first, fields in (
        ("departements", 0, {"code", "name", "population"}),
        ("communes", 7, {"code", "name", "population", "departement"}),
    ):
        answer = await client.get(f"/tiles/{layer}.json")
        assert answer.headers["content-type"] == "application/json"
        document = answer.json()
        assert document["tilejson"] == "3.0.0" and document["minzoom"] == first < document["maxzoom"]
        [described] = document["vector_layers"]
        assert described["id"] == layer and described["fields"].keys() == fields
        west, south, east, north = document["bounds"]
        assert west < MANTES[0] < east and south < MANTES[1] < north
        x, y = tile_of(*MANTES, 9)
        address = document["tiles"][0].replace("{z}", "9").replace("{x}", str(x)).replace("{y}", str(y))
        assert address.startswith("http://repere.test/tiles/")
        tile = await client.get(address)
        found = decode(tile.content, layer, 9, x, y)
        assert found and all(feature["properties"].keys() <= fields | {"mvt_id"} for feature in found)
        held = {"If-None-Match": answer.headers["etag"]}
        assert (await client.get(f"/tiles/{layer}.json", headers=held)).status_code == 304


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("communes/6/32/22.mvt", 422, "de 7 à 22"),
        ("communes/23/0/0.mvt", 422, "de 7 à 22"),
        ("departements/-1/0/0.mvt", 422, "de 0 à 22"),
        ("departements/3/8/0.mvt", 422, "de 0 à 7"),
        ("departements/3/0/-1.mvt", 422, "de 0 à 7"),
        ("departements/3/0/99999999999999999999999.mvt", 422, "de 0 à 7"),
        (f"departements/3/0/{'9' * 6000}.mvt", 422, "incorrects"),
        ("departements/a/0/0.mvt", 422, "entier"),
        ("departements/3/NaN/0.mvt", 422, "entier"),
        ("departements/3/1e3/0.mvt", 422, "entier"),
        ("departements/3/0.5/0.mvt", 422, "entier"),
        ("routes/3/0/0.mvt", 404, "couche"),
        ("routes.json", 404, "couche"),
        (f"{'a' * 5000}/3/0/0.mvt", 422, "trop long"),
    ],
)
async def test_wrong_tiles(client: httpx.AsyncClient, path: str, status: int, words: str) -> None:
    answer = await client.get(f"/tiles/{path}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]


async def test_any_select_can_be_drawn(session: AsyncSession) -> None:
    at = api.tile_at(12, *tile_of(*MANTES, 12))
    rows = values(column("lon"), column("lat"), column("name", String), column("size", Integer), name="points").data(
        [(*MANTES, "là", 3), (MANTES[0] + 0.001, MANTES[1], "à côté", 4), (None, None, "nulle part", 5)]
    )
    shape = func.ST_SetSRID(func.ST_MakePoint(rows.c.lon, rows.c.lat), 4326, type_=Geometry)
    shapes = select(shape.label("shape"), rows.c.name, rows.c.size).order_by(rows.c.size)
    body = await api.tile(session, shapes, "essai", at, clip=False)
    found = decode(body, "essai", at.z, at.x, at.y)
    assert [(f["properties"]["name"], f["properties"]["size"]) for f in found] == [("là", 3), ("à côté", 4)]
    assert found[0]["geometry"]["coordinates"] == pytest.approx(MANTES, abs=1e-4)
    assert await api.tile(session, shapes.where(rows.c.size > 4), "essai", at) == b""
