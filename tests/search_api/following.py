"""An index that follows the directory, for the tests of its freshness and of its snapshots."""

import shutil
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy.engine import URL

from search_api import engines
from search_api.columns import builder
from search_api.columns.follower import Follower
from tests.search_api.conftest import dsn

SECONDS = 10.0


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until something holds; fail when it takes too long."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def root(filled: URL, tmp_path: Path) -> Path:
    """The folder of an index of the filled directory."""
    assert builder.build(tmp_path / "columns")
    return tmp_path / "columns"


@pytest.fixture
def follower(root: Path) -> Iterator[Follower]:
    """A follower that runs in its thread, as in a web process, and answers the application's searches."""
    found = Follower(root)
    found.start()
    engines.use(found)
    eventually(lambda: found.state is not None)
    yield found
    engines.use(None)
    found.stop()


@pytest.fixture
async def web(filled: URL) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, which forgets its follower afterwards."""
    from web.app import app

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://repere.test") as opened:
        yield opened
    engines.use(None)


def connect(url: URL) -> psycopg.Connection:
    """Open a connection that commits each statement."""
    return psycopg.connect(dsn(url), autocommit=True)


def published(url: URL) -> tuple[uuid.UUID, int, int]:
    """Return the uid, version and id of an offer that may be found."""
    with connect(url) as conn:
        row = conn.execute(
            "SELECT o.uid, o.version, o.id FROM directory.offer o JOIN directory.offer_search s ON s.offer_id = o.id"
            " WHERE NOT s.sensitive AND s.position IS NOT NULL ORDER BY o.version, o.id LIMIT 1"
        ).fetchone()
    assert row
    return row


def last_position(url: URL) -> int:
    """Return the position of the last event."""
    with connect(url) as conn:
        row = conn.execute("SELECT max(position) FROM core.event").fetchone()
    assert row
    return int(row[0])


def same_as_database(follower: Follower, filled: URL) -> bool:
    """Tell whether the live index holds the same rows as an index built from the database now."""
    fresh = follower.root.parent / "fresh"
    built = builder.build(fresh)
    assert built
    compared = Follower(fresh)
    with connect(filled) as conn:
        compared.catch_up(conn)
    shutil.rmtree(fresh)
    assert follower.state and compared.state
    return (follower.state.offers, follower.state.digest) == (compared.state.offers, compared.state.digest)
