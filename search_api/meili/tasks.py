"""Background work of the Meilisearch engine: its index follows the events."""

import structlog

from core import tasks
from core.db import unit_of_work
from core.errors import Unavailable
from search_api.meili import indexing
from search_api.meili.client import Server
from search_api.meili.settings import configured, meili_settings

FOLLOW_SECONDS = 3.0

log = structlog.get_logger("repere.search")

if configured():
    tasks.app.conf.beat_schedule = (tasks.app.conf.beat_schedule or {}) | {
        "search-meilisearch": {
            "task": "search_api.follow_meilisearch",
            "schedule": FOLLOW_SECONDS,
            # Behind a long task, one turn is enough for all those that were missed.
            "options": {"expires": FOLLOW_SECONDS * 2},
        },
    }


@tasks.app.task(name="search_api.follow_meilisearch")  # type: ignore[untyped-decorator]
def follow_meilisearch() -> None:
    """Take the latest events into Meilisearch; a server that is silent is tried again at the next turn."""
    tasks.run(follow())


async def follow() -> None:
    """Take the latest events in, in a unit of work of its own."""
    try:
        async with unit_of_work() as session:
            await indexing.catch_up(session, Server(meili_settings()))
    except Unavailable as error:
        log.warning("meilisearch_behind", reason=error.detail)
