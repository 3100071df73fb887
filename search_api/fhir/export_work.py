"""The work of an export: everything read in one snapshot, written line by line, whatever the size."""

import asyncio
import gc
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self

import orjson
import structlog
from sqlalchemy import Select, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Caller
from core import files
from core.db import unit_of_work, was_stopped
from core.errors import DomainError
from search_api.fhir import export_service as service
from search_api.fhir import export_since, positions, rows
from search_api.fhir.codes import Codes
from search_api.fhir.export_question import ExportQuestion, selects
from search_api.fhir.kinds import KINDS_OF_TYPE, RESOURCE_TYPES, Kind
from search_api.fhir.render import lines, prepare
from search_api.fhir.search.type_filter import Filter
from search_api.models_export import Export
from search_api.settings import export_settings

log = structlog.get_logger("repere.fhir")

FAILED: Final = "Une erreur inattendue a arrêté l’extraction ; elle a été consignée. Demandez-en une nouvelle."
TOO_LONG: Final = "L’extraction demandait trop de temps à la base de données. Demandez moins de types, ou un filtre."
MINUTES: Final = 20
"""What the database may take for one statement."""
BATCH: Final = 1_000
"""Resources made at once: enough for statements to be worth their way, few enough to be small."""
SIGN_OF_LIFE: Final = 2.0
"""Seconds between two signs of life."""
GONE_TOGETHER: Final = 500
"""Deletions of one Bundle."""
_EXPORTING: Final = "repere-export"


class Stopped(Exception):
    """The export was cancelled, or another process took it up."""


