"""Pages, order, inclusions and parts: what a reader who walks a whole search gets."""

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pyproj import Geod

from core.db import unit_of_work
from directory.api import republish_offer, unpublish_offer
from tests.accounts.helpers import signed_in
from tests.search_api.fhir import oracle
from tests.search_api.fhir.conftest import Feed
from tests.search_api.fhir.world import World, bundle, entries, links, walk

GEOD = Geod(ellps="WGS84")
CALCULATED = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-calculated-distance"


def ids(found: list[dict[str, Any]]) -> list[str]:
    return [one["resource"]["id"] for one in found]


async def test_pages_by_name_follow_the_alphabet_both_ways(client: httpx.AsyncClient) -> None:
    world = await World.read(client)
    for type_, names in (
        ("Organization", oracle.STRINGS["Organization"]["name"]),
        ("Practitioner", oracle.STRINGS["Practitioner"]["family"]),
    ):
        sort = "name" if type_ == "Organization" else "family"
        for sign in ("", "-"):
            found = await walk(client, f"/fhir/{type_}?_count=7&_sort={sign}{sort}")
            shown = [oracle.fold(names(one["resource"])[0]) for one in found]
            assert shown == sorted(shown, reverse=bool(sign))
            assert sorted(ids(found)) == sorted(one["id"] for one in world.resources[type_])


async def test_several_sorts_break_ties_in_turn(client: httpx.AsyncClient) -> None:
    found = await walk(client, "/fhir/Practitioner?_count=9&_sort=-given,family,-_lastUpdated,_id")
    names = [(one["resource"]["name"][0]["given"][0], one["resource"]["name"][0]["family"]) for one in found]
    expected = sorted(names, key=lambda one: oracle.fold(one[1]))
    expected.sort(key=lambda one: oracle.fold(one[0]), reverse=True)
    assert [tuple(map(oracle.fold, one)) for one in names] == [tuple(map(oracle.fold, one)) for one in expected]


@pytest.mark.parametrize("query", ["", "&_sort=-name", "&location.near=48.99|1.71|15|km", "&specialty:missing=false"])
async def test_previous_pages_undo_the_next_ones(client: httpx.AsyncClient, query: str) -> None:
    page = await bundle(client, f"/fhir/HealthcareService?_count=11{query}")
    first, pages = page, [ids(entries(page))]
    assert links(page).keys() == {"self", "first", "next"}
    for _ in range(3):
        page = await bundle(client, links(page)["next"])
        pages.append(ids(entries(page)))
        assert (await bundle(client, links(page)["self"])) == page
        assert links(page)["first"] == links(first)["first"] == links(first)["self"]
    for expected in reversed(pages[:-1]):
        page = await bundle(client, links(page)["previous"])
        assert ids(entries(page)) == expected
    assert "previous" not in links(page)


@pytest.mark.parametrize("query", ["", "&_lastUpdated=ge2000", "&location.near=48.99|1.71|40|km"])
async def test_pages_hold_while_offers_come_and_go(client: httpx.AsyncClient, feed: Feed, query: str) -> None:
    before = ids(await walk(client, f"/fhir/HealthcareService?_count=200{query}"))
    rng = random.Random(query)
    page = await bundle(client, f"/fhir/HealthcareService?_count=20{query}")
    seen = entries(page)
    gone: list[str] = []
    while "next" in links(page):
        # One that was seen, the last of the page and one to come leave; one that left before comes back.
        for uid in {ids(seen)[-1], rng.choice(before)} - set(gone):
            await _turn(feed, uid, unpublish_offer)
            gone.append(uid)
        if len(gone) > 4 and rng.random() < 0.5:
            await _turn(feed, gone.pop(0), republish_offer)
        page = await bundle(client, links(page)["next"])
        seen += entries(page)
    touched = set(gone) | {one for one in before if ids(seen).count(one) != 1}
    for uid in gone:
        await _turn(feed, uid, republish_offer)
    assert len(ids(seen)) == len(set(ids(seen)))
    # All that stayed throughout came exactly once.
    assert set(before) - touched <= set(ids(seen))
    rows = feed.sql(
        "SELECT o.uid::text FROM directory.history h JOIN directory.offer o ON o.id = h.entity_id"
        " WHERE h.entity = 'offer' AND h.actor = 'essai'"
    )
    assert set(before) - {str(row[0]) for row in rows} <= set(ids(seen))


async def _turn(feed: Feed, uid: str, change: Any) -> None:
    [(version,)] = feed.sql("SELECT version FROM directory.offer WHERE uid = %s", uid)
    async with unit_of_work() as session:
        await change(session, uid, "essai", version)


