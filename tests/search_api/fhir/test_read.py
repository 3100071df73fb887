"""Reading one resource: validators, what is gone, what never was, formats, zones."""

import uuid

import httpx
import pytest
from sqlalchemy import select

from accounts.api import Caller
from core.db import unit_of_work
from directory.api import Offer, OfferDescription, Site, describe_offer, republish_offer, unpublish_offer
from directory.models_feed import LEGAL_ENTITY, SITE
from search_api.fhir import read
from search_api.fhir.kinds import KINDS, MODELS, RESOURCE_TYPES
from search_api.fhir.outcome import FhirError
from tests.accounts.helpers import signed_in
from tests.search_api.fhir import seed
from tests.search_api.fhir.conftest import Feed

UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def _uid(feed: Feed) -> str:
    return str(feed.sql("SELECT uid FROM directory.offer WHERE id = %s", feed.offer_id)[0][0])


def _issue(answer: httpx.Response) -> dict[str, str]:
    assert answer.headers["content-type"] == "application/fhir+json"
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome"
    found: dict[str, str] = body["issue"][0]
    return found


async def test_every_type_is_read_and_read_again(feed: Feed, client: httpx.AsyncClient) -> None:
    for kind in KINDS:
        table = MODELS[kind].__tablename__
        where = "" if kind != "role" else " JOIN directory.offer_search s ON s.role_id = t.id WHERE NOT s.sensitive"
        if kind == "offer":
            where = " JOIN directory.offer_search s ON s.offer_id = t.id WHERE NOT s.sensitive"
        uid = feed.sql(f"SELECT t.uid FROM directory.{table} t{where} ORDER BY t.id LIMIT 1")[0][0]
        path = f"/fhir/{RESOURCE_TYPES[kind]}/{uid}"
        answer = await client.get(path)
        assert answer.status_code == 200, path
        body = answer.json()
        assert (body["resourceType"], body["id"]) == (RESOURCE_TYPES[kind], str(uid))
        assert answer.headers["content-type"] == "application/fhir+json"
        assert answer.headers["etag"] == f'W/"{body["meta"]["versionId"]}"'
        for headers in (
            {"If-None-Match": answer.headers["etag"]},
            {"If-None-Match": "*"},
            {"If-Modified-Since": answer.headers["last-modified"]},
        ):
            again = await client.get(path, headers=headers)
            assert (again.status_code, again.content) == (304, b""), headers
        other = {"If-None-Match": 'W/"1"', "If-Modified-Since": answer.headers["last-modified"]}
        assert (await client.get(path, headers=other)).status_code == 200
        version = await client.get(f"{path}/_history/{body['meta']['versionId']}")
        assert version.json() == body
        assert _issue(await client.get(f"{path}/_history/1"))["code"] == "not-found"


@pytest.mark.parametrize("name", sorted(set(RESOURCE_TYPES.values())))
@pytest.mark.parametrize("logical_id", [UNKNOWN, "1", "é'\"<>", UNKNOWN.replace("-", ""), "x" * 90])
async def test_an_unknown_id_is_not_found(client: httpx.AsyncClient, name: str, logical_id: str) -> None:
    answer = await client.get(f"/fhir/{name}/{logical_id}")
    assert answer.status_code == 404
    assert _issue(answer)["code"] == "not-found"


async def test_what_lies_beside_the_feed_answers_as_the_feed(client: httpx.AsyncClient) -> None:
    nowhere = await client.get("/fhir/Nothing/at/all")
    assert (nowhere.status_code, _issue(nowhere)["code"]) == (404, "not-found")
    wrong = await client.post(f"/fhir/Location/{UNKNOWN}")
    assert (wrong.status_code, _issue(wrong)["code"]) == (405, "not-supported")
    assert (await client.get("/fhirent")).headers["content-type"] == "application/problem+json"


async def test_formats(feed: Feed, client: httpx.AsyncClient) -> None:
    path = f"/fhir/HealthcareService/{await _uid(feed)}"
    for asked in ("json", "application/json", "application/fhir+json", "application%2Ffhir%2Bjson", "text/json"):
        assert (await client.get(f"{path}?_format={asked}")).status_code == 200, asked
    for asked in ("xml", "application/fhir+xml", "ttl", ""):
        answer = await client.get(f"{path}?_format={asked}")
        assert (answer.status_code, _issue(answer)["code"]) == (406, "not-supported"), asked
    for accept, status in (
        ("application/fhir+json", 200),
        ("application/fhir+xml, application/fhir+json;q=0.9", 200),
        ("text/html,application/xml;q=0.9,*/*;q=0.8", 200),
        ("application/fhir+xml", 406),
    ):
        assert (await client.get(path, headers={"Accept": accept})).status_code == status, accept
    both = await client.get(f"{path}?_format=json", headers={"Accept": "application/fhir+xml"})
    assert both.status_code == 200, "_format wins"
    assert (await client.get(f"{path}?_pretty=true")).json() == (await client.get(path)).json()


