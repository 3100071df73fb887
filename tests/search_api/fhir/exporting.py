"""Bulk exports as a client asks for them, and a worker that does them when a test wants it."""

import json
import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from directory.api import Offer
from search_api.fhir import export_work
from search_api.fhir.visible import visible
from tests.search_api.fhir.conftest import Feed
from tests.search_api.fhir.test_resources import PUBLIC

Json = dict[str, Any]
DOCTOR = ("professional", "rpps:10101010101")


@pytest.fixture
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that no worker listens to: each test does the work when it wants it done."""
    from core import tasks

    monkeypatch.setattr(tasks.app.conf, "broker_url", "memory://")


@pytest.fixture
def without_workers(feed: Feed, nobody_listens: None) -> None:
    """No worker, and no export that another test left."""
    feed.sql("DELETE FROM search_api.export")
    feed.sql("DELETE FROM accounts.rate")


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


def public_offers() -> Any:
    found = select(Offer).where(Offer.id.in_(select(visible("offer", PUBLIC).subquery().c.id)))
    return found.order_by(Offer.id)
