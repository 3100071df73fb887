"""An index of texts over a few thousand odd names."""

import random
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
import pytest_asyncio
from sqlalchemy.engine import URL

from search_api import words
from search_api.texts.reader import TextReader
from search_api.texts.writer import TextWriter
from tests.conftest import truncate_all
from tests.search_api import seed
from tests.search_api.conftest import dsn
from tests.search_api.texts.names import SITES, odd_names


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def named(database: URL) -> AsyncIterator[URL]:
    """A directory of a few thousand odd names, its projection and words written."""
    from core.db import unit_of_work
    from directory.projection import rebuild
    from maps.api import invalidate
    from search_api import indexing

    truncate_all(dsn(database))
    with psycopg.connect(dsn(database)) as conn:
        seed.fill(conn, roles=2_400)
        people = conn.execute(
            "SELECT id FROM directory.practitioner WHERE last_name NOT LIKE %s AND id %% 4 > 0"
            " AND id IN (SELECT r.practitioner_id FROM directory.role r JOIN directory.offer o ON o.role_id = r.id)"
            " ORDER BY id",
            (seed.CANARY + "%",),
        ).fetchall()
        names = odd_names(random.Random(11), len(people))
        with conn.cursor() as cursor:
            cursor.executemany(
                "UPDATE directory.practitioner SET last_name = %s WHERE id = %s",
                [(name, key) for (key,), name in zip(people, names, strict=True)],
            )
            cursor.executemany(
                "UPDATE directory.site SET name = %s, long_name = %s WHERE id = %s",
                [(name, f"{name} BIS", number * 3 + 1) for number, name in enumerate(SITES)],
            )
        rebuild(conn)
        conn.commit()
        conn.autocommit = True
        conn.execute("ANALYZE")
    async with unit_of_work() as session:
        await indexing.build(session)
    invalidate()
    yield database
    truncate_all(dsn(database))
    invalidate()


@pytest.fixture(scope="package")
def built(named: URL, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an index of that directory, for tests that leave it as it is."""
    folder = tmp_path_factory.mktemp("texts")
    with psycopg.connect(dsn(named)) as conn, TextWriter(folder) as writer:
        writer.rebuild(conn, 7)
    return folder


@pytest.fixture
def reader(built: Path) -> TextReader:
    return TextReader(built)


@pytest.fixture
def copy(built: Path, tmp_path: Path) -> Path:
    """An index of one's own, to be written or damaged."""
    return Path(shutil.copytree(built, tmp_path / "texts"))


@pytest.fixture
def conn(named: URL) -> Iterator[psycopg.Connection]:
    """A connection whose changes are never committed."""
    with psycopg.connect(dsn(named)) as opened:
        yield opened
        opened.rollback()


@pytest.fixture
def sql_afterwards() -> Iterator[None]:
    """Whatever the test makes the process read words from, the next one finds PostgreSQL."""
    yield
    words.use(None)


@pytest.fixture
async def api(named: URL) -> AsyncIterator[httpx.AsyncClient]:
    from web.app import app

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://repere.test") as opened:
        yield opened
