"""Background work of the ads, at hours of Paris: what ends, what is told of it, what waits, what is no longer kept."""

import structlog
from celery.schedules import crontab

from core import tasks
from core.db import unit_of_work
from modules.ads import alerts, clockwork, digest, projection

log = structlog.get_logger("repere.ads")

tasks.app.conf.beat_schedule = (tasks.app.conf.beat_schedule or {}) | {
    "ads-turn": {"task": "ads.turn", "schedule": crontab(minute="*/5")},
    # One digest a day and a council, whatever the number of runs: the first that finds the hour past writes it.
    "ads-digest": {"task": "ads.digest", "schedule": crontab(minute="*/15")},
    "ads-alerts": {"task": "ads.alerts", "schedule": crontab()},
    "ads-search": {"task": "ads.search", "schedule": crontab(minute=40, hour=3)},
    # A licence is over at midnight.
    "ads-suspend": {"task": "ads.suspend", "schedule": crontab(minute=2, hour=0)},
    "ads-purge": {"task": "ads.purge", "schedule": crontab(minute=10, hour=3)},
}


@tasks.app.task(name="ads.turn")  # type: ignore[untyped-decorator]
def turn() -> None:
    """Take off the ads whose last day is past, and tell the authors of those that end soon."""
    tasks.run(_turn())


async def _turn() -> None:
    expired, warned = await clockwork.expire(), await clockwork.warn()
    if expired or warned:
        log.info("ads_turned", expired=expired, warned=warned)


@tasks.app.task(name="ads.suspend")  # type: ignore[untyped-decorator]
def suspend() -> None:
    """Take off the ads that their authors may no longer publish."""
    suspended = tasks.run(clockwork.suspend())
    if suspended:
        log.info("ads_suspended", ads=suspended)


@tasks.app.task(name="ads.digest")  # type: ignore[untyped-decorator]
def tell_moderators() -> None:
    """Tell the moderators once a day what waits, and the national level what waits for long."""
    sent = tasks.run(digest.send())
    if sent:
        log.info("ads_digest", mails=sent)


@tasks.app.task(name="ads.purge")  # type: ignore[untyped-decorator]
def purge() -> None:
    """Delete what is no longer kept."""
    tasks.run(_purge())


async def _purge() -> None:
    log.info("ads_purged", ads=await clockwork.purge(), files=await clockwork.sweep())


@tasks.app.task(name="ads.alerts")  # type: ignore[untyped-decorator]
def tell_readers() -> None:
    """Tell the saved searches what was published; those that write once a day wait for their hour."""
    matched, written = tasks.run(alerts.run())
    if matched or written:
        log.info("ads_alerts", publications=matched, mails=written)


@tasks.app.task(name="ads.search")  # type: ignore[untyped-decorator]
def check_search() -> None:
    """Have what searches read follow the places, which change, and forget old publications."""
    tasks.run(_check_search())


async def _check_search() -> None:
    wrong = await follow_places()
    async with unit_of_work() as session:
        forgotten = await alerts.tidy(session)
    log.info("ads_search_checked", wrong=wrong, forgotten=forgotten)


async def follow_places() -> int:
    """Write again the rows of the search that are wrong, some at a time; return how many were."""
    wrong, after = 0, 0
    while True:
        async with unit_of_work() as session:
            written, last = await projection.refresh_some(session, after)
        wrong += written
        if last is None:
            return wrong
        after = last
