"""Use cases of the exports: ask, follow, take up, finish, erase, expire. Nothing here commits."""

import asyncio
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Caller, Limit, take
from core import clock, files
from core.errors import TooMany, Unavailable
from search_api.fhir import export_states as states
from search_api.fhir.export_question import ExportQuestion, selects
from search_api.fhir.outcome import FhirError, Issue
from search_api.models_export import Export
from search_api.settings import export_settings

AT_A_TIME: Final = 2
"""Exports of one caller that wait or run."""
ASKED: Final = Limit("fhir-export", 12, timedelta(hours=1))
"""Exports that one caller asks for; a country's takes some gigabytes for a day."""
KEPT_DAYS: Final = 30
"""How long the row of an export says what became of it."""
_LOCK: Final = 0x52454558


async def ask(
    session: AsyncSession, question: ExportQuestion, caller: Caller, *, owner: str | None, asker: str, request: str
) -> uuid.UUID:
    """Write that an export is asked for; the caller commits, then hands it to the workers.

    Raises:
        FhirError: 400, a filter cannot be read; 429, this caller has enough under way or asked for too many.
        Unavailable: too many exports are waiting in all.
    """
    # Filters are judged before anything is promised.
    await selects(session, question, caller)
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    waiting = select(func.count()).select_from(Export).where(Export.state.in_(states.OPEN))
    if (await session.scalar(waiting.where(Export.asker == asker)) or 0) >= AT_A_TIME:
        raise _throttled(f"{AT_A_TIME} de vos extractions sont en cours : attendez la fin de l’une, ou annulez-la.", 60)
    if (await session.scalar(waiting) or 0) >= export_settings().export_waiting:
        raise Unavailable("Beaucoup d’extractions sont déjà demandées : réessayez dans quelques minutes.")
    if (wait := await take(session, ASKED, asker)) is not None:
        minutes = int(wait.total_seconds() // 60) + 1
        raise _throttled(
            f"Trop d’extractions ont été demandées : la prochaine pourra l’être dans {minutes} min.",
            int(wait.total_seconds()) + 1,
        )
    export = Export(
        owner=owner,
        asker=asker,
        level=caller.level,
        zone=list(caller.zone),
        request=request,
        question=question.model_dump(mode="json"),
    )
    session.add(export)
    await session.flush()
    return export.uid


def _throttled(told: str, seconds: int) -> FhirError:
    return FhirError(TooMany.status, Issue(told, "throttled"), headers={"Retry-After": str(seconds)})


async def find(session: AsyncSession, uid: uuid.UUID, caller: Caller, owner: str | None) -> Export:
    """Return an export that this caller may follow.

    Raises:
        FhirError: 404, there is none, or it is another's, or was cancelled; 410, its files are no longer kept.
    """
    export = await session.scalar(select(Export).where(Export.uid == uid))
    if export is None or export.state == "cancelled" or not _may_follow(export, caller, owner):
        raise FhirError(404, Issue("Cette extraction n’existe pas, ou a été annulée.", "not-found"))
    if export.state == "expired" or await _is_over(session, export):
        raise FhirError(410, Issue("Cette extraction n’est plus gardée : demandez-en une nouvelle.", "deleted"))
    return export


def _may_follow(export: Export, caller: Caller, owner: str | None) -> bool:
    """Tell whether an export is this caller's, who may still read as much as when it asked."""
    if export.owner is None:
        return True
    return export.owner == owner and export.level <= caller.level and tuple(export.zone) == caller.zone


async def _is_over(session: AsyncSession, export: Export) -> bool:
    return export.expires_at is not None and export.expires_at <= await clock.now(session)


async def _locked(session: AsyncSession, uid: uuid.UUID) -> Export | None:
    return await session.scalar(
        select(Export).where(Export.uid == uid).with_for_update().execution_options(populate_existing=True)
    )


async def claim(session: AsyncSession, uid: uuid.UUID) -> Export | None:
    """Take up the work of an export; None when it is done, in other hands, or when others come first."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    export = await _locked(session, uid)
    if export is None:
        return None
    now = await clock.now(session)
    if export.state == "asked":
        alive = select(func.count()).select_from(Export)
        alive = alive.where(Export.state == "running", Export.touched_at > now - states.SILENT)
        if (await session.scalar(alive) or 0) >= export_settings().export_at_once:
            return None
        states.pass_to(export, "running", now, "écriture commencée")
    elif states.stalled(export, now):
        states.pass_to(export, "running", now, "écriture reprise, la précédente ne répondait plus")
    else:
        return None
    export.attempt += 1
    export.progress, export.written, export.output, export.deleted = 0, 0, [], []
    return export


async def advance(
    session: AsyncSession, uid: uuid.UUID, attempt: int, *, progress: int, written: int, output: list[dict[str, Any]]
) -> bool:
    """Write how far the work is, which is also a sign of life; False when it must stop: cancelled, or taken over."""
    export = await _locked(session, uid)
    if export is None or export.state != "running" or export.attempt != attempt:
        return False
    export.progress, export.written, export.output = progress, written, output
    export.touched_at = await clock.now(session)
    return True


async def finish(
    session: AsyncSession,
    uid: uuid.UUID,
    attempt: int,
    *,
    output: list[dict[str, Any]],
    deleted: list[dict[str, Any]],
    written: int,
) -> None:
    """Write that an export is ready, and until when it is kept."""
    export = await _locked(session, uid)
    if export is not None and export.state == "running" and export.attempt == attempt:
        now = await clock.now(session)
        export.output, export.deleted, export.written, export.progress = output, deleted, written, 100
        export.expires_at = now + timedelta(hours=export_settings().export_hours)
        states.pass_to(export, "ready", now, "écriture terminée")


async def fail(session: AsyncSession, uid: uuid.UUID, attempt: int, reason: str) -> None:
    """Write why an export could not be made."""
    export = await _locked(session, uid)
    if export is not None and export.state == "running" and export.attempt == attempt:
        now = await clock.now(session)
        export.reason = reason
        export.expires_at = now + timedelta(hours=export_settings().export_hours)
        states.pass_to(export, "failed", now, reason)


async def cancel(session: AsyncSession, export: Export) -> None:
    """Stop an export, or erase what it gave; its files follow once nothing else names them."""
    locked = await _locked(session, export.uid)
    if locked is not None and "cancelled" in states.TRANSITIONS[locked.state]:
        states.pass_to(locked, "cancelled", await clock.now(session), "annulée par son demandeur")


async def left_behind(session: AsyncSession) -> list[uuid.UUID]:
    """Return the exports that no one works on: others came first, their message was lost, or their process died."""
    now = await clock.now(session)
    found = await session.scalars(
        select(Export.uid)
        .where(
            or_(
                (Export.state == "asked") & (Export.touched_at < now - states.WAITED),
                (Export.state == "running") & (Export.touched_at < now - states.SILENT),
            )
        )
        .order_by(Export.id)
        .limit(export_settings().export_waiting)
    )
    return list(found)


async def next_asked(session: AsyncSession) -> uuid.UUID | None:
    """Return the export that waits for longest."""
    return await session.scalar(select(Export.uid).where(Export.state == "asked").order_by(Export.id).limit(1))


async def expire(session: AsyncSession) -> None:
    """Close the exports whose time is over, and forget those of long ago whose files are gone."""
    now = await clock.now(session)
    over = select(Export).where(Export.state.in_(("ready", "failed")), Export.expires_at <= now).order_by(Export.id)
    for export in await session.scalars(over.with_for_update()):
        states.pass_to(export, "expired", now, "durée de garde dépassée")
    old = select(Export).where(Export.asked_at < now - timedelta(days=KEPT_DAYS))
    old = old.where(Export.state.in_(("cancelled", "expired")), Export.output == [], Export.deleted == [])
    for export in await session.scalars(old):
        await session.delete(export)


async def erase(session: AsyncSession) -> int:
    """Remove the files of exports that are over, where no other names them; return how many contents went.

    A file that was written a short while ago stays: the export that also holds it may not be committed yet.
    """
    over = (await session.scalars(_with_files(("cancelled", "expired")))).all()
    alive = (await session.scalars(_with_files(("asked", "running", "ready")))).all()
    kept = {file["digest"] for export in alive for file in _files(export)}
    removed = 0
    for export in over:
        mine = {file["digest"] for file in _files(export)} - kept
        removed += sum(await asyncio.to_thread(lambda found: [files.discard(one) for one in found], sorted(mine)))
        if not any(files.path_of(one).exists() for one in mine):
            export.output, export.deleted = [], []
    return removed


def _with_files(which: Sequence[str]) -> Any:
    return select(Export).where(Export.state.in_(which)).order_by(Export.id)


def _files(export: Export) -> list[dict[str, Any]]:
    return [*export.output, *export.deleted]
