"""Background work of mails: sending what waits, giving up what is over, erasing what is old."""

import logging

import structlog
from celery.schedules import crontab
from kombu.exceptions import OperationalError

from core import tasks
from core.db import unit_of_work
from core.mail import delivery

log = structlog.get_logger("repere.mail")

TICK_SECONDS = 5.0
TIDY_SECONDS = 60.0

tasks.app.conf.beat_schedule = (tasks.app.conf.beat_schedule or {}) | {
    # A tick that no worker took in time is worth nothing: the next one does the same.
    "mail-deliver": {"task": "core.mail_deliver", "schedule": TICK_SECONDS, "options": {"expires": TICK_SECONDS}},
    "mail-tidy": {"task": "core.mail_tidy", "schedule": TIDY_SECONDS, "options": {"expires": TIDY_SECONDS}},
    "mail-erase": {"task": "core.mail_erase", "schedule": crontab(minute=50, hour=4)},
}


def _worth_reading(record: logging.LogRecord) -> bool:
    return record.levelno > logging.INFO or "core.mail_deliver" not in record.getMessage()


# Three lines every few seconds would bury what the journals of the workers and of the scheduler have to say.
for _name in ("celery.worker.strategy", "celery.app.trace", "celery.beat"):
    logging.getLogger(_name).addFilter(_worth_reading)


@tasks.app.task(name="core.mail_deliver")  # type: ignore[untyped-decorator]
def deliver() -> None:
    """Send what is due."""
    tasks.run(delivery.deliver())


@tasks.app.task(name="core.mail_tidy")  # type: ignore[untyped-decorator]
def tidy() -> None:
    """Give up the mails whose time is over, and erase expired secrets."""
    tasks.run(_tidy())


async def _tidy() -> None:
    async with unit_of_work() as session:
        given_up = await delivery.tidy(session)
    if given_up:
        log.warning("mails_given_up", mails=given_up)


@tasks.app.task(name="core.mail_erase")  # type: ignore[untyped-decorator]
def erase() -> None:
    """Erase the personal values of old mails."""
    tasks.run(_erase())


async def _erase() -> None:
    async with unit_of_work() as session:
        erased = await delivery.erase_old(session)
    log.info("mails_erased", mails=erased)


def wake() -> None:
    """Tell the workers that mails wait; when no broker answers, the next tick tells them."""
    try:
        deliver.apply_async(retry=False)
    except OperationalError as error:
        log.warning("mail_workers_not_told", error=type(error).__name__)
