"""Which engine answers: Meilisearch where a server is named, else the columns of this process, else PostgreSQL."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict
from typing import Annotated, Final

from fastapi import Depends, Request, Response
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import db
from core.models import Event
from search_api import words
from search_api.columns.builder import root
from search_api.columns.engine import ColumnsEngine
from search_api.columns.follower import Follower
from search_api.columns.memory import keep_blocks
from search_api.engine import SearchEngine
from search_api.fallback import WithFallback
from search_api.meili.settings import configured, meili_settings
from search_api.postgis import PostgisEngine
from search_api.settings import search_settings
from search_api.texts.folder import texts_folder
from search_api.texts.reader import TextReader

HEADER: Final = "X-Repere-Engine"
"""Of answers: the engine that gave them."""
POSITION_HEADER: Final = "X-Repere-Position"
POSITION_COOKIE: Final = "repere_position"
"""Of requests: the event that the answer must take into account, as a save returned it."""
WAIT_SECONDS: Final = 0.3
"""How long an answer waits for the index to hear of what its reader just wrote."""
_STEP_SECONDS: Final = 0.005

_postgis = PostgisEngine()


class _Process:
    follower: Follower | None = None
    meili: SearchEngine | None = None


def start() -> None:
    """Follow this node's index from now on; the application calls it when it starts."""
    if _Process.follower is None and search_settings().search_engine == "columns":
        keep_blocks()
        follower = _Process.follower = Follower(root())
        follower.start()
        # Texts say nothing of the database they are of: they are believed as long as the snapshot beside them is.
        words.use(TextReader(texts_folder()), lambda: follower.state is not None)


def stop() -> None:
    """End the following."""
    if _Process.follower is not None:
        # A process that ends must let go of its address at once.
        _Process.follower.stop(wait=False)
        _Process.follower = None
        words.use(None)


def use(follower: Follower | None) -> None:
    """Answer from a follower that the caller runs itself, or from PostgreSQL again with None."""
    _Process.follower = follower


def readiness() -> dict[str, object]:
    """Return what `/readyz` says: the engine that answers, whether it is the degraded one, how its index stands."""
    health = _Process.follower.health if _Process.follower is not None else None
    name, reader = engine().name, words.reader()
    return {
        "engine": name,
        "degraded": _ours().name == _postgis.name,
        "index": asdict(health) if health else None,
        "texts": reader.position if reader else None,
    }


def engine() -> SearchEngine:
    """Return the engine that answers now: Meilisearch where a server is named, with our own for when it cannot."""
    ours = _ours()
    if not configured():
        return ours
    if _Process.meili is None:
        # Its library takes half a second to import: only those who name a server wait for it.
        from search_api.meili.engine import MeiliEngine

        _Process.meili = MeiliEngine(meili_settings())
    return WithFallback(_Process.meili, ours)


def _ours() -> SearchEngine:
    follower = _Process.follower
    state = follower.state if follower is not None else None
    return ColumnsEngine(state) if state is not None else _postgis


async def fresh(position: int | None) -> SearchEngine:
    """Return an engine that knows of an event: the index if it hears of it in time, else PostgreSQL.

    People always see what they just wrote (DESIGN §3). A number that the database has not reached, forged or left
    from another database, is ignored: nobody else's search leaves the index for it.
    """
    if position is None:
        return engine()
    deadline = time.monotonic() + WAIT_SECONDS
    written = False
    while True:
        follower = _Process.follower
        state = follower.state if follower is not None else None
        if state is None:
            return _postgis
        if state.position >= position:
            return ColumnsEngine(state)
        # The database is asked before the wait, so that such a number delays nobody either.
        if not written and not (written := await _written(position)):
            return engine()
        if time.monotonic() >= deadline:
            return _postgis
        await asyncio.sleep(_STEP_SECONDS)


async def _written(position: int) -> bool:
    async with db.reading() as session:
        return (await session.scalar(select(func.max(Event.position))) or 0) >= position


def _position(request: Request) -> int | None:
    given = request.headers.get(POSITION_HEADER) or request.cookies.get(POSITION_COOKIE) or ""
    return int(given) if given.isascii() and given.isdigit() and len(given) < 19 else None


async def of(request: Request) -> SearchEngine:
    """Return the engine of a request: one that knows of what its reader just wrote."""
    return await fresh(_position(request))


async def _engine_of(request: Request, response: Response) -> SearchEngine:
    chosen = await of(request)
    response.headers[HEADER] = chosen.name
    return chosen


EngineDep = Annotated[SearchEngine, Depends(_engine_of)]
"""FastAPI dependency: the engine of this request, named in the answer's header."""


def session_for(engine: SearchEngine) -> AbstractAsyncContextManager[AsyncSession]:
    """Open a session for what an engine leaves to the database.

    An index needs a few rows by key, PostgreSQL one picture for the counts and the page.
    """
    return db.reading() if engine.name == ColumnsEngine.name else db.unit_of_work()


async def _session_of(engine: EngineDep) -> AsyncIterator[AsyncSession]:
    async with session_for(engine) as session:
        yield session


SearchSessionDep = Annotated[AsyncSession, Depends(_session_of, scope="function")]
"""FastAPI dependency: `session_for` the engine of this request."""
