"""What comes with the results: what they refer to, what refers to them, each once and within a bound."""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from search_api.fhir.kinds import Kind
from search_api.fhir.search.references import among
from search_api.fhir.search.request import Include
from search_api.fhir.search.rows import Context, Row

MOST: Final = 1000
"""Resources that come with one page."""
ROUNDS: Final = 6
"""Steps that repeated inclusions take from the results."""

Key = tuple[Kind, int]


async def included(
    session: AsyncSession, includes: Sequence[Include], matches: Iterable[Key], context: Context
) -> tuple[list[Key], bool]:
    """Return what comes with some results, in the order of discovery, and whether the bound left some out."""
    known = set(matches)
    edge = known
    found: list[Key] = []
    for turn in range(ROUNDS):
        new: dict[Key, None] = {}
        for include in includes:
            if turn and not include.repeated:
                continue
            for key in await _one(session, include, edge, context, MOST + len(known) + 1):
                if key not in known:
                    new[key] = None
        if not new:
            break
        room = MOST - len(found)
        if len(new) > room:
            return [*found, *list(new)[:room]], True
        found += new
        known |= new.keys()
        edge = set(new)
    return found, False


async def _one(session: AsyncSession, include: Include, edge: set[Key], context: Context, most: int) -> list[Key]:
    found: list[Key] = []
    for parameter in include.parameters:
        for kind, link in parameter.fields.items():
            row = Row(kind, context)
            if include.back:
                ids = [one for name, one in edge if name == link.target]
                statement = row.ids(link.leads_to(row, ids))
                name = kind
            else:
                ids = [one for name, one in edge if name == kind]
                target = Row(link.target, context)
                statement = target.ids(target.main.id.in_(row.select([link.key(row)], [among(row.main.id, ids)])))
                row, name = target, link.target
            if ids:
                rows = await session.scalars(statement.order_by(row.main.id).limit(most))
                found += [(name, one) for one in rows]
    return found
