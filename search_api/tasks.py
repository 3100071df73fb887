"""Background work of the search: its words follow the publications; reports and exports have tasks of their own."""

from core import tasks
from core.db import unit_of_work
from search_api import indexing
from search_api.coverage import tasks as coverage_tasks
from search_api.dumps import tasks as dump_tasks
from search_api.fhir import export_tasks
from search_api.meili import tasks as meili_tasks
from search_api.webhooks import tasks as webhook_tasks

__all__ = [
    "coverage_tasks",
    "dump_tasks",
    "export_tasks",
    "follow",
    "follow_publications",
    "meili_tasks",
    "webhook_tasks",
]

CHECK_SECONDS = 60.0

tasks.app.conf.beat_schedule = (tasks.app.conf.beat_schedule or {}) | {
    "search-index": {"task": "search_api.follow_publications", "schedule": CHECK_SECONDS},
}


@tasks.app.task(name="search_api.follow_publications")  # type: ignore[untyped-decorator]
def follow_publications() -> None:
    """Build the words of names again when registers were published since; at most one minute late."""
    tasks.run(follow())


async def follow() -> None:
    """Build the words again when they are stale, in a unit of work of its own."""
    async with unit_of_work() as session:
        if await indexing.stale(session):
            await indexing.build(session)
