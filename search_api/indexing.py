"""Building of what the search keeps beside the directory: the words of names."""

import time
from dataclasses import dataclass

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.events import NewEvent, record
from core.models import Event
from directory.api import refresh_places
from search_api.models import IndexState, Token

NAMES_INDEX = "names"
PUBLICATIONS = ("published", "published_full")
_LOCK = 0x52455349
"""Advisory lock: two builds at once would write the same words twice."""


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What a build did. `position` is the last event that it takes into account."""

    words: int
    position: int
    seconds: float


async def build(session: AsyncSession) -> IndexReport:
    """Build again the words of names, from the names that the public may find, and what contains each offer.

    The caller commits. Readers see the former words until then. About 5 s for the country.
    """
    begun = time.monotonic()
    await session.execute(text("SELECT set_config('statement_timeout', '0', true)"))
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    position = int(await session.scalar(select(func.coalesce(func.max(Event.position), 0))) or 0)
    moved = await refresh_places(session)
    await session.execute(text("DELETE FROM search_api.token"))
    # Parts of compound names stand beside the compound itself: only plain words are mended to.
    await session.execute(
        text(
            "INSERT INTO search_api.token (token, offers)"
            " SELECT word, ndoc FROM ts_stat('SELECT names FROM directory.offer_search WHERE NOT sensitive')"
            " WHERE length(word) BETWEEN 2 AND 40 AND word ~ '^[a-z0-9]+$'"
        )
    )
    words = int(await session.scalar(select(func.count()).select_from(Token)) or 0)
    state = insert(IndexState).values(name=NAMES_INDEX, position=position)
    await session.execute(
        state.on_conflict_do_update(
            index_elements=[IndexState.name], set_={"position": position, "built_at": func.now()}
        )
    )
    if moved:
        # The followers' indexes hold what contains each offer too.
        await record(session, [NewEvent(kind="places_refreshed", entity="place")])
    return IndexReport(words=words, position=position, seconds=round(time.monotonic() - begun, 2))


async def stale(session: AsyncSession) -> bool:
    """Tell whether registers were published since the last build."""
    built = await session.scalar(select(IndexState.position).where(IndexState.name == NAMES_INDEX))
    newest = await session.scalar(select(func.max(Event.position)).where(Event.kind.in_(PUBLICATIONS)))
    return newest is not None and (built is None or newest > built)
