"""Contours and points for maps."""

from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from maps import api
from tests.conftest import load_place_rows

URL = "/api/v1/outlines"


async def features(client: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    answer = await client.get(URL + path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/geo+json"
    document = answer.json()
    assert document["type"] == "FeatureCollection"
    found: list[dict[str, Any]] = document["features"]
    return found


@pytest.mark.usefixtures("places")
async def test_contours(client: httpx.AsyncClient, place_rows: list[Any]) -> None:
    departements = await features(client, "/departements")
    assert {"13", "2A", "75", "78", "971", "974"} <= {f["properties"]["code"] for f in departements}
    assert await features(client, "/departements.geojson") == departements

    inside = await features(client, "/communes?bbox=1.70,48.98,1.73,49.0")
    assert inside[0]["properties"]["code"] == "78361"
    populations = [f["properties"]["population"] for f in inside]
    assert populations == sorted(populations, reverse=True)

    yvelines = await features(client, "/communes.geojson?departement=78")
    assert len(yvelines) > 250
    assert len(await features(client, "?refs=commune:78361,epci:200059889,commune:00000")) == 2
    [paris] = await features(client, "/place/commune/75056.geojson")
    assert paris["properties"]["name"] == "Paris"
    assert paris["geometry"]["type"] in ("Polygon", "MultiPolygon")
    assert len(await features(client, "/place/region/11.geojson")) == 1

    first = await client.get(f"{URL}/departements")
    again = await client.get(f"{URL}/departements", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    load_place_rows(place_rows)
    changed = await client.get(f"{URL}/departements", headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/communes", 422),
        ("/communes?bbox=1,2", 422),
        ("/communes?bbox=a,b,c,d", 422),
        ("/communes?bbox=nan,48,2,49", 422),
        ("/communes?bbox=3,48,2,49", 422),
        ("/communes?bbox=-999,48,2,49", 422),
        ("/communes?departement=99", 404),
        ("/communes?departement=9999", 422),
        ("/communes?departement=';-", 404),
        ("?refs=", 200),
        ("?refs=galaxie:1", 422),
        ("?refs=commune:%00", 422),
        ("/communes?departement=%00", 422),
        ("/place/commune/%00.geojson", 404),
        ("?refs=" + ",".join(["commune:78361"] * 301), 422),
        ("/place/commune/00000.geojson", 404),
        ("/place/galaxie/1.geojson", 404),
    ],
)
async def test_wrong_questions(client: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await client.get(URL + path)
    assert answer.status_code == status
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"] and "enregistrée" not in answer.json()["detail"]


async def test_outline_of_nothing(session: AsyncSession) -> None:
    assert await api.outline(session, []) == {"type": "FeatureCollection", "features": []}


def test_rows_as_geojson() -> None:
    document = api.geojson(
        [
            {"id": 1, "lon": 1.7, "lat": 48.9, "name": "A"},
            {"id": 2, "lon": None, "lat": None, "name": "B"},
            {"id": 3, "lon": float("nan"), "lat": 48.9, "name": "C"},
        ]
    )
    assert document["features"] == [
        {
            "type": "Feature",
            "id": "1",
            "geometry": {"type": "Point", "coordinates": [1.7, 48.9]},
            "properties": {"name": "A"},
        }
    ]


FRANCE = (-5.0, 41.0, 10.0, 51.5)


@given(
    st.lists(st.tuples(st.floats(-6, 11), st.floats(40, 52)), max_size=300),
    st.integers(-3, 30),
    st.integers(1, 60),
)
def test_clusters_count_every_point_of_the_view_once(points: list[tuple[float, float]], zoom: int, most: int) -> None:
    lon = np.array([x for x, _ in points])
    lat = np.array([y for _, y in points])
    inside = (lon >= FRANCE[0]) & (lon <= FRANCE[2]) & (lat >= FRANCE[1]) & (lat <= FRANCE[3])
    found = api.cluster(lon, lat, zoom, FRANCE, most=most)
    assert sum(c.count for c in found) == inside.sum()
    assert len(found) <= most
    for c in found:
        assert c.west - 1e-9 <= c.lon <= c.east + 1e-9
        assert c.south - 1e-9 <= c.lat <= c.north + 1e-9
        if c.index is not None:
            assert (lon[c.index], lat[c.index]) == (c.west, c.south)


def test_clusters_weigh_and_ignore_what_has_no_position() -> None:
    found = api.cluster(
        [2.35, 2.3501, 5.4, float("nan")], [48.85, 48.8501, 43.3, 48.0], 6, FRANCE, weights=[3, 4, 5, 100]
    )
    assert [(c.count, c.index) for c in found] == [(7, None), (5, 2)]


def test_clusters_part_when_one_looks_closer() -> None:
    lon, lat = [2.35, 2.36], [48.85, 48.86]
    assert len(api.cluster(lon, lat, 5, FRANCE)) == 1
    assert len(api.cluster(lon, lat, 16, FRANCE)) == 2


def test_clusters_of_one_spot_stay_together() -> None:
    [only] = api.cluster([2.35] * 1000, [48.85] * 1000, 22, FRANCE)
    assert (only.count, only.index) == (1000, None)
