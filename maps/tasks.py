"""Periodic work of the location index: places follow the official geo API once a month, where asked."""

import structlog
from celery.schedules import crontab

from core.db import connect_direct
from core.errors import Unavailable
from core.tasks import app
from maps.refresh import refresh_places
from maps.settings import maps_settings

log = structlog.get_logger("repere.places")


@app.task(name="maps.refresh")  # type: ignore[untyped-decorator]
def refresh() -> None:
    """Refresh the places if the operator turned it on; a silent API leaves those in hand."""
    settings = maps_settings()
    if not settings.places_refresh:
        return
    try:
        with connect_direct() as connection:
            report = refresh_places(connection, settings.places_url)
    except Unavailable as error:
        log.warning("places_refresh_failed", reason=error.detail)
        return
    log.info("places_refreshed", **report.as_dict())


# The INSEE's changes take effect on 1 January; the API follows during the month.
app.conf.beat_schedule = {
    **(app.conf.beat_schedule or {}),
    "maps.refresh": {"task": "maps.refresh", "schedule": crontab(minute=40, hour=3, day_of_month=10)},
}
