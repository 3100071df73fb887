"""Writing of events: last in the transaction, under one lock, so that positions commit in order (DESIGN §3)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from core.models import Event

CHANNEL = "repere_events"
LOCK_KEY = 0x52455045
"""Advisory lock held from the insertion of events to the commit."""


@dataclass(frozen=True, slots=True)
class NewEvent:
    """A change to announce. `entity_id` is an internal key; `load_id` names a bulk publication."""

    kind: str
    entity: str
    entity_id: int | None = None
    load_id: int | None = None


async def record(session: AsyncSession, events: Sequence[NewEvent]) -> int | None:
    """Append events and wake the followers at commit; call it last before committing.

    Returns:
        The last position written, or None when `events` is empty.
    """
    if not events:
        return None
    await session.flush()
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
    rows = await session.scalars(
        insert(Event).returning(Event.position),
        [{"kind": e.kind, "entity": e.entity, "entity_id": e.entity_id, "load_id": e.load_id} for e in events],
    )
    last = max(rows)
    await session.execute(text("SELECT pg_notify(:channel, :position)"), {"channel": CHANNEL, "position": str(last)})
    return last
