"""Background work of accounts: forgetting what is over."""

import structlog
from celery.schedules import crontab

from accounts import tidying
from core import tasks
from core.db import unit_of_work

log = structlog.get_logger("repere.accounts")

tasks.app.conf.beat_schedule = (tasks.app.conf.beat_schedule or {}) | {
    "accounts-tidy": {"task": "accounts.tidy", "schedule": crontab(minute=30, hour=4)},
}


@tasks.app.task(name="accounts.tidy")  # type: ignore[untyped-decorator]
def tidy() -> None:
    """Erase what expired, and the sign-ups that nobody confirmed."""
    tasks.run(_tidy())


async def _tidy() -> None:
    async with unit_of_work() as session:
        erased = await tidying.tidy(session)
    log.info("accounts_tidied", **erased)
