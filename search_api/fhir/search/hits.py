"""The statements of a page: which resources answer, in order, from a position on; and how many answer in all."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, DateTime, Text, and_, false, func, literal, or_, true
from sqlalchemy.ext.asyncio import AsyncSession

from search_api.fhir.kinds import Kind
from search_api.fhir.search import near
from search_api.fhir.search.compile import condition
from search_api.fhir.search.pages import Position, Scalar
from search_api.fhir.search.request import Asked
from search_api.fhir.search.rows import Context, Row
from search_api.fhir.search.values import Disc

_EMPTY: Final = literal("", Text)


@dataclass(frozen=True, slots=True)
class Hit:
    """A resource that answers: its row, its place in the order, its distance where one was asked for.

    `gone` resources left the directory: only a tombstone is told of them.
    """

    kind: Kind
    id: int
    uid: str
    position: Position
    metres: int | None
    gone: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A table that may hold answers: its rank among those of its type, its rows, which of them answer."""

    rank: int
    row: Row
    where: ColumnElement[bool]


def sources(asked: Asked, context: Context) -> list[Source]:
    """Return the tables that may hold answers; what left a table has the rank of the table."""
    found = []
    for rank, kind in enumerate(asked.resource.kinds):
        for gone in (False, True) if asked.ended_too else (False,):
            row = Row(kind, context, gone=gone)
            found.append(Source(rank, row, condition(asked.node, row)))
    return found


def _discs(asked: Asked) -> list[Disc]:
    return [value for value in asked.near.values if isinstance(value, Disc)] if asked.near else []


def _order(asked: Asked, row: Row) -> list[tuple[Any, bool]]:
    """Return what results are sorted by, each with whether the order is descending; by default, distance if any."""
    found = []
    for parameter, down in asked.sort:
        if parameter.type == "special":
            found.append((near.metres(row, _discs(asked)), down))
        else:
            field = parameter.fields.get(row.kind)
            found.append((field.order(row) if field is not None else _EMPTY, down))
    if not asked.sort and asked.near is not None:
        found.append((near.metres(row, _discs(asked)), False))
    return found


def _value(value: Scalar) -> Any:
    return literal(value, DateTime(timezone=True)) if isinstance(value, datetime) else literal(value)


def _after(order: list[tuple[Any, bool]], rank: int, row: Row, position: Position, *, back: bool) -> Any:
    """Tell whether a row stands after a position in an order, or before it."""
    same = false() if rank == position.rank else true() if (rank > position.rank) != back else false()
    if rank == position.rank:
        same = row.main.id < position.id if back else row.main.id > position.id
    found: Any = and_(true(), same)
    for (column, down), value in reversed(list(zip(order, position.values, strict=True))):
        bound = _value(value)
        further = column < bound if down != back else column > bound
        # The first part alone tells an index where to begin.
        edge = column <= bound if down != back else column >= bound
        found = and_(edge, or_(further, and_(column == bound, found)))
    return found


async def page(
    session: AsyncSession, asked: Asked, known: Iterable[Source], position: Position | None, *, back: bool
) -> list[Hit]:
    """Return the hits of a page, and one more when there are others further on, in the order of the search.

    Args:
        session: reads only.
        asked: the search.
        known: from `sources`.
        position: where the page begins, itself excluded; with `back`, where it ends.
        back: read towards the beginning.
    """
    found: list[Hit] = []
    order: list[tuple[Any, bool]] = []
    for source in known:
        rank, row, where = source.rank, source.row, [source.where]
        order = _order(asked, row)
        distance = [near.metres(row, _discs(asked))] if asked.near is not None else []
        if position is not None:
            where.append(_after(order, rank, row, position, back=back))
        columns = [row.main.id, row.main.uid, *(column for column, _ in order), *distance]
        sorted_by = [column.desc() if down != back else column.asc() for column, down in order]
        sorted_by.append(row.main.id.desc() if back else row.main.id.asc())
        statement = row.select(columns, where).order_by(*sorted_by).limit(asked.count + 1)
        for one in await session.execute(statement):
            values = tuple(one[2 : 2 + len(order)])
            metres = one[-1] if distance else None
            found.append(Hit(row.kind, one[0], str(one[1]), Position(values, rank, one[0]), metres, row.gone))
    return _merged(found, [down for _, down in order], back=back)[: asked.count + 1]


def _merged(found: list[Hit], downs: Iterable[bool], *, back: bool) -> list[Hit]:
    """Put the hits of several tables in one order, as the database would: texts by code point, the rest by value."""
    merged = sorted(found, key=lambda hit: (hit.position.rank, hit.position.id), reverse=back)
    for index, down in reversed(list(enumerate(downs))):
        merged.sort(key=lambda hit: hit.position.values[index], reverse=down != back)
    return merged


async def total(session: AsyncSession, known: Iterable[Source]) -> int:
    """Return how many resources answer, at the caller's level."""
    found = 0
    for source in known:
        found += int(await session.scalar(source.row.select([func.count()], [source.where])) or 0)
    return found
