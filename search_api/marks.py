"""The mark of the data that public answers are drawn from: what a process looks at before it answers again the same."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from core.conditional import Answers
from maps.api import places_version, ready
from search_api.columns.engine import ColumnsEngine
from search_api.engine import SearchEngine
from search_api.engines import engine

KEPT: Final = Answers(48 * 2**20)
"""Public answers of this process about maps and features."""

_MARK: Final = text("SELECT (SELECT max(position) FROM core.event), (SELECT max(built_at) FROM search_api.index_state)")


async def data_mark(session: AsyncSession) -> str:
    """Return what changes with any change of the directory, of the places, or of what contains what.

    Never send it: the position of events moves with the edit of a restricted contact or of a sensitive offer too,
    and would tell that one took place. Validators are digests of public answers (`core.conditional`); the mark
    only says how long such a digest is known to hold. Every writer of the directory records an event in its own
    transaction; a build of the index, which may attach offers to new containers, leaves its time. An engine that
    follows the events may be a moment behind the tables: what it says then holds only until it catches up.
    """
    await ready()
    position, built_at = (await session.execute(_MARK)).one()
    return f"{position} {await engine().position(session)} {built_at} {places_version()}"


async def map_mark(session: AsyncSession, chosen: SearchEngine) -> str:
    """Return what changes with any change of what an engine answers: of an index, how far it goes, asked of nobody."""
    if chosen.name != ColumnsEngine.name:
        return await data_mark(session)
    await ready()
    return f"{chosen.name} {await chosen.position(session)} {places_version()}"
