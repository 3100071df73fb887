"""Background work of accounts: forgetting what is over."""

import structlog
from celery.schedules import crontab

from accounts import tidying
from accounts.clients import mails as client_mails
from core import tasks
from core.db import unit_of_work

log = structlog.get_logger("repere.accounts")

tasks.app.conf.beat_schedule = (tasks.app.conf.beat_schedule or {}) | {
    "accounts-tidy": {"task": "accounts.tidy", "schedule": crontab(minute=30, hour=4)},
    "accounts-clients-end": {"task": "accounts.clients_end", "schedule": crontab(minute=15, hour=8)},
}


@tasks.app.task(name="accounts.tidy")  # type: ignore[untyped-decorator]
def tidy() -> None:
    """Erase what expired, and the sign-ups that nobody confirmed."""
    tasks.run(_tidy())


async def _tidy() -> None:
    async with unit_of_work() as session:
        erased = await tidying.tidy(session)
    log.info("accounts_tidied", **erased)


@tasks.app.task(name="accounts.clients_end")  # type: ignore[untyped-decorator]
def clients_end() -> None:
    """Tell the contacts of the programs whose access ends soon."""
    tasks.run(_clients_end())


async def _clients_end() -> None:
    async with unit_of_work() as session:
        written = await client_mails.warn(session)
    log.info("clients_told_of_their_end", mails=written)
