"""Reading OGC API – Features as its clients do, and what the database says of the same."""

from collections.abc import Callable
from typing import Any

import httpx
import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy.engine import URL

from tests.search_api.conftest import dsn

ITEMS = "/ogc/collections/{}/items"
GEOJSON = "application/geo+json"
OFFERS = """
    SELECT o.uid::text AS id, o.id AS rank, s.site_id, s.sensitive, s.kind, s.exact, s.updated_at, s.codes,
           e.uid::text AS site, e.name AS site_name, e.kind AS site_kind, e.category, e.commune_code AS commune,
           e.updated_at AS site_updated_at, o.name, r.profession, p.last_name,
           ST_X(s.position::geometry) AS lon, ST_Y(s.position::geometry) AS lat
    FROM directory.offer_search s JOIN directory.offer o ON o.id = s.offer_id JOIN directory.site e ON e.id = s.site_id
    LEFT JOIN directory.role r ON r.id = s.role_id LEFT JOIN directory.practitioner p ON p.id = r.practitioner_id
    ORDER BY o.id
"""
COMMUNES = """
    SELECT code, name, population, departement_code, ST_XMin(contour) AS west, ST_YMin(contour) AS south,
           ST_XMax(contour) AS east, ST_YMax(contour) AS north, ST_Area(contour) AS area
    FROM maps.place WHERE kind = 'commune' AND contour IS NOT NULL AND retired_at IS NULL ORDER BY code
"""


def read(filled: URL, statement: str) -> list[Any]:
    with psycopg.connect(dsn(filled), row_factory=namedtuple_row) as conn:
        return conn.execute(statement).fetchall()


def offers(filled: URL, keep: Callable[[Any], bool] = lambda row: True) -> list[Any]:
    """The rows of the projection that the public may find, in order."""
    return [row for row in read(filled, OFFERS) if not row.sensitive and keep(row)]


async def ask(api: httpx.AsyncClient, path: str, **params: Any) -> Any:
    # No parameters at all would take away those of a link.
    answer = await api.get(path, params={name.replace("_", "-"): value for name, value in params.items()} or None)
    assert answer.status_code == 200, answer.text
    if "/items" in path:
        assert answer.headers["content-type"] == GEOJSON
    return answer.json()


async def pages(api: httpx.AsyncClient, collection: str, **params: Any) -> list[dict[str, Any]]:
    """Follow the links from the first page to the last; no page but the last may be short."""
    limit = params.setdefault("limit", 1000)
    document = await ask(api, ITEMS.format(collection), **params)
    found = list(document["features"])
    while following := [link for link in document["links"] if link["rel"] == "next"]:
        assert document["numberReturned"] == len(document["features"]) == limit
        assert following[0]["type"] == GEOJSON
        document = await ask(api, following[0]["href"])
        found += document["features"]
        assert document["features"]
    assert document["numberMatched"] == len(found)
    return found


def ids(features: list[dict[str, Any]]) -> list[str]:
    return [feature["id"] for feature in features]
