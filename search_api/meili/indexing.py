"""Loading of the index, whole or event by event. A position is written once Meilisearch has taken in what it names."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from meilisearch_python_sdk import AsyncClient
from meilisearch_python_sdk.models.task import TaskInfo
from sqlalchemy import ColumnElement, Select, func, select, text, union
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Conflict
from core.models import Event
from directory.api import LoadChange, Offer, OfferSearch, Role
from search_api.columns.changes import REBUILD_KINDS
from search_api.meili.client import Server, exists, finished
from search_api.meili.documents import document, index_name, index_settings, rows
from search_api.meili.settings import MeiliSettings
from search_api.models import IndexState

BATCH = 2_000
"""Documents sent at once, about 2 MB."""
QUEUED = 8
"""Batches that may wait in the server: it refuses none, but its queue stands on its disk."""
EVENTS = 2_000
"""Events taken in at once."""
BULK = 50_000
"""Offers changed by one publication from which a whole load is the shorter way."""
_LOCK = 0x52454D53
"""Advisory lock: a follower must not write a position while a load prepares another index."""

Advance = Callable[[int, int], None]
"""Told of the documents sent, and of how many there are in all."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a whole load did. `position` is the last event that it takes into account."""

    documents: int
    position: int
    seconds: float


def state(settings: MeiliSettings) -> ColumnElement[bool]:
    """The row that tells up to which event the index was written."""
    return IndexState.name == f"meilisearch:{index_name(settings)}"


async def load(session: AsyncSession, server: Server, advance: Advance | None = None) -> LoadReport:
    """Load every offer into a new index, then put it in place of the one that is searched, at once.

    The caller commits. Searches use the former index until the exchange; an interrupted load leaves it as it was.

    Raises:
        core.errors.Conflict: another load is under way.
        core.errors.Unavailable: the server cannot be reached, refuses, or fails a task.
    """
    if not await session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}):
        raise Conflict("Un chargement de Meilisearch est déjà en cours : attendez sa fin.")
    begun = time.monotonic()
    await session.execute(text("SELECT set_config('statement_timeout', '0', true)"))
    # Read before the rows: what is written meanwhile is taken in again by the follower, to the same effect.
    position = await _newest(session)
    live = index_name(server.settings)
    fresh = f"{live}-new"
    async with server.writing() as client:
        await _drop(client, fresh)
        await _create(client, fresh)
        await finished(client, await client.index(fresh).update_settings(index_settings()))
        sent = await _fill(session, client, fresh, advance or (lambda done, total: None))
        await _create(client, live)
        await finished(client, await client.swap_indexes([(live, fresh)]))
        await _drop(client, fresh)
    await _remember(session, server.settings, position)
    return LoadReport(documents=sent, position=position, seconds=round(time.monotonic() - begun, 2))


async def catch_up(session: AsyncSession, server: Server) -> int:
    """Take in the events written since the index was; load it whole where it is missing. The caller commits.

    Returns:
        The last event taken in; 0 when a load or another follower is at work.

    Raises:
        core.errors.Unavailable: the server cannot be reached, refuses, or fails a task; nothing is lost then.
    """
    if not await session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}):
        return 0
    position = await session.scalar(select(IndexState.position).where(state(server.settings)))
    async with server.writing() as client:
        missing = position is None or not await exists(client, index_name(server.settings))
    if missing or position is None:
        return (await load(session, server)).position
    while True:
        statement = select(Event).where(Event.position > position).order_by(Event.position).limit(EVENTS)
        events = (await session.scalars(statement)).all()
        if not events:
            return int(position)
        if await _needs_load(session, events):
            return (await load(session, server)).position
        await apply(session, server, events)
        position = events[-1].position
        await _remember(session, server.settings, position)


