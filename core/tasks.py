"""Celery application: packages add their tasks in `tasks.py`; each process runs one event loop."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from celery import Celery
from celery.signals import worker_process_shutdown

from core import db, logs
from core.settings import core_settings

logs.configure()
app = Celery("repere", broker=core_settings().broker_url)
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    timezone="Europe/Paris",
    task_default_queue="repere",
    broker_transport_options={"visibility_timeout": 6 * 3600},
)
app.autodiscover_tasks(
    ["core.mail", "maps", "accounts", "directory", "ingest", "search_api", "modules.ads"], related_name="tasks"
)

T = TypeVar("T")


class _Loop:
    """The process's event loop, made after fork so that pooled connections belong to it."""

    runner: asyncio.Runner | None = None


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on the process's loop; the database pool is kept between tasks."""
    if _Loop.runner is None:
        _Loop.runner = asyncio.Runner()
    return _Loop.runner.run(coroutine)


@worker_process_shutdown.connect  # type: ignore[untyped-decorator]
def _close(**_: object) -> None:
    if _Loop.runner is not None:
        _Loop.runner.run(db.dispose())
        _Loop.runner.close()
        _Loop.runner = None
