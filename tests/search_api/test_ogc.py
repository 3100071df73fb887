"""OGC API – Features: what the standard asks, filters against brute force, refusals, validators, confidentiality."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from psycopg.rows import namedtuple_row
from sqlalchemy import func, select
from sqlalchemy.engine import URL

from core.db import unit_of_work
from directory.api import OfferDescription, describe_offer, republish_offer, unpublish_offer
from search_api import ogc, ogc_queries
from tests.search_api.conftest import dsn
from tests.search_api.seed import CANARY

ITEMS = "/ogc/collections/{}/items"
GEOJSON = "application/geo+json"

_OFFERS = """
    SELECT o.uid::text AS id, o.id AS rank, s.site_id, s.sensitive, s.kind, s.exact, s.updated_at, s.codes,
           e.uid::text AS site, e.name AS site_name, e.kind AS site_kind, e.category, e.commune_code AS commune,
           e.updated_at AS site_updated_at, o.name, r.profession, p.last_name,
           ST_X(s.position::geometry) AS lon, ST_Y(s.position::geometry) AS lat
    FROM directory.offer_search s JOIN directory.offer o ON o.id = s.offer_id JOIN directory.site e ON e.id = s.site_id
    LEFT JOIN directory.role r ON r.id = s.role_id LEFT JOIN directory.practitioner p ON p.id = r.practitioner_id
    ORDER BY o.id
"""
_COMMUNES = """
    SELECT code, name, population, departement_code, ST_XMin(contour) AS west, ST_YMin(contour) AS south,
           ST_XMax(contour) AS east, ST_YMax(contour) AS north, ST_Area(contour) AS area
    FROM maps.place WHERE kind = 'commune' AND contour IS NOT NULL AND retired_at IS NULL ORDER BY code