async def test_places_come_by_distance_as_the_geodesic_says(client: httpx.AsyncClient) -> None:
    world = await World.read(client)
    lat, lon = 48.985, 1.72
    away = {}
    for one in world.resources["Location"]:
        if (point := one.get("position")) is not None:
            away[one["id"]] = GEOD.inv(lon, lat, point["longitude"], point["latitude"])[2]
    for text, metres in (
        (f"{lat}|{lon}|2|km", 2000),
        (f"{lat}|{lon}|4500|m", 4500),
        (f"{lat}|{lon}||", 20_000),
        (f"{lat}|{lon}", 20_000),
        (f"{lat}|{lon}|50|[mi_i]", 80_467.2),
    ):
        found = await walk(client, f"/fhir/Location?near={text}&_count=13")
        inside = {one for one, distance in away.items() if distance <= metres}
        assert set(ids(found)) == inside and inside
        told = []
        for one in found:
            [extension] = one["search"]["extension"]
            assert extension["url"] == "http://hl7.org/fhir/StructureDefinition/location-distance"
            assert extension["valueDistance"]["code"] == "m"
            value = extension["valueDistance"]["value"]
            assert abs(value - away[one["resource"]["id"]]) <= 1
            [own] = [e for e in one["resource"]["address"]["extension"] if e["url"] == CALCULATED]
            assert own["valueQuantity"]["value"] == value
            told.append(value)
        assert told == sorted(told)
    services = await walk(client, f"/fhir/HealthcareService?location.near={lat}|{lon}|4|km&_count=17")
    told = [one["search"]["extension"][0]["valueDistance"]["value"] for one in services]
    assert told == sorted(told)
    for one in services:
        [reference] = oracle.REFERENCES["HealthcareService"]["location"][1](one["resource"])
        assert abs(away[reference.partition("/")[2]] - one["search"]["extension"][0]["valueDistance"]["value"]) <= 1
        assert [e for e in one["resource"]["extension"] if e["url"] == CALCULATED]
    expected = {
        one["id"]
        for one in world.resources["HealthcareService"]
        if away.get(oracle.REFERENCES["HealthcareService"]["location"][1](one)[0].partition("/")[2], 1e9) <= 4000
    }
    assert set(ids(services)) == expected


async def test_around_a_commune_is_around_its_centre(client: httpx.AsyncClient, feed: Feed) -> None:
    [(lat, lon)] = feed.sql(
        "SELECT ST_Y(point::geometry), ST_X(point::geometry) FROM maps.place WHERE kind = 'commune' AND code = '78361'"
    )
    by_code = await walk(client, "/fhir/Location?near-insee-code=78361|3|km")
    by_point = await walk(client, f"/fhir/Location?near={lat}|{lon}|3|km")
    assert by_code == by_point and by_code
    farther = await walk(client, "/fhir/Location?near-insee-code=78361|3|km&_sort=-near-insee-code")
    assert [one["search"] for one in farther] == sorted(
        (one["search"] for one in by_code),
        key=lambda one: one["extension"][0]["valueDistance"]["value"],
        reverse=True,
    )


async def test_what_comes_with_results_comes_once(client: httpx.AsyncClient) -> None:
    world = await World.read(client)
    known = world.by_reference()
    url = (
        "/fhir/HealthcareService?_count=25&_include=HealthcareService:organization&_include=HealthcareService:location"
        "&_include:iterate=Organization:partof&_revinclude=PractitionerRole:service"
        "&_include:iterate=PractitionerRole:practitioner"
    )
    with_parent = False
    while True:
        page = await bundle(client, url)
        expected: set[str] = set()
        for one in entries(page):
            resource = one["resource"]
            organization = resource["providedBy"]["reference"]
            expected |= {organization, resource["location"][0]["reference"]}
            if "partOf" in known[organization]:
                with_parent = True
                expected.add(known[organization]["partOf"]["reference"])
            for role in world.resources["PractitionerRole"]:
                if role["healthcareService"][0]["reference"] == f"HealthcareService/{resource['id']}":
                    expected |= {f"PractitionerRole/{role['id']}", role["practitioner"]["reference"]}
        came = [f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in entries(page, "include")]
        assert len(came) == len(set(came)) and set(came) == expected
        for one in entries(page, "include"):
            assert one["resource"] == known[f"{one['resource']['resourceType']}/{one['resource']['id']}"]
            assert (
                one["fullUrl"] == f"http://repere.test/fhir/{one['resource']['resourceType']}/{one['resource']['id']}"
            )
        if "next" not in links(page):
            break
        url = links(page)["next"]
    assert with_parent


async def test_without_iterate_only_results_are_followed(client: httpx.AsyncClient) -> None:
    page = await bundle(client, "/fhir/HealthcareService?_count=200&_include=HealthcareService:*")
    assert {one["resource"]["resourceType"] for one in entries(page, "include")} == {"Organization", "Location"}
    assert not [one for one in entries(page, "include") if "LEGAL" in str(one["resource"].get("type"))]
    page = await bundle(client, "/fhir/Organization?_count=200&_revinclude=HealthcareService:organization")
    assert {one["resource"]["resourceType"] for one in entries(page, "include")} == {"HealthcareService"}


