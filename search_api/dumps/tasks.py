"""The files of the whole directory are made each night, and when somebody asks."""

import structlog
from celery.schedules import crontab

from core import tasks
from core.errors import Conflict
from search_api.dumps.build import build

log = structlog.get_logger("repere.dumps")

tasks.app.conf.beat_schedule = (tasks.app.conf.beat_schedule or {}) | {
    "dumps": {"task": "search_api.make_dumps", "schedule": crontab(minute=10, hour=2)},
}


@tasks.app.task(name="search_api.make_dumps")  # type: ignore[untyped-decorator]
def make_dumps() -> None:
    """Make the files; without effect while another making is under way."""
    try:
        report = build()
    except Conflict:
        log.info("dumps_under_way")
        return
    log.info("dumps_made", files=len(report.made), bytes=sum(one.size for one in report.made))