"""


def read(filled: URL, statement: str) -> list[Any]:
    with psycopg.connect(dsn(filled), row_factory=namedtuple_row) as conn:
        return conn.execute(statement).fetchall()


def offers(filled: URL, keep: Callable[[Any], bool] = lambda row: True) -> list[Any]:
    """The rows of the projection that the public may find, in order."""
    return [row for row in read(filled, _OFFERS) if not row.sensitive and keep(row)]


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


async def test_the_landing_page_leads_everywhere(api: httpx.AsyncClient) -> None:
    seen: set[str] = set()
    due = ["http://repere.test/ogc"]
    relations: dict[str, set[str]] = {}
    while due:
        address = due.pop()
        seen.add(address)
        answer = await api.get(address)
        assert answer.status_code == 200, address
        if "json" not in answer.headers["content-type"]:
            continue
        document = answer.json()
        for described in [document, *document.get("collections", [])]:
            for link in described.get("links", []):
                assert link["href"].startswith("http://repere.test/")
                relations.setdefault(urlsplit(address).path, set()).add(link["rel"])
                if link["href"] not in seen and link["rel"] != "next":
                    due.append(link["href"])
    assert relations["/ogc"] >= {"self", "service-desc", "service-doc", "conformance", "data"}
    assert relations["/ogc/collections/sites"] >= {"self", "items", "describedby"}
    assert relations["/ogc/collections/sites/items"] >= {"self", "collection"}
    assert (await api.get("/ogc/")).json() == (await api.get("/ogc")).json()


async def test_conformance_and_collections(api: httpx.AsyncClient, filled: URL) -> None:
    conformance = (await ask(api, "/ogc/conformance"))["conformsTo"]
    assert {value.rpartition("/")[2] for value in conformance} == {"core", "oas30", "geojson"}
    collections = (await ask(api, "/ogc/collections"))["collections"]
    assert [one["id"] for one in collections] == ["sites", "offers", "communes"]
    placed = offers(filled, lambda row: row.lon is not None)
    for one in collections:
        assert one["itemType"] == "feature" and one["title"] and one["description"]
        assert one["crs"] == ["http://www.opengis.net/def/crs/OGC/1.3/CRS84"]
        assert await ask(api, f"/ogc/collections/{one['id']}") == one
        if one["id"] != "communes":
            [box] = one["extent"]["spatial"]["bbox"]
            lons, lats = [row.lon for row in placed], [row.lat for row in placed]
            assert box == pytest.approx([min(lons), min(lats), max(lons), max(lats)], abs=1e-6)


async def test_the_description_names_every_parameter_and_property(api: httpx.AsyncClient) -> None:
    answer = await api.get("/ogc/api")
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    document = answer.json()
    assert document["openapi"].startswith("3.0.")
    [server] = document["servers"]
    assert server["url"] == "http://repere.test/ogc"
    names = [operation["get"]["operationId"] for operation in document["paths"].values()]
    assert len(names) == len(set(names))
    for collection, most in (("sites", 10_000), ("offers", 10_000), ("communes", 1_000)):
        parameters = {p["name"]: p for p in document["paths"][f"/collections/{collection}/items"]["get"]["parameters"]}
        assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": most, "default": 100}
        refused = await api.get(ITEMS.format(collection), params={"inconnu": "1"})
        told = refused.json()["errors"][0]["detail"].partition("paramètres : ")[2].rstrip(").").split(", ")
        assert set(told) == parameters.keys()
        schema = await ask(api, f"/ogc/collections/{collection}/schema")
        properties = schema["properties"]["properties"]["properties"]
        [feature] = (await ask(api, ITEMS.format(collection), limit=1))["features"] or [None]
        if feature is None:
            assert collection == "communes"
            continue
        assert feature["properties"].keys() == properties.keys()
    shown = (await api.get("/api/openapi.json")).json()["paths"]["/ogc/collections/{collection}/items"]["get"]
    assert {"bbox", "datetime", "commune", "code"} <= {p["name"] for p in shown["parameters"]}


@pytest.mark.parametrize("limit", [7, 10_000])
async def test_pages_give_every_feature_once(api: httpx.AsyncClient, filled: URL, limit: int) -> None:
    rows = offers(filled)
    found = await pages(api, "offers", limit=limit)
    assert ids(found) == [row.id for row in rows]
    by_id = {row.id: row for row in rows}
    for feature in found:
        row, properties = by_id[feature["id"]], feature["properties"]
        assert (properties["name"], properties["kind"], properties["exact"]) == (row.name, row.kind, row.exact)
        assert (properties["site"], properties["site_name"]) == (row.site, row.site_name)
        assert (properties["commune"], properties["departement"]) == (row.commune, "78")
        assert properties["profession"] == (f"G15|{row.profession}" if row.profession else None)
        assert (properties["practitioner"] is None) is (row.last_name is None)
        assert properties["updated_at"] == row.updated_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert properties["url"] == f"http://repere.test/offres/{row.id}"
        point = None if row.lon is None else {"type": "Point", "coordinates": [round(row.lon, 6), round(row.lat, 6)]}
        assert feature["geometry"] == point
    sites: dict[str, list[Any]] = {}
    for row in rows:
        sites.setdefault(row.site, []).append(row)
    found = await pages(api, "sites", limit=limit)
    assert len(found) == len(sites) and set(ids(found)) == sites.keys()
    for feature in found:
        here, properties = sites[feature["id"]], feature["properties"]
        assert properties["offers"] == len(here)
        assert (properties["name"], properties["kind"]) == (here[0].site_name, here[0].site_kind)
        assert properties["category"] == (f"R66|{here[0].category}" if here[0].category else None)
        assert (properties["category_label"] is None) is (here[0].category is None)
        assert (feature["geometry"] is None) is (here[0].lon is None)
        [again] = [await ask(api, f"{ITEMS.format('sites')}/{feature['id']}")]
        assert {name: again[name] for name in feature} == feature
        if limit > 7:
            break


async def test_pages_hold_while_features_come_and_go(api: httpx.AsyncClient, filled: URL) -> None:
    rows = offers(filled)
    with psycopg.connect(dsn(filled)) as conn:
        versions = {str(uid): version for uid, version in conn.execute("SELECT uid, version FROM directory.offer")}
    first = await ask(api, ITEMS.format("offers"), limit=20)
    assert ids(first["features"]) == [row.id for row in rows[:20]]
    [following] = [link["href"] for link in first["links"] if link["rel"] == "next"]
    # One already read, the very last of the page, and one to come leave the directory.
    gone = [rows[3].id, rows[19].id, rows[25].id]
    for uid in gone:
        async with unit_of_work() as session:
            versions[uid] = (await unpublish_offer(session, uid, "essai", versions[uid])).version
    second = await ask(api, following)
    assert ids(second["features"]) == [row.id for row in rows[20:41] if row.id != rows[25].id]
    assert second["numberMatched"] == len(rows) - 3
    for uid in gone:
        async with unit_of_work() as session:
            await republish_offer(session, uid, "essai", versions[uid])
    assert ids(await pages(api, "offers")) == [row.id for row in rows]


def inside(west: float, south: float, east: float, north: float) -> Callable[[Any], bool]:
    def keep(row: Any) -> bool:
        if row.lon is None:
            return False
        across = west <= row.lon <= east if west <= east else row.lon >= west or row.lon <= east
        return bool(across and south <= row.lat <= north)

    return keep


@pytest.mark.parametrize(
    ("params", "keep"),
    [
        ({"commune": "78361"}, lambda row: row.commune == "78361"),
        ({"departement": "78"}, lambda row: True),
        ({"departement": "75"}, lambda row: False),
        ({"profession": "70"}, lambda row: row.profession == "70"),
        ({"commune": "78361", "departement": "78"}, lambda row: row.commune == "78361"),
        ({"commune": "78361", "departement": "75"}, lambda row: False),
        ({"profession": "G15|70", "commune": "78646"}, lambda row: row.profession == "70" and row.commune == "78646"),
        ({"category": "355"}, lambda row: row.category == "355"),
        ({"category": "R66|500"}, lambda row: row.category == "500"),
        ({"bbox": "1.65,48.95,1.76,49.02"}, inside(1.65, 48.95, 1.76, 49.02)),
        ({"bbox": "1.65,48.95,-500,1.76,49.02,500"}, inside(1.65, 48.95, 1.76, 49.02)),
        ({"bbox": "1.75,48,1.65,50"}, inside(1.75, 48, 1.65, 50)),
        ({"bbox": "170,-60,-170,60"}, lambda row: False),
        ({"bbox": "-180,-90,180,90"}, inside(-180, -90, 180, 90)),
        ({"bbox": "0,0,0,0"}, lambda row: False),
        ({"datetime": "../2020-01-01"}, lambda row: False),
        ({"datetime": "2020-01-01T00:00:00Z/.."}, lambda row: True),
        ({"datetime": "../.."}, lambda row: True),
        (
            {"bbox": "1.65,48.95,1.76,49.02", "bbox_crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"},
            inside(1.65, 48.95, 1.76, 49.02),
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
async def test_filters_keep_what_they_say(
    api: httpx.AsyncClient, filled: URL, params: dict[str, str], keep: Callable[[Any], bool]
) -> None:
    expected = offers(filled, keep)
    assert ids(await pages(api, "offers", limit=13, **params)) == [row.id for row in expected]
    assert set(ids(await pages(api, "sites", limit=13, **params))) == {row.site for row in expected}
    hits = await ask(api, ITEMS.format("offers"), resultType="hits", **params)
    assert (hits["features"], hits["numberReturned"], hits["numberMatched"]) == ([], 0, len(expected))


async def test_kinds_are_those_of_the_collection(api: httpx.AsyncClient, filled: URL) -> None:
    for kind in ("liberal", "establishment"):
        expected = [row.id for row in offers(filled) if row.kind == kind]
        assert ids(await pages(api, "offers", kind=kind)) == expected != []
    for kind in ("practice", "establishment"):
        expected = [row.site for row in offers(filled) if row.site_kind == kind]
        assert set(ids(await pages(api, "sites", kind=kind))) == set(expected) != set()


async def test_the_date_of_change_filters_to_the_second(api: httpx.AsyncClient, filled: URL) -> None:
    with psycopg.connect(dsn(filled)) as conn:
        conn.execute(
            "UPDATE directory.offer_search SET updated_at = timestamptz '2026-03-01 12:00:00.4Z'"
            " + (offer_id % 5) * interval '1 day'"
        )
    rows = offers(filled)
    for value, first, last in (
        ("2026-03-02T12:00:00Z", "2026-03-02T12:00:00", "2026-03-02T12:00:01"),
        ("2026-03-02T13:00:00+01:00", "2026-03-02T12:00:00", "2026-03-02T12:00:01"),
        ("2026-03-02", "2026-03-02T00:00:00", "2026-03-03T00:00:00"),
        ("2026-03-02T12:00:01Z/..", "2026-03-02T12:00:01", "2100-01-01T00:00:00"),
        ("/2026-03-02T12:00:00Z", "1970-01-01T00:00:00", "2026-03-02T12:00:01"),
        ("2026-03-02/2026-03-03", "2026-03-02T00:00:00", "2026-03-04T00:00:00"),
    ):
        low, high = (datetime.fromisoformat(f"{text}+00:00") for text in (first, last))
        expected = [row.id for row in rows if low <= row.updated_at < high]
        assert 0 < len(expected) < len(rows)
        assert ids(await pages(api, "offers", datetime=value)) == expected
    changed = max(row.site_updated_at for row in rows)
    tomorrow = (changed + timedelta(days=1)).astimezone(UTC).strftime("%Y-%m-%d")
    assert await pages(api, "sites", datetime=f"{tomorrow}/..") == []
    assert len(await pages(api, "sites", datetime=f"../{tomorrow}")) == len({row.site for row in rows})


async def test_an_empty_answer_says_why(api: httpx.AsyncClient) -> None:
    for params, words in (
        ({"commune": "99999"}, "Aucune commune ne porte le code 99999"),
        ({"departement": "99"}, "Aucun département ne porte le numéro 99"),
        ({"profession": "zz"}, "Aucune nomenclature chargée ne contient le code G15|zz"),
    ):
        document = await ask(api, ITEMS.format("sites"), **params)
        assert (document["features"], document["numberMatched"]) == ([], 0)
        assert words in document["message"]
    assert "message" not in await ask(api, ITEMS.format("sites"), commune="78362")


@pytest.mark.parametrize(
    ("params", "field", "words"),
    [
        ({"couleur": "bleu"}, "couleur", "inconnu"),
        ({"f": "json"}, "f", "inconnu"),
        ({"a" * 10_000: "1"}, "a" * 40, "inconnu"),
        ({"limit": "0"}, "limit", "à partir de 1"),
        ({"limit": "-5"}, "limit", "à partir de 1"),
        ({"limit": "dix"}, "limit", "à partir de 1"),
        ({"limit": "1e3"}, "limit", "à partir de 1"),
        ({"limit": ["1", "2"]}, "limit", "une fois"),
        ({"bbox": "1,2,3"}, "bbox", "Quatre ou six"),
        ({"bbox": "a,b,c,d"}, "bbox", "Quatre ou six"),
        ({"bbox": "nan,48,2,49"}, "bbox", "Quatre ou six"),
        ({"bbox": "1,48,inf,49"}, "bbox", "Quatre ou six"),
        ({"bbox": "1,48,1e400,49"}, "bbox", "Quatre ou six"),
        ({"bbox": "1," * 5_000}, "bbox", "Quatre ou six"),
        ({"bbox": "1,49,2,48"}, "bbox", "sud"),
        ({"bbox": "-181,48,2,49"}, "bbox", "longitude"),
        ({"bbox": "1,48,2,91"}, "bbox", "latitude"),
        ({"bbox": "1,48,5,2,49,0"}, "bbox", "bas"),
        ({"bbox-crs": "EPSG:2154"}, "bbox-crs", "CRS84"),
        ({"datetime": "hier"}, "datetime", "2026-11-01"),
        ({"datetime": "2026-02-30"}, "datetime", "2026-11-01"),
        ({"datetime": "9999-12-31"}, "datetime", "2026-11-01"),
        ({"datetime": "2026-01-02/2026-01-01"}, "datetime", "précéder"),
        ({"datetime": "2026-01-02/2026-01-03/2026-01-04"}, "datetime", "2026-11-01"),
        ({"after": "abc"}, "after", "next"),
        ({"after": "00000000-0000-0000-0000-000000000000"}, "after", "next"),
        ({"commune": "Mantes"}, "commune", "78361"),
        ({"departement": "999999"}, "departement", "78"),
        ({"profession": "' OR 1=1"}, "profession", "G15"),
        ({"profession": "R66|70"}, "profession", "G15"),
        ({"kind": "autre"}, "kind", "liberal"),
        ({"resultType": "tout"}, "resultType", "hits"),
        ({"limit": "0", "bbox": "1"}, "bbox", "Quatre ou six"),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_what_is_refused_says_why_at_the_parameter(
    api: httpx.AsyncClient, params: dict[str, Any], field: str, words: str
) -> None:
    answer = await api.get(ITEMS.format("offers"), params=params)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["title"] == "Requête invalide"
    assert words in {error["field"]: error["detail"] for error in body["errors"]}[field]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/ogc?x=1", 400),
        ("/ogc/api?f=json", 400),
        ("/ogc/conformance?x=1", 400),
        ("/ogc/collections?x=1", 400),
        ("/ogc/collections/sites?x=1", 400),
        ("/ogc/collections/routes", 404),
        ("/ogc/collections/routes/items", 404),
        ("/ogc/collections/routes/schema", 404),
        ("/ogc/collections/sites/items/abc", 404),
        ("/ogc/collections/sites/items/00000000-0000-0000-0000-000000000000", 404),
        ("/ogc/collections/offers/items/00000000-0000-0000-0000-000000000000", 404),
        ("/ogc/collections/communes/items/99999", 404),
        ("/ogc/collections/communes/items/'; --", 404),
        ("/ogc/rien", 404),
    ],
)
async def test_what_does_not_exist_says_so(api: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await api.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


async def test_a_page_larger_than_the_largest_is_cut(api: httpx.AsyncClient) -> None:
    for limit in ("10001", "999999999999999999"):
        assert (await ask(api, ITEMS.format("sites"), limit=limit))["numberReturned"] > 50


async def test_a_hostile_host_makes_no_error(api: httpx.AsyncClient) -> None:
    for host in ('a"b', "<script>", "a b", "[::1", "x" * 3_000):
        answer = await api.get("/ogc", headers={"Host": host})
        assert answer.status_code in (200, 400)
        assert "<script>" not in answer.text or "json" in answer.headers["content-type"]


WATCHED = {
    "offers": f"{ITEMS.format('offers')}?limit=50",
    "sites": f"{ITEMS.format('sites')}?limit=50",
    "next": f"{ITEMS.format('sites')}?limit=30&commune=78361",
    "collections": "/ogc/collections",
    "hits": f"{ITEMS.format('offers')}?resultType=hits",
}


async def tags(api: httpx.AsyncClient) -> dict[str, str]:
    return {name: (await api.get(address)).headers["etag"] for name, address in WATCHED.items()}


async def test_a_validator_spares_the_reading_and_a_slow_one_is_stopped(api: httpx.AsyncClient, filled: URL) -> None:
    held = await tags(api)
    with psycopg.connect(dsn(filled)) as conn:
        conn.execute("LOCK TABLE directory.offer_search IN ACCESS EXCLUSIVE MODE")
        for name, address in WATCHED.items():
            again = await api.get(address, headers={"If-None-Match": held[name]})
            assert (again.status_code, again.content) == (304, b"")
        stopped = await api.get(ITEMS.format("offers"), params={"limit": 3})
        assert stopped.status_code == 503
        assert stopped.headers["content-type"] == "application/problem+json"
        assert "arrêtée au bout de 5 secondes" in stopped.json()["detail"]
    assert (await api.get(ITEMS.format("offers"), params={"limit": 3})).status_code == 200
    answer = await api.get(WATCHED["offers"])
    assert answer.headers["cache-control"].startswith("public, max-age=")
    assert answer.json()["timeStamp"].endswith("Z") and answer.headers["etag"].startswith("W/")


async def test_a_total_that_takes_too_long_is_left_out(api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ogc, "COUNT_SECONDS", 1)
    monkeypatch.setattr(ogc_queries, "count", lambda *_: select(func.pg_sleep(30)))
    document = await ask(api, ITEMS.format("offers"), limit=17, datetime="2001-01-01/..")
    assert document["numberReturned"] == 17 and "numberMatched" not in document
    assert [link for link in document["links"] if link["rel"] == "next"]


async def test_sensitive_offers_are_nowhere_and_move_no_validator(api: httpx.AsyncClient, filled: URL) -> None:
    hidden = [row for row in read(filled, _OFFERS) if row.sensitive]
    assert len(hidden) > 3
    for collection in ("sites", "offers"):
        assert CANARY.casefold() not in str(await pages(api, collection)).casefold()
    for row in hidden:
        assert (await api.get(f"{ITEMS.format('offers')}/{row.id}")).status_code == 404
    by_site: dict[str, int] = {}
    for row in offers(filled):
        by_site[row.site] = by_site.get(row.site, 0) + 1
    counted = {f["id"]: f["properties"]["offers"] for f in await pages(api, "sites")}
    assert counted == by_site
    before = await tags(api)
    with psycopg.connect(dsn(filled)) as conn:
        found = conn.execute("SELECT version FROM directory.offer WHERE uid = %s", (hidden[0].id,)).fetchone()
    assert found
    async with unit_of_work() as session:
        description = OfferDescription(age_min=3, comment="modifiée")
        await describe_offer(session, hidden[0].id, description, "essai", found[0])
    assert await tags(api) == before
    public = offers(filled)[0]
    with psycopg.connect(dsn(filled)) as conn:
        found = conn.execute("SELECT version FROM directory.offer WHERE uid = %s", (public.id,)).fetchone()
    assert found
    async with unit_of_work() as session:
        await describe_offer(session, public.id, OfferDescription(accepts_new=True), "essai", found[0])
    after = await tags(api)
    assert after["offers"] != before["offers"] and after["hits"] == before["hits"]


async def test_communes_have_their_contours(api: httpx.AsyncClient, filled: URL) -> None:
    from maps.api import load_places

    with psycopg.connect(dsn(filled)) as conn:
        load_places(conn, ["78"])
        conn.commit()
    rows = read(filled, _COMMUNES)
    found = await pages(api, "communes", limit=50)
    assert ids(found) == [row.code for row in rows] and len(rows) > 250
    for feature, row in zip(found, rows, strict=True):
        properties = feature["properties"]
        assert (properties["name"], properties["population"]) == (row.name, row.population)
        assert feature["geometry"]["type"] == "MultiPolygon"
    [mantes] = [feature for feature in found if feature["id"] == "78361"]
    assert mantes["properties"]["postal_codes"] == "78200"
    one = await ask(api, f"{ITEMS.format('communes')}/78361")
    assert one["geometry"] == mantes["geometry"] and one["properties"] == mantes["properties"]
    assert ids(await pages(api, "communes", code="78361")) == ["78361"]
    assert len(await pages(api, "communes", departement="78")) == len(rows)
    assert await pages(api, "communes", departement="75") == []
    box = (1.70, 48.98, 1.73, 49.0)
    near = {
        row.code
        for row in rows
        if row.west <= box[2] and row.east >= box[0] and row.south <= box[3] and row.north >= box[1]
    }
    touched = set(ids(await pages(api, "communes", bbox=",".join(map(str, box)))))
    assert "78361" in touched and touched <= near
    [extent] = (await ask(api, "/ogc/collections/communes"))["extent"]["spatial"]["bbox"]
    assert extent == pytest.approx(
        [min(r.west for r in rows), min(r.south for r in rows), max(r.east for r in rows), max(r.north for r in rows)],
        abs=1e-6,
    )
    assert math.isclose(sum(row.area for row in rows), 0.28, rel_tol=0.2)
    capped = await ask(api, ITEMS.format("communes"), limit=5_000)
    assert capped["numberReturned"] == len(rows)
