"""Bulk exports: who may take them, how they are followed, cancelled, expired, taken up again."""

import asyncio
import os
import time
import uuid
from typing import Any

import httpx
import pytest

from core import files
from core.db import unit_of_work
from search_api.fhir import export_service, export_tasks, export_work
from tests.accounts.helpers import signed_in
from tests.search_api.fhir.conftest import Feed
from tests.search_api.fhir.exporting import DOCTOR, Json, ask, written
from tests.search_api.fhir.exporting import nobody_listens as nobody_listens
from tests.search_api.fhir.exporting import without_workers as without_workers

pytestmark = pytest.mark.usefixtures("without_workers")


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
