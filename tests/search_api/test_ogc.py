"""OGC API – Features: what the standard asks, pages, validators, confidentiality, contours."""

import math
from datetime import UTC
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import URL

from core.db import unit_of_work
from directory.api import OfferDescription, describe_offer, republish_offer, unpublish_offer
from search_api import ogc, ogc_queries
from tests.search_api.conftest import dsn
from tests.search_api.ogc import COMMUNES, ITEMS, OFFERS, ask, ids, offers, pages, read
from tests.search_api.seed import CANARY


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
    hidden = [row for row in read(filled, OFFERS) if row.sensitive]
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
    rows = read(filled, COMMUNES)
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


async def test_a_commune_of_corsica_is_found_however_its_letter_is_written(
    places: None, client: httpx.AsyncClient
) -> None:
    for code in ("2A004", "2a004"):
        assert (await ask(client, f"{ITEMS.format('communes')}/{code}"))["id"] == "2A004"
        assert ids(await pages(client, "communes", code=code)) == ["2A004"]
