"""Database access: one async engine per process, short units of work, direct connections for bulk work."""

import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import psycopg
from fastapi import Depends
from psycopg.rows import namedtuple_row
from sqlalchemy import BindParameter, ClauseElement, MetaData, event, text
from sqlalchemy.dialects.postgresql.psycopg import PGCompiler_psycopg, PGDialect_psycopg
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from core.errors import Unavailable
from core.settings import core_settings

QUERY_CANCELED = "57014"
"""What PostgreSQL says of a statement that it stopped."""

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Declarative base of every table; each package keeps to a PostgreSQL schema of its own."""

    metadata = MetaData(naming_convention=NAMING)


class _Engine:
    """Holder of the process's engines, made on first use so that forked workers each get their own."""

    engine: AsyncEngine | None = None
    sessions: async_sessionmaker[AsyncSession] | None = None
    reader: AsyncEngine | None = None
    readings: async_sessionmaker[AsyncSession] | None = None


IDLE_SECONDS = 2.0
"""A reading connection that rested longer is tried before use: one that just served needs no question."""


def _options(planning: str) -> str:
    settings = core_settings()
    return (
        f"-c statement_timeout={settings.statement_timeout_ms} "
        f"-c lock_timeout={settings.lock_timeout_ms} -c timezone=UTC -c jit=off {planning}"
    )


def engine() -> AsyncEngine:
    """Return the process's async engine, created on first use with statement and lock timeouts."""
    if _Engine.engine is None:
        settings = core_settings()
        # A generic plan does not know which codes are rare; grouping a région needs some memory.
        options = _options("-c plan_cache_mode=force_custom_plan -c work_mem=32MB")
        _Engine.engine = create_async_engine(
            settings.database_url,
            pool_size=settings.pool_size,
            max_overflow=settings.pool_size,
            pool_pre_ping=True,
            # What a statement carries (a code, a link that opens, an address) must not follow its error into a log.
            hide_parameters=True,
            connect_args={"options": options, "application_name": "repere"},
        )
        _Engine.sessions = async_sessionmaker(_Engine.engine, expire_on_commit=False, autoflush=True)
    return _Engine.engine


def reader() -> AsyncEngine:
    """Return the engine of short readings by key: no transaction, plans kept, no question before each use."""
    if _Engine.reader is None:
        settings = core_settings()
        made = create_async_engine(
            settings.database_url,
            pool_size=settings.pool_size,
            max_overflow=settings.pool_size,
            isolation_level="AUTOCOMMIT",
            pool_reset_on_return=None,
            # The connection that served last has its plans and the tables' first blocks at hand.
            pool_use_lifo=True,
            hide_parameters=True,
            connect_args={
                "options": _options("-c default_transaction_read_only=on"),
                "application_name": "repere-read",
            },
        )

        @event.listens_for(made.sync_engine, "checkout")
        def _try(connection: Any, record: Any, _proxy: Any) -> None:
            if time.monotonic() - record.info.get("used", 0.0) < IDLE_SECONDS:
                return
            try:
                made.sync_engine.dialect.do_ping(connection)
            except made.sync_engine.dialect.dbapi.Error as error:  # type: ignore[union-attr]
                raise DisconnectionError from error

        @event.listens_for(made.sync_engine, "checkin")
        def _used(_connection: Any, record: Any) -> None:
            record.info["used"] = time.monotonic()

        _Engine.reader = made
        _Engine.readings = async_sessionmaker(made, expire_on_commit=False, autoflush=False)
    return _Engine.reader


async def dispose() -> None:
    """Close the pools; the next use makes new ones."""
    for made in (_Engine.engine, _Engine.reader):
        if made is not None:
            await made.dispose()
    _Engine.engine = _Engine.reader = None
    _Engine.sessions = _Engine.readings = None


@asynccontextmanager
async def reading() -> AsyncIterator[AsyncSession]:
    """Open a session for a few readings that need not agree to the instant: each statement sees what is committed."""
    reader()
    assert _Engine.readings is not None  # noqa: S101 - set by reader()
    async with _Engine.readings() as session:
        yield session


