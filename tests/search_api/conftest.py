"""One filled directory for the module's reading tests, and a client that leaves it as it is."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest
import pytest_asyncio
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncSession

from tests.conftest import forget_connections, look_again, made_once, make_database, truncate_all
from tests.search_api import seed

if TYPE_CHECKING:
    from search_api.columns.follower import Follower


def dsn(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def indexed(url: URL, root: Path) -> "Follower":
    """Build an index of a database, have it answer from now on, and return it; `engines.use(None)` ends it."""
    from search_api import engines
    from search_api.columns import builder
    from search_api.columns.follower import Follower

    assert builder.build(root)
    follower = Follower(root)
    with psycopg.connect(dsn(url), autocommit=True) as conn:
        follower.catch_up(conn)
    engines.use(follower)
    return follower


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def filled(database: URL) -> AsyncIterator[URL]:
    """The worker's database with the small directory of `seed`, its projection and words written."""
    from core import db
    from directory.projection import rebuild
    from maps.api import invalidate
    from search_api import indexing

    # Filling takes twenty times as long as copying what was filled.
    with made_once(database, "filled") as (connection, copy, made):
        if not made:
            truncate_all(dsn(database))
            with psycopg.connect(dsn(database)) as conn:
                seed.fill(conn)
                rebuild(conn)
                conn.commit()
                conn.autocommit = True
                conn.execute("ANALYZE")
            async with db.unit_of_work() as session:
                await indexing.build(session)
        await db.dispose()
        forget_connections()
        ours = str(database.database)
        make_database(connection, *((ours, copy) if made else (copy, ours)))
    invalidate()
    look_again()
    yield database
    truncate_all(dsn(database))
    invalidate()


@pytest.fixture
async def reading(filled: URL) -> AsyncIterator[AsyncSession]:
    """A unit of work on the filled directory."""
    from core.db import unit_of_work

    async with unit_of_work() as opened:
        yield opened


@pytest.fixture
async def api(filled: URL) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the application on the filled directory."""
    from web.app import app

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://repere.test") as opened:
        yield opened
