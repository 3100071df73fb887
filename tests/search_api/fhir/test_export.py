"""Bulk exports: what they hold, who may take them, how they are resumed, cancelled, expired, taken up again."""

import asyncio
import gzip
import json
import os
import threading
import time
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest
from sqlalchemy import select

from accounts.api import Caller
from core import files
from core.db import unit_of_work
from core.settings import load
from directory.api import Offer, OfferDescription, describe_offer, republish_offer, unpublish_offer
from directory.models_feed import SITE
from directory.projection import refresh_selected
from search_api.fhir import export_service, export_tasks, export_work
from search_api.fhir.kinds import KINDS_OF_TYPE
from search_api.fhir.visible import visible
from tests.accounts.helpers import signed_in
from tests.search_api.conftest import dsn
from tests.search_api.fhir import seed
from tests.search_api.fhir.conftest import Feed
from tests.search_api.fhir.test_resources import PROFESSIONAL, PUBLIC, everything

Json = dict[str, Any]
DOCTOR = ("professional", "rpps:10101010101")


@pytest.fixture(autouse=True)
async def without_workers(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """A broker that no worker listens to: each test does the work when it wants it done. No other export is left."""
    from core import tasks

    monkeypatch.setattr(tasks.app.conf, "broker_url", "memory://")
    feed.sql("DELETE FROM search_api.export")
    feed.sql("DELETE FROM accounts.rate")
    yield


async def ask(client: httpx.AsyncClient, query: str = "", **headers: str) -> str:
    """Ask for an export and return the path where it is followed."""
    answer = await client.get(f"/fhir/$export{query}", headers={"Prefer": "respond-async", **headers})
    assert answer.status_code == 202, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    return answer.headers["content-location"].removeprefix("http://repere.test")


async def written(client: httpx.AsyncClient, query: str = "") -> Json:
    """Ask for an export, write it, and return its manifest."""
    path = await ask(client, query)
    await export_work.carry_out(uuid.UUID(path.rpartition("/")[2]))
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    found: Json = answer.json()
    return found


async def lines(client: httpx.AsyncClient, file: Json) -> list[Json]:
    """Take a file and return its resources."""
    answer = await client.get(file["url"], headers={"Accept-Encoding": "identity"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/fhir+ndjson"
    assert len(answer.content) == file["extension"]["bytes"]
    found = [json.loads(line) for line in answer.text.splitlines()]
    assert len(found) == file["count"]
    return found


async def by_type(client: httpx.AsyncClient, manifest: Json) -> dict[str, dict[str, Json]]:
    """Return every resource of an export, by type and id."""
    found: dict[str, dict[str, Json]] = {}
    for file in manifest["output"]:
        for one in await lines(client, file):
            assert one["resourceType"] == file["type"]
            assert one["id"] not in found.setdefault(file["type"], {}), "given twice"
            found[file["type"]][one["id"]] = one
    return found


@pytest.mark.parametrize("caller", [PUBLIC, PROFESSIONAL], ids=["public", "professional"])
async def test_an_export_is_the_directory(
    client: httpx.AsyncClient, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPERE_EXPORT_LINES", "100")
    load.cache_clear()
    if caller is PROFESSIONAL:
        await signed_in(client, DOCTOR)
    manifest = await written(client)
    load.cache_clear()
    assert manifest["requiresAccessToken"] is (caller is PROFESSIONAL)
    assert manifest["request"] == "http://repere.test/fhir/$export"
    assert manifest["deleted"] == manifest["error"] == []
    assert max(file["count"] for file in manifest["output"]) == 100, "files are bounded"
    found = await by_type(client, manifest)
    for name, kinds in KINDS_OF_TYPE.items():
        wanted: dict[str, Json] = {}
        for kind in kinds:
            wanted |= {one["id"]: one for one in (await everything(kind, caller)).values()}
        assert found[name] == json.loads(json.dumps(wanted))
    text = json.dumps(found)
    for secret in (seed.WORD, seed.SECRET_PHONE, "0639989878", "ZZCANARI"):
        assert (secret in text) is (caller is PROFESSIONAL), secret
    references = {one for kind in found.values() for resource in kind.values() for one in _references(resource)}
    assert references
    assert all(one.partition("/")[2] in found[one.partition("/")[0]] for one in references), "all of one instant"


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["reference"]] if isinstance(value.get("reference"), str) else []
        return own + [one for part in value.values() for one in _references(part)]
    return [one for part in value for one in _references(part)] if isinstance(value, list) else []


async def test_types_are_chosen(client: httpx.AsyncClient) -> None:
    manifest = await written(client, "?_type=Location,Practitioner&_outputFormat=application/fhir%2Bndjson")
    assert {file["type"] for file in manifest["output"]} == {"Location", "Practitioner"}


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("?_type=Patient", "_type"),
        ("?_type=Location,%3Cb%3E", "_type"),
        ("?_since=yesterday", "_since"),
        ("?_outputFormat=text/csv", "_outputFormat"),
        ("?_typeFilter=Location", "_typeFilter"),
        ("?_type=Location&_typeFilter=Practitioner%3Fname=a", "_typeFilter"),
        ("?" + "&".join(f"_typeFilter=Location%3Fname={n}" for n in range(40)), "_typeFilter"),
    ],
)
async def test_a_wrong_question_is_refused(client: httpx.AsyncClient, query: str, parameter: str) -> None:
    answer = await client.get(f"/fhir/$export{query}")
    assert answer.status_code == 400
    issues = answer.json()["issue"]
    assert parameter in [one for issue in issues for one in issue["expression"]]
    assert all(issue["diagnostics"] for issue in issues)


async def test_an_unknown_parameter_is_refused_to_the_strict_alone(client: httpx.AsyncClient) -> None:
    refused = await client.get("/fhir/$export?_elements=id", headers={"Prefer": "respond-async, handling=strict"})
    assert (refused.status_code, refused.json()["issue"][0]["expression"]) == (400, ["_elements"])
    assert (await client.get("/fhir/$export?_elements=id", headers={"Prefer": "handling=lenient"})).status_code == 202
    assert (await client.get("/fhir/$export?_format=xml")).status_code == 406


async def test_filters_limit_a_type(feed: Feed, client: httpx.AsyncClient) -> None:
    async def total(search: str) -> int:
        return int((await client.get(f"/fhir/{search}&_summary=count")).json()["total"])

    first, second = "location.address-city=mantes&name:contains=a", "_filter=location.address-city%20sw%20limay"
    both = f"_filter={quote('(location.address-city sw mantes and name co a) or location.address-city sw limay')}"
    expected = [await total(f"HealthcareService?{one}") for one in (first, both)]
    assert 0 < expected[0] < expected[1] < await total("HealthcareService?active=true")
    query = f"?_type=HealthcareService,Location&_typeFilter={quote(f'HealthcareService?{first}', safe='')}"
    manifest = await written(client, query)
    counts = {file["type"]: file["count"] for file in manifest["output"]}
    assert counts["HealthcareService"] == expected[0]
    assert counts["Location"] == await total("Location?status=active"), "a type without filter is whole"
    more = await written(client, f"{query}&_typeFilter={quote(f'HealthcareService?{second}', safe='')}")
    found = {file["type"]: file["count"] for file in more["output"]}["HealthcareService"]
    assert found == expected[1], "any of the filters"
    for wrong in ("unknown=1", "_count=3", "_sort=name", "_include=HealthcareService:location", "location.near=1"):
        refused = await client.get(f"/fhir/$export?_typeFilter={quote(f'HealthcareService?{wrong}', safe='')}")
        assert refused.status_code == 400, wrong
        assert refused.json()["issue"][0]["diagnostics"]


async def test_the_way_of_an_export(client: httpx.AsyncClient) -> None:
    path = await ask(client)
    waiting = await client.get(path)
    assert (waiting.status_code, waiting.content) == (202, b"")
    assert waiting.headers["x-progress"] == "en attente"
    assert int(waiting.headers["retry-after"]) > 0
    assert (await client.get(f"{path.replace('status', 'files')}/Location-1.ndjson")).status_code == 404
    uid = uuid.UUID(path.rpartition("/")[2])
    async with unit_of_work() as session:
        export = await export_service.claim(session, uid)
        assert export is not None
        attempt = export.attempt
    async with unit_of_work() as session:
        assert await export_service.advance(session, uid, attempt, progress=42, written=7, output=[])
    running = await client.get(path)
    assert (running.status_code, running.headers["x-progress"]) == (202, "42 %, 7 ressources")
    async with unit_of_work() as session:
        await export_service.fail(session, uid, attempt, "Rien ne va plus.")
    failed = await client.get(path)
    assert failed.status_code == 500
    assert failed.json()["issue"][0]["diagnostics"] == "Rien ne va plus."


async def test_a_file_is_taken_in_parts_and_compressed(client: httpx.AsyncClient) -> None:
    manifest = await written(client, "?_type=HealthcareService")
    url = manifest["output"][0]["url"]
    plain = {"Accept-Encoding": "identity"}
    whole = await client.get(url, headers=plain)
    assert whole.headers["accept-ranges"] == "bytes"
    size = len(whole.content)
    half = size // 2
    first = await client.get(url, headers={"Range": f"bytes=0-{half - 1}"})
    assert (first.status_code, first.headers["content-range"]) == (206, f"bytes 0-{half - 1}/{size}")
    rest = await client.get(url, headers={"Range": f"bytes={half}-", "If-Range": first.headers["etag"]})
    assert first.content + rest.content == whole.content
    other = await client.get(url, headers={"Range": f"bytes={half}-", "If-Range": '"other"'} | plain)
    assert (other.status_code, other.content) == (200, whole.content), "another file is given whole"
    beyond = await client.get(url, headers={"Range": f"bytes={size + 5}-"})
    assert beyond.status_code == 416
    assert (await client.get(url, headers={"If-None-Match": whole.headers["etag"]} | plain)).status_code == 304
    async with client.stream("GET", url, headers={"Accept-Encoding": "gzip"}) as squeezed:
        assert squeezed.headers["content-encoding"] == "gzip"
        assert squeezed.headers["etag"] != whole.headers["etag"]
        raw = b"".join([piece async for piece in squeezed.aiter_raw()])
    assert gzip.decompress(raw) == whole.content
    assert len(raw) < size / 3
    again = await client.get(url, headers={"Accept-Encoding": "gzip", "If-None-Match": squeezed.headers["etag"]})
    assert again.status_code == 304
    base = url.rpartition("/")[0]
    for name in ("HealthcareService-2", "HealthcareService-1%00", "..%2F..%2Fetc", "Location-1"):
        assert (await client.get(f"{base}/{name}.ndjson")).status_code == 404, name


async def test_an_export_is_its_creators_alone(client: httpx.AsyncClient, feed: Feed) -> None:
    public = await written(client, "?_type=Location")
    public_path = await ask(client, "?_type=Location")
    await signed_in(client, DOCTOR)
    path = await ask(client, "?_type=HealthcareService")
    await export_work.carry_out(uuid.UUID(path.rpartition("/")[2]))
    manifest = (await client.get(path)).json()
    file = manifest["output"][0]["url"]
    assert (await client.get(file)).status_code == 200
    assert (await client.get(public_path)).status_code == 202, "whoever knows the address of a public one"
    client.cookies.clear()
    assert [(await client.get(one)).status_code for one in (path, file)] == [404, 404]
    assert (await client.delete(path)).status_code == 404
    assert (await client.get(public["output"][0]["url"])).status_code == 200
    await signed_in(client, ("professional", "rpps:10202020202"))
    assert [(await client.get(one)).status_code for one in (path, file)] == [404, 404], "another professional"
    for wrong in (uuid.uuid4(), "1", "%00"):
        answer = await client.get(f"/fhir/$export-status/{wrong}")
        assert answer.status_code in (400, 404)
        assert answer.json()["resourceType"] == "OperationOutcome"


async def test_an_export_is_cancelled(client: httpx.AsyncClient, feed: Feed) -> None:
    path = await ask(client, "?_type=Location")
    assert (await client.delete(path)).status_code == 202
    assert [(await client.get(path)).status_code, (await client.delete(path)).status_code] == [404, 404]
    await export_work.carry_out(uuid.UUID(path.rpartition("/")[2]))
    assert feed.sql("SELECT state, output FROM search_api.export") == [("cancelled", [])]
    ready = await written(client, "?_type=Location")
    uid = ready["output"][0]["url"].split("/")[-2]
    assert (await client.delete(f"/fhir/$export-status/{uid}")).status_code == 202
    assert (await client.get(ready["output"][0]["url"])).status_code == 404


async def test_a_running_export_stops_when_it_is_cancelled(
    client: httpx.AsyncClient, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_work, "SIGN_OF_LIFE", 0.0)
    monkeypatch.setattr(export_work, "BATCH", 10)
    path = await ask(client)
    uid = uuid.UUID(path.rpartition("/")[2])
    ordinary = export_service.advance

    async def cancelled_meanwhile(session: Any, *args: Any, **values: Any) -> bool:
        if values["written"] > 30:
            feed.sql("UPDATE search_api.export SET state = 'cancelled' WHERE uid = %s", uid)
        return await ordinary(session, *args, **values)

    monkeypatch.setattr(export_service, "advance", cancelled_meanwhile)
    await export_work.carry_out(uid)
    assert feed.sql("SELECT state, written < 100 FROM search_api.export") == [("cancelled", True)]
    folder = files.path_of("0" * 64).parent.parent
    assert not list(folder.glob(".unfinished-*"))


async def test_an_export_expires_and_its_files_go(client: httpx.AsyncClient, feed: Feed, later: Any) -> None:
    manifest = await written(client, "?_type=Location")
    url = manifest["output"][0]["url"]
    status = url.replace("files", "status").rpartition("/")[0]
    digest = manifest["output"][0]["extension"]["sha256"]
    assert (await client.get(url)).status_code == 200
    twin = await written(client, "?_type=Location")
    assert twin["output"][0]["extension"]["sha256"] == digest, "the same content is kept once"
    feed.sql("UPDATE search_api.export SET expires_at = core.now() + interval '2 days' WHERE uid = %s", _uid(twin))
    await later("25 hours")
    assert [(await client.get(one)).status_code for one in (status, url)] == [410, 410], "before any task runs"
    await export_tasks._expire()
    assert files.path_of(digest).is_file(), "the other export still names it"
    assert (await client.get(twin["output"][0]["url"])).status_code == 200
    await later("50 hours")
    await export_tasks._expire()
    assert files.path_of(digest).is_file(), "too young to be removed"
    _age(digest)
    await export_tasks._expire()
    assert not files.path_of(digest).exists()
    assert feed.sql("SELECT DISTINCT state, output FROM search_api.export") == [("expired", [])]
    assert (await client.get(status)).status_code == 410


def _uid(manifest: Json) -> str:
    return str(manifest["output"][0]["url"].split("/")[-2])


def _age(digest: str) -> None:
    old = time.time() - 2 * files.GRACE_SECONDS
    os.utime(files.path_of(digest), (old, old))


async def test_a_caller_has_two_exports_at_a_time(client: httpx.AsyncClient, feed: Feed) -> None:
    answers = await asyncio.gather(*(client.get("/fhir/$export?_type=Location") for _ in range(5)))
    assert sorted(one.status_code for one in answers) == [202, 202, 429, 429, 429]
    refused = next(one for one in answers if one.status_code == 429)
    assert refused.json()["issue"][0]["code"] == "throttled"
    assert int(refused.headers["retry-after"]) > 0
    await signed_in(client, DOCTOR)
    assert (await client.get("/fhir/$export?_type=Location")).status_code == 202, "others are not concerned"
    client.cookies.clear()
    for _ in range(export_service.ASKED.burst):
        feed.sql("UPDATE search_api.export SET state = 'cancelled'")
        last = await client.get("/fhir/$export?_type=Location")
    assert last.status_code == 429, "nor may one ask and cancel for ever"


async def test_one_is_written_at_a_time_and_a_dead_one_is_taken_up(client: httpx.AsyncClient, feed: Feed) -> None:
    first, second = await ask(client, "?_type=Location"), await ask(client, "?_type=Location")
    one, two = (uuid.UUID(path.rpartition("/")[2]) for path in (first, second))
    async with unit_of_work() as session:
        assert await export_service.claim(session, one) is not None
    async with unit_of_work() as session:
        assert await export_service.claim(session, two) is None, "its turn has not come"
        assert await export_service.claim(session, one) is None, "in other hands"
    feed.sql("UPDATE search_api.export SET touched_at = touched_at - interval '10 minutes'")
    async with unit_of_work() as session:
        assert set(await export_service.left_behind(session)) == {one, two}
    await export_work.carry_out(one)
    await export_work.carry_out(two)
    assert [(await client.get(path)).status_code for path in (first, second)] == [200, 200]
    async with unit_of_work() as session:
        assert not await export_service.advance(session, one, 1, progress=1, written=1, output=[]), "it was dead"
    before = (await client.get(first)).json()
    await export_work.carry_out(one)
    assert (await client.get(first)).json() == before, "delivered twice, written once"


async def test_since_gives_what_changed_and_what_left(client: httpx.AsyncClient, feed: Feed) -> None:
    whole = await written(client)
    since = whole["transactionTime"]
    query = f"?_since={since.replace('+', '%2B')}"
    assert (await written(client, query))["output"] == []
    async with unit_of_work() as session:
        changed, left = (await session.scalars(_public_offers().limit(2))).all()
        await describe_offer(session, changed.uid, OfferDescription(age_min=7), "essai", changed.version)
        away = await unpublish_offer(session, left.uid, "essai", left.version)
    manifest = await written(client, query)
    found = await by_type(client, manifest)
    assert set(found["HealthcareService"]) == {str(changed.uid)}
    assert found["HealthcareService"][str(changed.uid)]["meta"]["lastUpdated"] >= since
    gone = [entry for file in manifest["deleted"] for line in await lines(client, file) for entry in line["entry"]]
    urls = {entry["request"]["url"] for entry in gone}
    assert f"HealthcareService/{left.uid}" in urls
    assert {entry["request"]["method"] for entry in gone} == {"DELETE"}
    assert {file["type"] for file in manifest["deleted"]} == {"Bundle"}
    async with unit_of_work() as session:
        await republish_offer(session, left.uid, "essai", away.version)
    back = await by_type(client, await written(client, query))
    assert set(back["HealthcareService"]) == {str(changed.uid), str(left.uid)}


async def test_a_hidden_offer_that_leaves_is_not_told_to_the_public(client: httpx.AsyncClient, feed: Feed) -> None:
    since = datetime.now(UTC).isoformat().replace("+", "%2B")
    with psycopg.connect(dsn(feed.url)) as conn:
        [closed] = conn.execute(
            "UPDATE directory.offer SET closed_on = current_date WHERE id IN"
            " (SELECT id FROM directory.offer WHERE sensitive ORDER BY id DESC LIMIT 1) RETURNING id"
        )
        refresh_selected(conn, f"SELECT {closed[0]} AS id")
        conn.execute("INSERT INTO core.event (kind, entity, entity_id) VALUES ('offer_day', 'offer', %s)", closed)
    assert (await written(client, f"?_since={since}"))["deleted"] == []
    await signed_in(client, DOCTOR)
    manifest = await written(client, f"?_since={since}")
    assert {file["url"].rpartition("/")[2] for file in manifest["deleted"]} == {
        "HealthcareService-deleted.ndjson",
        "PractitionerRole-deleted.ndjson",
    }


async def test_what_is_being_written_is_in_the_next_one(client: httpx.AsyncClient, feed: Feed) -> None:
    """A publication begins before the export and ends after it: its dates are older than the export."""
    with psycopg.connect(dsn(feed.url)) as slow:
        rows = slow.execute("SELECT uid FROM directory.site WHERE id = (SELECT min(id) FROM directory.site)").fetchall()
        feed.told(SITE, "SELECT min(id) AS id FROM directory.site", under_way=slow)
        manifest = await written(client, "?_type=Location")
        slow.commit()
    since = manifest["transactionTime"].replace("+", "%2B")
    found = await by_type(client, await written(client, f"?_type=Location&_since={since}"))
    assert str(rows[0][0]) in found["Location"]


async def test_an_export_is_of_one_instant(
    client: httpx.AsyncClient, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody writes while it is written: nothing of it is in the files, and its event comes after the position."""
    monkeypatch.setattr(export_work, "BATCH", 20)
    monkeypatch.setattr(export_work, "SIGN_OF_LIFE", 0.0)
    async with unit_of_work() as session:
        offer = (await session.scalars(_public_offers().order_by(None).order_by(Offer.id.desc()).limit(1))).one()
    ordinary, done = export_service.advance, threading.Event()
    position: list[int | None] = []

    async def edited_meanwhile(session: Any, *args: Any, **values: Any) -> bool:
        if values["written"] and not done.is_set():
            done.set()
            async with unit_of_work() as other:
                current = await other.scalar(select(Offer.version).where(Offer.uid == offer.uid))
                assert current is not None
                told = OfferDescription(age_min=11)
                position.append((await describe_offer(other, offer.uid, told, "essai", current)).position)
        return await ordinary(session, *args, **values)

    monkeypatch.setattr(export_service, "advance", edited_meanwhile)
    manifest = await written(client)
    assert done.is_set() and position[0] is not None
    assert manifest["extension"]["position"] < position[0]
    found = (await by_type(client, manifest))["HealthcareService"][str(offer.uid)]
    ages = next(one for one in found["extension"] if one["url"].endswith("patient-type"))["extension"][0]
    assert ages["valueRange"]["low"]["value"] != 11


def _public_offers() -> Any:
    found = select(Offer).where(Offer.id.in_(select(visible("offer", PUBLIC).subquery().c.id)))
    return found.order_by(Offer.id)
