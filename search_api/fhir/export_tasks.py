"""Background work of the exports: writing, those left behind, what is no longer kept."""

import asyncio
import uuid

import structlog
from celery.schedules import crontab
from kombu.exceptions import OperationalError

from core import files, tasks
from core.db import unit_of_work
from search_api.fhir import export_service as service
from search_api.fhir import export_work as work

log = structlog.get_logger("repere.fhir")

TAKEN_UP_SECONDS = 60.0

tasks.app.conf.beat_schedule = (tasks.app.conf.beat_schedule or {}) | {
    "export-left-behind": {"task": "search_api.export_left_behind", "schedule": TAKEN_UP_SECONDS},
    "export-expire": {"task": "search_api.export_expire", "schedule": crontab(minute="*/15")},
}


@tasks.app.task(name="search_api.export")  # type: ignore[untyped-decorator]
def write(uid: str) -> None:
    """Write an export, then wake the one that waits for longest."""
    tasks.run(_write(uuid.UUID(uid)))


async def _write(uid: uuid.UUID) -> None:
    try:
        await work.carry_out(uid)
    finally:
        async with unit_of_work() as session:
            following = await service.next_asked(session)
        if following is not None and following != uid:
            await send(following)


@tasks.app.task(name="search_api.export_left_behind")  # type: ignore[untyped-decorator]
def take_up_again() -> None:
    """Write the exports whose turn has come, whose message was lost or whose process died."""
    tasks.run(_take_up_again())


async def _take_up_again() -> None:
    async with unit_of_work() as session:
        waiting = await service.left_behind(session)
    for uid in waiting:
        write.delay(str(uid))


@tasks.app.task(name="search_api.export_expire")  # type: ignore[untyped-decorator]
def expire() -> None:
    """Close the exports whose time is over, then remove their files and what dead processes left half written."""
    tasks.run(_expire())


async def _expire() -> None:
    async with unit_of_work() as session:
        await service.expire(session)
    async with unit_of_work() as session:
        removed = await service.erase(session)
    log.info("exports_expired", files=removed, unfinished=await asyncio.to_thread(files.sweep))


async def send(uid: uuid.UUID) -> None:
    """Hand an export to the workers; when no broker answers, the row waits and is taken up later."""

    def post() -> None:
        write.apply_async(args=[str(uid)], retry=False)

    try:
        await asyncio.to_thread(post)
    except OperationalError as error:
        log.warning("export_not_sent", export=str(uid), error=str(error))
