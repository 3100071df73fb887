"""Celery tasks of ingestion: the nightly download and load, off unless the operator turns it on."""

import structlog
from celery.schedules import crontab

from core.errors import DomainError
from core.tasks import app
from ingest.settings import ingest_settings

log = structlog.get_logger("repere.ingest")


@app.task(name="ingest.nightly", ignore_result=True)  # type: ignore[untyped-decorator]
def nightly() -> None:
    """Download the newest registers and load them; a refusal is logged and yesterday's directory stays."""
    if not ingest_settings().ingest_nightly:
        return
    from ingest.download import download_registers
    from ingest.pipeline import load

    try:
        report = load(download_registers())
    except DomainError as error:
        log.warning("nightly load refused", code=error.code, detail=error.detail)
        return
    log.info("nightly load done", load_id=report.load_id, status=report.status, seconds=report.seconds)


if ingest_settings().ingest_nightly:
    app.conf.beat_schedule = {
        **(app.conf.beat_schedule or {}),
        "ingest-nightly": {
            "task": "ingest.nightly",
            "schedule": crontab(hour=str(ingest_settings().ingest_nightly_hour), minute="10"),
        },
    }
