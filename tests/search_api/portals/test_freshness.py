"""An edit reaches the portal's pages through the real follower of events, and at once for whoever wrote it."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy.engine import URL

from core.db import unit_of_work
from directory.api import OfferDescription, describe_offer
from search_api import engines
from search_api.columns import builder
from search_api.columns.follower import Follower
from tests.search_api.conftest import dsn
from tests.search_api.portals.helpers import make

SECONDS = 10.0
WORD = "portugais"


@pytest.fixture
async def live(filled: URL, api: httpx.AsyncClient, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    assert builder.build(tmp_path / "columns")
    follower = Follower(tmp_path / "columns")
    follower.start()
    engines.use(follower)
    deadline = time.monotonic() + SECONDS
    while follower.state is None:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    yield api
    engines.use(None)
    follower.stop()


def an_offer(url: URL) -> tuple[uuid.UUID, int]:
    with psycopg.connect(dsn(url)) as conn:
        row = conn.execute(
            "SELECT o.uid, o.version FROM directory.offer o JOIN directory.offer_search s ON s.offer_id = o.id"
            " JOIN maps.place p ON p.id = s.commune_id"
            " WHERE NOT s.sensitive AND p.code = '78361' AND s.age_min < 40 ORDER BY o.id LIMIT 1"
        ).fetchone()
    assert row
    return row


async def listed(live: httpx.AsyncClient, uid: uuid.UUID, **headers: str) -> bool:
    for page in range(1, 15):
        answer = await live.get(
            f"/maillage/frais?age=20&where=commune:78361&page={page}", headers=headers, follow_redirects=True
        )
        assert answer.status_code == 200, answer.text
        if str(uid) in answer.text:
            return True
        if f"page={page + 1}" not in answer.text:
            return False
    return False


async def test_an_edit_is_seen_by_everybody_and_at_once_by_its_author(live: httpx.AsyncClient, filled: URL) -> None:
    await make("frais")
    uid, version = an_offer(filled)
    assert await listed(live, uid)
    async with unit_of_work() as session:
        change = OfferDescription(age_min=40, age_max=150, languages=["pt"])
        written = await describe_offer(session, uid, change, "essai", version)
    # The sheet is read from the tables; the list, by its author, from an index that has caught up or from the tables.
    assert WORD in (await live.get(f"/maillage/frais/offres/{uid}")).text
    assert not await listed(live, uid, **{"X-Repere-Position": str(written.position)})
    deadline = time.monotonic() + SECONDS
    while await listed(live, uid):
        assert time.monotonic() < deadline, "the edit never reached the portal"
