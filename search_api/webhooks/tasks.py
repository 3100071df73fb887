"""Background work of the webhooks: looking for what is new, sending, tidying."""

import logging

import structlog
from celery.schedules import crontab

from core import tasks
from core.db import unit_of_work
from search_api.webhooks import delivery, news

log = structlog.get_logger("repere.webhooks")

TICK_SECONDS = 5.0


def _worth_reading(record: logging.LogRecord) -> bool:
    return record.levelno > logging.INFO or "search_api.webhooks" not in record.getMessage()


# Three lines every few seconds would bury what the journals of the workers and of the scheduler have to say.
for _name in ("celery.worker.strategy", "celery.app.trace", "celery.beat"):
    logging.getLogger(_name).addFilter(_worth_reading)

tasks.app.conf.beat_schedule = (tasks.app.conf.beat_schedule or {}) | {
    # A tick that no worker took in time is worth nothing: the next one does the same.
    "webhooks": {"task": "search_api.webhooks", "schedule": TICK_SECONDS, "options": {"expires": TICK_SECONDS}},
    "webhooks-tidy": {"task": "search_api.webhooks_tidy", "schedule": crontab(minute=40, hour=4)},
}


@tasks.app.task(name="search_api.webhooks")  # type: ignore[untyped-decorator]
def tell() -> None:
    """Write the notices that are due, and send those that wait."""
    tasks.run(_tell())


async def _tell() -> None:
    await news.look()
    await delivery.deliver()


@tasks.app.task(name="search_api.webhooks_tidy")  # type: ignore[untyped-decorator]
def tidy() -> None:
    """Erase old deliveries."""
    tasks.run(_tidy())


async def _tidy() -> None:
    async with unit_of_work() as session:
        erased = await delivery.tidy(session)
    log.info("webhooks_tidied", deliveries=erased)