async def apply(session: AsyncSession, server: Server, events: Sequence[Event]) -> int:
    """Write again the documents of the offers that events concern, as the offers are now: twice does no harm.

    Returns:
        How many offers were written or removed.
    """
    concerned = await session.scalars(_concerned(events))
    ids = sorted(set(concerned))
    if ids:
        async with server.writing() as client:
            for start in range(0, len(ids), BATCH):
                await _rewrite(session, client, index_name(server.settings), ids[start : start + BATCH])
    return len(ids)


def _concerned(events: Sequence[Event]) -> Select[int]:
    """Select the offers that events name: themselves, by their site, or by what a publication changed."""
    offers = [event.entity_id for event in events if event.entity == "offer"]
    sites = [event.entity_id for event in events if event.entity == "site"]
    loads = [event.load_id for event in events if event.entity == "load"]

    def changed(entity: str) -> Select[int]:
        return select(LoadChange.entity_id).where(LoadChange.load_id.in_(loads), LoadChange.entity == entity)

    ways = union(
        select(Offer.id).where(Offer.id.in_(offers)),
        select(Offer.id).where(Offer.site_id.in_(sites)),
        select(Offer.id).where(Offer.id.in_(changed("offer"))),
        select(Offer.id).where(Offer.site_id.in_(changed("site"))),
        select(Offer.id).where(Offer.role_id.in_(changed("role"))),
        select(Offer.id).join(Role, Role.id == Offer.role_id).where(Role.practitioner_id.in_(changed("practitioner"))),
        select(Offer.id).join(Role, Role.id == Offer.role_id).where(Role.site_id.in_(changed("site"))),
    ).subquery()
    return select(ways.c.id)


async def _needs_load(session: AsyncSession, events: Sequence[Event]) -> bool:
    if any(event.kind in REBUILD_KINDS for event in events):
        return True
    loads = [event.load_id for event in events if event.entity == "load"]
    if not loads:
        return False
    statement = select(func.count()).select_from(LoadChange).where(LoadChange.load_id.in_(loads))
    return int(await session.scalar(statement) or 0) > BULK


async def _rewrite(session: AsyncSession, client: AsyncClient, index: str, ids: Collection[int]) -> None:
    documents = [document(row) for row in await session.execute(rows(ids))]
    gone = sorted(set(ids) - {one["id"] for one in documents})
    tasks: list[TaskInfo] = []
    if documents:
        tasks.append(await client.index(index).add_documents(documents, "id"))
    if gone:
        tasks.append(await client.index(index).delete_documents([str(one) for one in gone]))
    for task in tasks:
        await finished(client, task)


async def _fill(session: AsyncSession, client: AsyncClient, index: str, advance: Advance) -> int:
    """Send every document, a batch in memory at a time, and wait until the server has taken them in."""
    total = int(await session.scalar(select(func.count()).select_from(OfferSearch)) or 0)
    sent = 0
    waiting: list[TaskInfo] = []
    stream = await session.stream(rows(), execution_options={"yield_per": BATCH})
    async for part in stream.partitions(BATCH):
        waiting.append(await client.index(index).add_documents([document(row) for row in part], "id"))
        sent += len(part)
        while len(waiting) > QUEUED:
            await finished(client, waiting.pop(0))
        advance(sent, total)
    for task in waiting:
        await finished(client, task)
    return sent


async def _create(client: AsyncClient, index: str) -> None:
    """Create an index, unless it is there."""
    if not await exists(client, index):
        await client.create_index(index, "id", timeout_in_ms=60_000)


async def _drop(client: AsyncClient, index: str) -> None:
    if await exists(client, index):
        await finished(client, await client.index(index).delete())


async def _newest(session: AsyncSession) -> int:
    return int(await session.scalar(select(func.coalesce(func.max(Event.position), 0))) or 0)


async def _remember(session: AsyncSession, settings: MeiliSettings, position: int) -> None:
    statement = insert(IndexState).values(name=f"meilisearch:{index_name(settings)}", position=position)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[IndexState.name], set_={"position": position, "built_at": func.clock_timestamp()}
        )
    )
