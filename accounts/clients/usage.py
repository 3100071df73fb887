"""What clients ask, counted in the process and written every few seconds: a day's requests by family of addresses."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Final

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core import clock, db

log = structlog.get_logger("repere.clients")

SECONDS: Final = 5.0
FAMILIES: Final = {
    "api": "Recherche et fiches (API JSON)",
    "fhir": "FHIR",
    "export": "Extractions",
    "ogc": "OGC API",
    "tiles": "Tuiles",
    "oauth": "Jetons",
}
_PREFIXES: Final = (("/fhir", "fhir"), ("/ogc", "ogc"), ("/tiles", "tiles"), ("/oauth", "oauth"))

_COUNT: Final = text(
    """
    INSERT INTO accounts.client_usage AS known (client_id, day, family, requests, errors, refused)
    SELECT client.id, :day, counted.family, counted.requests, counted.errors, counted.refused
    FROM unnest(CAST(:clients AS bigint[]), CAST(:families AS text[]), CAST(:requests AS bigint[]),
                CAST(:errors AS bigint[]), CAST(:refused AS bigint[]))
         AS counted (client_id, family, requests, errors, refused)
    JOIN accounts.client ON client.id = counted.client_id
    ORDER BY client.id, counted.family
    ON CONFLICT (client_id, day, family) DO UPDATE SET
        requests = known.requests + excluded.requests,
        errors = known.errors + excluded.errors,
        refused = known.refused + excluded.refused
    """
)
_USED: Final = text(
    """
    WITH used AS (
        UPDATE accounts.client_secret SET used_at = core.now()
        WHERE id = ANY(CAST(:secrets AS bigint[])) RETURNING client_id
    )
    UPDATE accounts.client SET used_at = core.now() WHERE id IN (SELECT client_id FROM used)
    """
)


class _Counted:
    requests: Counter[tuple[int, str]] = Counter()
    errors: Counter[tuple[int, str]] = Counter()
    refused: Counter[tuple[int, str]] = Counter()
    secrets: set[int] = set()
    writer: "asyncio.Task[None] | None" = None


def family(path: str) -> str:
    """Return the family of an address."""
    for prefix, name in _PREFIXES:
        if path.startswith(prefix):
            return "export" if name == "fhir" and "export" in path else name
    return "api"


def note(client_id: int, secret_id: int, path: str, status: int) -> None:
    """Count an answer given to a client."""
    key = (client_id, family(path))
    _Counted.requests[key] += 1
    if status == 429:
        _Counted.refused[key] += 1
    elif status >= 400:
        _Counted.errors[key] += 1
    _Counted.secrets.add(secret_id)


def start() -> None:
    """Write from now on, every few seconds, what this process counts."""
    _Counted.writer = asyncio.get_running_loop().create_task(_write_often())


async def _write_often() -> None:
    while True:
        await asyncio.sleep(SECONDS)
        await flush()


async def flush() -> None:
    """Write what was counted; what cannot be written is kept for the next time."""
    requests, _Counted.requests = _Counted.requests, Counter()
    errors, _Counted.errors = _Counted.errors, Counter()
    refused, _Counted.refused = _Counted.refused, Counter()
    used, _Counted.secrets = _Counted.secrets, set()
    if not requests:
        return
    try:
        await _write(requests, errors, refused, used)
    except (DBAPIError, OSError) as error:
        _Counted.requests.update(requests)
        _Counted.errors.update(errors)
        _Counted.refused.update(refused)
        _Counted.secrets |= used
        log.warning("usage_not_written", error=type(error).__name__)


async def _write(
    requests: Mapping[tuple[int, str], int],
    errors: Mapping[tuple[int, str], int],
    refused: Mapping[tuple[int, str], int],
    used: set[int],
) -> None:
    # In one order, so that two processes that write at once never wait for each other.
    keys = sorted(requests)
    async with db.unit_of_work() as session:
        values = {
            "day": clock.today(await clock.now(session)),
            "clients": [client_id for client_id, _ in keys],
            "families": [name for _, name in keys],
            "requests": [requests[key] for key in keys],
            "errors": [errors.get(key, 0) for key in keys],
            "refused": [refused.get(key, 0) for key in keys],
        }
        await session.execute(_COUNT, values)
        await session.execute(_USED, {"secrets": sorted(used)})


def forget() -> None:
    """Forget what was counted and not written yet."""
    _Counted.requests, _Counted.errors, _Counted.refused = Counter(), Counter(), Counter()
    _Counted.secrets = set()


async def stop() -> None:
    """Write what remains; a process that ends calls it."""
    if _Counted.writer is not None:
        _Counted.writer.cancel()
        _Counted.writer = None
    await flush()