@asynccontextmanager
async def unit_of_work() -> AsyncIterator[AsyncSession]:
    """Open a session, commit when the block ends well, roll back otherwise."""
    engine()
    assert _Engine.sessions is not None  # noqa: S101 - set by engine()
    async with _Engine.sessions() as session:
        try:
            yield session
        except BaseException:
            await session.rollback()
            raise
        await session.commit()


async def _session_dependency() -> AsyncIterator[AsyncSession]:
    async with unit_of_work() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(_session_dependency, scope="function")]
"""FastAPI dependency: the request’s unit of work, committed before the answer leaves so that the next one shows it."""


def was_stopped(error: BaseException) -> bool:
    """Tell whether PostgreSQL stopped a statement at its time limit."""
    found = error.orig if isinstance(error, DBAPIError) else error
    return getattr(found, "sqlstate", None) == QUERY_CANCELED


class _Written(PGCompiler_psycopg):
    """Writes into the text what is the same at each reading: the driver converts only what changes."""

    def visit_bindparam(self, bindparam: BindParameter[Any], *args: Any, **options: Any) -> str:
        if not bindparam.required:
            options["literal_binds"] = True
        return str(super().visit_bindparam(bindparam, *args, **options))  # type: ignore[no-untyped-call]


class Fixed:
    """A reading compiled once and run by the driver itself, for the few statements behind every keystroke or page.

    What the ORM adds to a reading by key takes longer than the reading. Rows are named tuples; errors are psycopg's.
    """

    def __init__(self, statement: ClauseElement) -> None:
        dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]
        dialect.statement_compiler = _Written
        self._text = str(statement.compile(dialect=dialect))

    async def rows(self, session: AsyncSession, **values: Any) -> list[Any]:
        """Return every row, in the session's own connection and transaction; of a `reading`, in any connection."""
        if session.bind is not _Engine.reader or _Engine.reader is None:
            return await self._read(await (await session.connection()).get_raw_connection(), values)
        # Such a session has no transaction to join, and its own way to a connection takes longer than many readings.
        connection = await _Engine.reader.raw_connection()
        try:
            return await self._read(connection, values)
        finally:
            broken = getattr(connection.driver_connection, "closed", True)
            await greenlet_spawn(connection.invalidate if broken else connection.close)

    async def _read(self, connection: PoolProxiedConnection, values: dict[str, Any]) -> list[Any]:
        driver: psycopg.AsyncConnection[Any] = connection.driver_connection  # type: ignore[assignment]
        async with driver.cursor(row_factory=namedtuple_row, binary=True) as cursor:
            await cursor.execute(self._text, values)
            return await cursor.fetchall()


def keys(ids: Iterable[int | None]) -> str:
    """Return ids as PostgreSQL writes an array: the parameter of a `Fixed` reading that the driver need not convert."""
    return "{" + ",".join("NULL" if one is None else str(one) for one in ids) + "}"


@asynccontextmanager
async def time_limit(session: AsyncSession, seconds: int) -> AsyncIterator[None]:
    """Stop each statement of the block, and of the rest of the transaction, after some seconds, and say so.

    Raises:
        Unavailable: a statement of the block was stopped.
    """
    await session.execute(text("SELECT set_config('statement_timeout', :limit, true)"), {"limit": f"{seconds}s"})
    try:
        yield
    except DBAPIError as error:
        if not was_stopped(error):
            raise
        raise Unavailable(
            f"La réponse demandait trop de temps : elle a été arrêtée au bout de {seconds} secondes. "
            "Demandez une zone plus petite, ou ajoutez un filtre."
        ) from error


def libpq_dsn(*, direct: bool = True) -> str:
    """Return the database address in libpq's form, for psycopg, COPY and LISTEN."""
    settings = core_settings()
    url = make_url(settings.direct_url if direct else settings.database_url)
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def connect_direct(*, autocommit: bool = False) -> psycopg.Connection:
    """Open a synchronous connection without statement timeout, for bulk loads and maintenance.

    Raises:
        psycopg.OperationalError: the server cannot be reached.
    """
    return psycopg.connect(
        libpq_dsn(),
        autocommit=autocommit,
        options="-c timezone=UTC -c jit=off",
        application_name="repere-bulk",
    )