@dataclass
class Progress:
    """What was written so far, and who is told now and then; whoever is told may stop the work by `Stopped`."""

    teller: Callable[["Progress"], Awaitable[None]] | None = None
    expected: int = 0
    written: int = 0
    output: list[dict[str, Any]] = field(default_factory=list)
    told: float = field(default_factory=time.monotonic)

    @property
    def percent(self) -> int:
        """How far the work is; the end is for whoever closes it to say."""
        return min(99, self.written * 100 // self.expected) if self.expected else 0

    async def tell(self, *, now: bool = False) -> None:
        """Tell, unless that was done a moment ago."""
        if self.teller is not None and (now or time.monotonic() - self.told >= SIGN_OF_LIFE):
            self.told = time.monotonic()
            await self.teller(self)


async def carry_out(uid: uuid.UUID) -> None:
    """Write an export, unless it is ready or in other hands; whatever happens, its row says how it ended."""
    async with unit_of_work() as session:
        export = await service.claim(session, uid)
    if export is None:
        return
    try:
        await _write(export)
    except Stopped:
        log.info("export_stopped", export=str(uid))
    except DomainError as error:
        await _fail(export, error.detail)
    except DBAPIError as error:
        await _fail(export, TOO_LONG if was_stopped(error) else FAILED)
        if not was_stopped(error):
            raise
        log.warning("export_time_limit", export=str(uid))
    except BaseException:
        await _fail(export, FAILED)
        raise


async def _fail(export: Export, reason: str) -> None:
    async with unit_of_work() as session:
        await service.fail(session, export.uid, export.attempt, reason)


async def _write(export: Export) -> None:
    question = ExportQuestion.model_validate(export.question)
    caller = Caller(level=export.level, zone=tuple(export.zone))

    async def tell(progress: Progress) -> None:
        async with unit_of_work() as other:
            going = await service.advance(
                other,
                export.uid,
                export.attempt,
                progress=progress.percent,
                written=progress.written,
                output=progress.output,
            )
        if not going:
            raise Stopped

    progress = Progress(tell)
    at = await _settled_until()
    async with unit_of_work() as session:
        # Types refer to one another: all must be of one instant.
        await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        await session.execute(text(f"SET LOCAL statement_timeout = '{MINUTES}min'"))
        await session.execute(text(f"SET LOCAL application_name = '{_EXPORTING}'"))
        position = await positions.head(session, export.level)
        async with unit_of_work() as other:
            await other.execute(_stamp(export, position, at))
        deleted = await write(session, question, caller, progress)
    async with unit_of_work() as session:
        await service.finish(
            session,
            export.uid,
            export.attempt,
            output=progress.output,
            deleted=deleted,
            written=progress.written,
        )


async def write(
    session: AsyncSession, question: ExportQuestion, caller: Caller, progress: Progress
) -> list[dict[str, Any]]:
    """Write the files of what is asked for, noted in `progress.output`; return the files of what left since."""
    limits = await selects(session, question, caller)
    wanted = {
        kind: export_since.wanted(kind, caller, question.since, limits.get(kind, []))
        for name in question.types
        for kind in KINDS_OF_TYPE[name]
    }
    for statement in wanted.values():
        counted = select(func.count()).select_from(statement.order_by(None).subquery())
        progress.expected += int(await session.scalar(counted) or 0)
    await progress.tell(now=True)
    with _without_pauses():
        for name in question.types:
            await _write_type(session, name, wanted, caller, progress)
    deleted = []
    if question.since is not None:
        for name in question.types:
            deleted += await _write_left(session, name, caller, question.since, limits, progress)
    return deleted


@contextmanager
def _without_pauses() -> Iterator[None]:
    """Keep the collector from walking, again and again, resources that hold no cycle and die with their batch."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _stamp(export: Export, position: int, at: datetime) -> Any:
    return (
        update(Export)
        .where(Export.uid == export.uid, Export.attempt == export.attempt)
        .values(position=position, transaction_time=at)
    )


async def _settled_until() -> datetime:
    """Return the instant before which nothing more will be dated.

    A row is dated by the beginning of the transaction that writes it, and a publication lasts minutes: what is under
    way now would otherwise be missed by the next export, which asks what changed since this one.
    """
    running = text(
        "SELECT least(core.now(), (SELECT min(xact_start) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND application_name <> :exporting))"
    )
    async with unit_of_work() as session:
        found = await session.scalar(running, {"exporting": _EXPORTING})
    assert isinstance(found, datetime)  # noqa: S101 - least() of an instant is one
    return found.astimezone(UTC)


async def _write_type(
    session: AsyncSession, name: str, wanted: dict[Kind, Select[Any]], caller: Caller, progress: Progress
) -> None:
    """Write the files of a type, the database reading a batch while the one before is being written."""
    codes = await prepare(session)
    with _Volumes(name, progress.output, export_settings().export_lines) as volumes:
        for kind in KINDS_OF_TYPE[name]:
            batches = _batches(session, kind, wanted[kind], caller)
            batch = await anext(batches, None)
            while batch is not None:
                following = asyncio.ensure_future(anext(batches, None))
                try:
                    progress.written += await asyncio.to_thread(volumes.add, kind, batch, codes)
                    gc.collect(0)
                    await progress.tell()
                finally:
                    batch = await following
        await asyncio.to_thread(volumes.close)


async def _batches(
    session: AsyncSession, kind: Kind, statement: Select[Any], caller: Caller
) -> AsyncIterator[rows.Batch]:
    """Read rows by ids that come through a cursor, so that their number costs no memory."""
    result = await session.stream(statement, execution_options={"yield_per": BATCH})
    async for part in result.partitions(BATCH):
        yield await rows.read(session, kind, [row[0] for row in part], caller)


class _Volumes:
    """The files of a type: each holds a bounded number of lines, so that one may be taken again alone; blocking."""

    def __init__(self, name: str, output: list[dict[str, Any]], most: int) -> None:
        self._name = name
        self._output = output
        self._most = most
        self._number = self._lines = 0
        self._writing: files.Writing | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._writing is not None:
            self._writing.__exit__(kind, error, at)

    def add(self, kind: Kind, batch: rows.Batch, codes: Codes) -> int:
        """Write the resources of a batch; return how many."""
        found = lines(kind, batch, codes)
        for line in found:
            if self._writing is None:
                self._number, self._lines, self._writing = self._number + 1, 0, files.Writing()
            self._writing.write(line)
            self._lines += 1
            if self._lines == self._most:
                self.close()
        return len(found)

    def close(self) -> None:
        """Keep the file that is being written."""
        if self._writing is None:
            return
        with self._writing as writing:
            digest, size = writing.keep(), writing.size
        self._writing = None
        name = f"{self._name}-{self._number}"
        self._output.append({"type": self._name, "name": name, "digest": digest, "count": self._lines, "size": size})


async def _write_left(
    session: AsyncSession,
    name: str,
    caller: Caller,
    since: datetime,
    limits: Mapping[Kind, Sequence[Filter]],
    progress: Progress,
) -> list[dict[str, Any]]:
    """Write what left the directory or the filters since an instant, as Bundles of deletions, if anything did."""
    bundles = 0
    with files.Writing() as writing:
        for kind in KINDS_OF_TYPE[name]:
            statement = export_since.left(kind, caller, since, limits.get(kind, []))
            found = await session.stream(statement, execution_options={"yield_per": GONE_TOGETHER})
            async for part in found.partitions(GONE_TOGETHER):
                writing.write(_deletions(RESOURCE_TYPES[kind], [str(row.uid) for row in part]))
                bundles += 1
                await progress.tell()
        if not bundles:
            return []
        digest = await asyncio.to_thread(writing.keep)
        return [{"type": "Bundle", "name": f"{name}-deleted", "digest": digest, "count": bundles, "size": writing.size}]


def _deletions(name: str, uids: list[str]) -> bytes:
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"request": {"method": "DELETE", "url": f"{name}/{uid}"}} for uid in uids],
    }
    return orjson.dumps(bundle, option=orjson.OPT_APPEND_NEWLINE)
