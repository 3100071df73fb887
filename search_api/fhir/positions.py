"""Positions in the changes of the feed: where a reader stands, what it may still be told, how far the feed goes.

A position is that of an event (`core.event`), which commit in order, and inside a change that brought much, the last
row that was read: `1234`, `1234-5-678`. Readers keep it as it is.
"""

import re
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, exists, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from directory.api import FeedChange, FeedFloor, FeedState
from search_api.fhir.outcome import FhirError, Issue

_FORM: Final = re.compile(r"(\d{1,18})(?:-([1-9])-(\d{1,18}))?", re.ASCII)
_EXPORT: Final = "Faites une extraction complète ($export), qui donne une position, puis suivez les changements."


class Position(NamedTuple):
    """After which event, and inside the next change after which row, a reader reads on."""

    event: int
    kind: int = 0
    id: int = 0

    def __str__(self) -> str:
        return f"{self.event}-{self.kind}-{self.id}" if self.kind else str(self.event)


def parse(text: str) -> Position:
    """Read a position.

    Raises:
        FhirError: 400, it is none.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise FhirError(
            400,
            Issue(
                f"« {text[:40]} » n’est pas une position : donnez celle d’une réponse précédente, telle quelle. "
                f"{_EXPORT}",
                "value",
                expression="since",
            ),
        )
    event, kind, one = found.groups()
    return Position(int(event), int(kind or 0), int(one or 0))


def level_of(level: int) -> int:
    """Return the level of the ledger under which a caller reads."""
    return 1 if level < 2 else 2


def change_of(level: int) -> InstrumentedAttribute[int]:
    """Return the column of the last change that a level may tell."""
    return FeedState.change_1 if level == 1 else FeedState.change_2


def _newest(level: int) -> Select[Any]:
    # Not the last event of all: it moves with what this level may not read, and would tell that something did.
    told = exists(select(literal(1)).where(change_of(level) == FeedChange.id))
    return select(FeedChange.position).where(FeedChange.position.is_not(None), told).order_by(
        FeedChange.position.desc()
    ).limit(1)  # fmt: skip


_FLOOR: Final = select(func.max(FeedFloor.position))


async def floor(session: AsyncSession) -> int:
    """Return the position before which nothing is told any more."""
    return await session.scalar(_FLOOR) or 0


async def head(session: AsyncSession, level: int) -> int:
    """Return how far the feed goes for a level: read before an extraction, it is where to follow the changes from."""
    found = await session.execute(select(_newest(level_of(level)).scalar_subquery(), _FLOOR.scalar_subquery()))
    newest, lowest = found.one()
    return max(newest or 0, lowest or 0)


async def check(session: AsyncSession, since: Position, level: int) -> None:
    """Refuse a position from which the changes are no longer known, or that this directory never gave.

    Raises:
        FhirError: 410, only a whole extraction helps.
    """
    if since.event < await floor(session):
        raise FhirError(
            410,
            Issue(
                f"Les changements depuis la position {since} ne sont plus tous conservés (un an au moins), ou tout a "
                f"été republié depuis. {_EXPORT}",
                "deleted",
                expression="since",
            ),
        )
    if since.event > await head(session, level):
        raise FhirError(
            410,
            Issue(
                f"La position {since} est au-delà de ce que cet annuaire a publié : elle vient peut-être d’un autre, "
                f"ou d’avant une restauration. {_EXPORT}",
                "deleted",
                expression="since",
            ),
        )
