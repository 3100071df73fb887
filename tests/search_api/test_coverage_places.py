"""Coverage where places are not simple: arrondissements, overseas, the whole country."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from pyproj import Geod
from sqlalchemy.engine import URL
from typer.testing import CliRunner

from cli import assemble
from directory import nomenclature
from search_api.coverage import work
from tests.search_api.conftest import dsn
from tests.search_api.coverage import COVERAGE, ask, features
from tests.search_api.seed import nurse_at

GEOD = Geod(ellps="WGS84")
OFFERS = (
    # INSEE code of the site's place, and of the places visited.
    ("75112", ()),
    ("75056", ("75120",)),
    ("13201", ("75112",)),
    ("97411", ("97411",)),
    ("78646", ()),
)


@pytest.fixture
def nurses(places: None, clean_database: URL) -> Iterator[URL]:
    """Nurses in Paris (12e, and somewhere), Marseille, Saint-Denis de La Réunion and Versailles."""
    with psycopg.connect(dsn(clean_database)) as conn:
        nomenclature.load(conn)
        for number, (code, visited) in enumerate(OFFERS, 1):
            nurse_at(conn, number, code, visited)
    yield clean_database


async def test_arrondissements_are_counted_in_their_commune_once(nurses: URL, client: httpx.AsyncClient) -> None:
    report = await ask(client, code=["G15|60"], where="departement:75")
    (paris,) = await features(client, report)
    assert (paris["code"], paris["offers"], paris["visited"]) == ("75056", 2, True)
    assert report["summary"]["population"] == paris["population"] > 2_000_000
    lyon = await client.post(COVERAGE, json={"code": ["G15|60"], "where": "departement:13"})
    (marseille,) = [
        one for one in await features(client, lyon.json()) if one["code"].startswith("132") or one["code"] == "13055"
    ]
    assert (marseille["code"], marseille["offers"], marseille["visited"]) == ("13055", 1, False)


async def test_a_territory_of_arrondissements_is_measured_by_arrondissement(
    nurses: URL, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    path = tmp_path / "est.csv"
    path.write_text("code;nom;type;commune\nEST;Paris Est;CPTS;75112\nEST;Paris Est;CPTS;75120\n", "utf-8")
    assert CliRunner().invoke(assemble(), ["places", "territory", "load", str(path)]).exit_code == 0
    report = await ask(client, code=["G15|60"], where="territory:EST")
    found = {one["code"]: one for one in await features(client, report)}
    assert {code: (one["offers"], one["visited"]) for code, one in found.items()} == {
        "75112": (1, True),
        "75120": (0, True),
    }
    assert found["75112"]["nearest_m"] == 0 and found["75120"]["nearest_m"] > 1000
    searched = await client.get("/api/v1/search", params={"code": "G15|60", "where": "territory:EST"})
    assert searched.json()["total_offers"] == report["summary"]["offers"] == 1


async def test_the_country_is_measured_by_a_worker_overseas_included(nurses: URL, client: httpx.AsyncClient) -> None:
    asked = (await client.post(COVERAGE, json={"code": ["G15|60"], "where": "france"})).json()
    assert asked["state"] == "asked"
    await work.carry_out(uuid.UUID(asked["id"]))
    report = (await client.get(f"{COVERAGE}/{asked['id']}")).json()
    assert report["state"] == "ready"
    with psycopg.connect(dsn(nurses)) as conn:
        communes = conn.execute(
            "SELECT code, population, ST_X(point::geometry), ST_Y(point::geometry) FROM maps.place"
            " WHERE kind = 'commune' AND retired_at IS NULL"
        ).fetchall()
        offers = conn.execute(
            "SELECT ST_X(position::geometry), ST_Y(position::geometry) FROM directory.offer_search"
        ).fetchall()
    summary = report["summary"]
    assert summary["offers"] == summary["sites"] == len(OFFERS)
    assert summary["communes"] == len(communes) > 500
    assert summary["population"] == sum(row[1] for row in communes)
    body = (await client.get(report["files"]["geojson"])).json()
    found = {one["properties"]["code"]: one for one in body["features"]}
    for code, _, lon, lat in communes:
        expected = None if lon is None else min(round(GEOD.inv(lon, lat, x, y)[2]) for x, y in offers)
        assert found[code]["properties"]["nearest_m"] == expected
    # Wallis has no contour here, and stands at its point, on the other side of the world.
    shapes = {code: one["geometry"]["type"] for code, one in found.items() if one["geometry"]}
    assert {shapes["78646"], shapes["97411"]} <= {"Polygon", "MultiPolygon"}
    assert shapes["98613"] == "Point"
    assert found["98613"]["properties"]["nearest_m"] > 5_000_000
    page = (await client.get(report["files"]["html"])).text
    # Of a country, what is seen first is its mainland.
    bounds = page.rpartition('"bounds":[[')[2].partition("]]")[0].replace("],[", ",").split(",")
    assert 41 < float(bounds[0]) < float(bounds[2]) < 50 and 1 < float(bounds[1]) < float(bounds[3]) < 10
