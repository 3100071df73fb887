"""Use cases of the coverage reports: ask, follow, take up, finish, purge. Nothing here commits."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock, files
from core.errors import InvalidInput, NotFound, Unavailable
from directory.api import PUBLIC, concept_index
from search_api import service as search
from search_api.addresses import Pair
from search_api.coverage import question as questions
from search_api.coverage import states, words
from search_api.coverage.figures import Summary
from search_api.coverage.question import Question
from search_api.coverage.schemas import CoverageFiles, CoverageStatus
from search_api.models_coverage import CoverageReport
from search_api.settings import coverage_settings
from search_api.widen import unread

AT_ONCE: Final = 300
"""Communes up to which a report is established in the request that asks for it."""
GONE: Final = "Ce rapport n’existe pas, ou n’est plus gardé. Posez de nouveau la question."


@dataclass(frozen=True, slots=True)
class Asked:
    """A report that was asked for: new or already there; whether it must be worked on, and where."""

    uid: uuid.UUID
    to_do: bool
    at_once: bool


async def ask(session: AsyncSession, pairs: Sequence[Pair], zone: Sequence[str] = ()) -> Asked:
    """Find the report of a question on the data as they are, or write that it is asked for; the caller commits.

    Nothing outside `zone` is counted, when who asks has one.

    Raises:
        InvalidInput: the question is refused (French message at the field).
        Unavailable: too many reports are already waiting.
    """
    asked = await asyncio.to_thread(questions.read, list(pairs), zone)
    # The codes and the words of the question are judged before anything is promised.
    prepared = await search.prepare(session, asked.query, PUBLIC)
    if refused := unread(prepared.reading.unknown):
        # A word that nothing reads would draw a territory without care.
        message = " ".join(refused)
        raise InvalidInput(message, fields={"q": message})
    mark = await questions.fingerprint(session, asked)
    at_once = len(asked.communes) <= AT_ONCE
    found = await _by_fingerprint(session, mark)
    if found is None:
        if not at_once:
            await _refuse_when_crowded(session)
        created = await _create(session, asked, mark)
        if created is not None:
            return Asked(created, True, at_once)
        # Another tab was quicker by an instant.
        found = await _by_fingerprint(session, mark)
        if found is None:
            raise Unavailable("Le rapport n’a pas pu être enregistré : réessayez dans un instant.")
    now = await clock.now(session)
    lost = found.state == "ready" and not await asyncio.to_thread(_present, found.files)
    if found.state == "failed" or lost:
        found.reason, found.progress = None, 0
        states.pass_to(found, "asked", now, "fichiers perdus" if lost else "demandé de nouveau")
        return Asked(found.uid, True, at_once)
    return Asked(found.uid, states.stalled(found, now), at_once)


def _present(named: dict[str, str]) -> bool:
    return all(files.path_of(digest).is_file() for digest in named.values())


async def _by_fingerprint(session: AsyncSession, mark: str) -> CoverageReport | None:
    return await session.scalar(select(CoverageReport).where(CoverageReport.fingerprint == mark).with_for_update())


async def _create(session: AsyncSession, asked: Question, mark: str) -> uuid.UUID | None:
    now = await clock.now(session)
    what = questions.what_label(asked.query, await concept_index(session))
    values = {
        "fingerprint": mark,
        "question": [list(pair) for pair in asked.pairs],
        "zone": list(asked.query.zone),
        "title": f"{what} · {asked.where}"[:400],
        "communes": len(asked.communes),
        "asked_at": now,
        "touched_at": now,
    }
    statement = insert(CoverageReport).values(values).on_conflict_do_nothing(index_elements=["fingerprint"])
    return await session.scalar(statement.returning(CoverageReport.uid))


async def _refuse_when_crowded(session: AsyncSession) -> None:
    waiting = select(func.count()).select_from(CoverageReport).where(CoverageReport.state.in_(("asked", "running")))
    if (await session.scalar(waiting) or 0) >= coverage_settings().coverage_waiting:
        raise Unavailable("Beaucoup de rapports sont déjà demandés : réessayez dans quelques minutes.")


async def find(session: AsyncSession, uid: uuid.UUID, zone: Sequence[str] = ()) -> CoverageReport:
    """Return a report; to who has a zone, only one that is limited to the same.

    Raises:
        NotFound: there is none, or no longer, or it tells of more than the zone.
    """
    wanted = select(CoverageReport).where(CoverageReport.uid == uid)
    if zone:
        wanted = wanted.where(CoverageReport.zone == sorted(set(zone)))
    found = await session.scalar(wanted)
    if found is None:
        raise NotFound(GONE)
    return found


async def status(session: AsyncSession, report: CoverageReport) -> CoverageStatus:
    """Say where a report stands."""
    now = await clock.now(session)
    still = states.stalled(report, now)
    base = f"/api/v1/coverage/{report.uid}"
    ready = report.state == "ready"
    return CoverageStatus.model_validate(
        {
            "id": report.uid,
            "title": report.title,
            "state": report.state,
            "state_label": next(label for state, label in states.LABELS.items() if state == report.state),
            "progress": report.progress,
            "message": _message(report, still=still),
            "stalled": still,
            "asked_at": report.asked_at,
            "ready_at": report.ready_at,
            "communes": report.communes,
            "page": f"/couverture/{report.uid}",
            "summary": Summary.model_validate(report.summary) if ready else None,
            "files": CoverageFiles(
                html=f"{base}/map.html", xlsx=f"{base}/report.xlsx", geojson=f"{base}/communes.geojson"
            )
            if ready
            else None,
        }
    )


def _message(report: CoverageReport, *, still: bool) -> str:
    if report.state == "ready":
        nothing = words.nothing(Summary.model_validate(report.summary))
        return f"Le rapport est prêt. {nothing}" if nothing else "Le rapport est prêt."
    if report.state == "failed":
        return report.reason or "Le rapport n’a pas pu être établi."
    if still and report.state == "asked":
        return (
            "Le calcul n’a pas commencé : le service qui fait les longs calculs ne répond pas. Votre demande est "
            "gardée et sera faite dès qu’il reprendra ; prévenez l’exploitant si cela dure."
        )
    if still:
        return (
            "Le calcul n’avance plus : le service qui le fait s’est sans doute arrêté. Il sera repris dès que ce "
            "service reviendra ; prévenez l’exploitant si cela dure."
        )
    if report.state == "asked":
        return "Le rapport est demandé, le calcul va commencer."
    return f"Calcul en cours : {report.progress} %."


async def claim(session: AsyncSession, uid: uuid.UUID) -> tuple[list[Pair], list[str]] | None:
    """Take up the work of a report and return its question and zone; None when it is done, or in other hands."""
    report = await _locked(session, uid)
    if report is None:
        return None
    now = await clock.now(session)
    if report.state == "asked":
        states.pass_to(report, "running", now, "calcul commencé")
    elif report.state == "running" and states.stalled(report, now):
        states.pass_to(report, "running", now, "calcul repris, le précédent ne répondait plus")
    else:
        return None
    report.progress = 0
    return [(name, value) for name, value in report.question], report.zone


async def advance(session: AsyncSession, uid: uuid.UUID, progress: int) -> None:
    """Write how far the work is, which is also a sign of life."""
    report = await find(session, uid)
    if report.state == "running":
        report.progress = progress
        report.touched_at = await clock.now(session)


async def finish(session: AsyncSession, uid: uuid.UUID, summary: Summary, named: dict[str, str]) -> None:
    """Write that a report is ready; without effect when another work was quicker."""
    report = await _locked(session, uid)
    if report is not None and report.state == "running":
        now = await clock.now(session)
        report.summary, report.files = summary.model_dump(), named
        report.progress, report.ready_at = 100, now
        states.pass_to(report, "ready", now, "calcul terminé")


async def fail(session: AsyncSession, uid: uuid.UUID, reason: str) -> None:
    """Write why a report could not be established."""
    report = await _locked(session, uid)
    if report is not None and report.state in ("asked", "running"):
        report.reason = reason
        states.pass_to(report, "failed", await clock.now(session), reason)


async def _locked(session: AsyncSession, uid: uuid.UUID) -> CoverageReport | None:
    return await session.scalar(select(CoverageReport).where(CoverageReport.uid == uid).with_for_update())


async def left_behind(session: AsyncSession) -> list[uuid.UUID]:
    """Return the reports that no one works on: their message was lost, or their process died."""
    now = await clock.now(session)
    asked, touched = CoverageReport.state, CoverageReport.touched_at
    found = await session.scalars(
        select(CoverageReport.uid)
        .where(
            or_(
                (asked == "asked") & (touched < now - states.WAITED),
                (asked == "running") & (touched < now - states.SILENT),
            )
        )
        .order_by(CoverageReport.id)
        .limit(coverage_settings().coverage_waiting)
    )
    return list(found)


async def purge(session: AsyncSession) -> list[str]:
    """Remove the reports asked for long ago; return the contents that no report names any longer.

    The caller commits, then discards the files: a row never names a file that is gone.
    """
    limit = await clock.now(session) - timedelta(days=coverage_settings().coverage_days)
    gone = await session.scalars(
        delete(CoverageReport).where(CoverageReport.asked_at < limit).returning(CoverageReport.files)
    )
    digests = {digest for named in gone for digest in named.values()}
    if not digests:
        return []
    kept = {digest for named in await session.scalars(select(CoverageReport.files)) for digest in named.values()}
    return sorted(digests - kept)