async def test_parts_of_resources_are_marked(client: httpx.AsyncClient) -> None:
    whole = {one["resource"]["id"]: one["resource"] for one in await walk(client, "/fhir/HealthcareService?_count=200")}
    for query, kept in (
        ("_elements=name,%20location", {"name", "location", "active"}),
        ("_summary=true", {"identifier", "active", "providedBy", "category", "type", "specialty", "location", "name"}),
        ("_summary=text", {"active"}),
    ):
        for one in await walk(client, f"/fhir/HealthcareService?_count=50&{query}"):
            resource = one["resource"]
            source = whole[resource["id"]]
            assert resource.keys() - {"resourceType", "id", "meta"} == kept & source.keys()
            assert resource["meta"]["tag"][-1]["code"] == "SUBSETTED"
            assert resource["meta"]["versionId"] == source["meta"]["versionId"]
            assert all(resource[name] == source[name] for name in kept & source.keys())
    page = await bundle(
        client,
        "/fhir/HealthcareService?_count=5&_include=HealthcareService:organization&_elements=name,Organization.type",
    )
    assert all(
        one["resource"].keys() == {"resourceType", "id", "meta", "active", "type"} for one in entries(page, "include")
    )


async def test_totals(client: httpx.AsyncClient) -> None:
    every = len(await walk(client, "/fhir/HealthcareService?_count=200"))
    for query in ("_summary=count", "_count=0", "_count=0&_total=none"):
        page = await bundle(client, f"/fhir/HealthcareService?{query}")
        assert page["total"] == every and "entry" not in page and links(page).keys() == {"self"}
    assert "total" not in await bundle(client, "/fhir/HealthcareService?_total=none&_count=3")
    page = await bundle(client, "/fhir/HealthcareService?_total=accurate&_count=3")
    assert page["total"] == (await bundle(client, links(page)["next"]))["total"] == every
    assert len(entries(await bundle(client, "/fhir/HealthcareService?_count=100000"))) == min(200, every)
    assert len(entries(await bundle(client, "/fhir/HealthcareService"))) == 50


async def test_a_form_asks_the_same(client: httpx.AsyncClient) -> None:
    by_address = await bundle(client, "/fhir/Practitioner?family=le&_sort=given&_count=3")
    answer = await client.post("/fhir/Practitioner/_search?family=le", data={"_sort": "given", "_count": "3"})
    assert answer.status_code == 200 and answer.json() == by_address
    empty = await client.post("/fhir/Practitioner/_search")
    assert empty.status_code == 200
    assert (await client.post("/fhir/Practitioner/_search", json={"family": "le"})).status_code == 415


async def test_a_link_serves_the_level_that_it_was_made_for(client: httpx.AsyncClient) -> None:
    public = links(await bundle(client, "/fhir/HealthcareService?_count=5"))["next"]
    await signed_in(client, ("professional", "rpps:10101010101"))
    refused = await client.get(public)
    assert refused.status_code == 400
    [issue] = refused.json()["issue"]
    assert issue["expression"] == ["_page"] and "valable" in issue["diagnostics"]
    own = links(await bundle(client, "/fhir/HealthcareService?_count=5"))["next"]
    assert (await client.get(own)).headers["cache-control"] == "private, no-store"
    client.cookies.clear()
    assert (await client.get(own)).status_code == 400
    assert (await client.get(public)).headers["cache-control"].startswith("public")


async def test_a_link_is_followed_as_it_is_and_for_a_while(
    client: httpx.AsyncClient, later: Callable[[str], Awaitable[None]]
) -> None:
    following = links(await bundle(client, "/fhir/HealthcareService?_count=5"))["next"]
    for broken in (
        following[:-1] + ("1" if following.endswith("0") else "0"),
        following.replace("_page=", "_page=e"),
        following.replace("HealthcareService", "Location"),
        following + "&name=x",
        following + "&" + following.partition("?")[2],
    ):
        assert (await client.get(broken)).status_code == 400, broken
    for odd in ("", ".", "é", "a.b", "%00"):
        assert (await client.get(f"/fhir/HealthcareService?_page={odd}")).status_code == 400
    assert (await client.get(following + "&_pretty=true&_format=json")).status_code == 200
    await later("8 days")
    expired = await client.get(following)
    assert expired.status_code == 410
    assert expired.json()["issue"][0]["code"] == "expired" and "expiré" in expired.json()["issue"][0]["diagnostics"]


async def test_an_answer_that_is_held_is_not_sent_again(
    client: httpx.AsyncClient, later: Callable[[str], Awaitable[None]]
) -> None:
    half = (90 - datetime.now(UTC).minute) % 60
    await later(f"{half} minutes")
    first = await client.get("/fhir/Location?_count=3")
    await later(f"{half + 5} minutes")
    again = await client.get("/fhir/Location?_count=3", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304 and not again.content
    other = await client.get("/fhir/Location?_count=4", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200
    assert "Prefer" in first.headers["vary"]
    assert first.headers.get("content-encoding") == "gzip"
