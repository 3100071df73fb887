"""The Meilisearch server: searches that never wait long, and tasks of which the end is always known.

Messages are told in French to whoever runs a command; addresses are shown without what may be secret in them.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from json import JSONDecodeError
from typing import Any
from urllib.parse import urlsplit

import httpx2
from meilisearch_python_sdk import AsyncClient
from meilisearch_python_sdk.errors import MeilisearchApiError, MeilisearchError
from meilisearch_python_sdk.models.search import SearchParams
from meilisearch_python_sdk.models.task import TaskInfo, TaskResult
from pydantic import ValidationError

from core.errors import Unavailable
from search_api.engine import EngineUnavailable
from search_api.meili.settings import MeiliSettings

SEARCH_SECONDS = 2
"""A search that lasts longer is answered by another engine."""
REST_SECONDS = 5.0
"""How long a server that failed is left alone, so that not every visitor waits for it."""
WRITE_SECONDS = 60
"""Longest silence of the server while documents are sent."""
TASK_SECONDS = 1_800
"""Longest wait for one task: the first load of the country is queued in some hundred of them."""

_KEY_CODES = {"invalid_api_key", "missing_authorization_header", "missing_master_key"}
_FAILURES = (MeilisearchError, httpx2.HTTPError, httpx2.InvalidURL, ValidationError, JSONDecodeError)
"""What the library raises when the server is silent, refuses, or answers something else than its API."""


class Query(SearchParams):
    """One search of a multi-search; the library has no `distinct` there yet."""

    distinct: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What one search gave: documents in order, the exact total where it was asked for, counts by concept id."""

    hits: Sequence[dict[str, Any]]
    total: int
    codes: dict[int, int]


@dataclass
class Server:
    """A Meilisearch server. One connection pool per event loop, and a rest after each failure."""

    settings: MeiliSettings
    _client: AsyncClient | None = field(default=None, repr=False)
    _loop: asyncio.AbstractEventLoop | None = None
    _rests_until: float = field(default=0.0)

    def connect(self, seconds: int) -> AsyncClient:
        """Return a new client that gives up after so many seconds of silence."""
        key = self.settings.meili_key.get_secret_value() or None
        return AsyncClient(self.settings.meili_url, key, timeout=seconds)

    async def search(self, queries: Sequence[Query]) -> list[Result]:
        """Run searches in one round trip.

        Raises:
            EngineUnavailable: the server did not answer in time, refused, or failed a moment ago.
        """
        if time.monotonic() < self._rests_until:
            raise EngineUnavailable("Meilisearch vient d’échouer : il n’est pas interrogé pendant quelques secondes.")
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            self._client, self._loop = self.connect(SEARCH_SECONDS), loop
        try:
            async with asyncio.timeout(SEARCH_SECONDS):
                found = await self._client.multi_search(list(queries))
            return [_result(one) for one in found]
        except (TimeoutError, LookupError, TypeError, *_FAILURES) as error:
            self._rests_until = time.monotonic() + REST_SECONDS
            raise EngineUnavailable(explained(self.settings, error)) from error

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncClient]:
        """Open a client for settings and documents.

        Raises:
            core.errors.Unavailable: the server cannot be reached, or refuses.
        """
        async with self.connect(WRITE_SECONDS) as client:
            try:
                yield client
            except _FAILURES as error:
                raise Unavailable(explained(self.settings, error)) from error


async def finished(client: AsyncClient, task: TaskInfo | int, *, tolerated: str = "") -> TaskResult:
    """Wait for a task to succeed.

    Args:
        client: an open client.
        task: the task, or its number.
        tolerated: a code of error that is as good as a success.

    Raises:
        core.errors.Unavailable: the task failed, was cancelled, or lasts too long.
    """
    number = task if isinstance(task, int) else task.task_uid
    deadline = time.monotonic() + TASK_SECONDS
    pause = 0.02
    while True:
        found = await client.get_task(number)
        if found.status not in ("enqueued", "processing"):
            break
        if time.monotonic() > deadline:
            raise Unavailable(f"Meilisearch n’a pas fini la tâche {number} en {TASK_SECONDS // 60} minutes.")
        await asyncio.sleep(pause)
        pause = min(pause * 2, 1.0)
    code = str((found.error or {}).get("code", found.status))
    if found.status != "succeeded" and code != (tolerated or None):
        raise Unavailable(f"La tâche {number} de Meilisearch a échoué ({code}). Le journal du serveur dit pourquoi.")
    return found


async def exists(client: AsyncClient, index: str) -> bool:
    """Tell whether the server has an index."""
    try:
        await client.get_index(index)
    except MeilisearchApiError as error:
        if error.code != "index_not_found":
            raise
        return False
    return True


def explained(settings: MeiliSettings, error: BaseException) -> str:
    """Return what an operator can do about a failure; neither the key nor the server's own words are in it."""
    if isinstance(error, MeilisearchApiError):
        if error.code in _KEY_CODES:
            return "Meilisearch refuse la clé : vérifiez REPERE_MEILI_KEY."
        if error.code == "index_not_found":
            return "L’index n’existe pas encore dans Meilisearch : lancez ./repere index meilisearch."
        return f"Meilisearch a refusé la demande ({error.code or error.status_code})."
    address = urlsplit(settings.meili_url)
    where = f"{address.scheme}://{address.hostname or ''}" + (f":{address.port}" if address.port else "")
    return f"Meilisearch ne répond pas à l’adresse {where}. Vérifiez REPERE_MEILI_URL, et que le serveur est démarré."


def _result(found: Any) -> Result:
    counts = (found.facet_distribution or {}).get("codes", {})
    total = found.total_hits if found.total_hits is not None else found.estimated_total_hits or 0
    return Result(hits=found.hits, total=int(total), codes={int(code): int(count) for code, count in counts.items()})
