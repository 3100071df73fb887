"""Limits of programs and of networks: counted by every process together, told in headers, never beyond."""

import asyncio
import json
import os
import subprocess
import sys
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select, update

from accounts.clients import quota, usage
from accounts.models_clients import CallWindow, Client, ClientUsage
from core.db import unit_of_work
from core.settings import load
from tests.accounts.clients import called, make_client
from tests.accounts.helpers import signed_in
from tests.conftest import ROOT

SEARCH = "/api/v1/places?q=mantes"


async def test_beyond_the_limit_a_program_is_told_when_to_come_back(places: None) -> None:
    _, key = await make_client(per_minute=30, per_day=1000)
    async with called() as client:
        answers = [await client.get(SEARCH, headers={"X-API-Key": key}) for _ in range(33)]
    assert [answer.status_code for answer in answers] == [200] * 30 + [429] * 3
    assert answers[0].headers["ratelimit-policy"] == '"minute";q=30;w=60, "day";q=1000;w=86400'
    assert answers[0].headers["ratelimit"].startswith('"minute";r=29;t=')
    assert answers[29].headers["x-ratelimit-remaining"] == "0"
    refused = answers[-1]
    assert 1 <= int(refused.headers["retry-after"]) <= 61
    assert refused.json()["type"] == "urn:repere:trop-de-requetes"
    assert refused.headers["cache-control"] == "no-store"
    async with unit_of_work() as session:
        # What was refused is counted for nothing, and asks nothing of the database.
        taken = await session.scalar(select(CallWindow.taken).where(CallWindow.daily.is_(False)))
    assert taken is not None
    assert taken <= 31


async def test_each_api_says_it_in_its_own_words(clean_database: object) -> None:
    _, key = await make_client(per_minute=1)
    made, secret = await make_client(kind="secret", per_minute=1)
    async with called() as client:
        await client.get("/fhir/metadata", headers={"X-API-Key": key})
        fhir = await client.get("/fhir/metadata", headers={"X-API-Key": key})
        form = {"grant_type": "client_credentials"}
        auth = httpx.BasicAuth(made.public_id, secret)
        assert (await client.post("/oauth/token", data=form, auth=auth)).status_code == 200
        token = await client.post("/oauth/token", data=form, auth=auth)
    assert (fhir.status_code, fhir.json()["issue"][0]["code"]) == (429, "throttled")
    assert (token.status_code, token.json()["error"]) == (429, "temporarily_unavailable")
    assert "retry-after" in token.headers


async def test_the_day_has_a_limit_too_and_begins_again(places: None) -> None:
    _, key = await make_client(per_minute=100, per_day=5)
    async with called() as client:
        for _ in range(5):
            assert (await client.get(SEARCH, headers={"X-API-Key": key})).status_code == 200
        refused = await client.get(SEARCH, headers={"X-API-Key": key})
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 61 or int(refused.headers["x-ratelimit-limit"]) == 5
        async with unit_of_work() as session:
            await session.execute(update(CallWindow).values(ends_at=func.core.now() - timedelta(seconds=1)))
        quota.forget()
        assert (await client.get(SEARCH, headers={"X-API-Key": key})).status_code == 200
        async with unit_of_work() as session:
            await session.execute(update(Client).values(per_day=500))
        again = await client.get(SEARCH, headers={"X-API-Key": key})
    assert again.status_code == 200
    assert again.headers["ratelimit"].partition('"day";r=')[2].startswith("49")


_PROCESS = """
import asyncio, json, sys
from accounts.clients import quota
from core import db

async def work():
    async def one():
        return (await quota.take(b"client:1", 500, 100_000)).allowed
    served = 0
    for _ in range(40):
        served += sum(await asyncio.gather(*(one() for _ in range(10))))
    await db.dispose()
    return served

print(json.dumps(asyncio.run(work())))
"""


async def test_several_processes_never_serve_more_than_the_limit_together(clean_database: object) -> None:
    """Three processes that ask four hundred times each: all of the limit is served but what each may have taken twice
    and not served, when a taking ends while another is under way.
    """
    running = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", _PROCESS, cwd=ROOT, stdout=subprocess.PIPE, env=os.environ.copy()
        )
        for _ in range(3)
    ]
    served = [json.loads((await one.communicate())[0].splitlines()[-1]) for one in running]
    assert sum(served) <= 500
    assert sum(served) >= 500 - 3 * 2 * (500 // quota.SHARE)


async def test_anonymous_networks_are_limited_and_pages_of_ours_are_not_kept_out_by_programs(
    places: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPERE_API_ANONYMOUS_PER_MINUTE", "20")
    load.cache_clear()
    try:
        async with called() as client:
            answers = [await client.get(SEARCH) for _ in range(25)]
            assert [answer.status_code for answer in answers] == [200] * 20 + [429] * 5
            assert "ratelimit" not in answers[0].headers
            assert "retry-after" in answers[-1].headers
            assert (await client.get(SEARCH, headers={"Sec-Fetch-Site": "same-origin"})).status_code == 200
            assert (await client.get("/aide")).status_code == 200
            # Wrong keys are counted with whoever shows them.
            assert (await client.get(SEARCH, headers={"X-API-Key": "rpk_x"})).status_code == 429
            _, key = await make_client()
            assert (await client.get(SEARCH, headers={"X-API-Key": key})).status_code == 200
            await signed_in(client)
            assert (await client.get(SEARCH)).status_code == 200
        async with called(network=("2001:db8:9::1", 1)) as other:
            assert (await other.get(SEARCH)).status_code == 200
        async with called(network=("10.0.0.9", 1)) as inside:
            assert {(await inside.get(SEARCH)).status_code for _ in range(25)} == {200}
    finally:
        load.cache_clear()


async def test_a_network_that_asks_little_writes_nothing(places: None) -> None:
    async with called() as client:
        for _ in range(5):
            await client.get(SEARCH)
    async with unit_of_work() as session:
        assert (await session.scalars(select(CallWindow.taken))).all() == []


async def test_what_a_client_asks_is_written_by_day_and_family(places: None) -> None:
    made, key = await make_client(per_minute=4)
    async with called() as client:
        for path in (SEARCH, SEARCH, "/ogc/conformance", "/api/v1/places?nothing=1", SEARCH):
            await client.get(path, headers={"X-API-Key": key})
    await usage.flush()
    await usage.flush()
    async with unit_of_work() as session:
        rows = (await session.scalars(select(ClientUsage).order_by(ClientUsage.family))).all()
        used_at = await session.scalar(select(Client.used_at).where(Client.id == made.id))
    assert [(row.family, row.requests, row.errors, row.refused) for row in rows] == [
        ("api", 4, 1, 1),
        ("ogc", 1, 0, 0),
    ]
    assert used_at is not None