async def test_an_unpublished_offer_is_gone_and_comes_back(feed: Feed, client: httpx.AsyncClient) -> None:
    uid = await _uid(feed)
    offer = f"/fhir/HealthcareService/{uid}"
    role = feed.sql(
        "SELECT r.uid FROM directory.offer o JOIN directory.role r ON r.id = o.role_id WHERE o.uid = %s", uid
    )
    paths = [offer, f"/fhir/PractitionerRole/{role[0][0]}"]
    before = [(await client.get(path)).headers["etag"] for path in paths]
    async with unit_of_work() as session:
        found = await session.scalar(select(Offer).where(Offer.uid == uuid.UUID(uid)))
        assert found is not None
        written = await unpublish_offer(session, found.uid, "essai", found.version)
    for path in paths:
        answer = await client.get(path)
        assert (answer.status_code, _issue(answer)["code"]) == (410, "deleted")
    async with unit_of_work() as session:
        await republish_offer(session, uuid.UUID(uid), "essai", written.version)
    after = [(await client.get(path)).headers["etag"] for path in paths]
    assert not set(before) & set(after)


async def test_a_sensitive_offer_never_was_for_the_public(feed: Feed, client: httpx.AsyncClient) -> None:
    rows = feed.sql(
        "SELECT o.uid, r.uid, p.uid, o.id FROM directory.offer o JOIN directory.role r ON r.id = o.role_id"
        " JOIN directory.practitioner p ON p.id = r.practitioner_id WHERE o.sensitive ORDER BY o.id LIMIT 1"
    )
    paths = [
        f"/fhir/{name}/{uid}"
        for name, uid in zip(("HealthcareService", "PractitionerRole", "Practitioner"), rows[0], strict=False)
    ]
    assert [(await client.get(path)).status_code for path in paths] == [404, 404, 404]
    feed.sql("UPDATE directory.offer SET status = 'unpublished' WHERE id = %s", rows[0][3])
    feed.sql("DELETE FROM directory.offer_search WHERE offer_id = %s", rows[0][3])
    assert [(await client.get(path)).status_code for path in paths] == [404, 404, 404], "closed, it does not appear"
    await signed_in(client, ("professional", "rpps:10101010101"))
    assert [(await client.get(path)).status_code for path in paths] == [410, 410, 200]


async def test_the_level_decides_what_a_resource_says(feed: Feed, client: httpx.AsyncClient) -> None:
    path = f"/fhir/HealthcareService/{await _uid(feed)}"
    public = await client.get(path)
    assert public.headers["cache-control"] == "public, no-cache"
    for secret in (seed.WORD, seed.SECRET_PHONE, "0639989878"):
        assert secret not in public.text
    assert seed.MAILBOX in public.text
    await signed_in(client, ("professional", "rpps:10101010101"))
    professional = await client.get(path)
    assert professional.headers["cache-control"] == "private, no-store"
    for secret in (seed.WORD, seed.SECRET_PHONE, "0639989878", seed.MAILBOX):
        assert secret in professional.text
    assert professional.headers["etag"] != public.headers["etag"]


async def test_a_change_of_a_parent_gives_a_new_version(feed: Feed, client: httpx.AsyncClient) -> None:
    uid = await _uid(feed)
    path = f"/fhir/HealthcareService/{uid}"
    seen = [(await client.get(path)).json()["meta"]]
    for kind, parent in ((SITE, "s.id"), (LEGAL_ENTITY, "s.legal_entity_id")):
        feed.told(
            kind,
            f"SELECT {parent} AS id FROM directory.offer o JOIN directory.site s ON s.id = o.site_id"
            f" WHERE o.uid = '{uid}'",
        )
        seen.append((await client.get(path)).json()["meta"])
    feed.sql(
        "UPDATE directory.concept SET label = label || ' (nouveau)' WHERE id = (SELECT acts[1] FROM directory.offer"
        " WHERE uid = %s)",
        uid,
    )
    feed.sql("UPDATE directory.nomenclature SET loaded_at = clock_timestamp() WHERE system = 'J16'")
    async with unit_of_work() as session:
        offer = await session.scalar(select(Offer).where(Offer.uid == uuid.UUID(uid)))
        assert offer is not None
        await describe_offer(session, offer.uid, OfferDescription(age_min=2), "essai", offer.version)
    seen.append((await client.get(path)).json()["meta"])
    versions = [meta["versionId"] for meta in seen]
    assert len(set(versions)) == len(versions)
    assert versions == sorted(versions), "the later, the greater"
    assert [meta["lastUpdated"] for meta in seen] == sorted(meta["lastUpdated"] for meta in seen)


async def test_a_zone_limits_what_exists(feed: Feed) -> None:
    uid = await _uid(feed)
    async with unit_of_work() as session:
        code = await session.scalar(
            select(Site.commune_code).join(Offer, Offer.site_id == Site.id).where(Offer.uid == uuid.UUID(uid))
        )
        for zone in (("departement:78",), ("region:11",), (f"commune:{code}",), ("departement:13", "departement:78")):
            found = await read.resource(session, "HealthcareService", uid, Caller(zone=zone))
            assert found.resource["id"] == uid, zone
        for zone in (("departement:13",), ("commune:00000",), ("nothing",)):
            with pytest.raises(FhirError) as refused:
                await read.resource(session, "HealthcareService", uid, Caller(zone=zone))
            assert refused.value.status == 404, zone
