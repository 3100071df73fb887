"""Background work of the coverage reports: the long ones, those left behind, and the purge."""

import asyncio
import uuid

import structlog
from celery.schedules import crontab
from kombu.exceptions import OperationalError

from core import files, tasks
from core.db import unit_of_work
from search_api.coverage import service, work

log = structlog.get_logger("repere.coverage")

TAKEN_UP_SECONDS = 60.0

tasks.app.conf.beat_schedule = (tasks.app.conf.beat_schedule or {}) | {
    "coverage-left-behind": {"task": "search_api.coverage_left_behind", "schedule": TAKEN_UP_SECONDS},
    "coverage-purge": {"task": "search_api.coverage_purge", "schedule": crontab(minute=20, hour=4)},
}


@tasks.app.task(name="search_api.coverage_report")  # type: ignore[untyped-decorator]
def establish(uid: str) -> None:
    """Establish a report; without effect when it is done or in other hands."""
    tasks.run(work.carry_out(uuid.UUID(uid)))


@tasks.app.task(name="search_api.coverage_left_behind")  # type: ignore[untyped-decorator]
def take_up_again() -> None:
    """Establish the reports whose message was lost or whose process died."""
    tasks.run(_take_up_again())


async def _take_up_again() -> None:
    async with unit_of_work() as session:
        waiting = await service.left_behind(session)
    for uid in waiting:
        establish.delay(str(uid))


@tasks.app.task(name="search_api.coverage_purge")  # type: ignore[untyped-decorator]
def purge() -> None:
    """Remove the reports that are no longer kept, then their files."""
    tasks.run(_purge())


async def _purge() -> None:
    async with unit_of_work() as session:
        digests = await service.purge(session)
    removed = sum(files.discard(digest) for digest in digests)
    log.info("coverage_purged", files=removed)


async def send(uid: uuid.UUID) -> None:
    """Hand a report to the workers; when no broker answers, the row waits and is taken up later."""

    def post() -> None:
        establish.apply_async(args=[str(uid)], retry=False)

    try:
        await asyncio.to_thread(post)
    except OperationalError as error:
        log.warning("coverage_not_sent", report=str(uid), error=str(error))
