"""Database access: one async engine per process, short units of work, direct connections for bulk work."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import psycopg
from fastapi import Depends
from sqlalchemy import MetaData, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

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
    """Holder of the process's engine, made on first use so that forked workers each get their own."""

    engine: AsyncEngine | None = None
    sessions: async_sessionmaker[AsyncSession] | None = None


def engine() -> AsyncEngine:
    """Return the process's async engine, created on first use with statement and lock timeouts."""
    if _Engine.engine is None:
        settings = core_settings()
        options = (
            f"-c statement_timeout={settings.statement_timeout_ms} "
            f"-c lock_timeout={settings.lock_timeout_ms} -c timezone=UTC -c jit=off "
            # A generic plan does not know which codes are rare; grouping a région needs some memory.
            "-c plan_cache_mode=force_custom_plan -c work_mem=32MB"
        )
        _Engine.engine = create_async_engine(
            settings.database_url,
            pool_size=settings.pool_size,
            max_overflow=settings.pool_size,
            pool_pre_ping=True,
            connect_args={"options": options, "application_name": "repere"},
        )
        _Engine.sessions = async_sessionmaker(_Engine.engine, expire_on_commit=False, autoflush=True)
    return _Engine.engine


async def dispose() -> None:
    """Close the pool; the next use makes a new one."""
    if _Engine.engine is not None:
        await _Engine.engine.dispose()
    _Engine.engine = None
    _Engine.sessions = None


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


SessionDep = Annotated[AsyncSession, Depends(_session_dependency)]
"""FastAPI dependency: the request's unit of work."""


def was_stopped(error: BaseException) -> bool:
    """Tell whether PostgreSQL stopped a statement at its time limit."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == QUERY_CANCELED


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
