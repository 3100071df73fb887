"""Directories for the feed: a filled one, where an offer holds everything, and a small town that changes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import event
from sqlalchemy.engine import URL

from accounts.api import Caller
from core import db
from directory import feed as ledger
from tests.accounts.clients import application_of
from tests.conftest import truncate_all
from tests.directory.conftest import Registers
from tests.directory.conftest import registers as registers
from tests.search_api.conftest import dsn
from tests.search_api.conftest import filled as filled
from tests.search_api.fhir import seed
from tests.search_api.fhir.following import Consumer
from tests.search_api.fhir.town import Reader


@dataclass(frozen=True)
class Feed:
    """The database of a module, and the internal id of the offer that holds everything."""

    url: URL
    offer_id: int

    def sql(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with psycopg.connect(dsn(self.url), autocommit=True) as conn:
            cursor = conn.execute(query, values)
            return cursor.fetchall() if cursor.description else []

    def told(self, kind: int, query: str, *, under_way: psycopg.Connection | None = None) -> None:
        """Have the ledger and the followers know that what a query selects as `id` changed, as its writer does."""
        if under_way is None:
            with psycopg.connect(dsn(self.url)) as conn:
                self.told(kind, query, under_way=conn)
            return
        changed = f"SELECT {kind} AS kind, x.id, true AS forced FROM ({query}) x"
        ledger.keep_selected(under_way, changed)
        ledger.settle_selected(under_way, changed)
        under_way.execute("INSERT INTO core.event (kind, entity) VALUES ('changed', 'essai')")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def feed(filled: URL) -> AsyncIterator[Feed]:
    """The small directory with one offer that holds everything."""
    from directory.projection import rebuild

    with psycopg.connect(dsn(filled)) as conn:
        offer_id = seed.enrich(conn)
        rebuild(conn)
        conn.commit()
    yield Feed(filled, offer_id)
    truncate_all(dsn(filled))


@pytest.fixture
async def later(feed: Feed) -> AsyncIterator[Callable[[str], Awaitable[None]]]:
    """Move the clock of the database by an interval from now (« 25 hours »)."""

    async def move(interval: str) -> None:
        await db.dispose()

        @event.listens_for(db.engine().sync_engine, "checkout")
        def shift(connection: Any, _record: Any, _proxy: Any) -> None:
            cursor = connection.cursor()
            cursor.execute("SELECT set_config('repere.clock_shift', %s, false)", (interval,))
            cursor.close()

    yield move
    await db.dispose()


@pytest.fixture
async def client(feed: Feed) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the application on that directory."""
    from web.app import app

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://repere.test") as opened:
        yield opened


@pytest.fixture
async def reader(registers: Registers) -> AsyncIterator[Reader]:
    """Make consumers that have just taken everything, each with the rights of a caller."""
    opened: list[httpx.AsyncClient] = []

    async def make(caller: Caller) -> Consumer:
        transport = httpx.ASGITransport(app=application_of(caller))
        client = httpx.AsyncClient(transport=transport, base_url="http://repere.test")
        opened.append(client)
        consumer = Consumer(client, caller)
        await consumer.extract()
        return consumer

    yield make
    for client in opened:
        await client.aclose()
