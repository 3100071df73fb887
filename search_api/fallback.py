"""An engine that depends on another service, and the one that answers in its place when it cannot."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from search_api.engine import (
    Counts,
    EngineAnswer,
    EngineQuery,
    EngineUnavailable,
    MapCells,
    SearchEngine,
    SuggestArea,
    Suggested,
    Term,
)
from search_api.schemas import BBox

log = structlog.get_logger("repere.search")

T = TypeVar("T")


class WithFallback:
    """`SearchEngine` that asks `first`, and `second` when `first` is unavailable."""

    def __init__(self, first: SearchEngine, second: SearchEngine) -> None:
        self.first = first
        self.second = second
        self.name = first.name

    async def _either(self, ask: Callable[[SearchEngine], Awaitable[T]]) -> tuple[T, str]:
        try:
            return await ask(self.first), ""
        except EngineUnavailable as error:
            log.warning("engine_unavailable", engine=self.first.name, reason=error.detail)
            return await ask(self.second), error.detail

    async def answer(self, session: AsyncSession, query: EngineQuery) -> EngineAnswer:
        """See `SearchEngine.answer`; the plan tells that the other engine answered, and why."""
        found, reason = await self._either(lambda engine: engine.answer(session, query))
        return replace(found, plan=(*found.plan, f"réponse de {self.second.name}\u00a0: {reason}")) if reason else found

    async def count(self, session: AsyncSession, query: EngineQuery) -> Counts:
        """See `SearchEngine.count`."""
        return (await self._either(lambda engine: engine.count(session, query)))[0]

    async def suggest(
        self, session: AsyncSession, codes: frozenset[int], names: tuple[Term, ...], area: SuggestArea, level: int
    ) -> Suggested:
        """See `SearchEngine.suggest`."""
        return (await self._either(lambda engine: engine.suggest(session, codes, names, area, level)))[0]

    async def map_features(
        self, session: AsyncSession, query: EngineQuery, view: BBox, cell_degrees: float
    ) -> MapCells:
        """See `SearchEngine.map_features`."""
        return (await self._either(lambda engine: engine.map_features(session, query, view, cell_degrees)))[0]

    async def position(self, session: AsyncSession) -> int:
        """See `SearchEngine.position`."""
        return await self.first.position(session)
