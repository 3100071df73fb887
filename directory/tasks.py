"""Daily work of the directory: what a date changes (periods of hours, closings, acceptance) reaches the search."""

import structlog
from celery.schedules import crontab

from core.db import connect_direct
from core.events import CHANNEL, LOCK_KEY
from core.tasks import app, run
from directory import feed, freshness
from directory.known_people import offer_known_people
from directory.projection import refresh_due

log = structlog.get_logger("repere.directory")
offer_known_people()


@app.task(name="directory.refresh_due")  # type: ignore[untyped-decorator]
def turn_the_day() -> None:
    """Write again the search rows that today changes, and announce each to the followers."""
    with connect_direct() as connection:
        ids = refresh_due(connection)
        if ids:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK_KEY,))
            connection.execute(
                """
                WITH written AS (
                    INSERT INTO core.event (kind, entity, entity_id)
                    SELECT 'offer_day', 'offer', id FROM unnest(%s::bigint[]) id ORDER BY id
                    RETURNING position
                )
                SELECT pg_notify(%s, max(position)::text) FROM written
                """,
                (ids, CHANNEL),
            )
    log.info("day_turned", offers=len(ids))


@app.task(name="directory.remind")  # type: ignore[untyped-decorator]
def remind() -> None:
    """Ask those whose sheets nobody confirmed for long whether all is still exact."""
    log.info("reminded", mails=run(freshness.remind()))


@app.task(name="directory.tidy_feed")  # type: ignore[untyped-decorator]
def tidy_feed() -> None:
    """Forget what left the feed long ago, and the changes that later ones replaced."""
    with connect_direct() as connection:
        tidied = feed.tidy(connection)
    log.info("feed_tidied", changes=tidied.changes, gone=tidied.gone)


app.conf.beat_schedule = {
    **(app.conf.beat_schedule or {}),
    "directory.refresh_due": {"task": "directory.refresh_due", "schedule": crontab(minute=5, hour=0)},
    "directory.tidy_feed": {"task": "directory.tidy_feed", "schedule": crontab(minute=40, hour=3)},
    "directory.remind": {"task": "directory.remind", "schedule": crontab(minute=30, hour=9)},
}
