"""Sets of keys that clients publish at an address of theirs: read with care, kept, read again when one is not known.

All processes share what was read, and the right to read again, through the row of the set.
"""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import httpx
import structlog
from sqlalchemy import func, select, update

from accounts.clients.keys import LONGEST, PublicKey, usable
from accounts.models_clients import ClientHistory, ClientKeys, ClientSecret
from accounts.settings import client_settings
from core import internet
from core.db import reading, unit_of_work
from core.errors import InvalidInput

log = structlog.get_logger("repere.clients")

FRESH: Final = timedelta(hours=1)
"""How long a set is used before it is read again."""
STALE: Final = timedelta(days=1)
"""How long it is used when its address no longer answers."""
PAUSE: Final = timedelta(minutes=1)
"""Between two readings, whatever callers ask for."""
SECONDS: Final = 5.0
"""For a whole reading."""
_LOOK: Final = 0.2
_ACTOR: Final = "annuaire"


class Unread(Exception):
    """A set that was not read; `reason` says why, in French."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys of a client as they are known: `age` since they were read, None when they were pasted."""

    secret_id: int
    keys: list[PublicKey]
    url: str | None = None
    age: timedelta = timedelta()


async def fetch(url: str) -> list[PublicKey]:
    """Return the keys that an address gives.

    Raises:
        Unread: it has not the form of an address that we call, leads behind us, does not answer, or gives no key.
    """
    local = client_settings().keys_local
    try:
        async with asyncio.timeout(SECONDS):
            target = internet.read(url, local=local)
            address = await internet.resolve(target, local=local)
            headers = {"Accept": "application/jwk-set+json, application/json", "User-Agent": "Repere-Keys/1.0"}
            async with internet.call("GET", target, address, headers) as answer:
                if 300 <= answer.status_code < 400:
                    raise Unread(f"Réponse {answer.status_code} : les redirections ne sont pas suivies.")
                if answer.status_code != 200:
                    raise Unread(f"Réponse {answer.status_code}.")
                body = bytearray()
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > LONGEST:
                        raise Unread("La réponse est trop longue (100 000 octets au plus).")
        document: Any = json.loads(bytes(body))
    except InvalidInput as error:
        raise Unread(error.detail) from None
    except internet.Unreachable as error:
        raise Unread(error.reason) from None
    except (TimeoutError, httpx.TimeoutException):
        raise Unread("Pas de réponse à temps (5 secondes au plus).") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise Unread(f"La connexion n’a pas abouti ({type(error).__name__}).") from None
    except (ValueError, RecursionError):
        raise Unread("La réponse n’est pas un jeu de clés (JSON).") from None
    keys = usable(document)
    if not keys:
        raise Unread("La réponse n’a aucune clé publique RSA ou EC utilisable.")
    return keys


async def known_as(known: KeySet, kid: str) -> list[PublicKey]:
    """Return the keys of a set that bear a name, after reading it again when it must be."""
    found = [key for key in known.keys if key.kid == kid]
    if known.url is None or (found and known.age < FRESH):
        return found
    claimed = await _claim(known.secret_id)
    if claimed:
        await _read_again(known)
    elif not found:
        await _wait(known.secret_id)
    async with reading() as session:
        row = (
            await session.execute(
                select(ClientKeys.keys, (func.core.now() - ClientKeys.read_at).label("age")).where(
                    ClientKeys.secret_id == known.secret_id
                )
            )
        ).one_or_none()
    if row is None or row.age > STALE:
        return []
    return [key for key in usable({"keys": row.keys}) if key.kid == kid]


async def _claim(secret_id: int) -> bool:
    """Take the right to read a set again; nobody else has it for a while."""
    async with unit_of_work() as session:
        taken = await session.scalar(
            update(ClientKeys)
            .where(ClientKeys.secret_id == secret_id, ClientKeys.tried_at <= func.core.now() - PAUSE)
            .values(tried_at=func.core.now())
            .returning(ClientKeys.secret_id)
        )
    return taken is not None


async def _read_again(known: KeySet) -> None:
    assert known.url is not None  # noqa: S101 - pasted keys are never read again
    try:
        keys = await fetch(known.url)
    except Unread as error:
        log.warning("client_keys_not_read", access=known.secret_id, reason=error.reason)
        return
    async with unit_of_work() as session:
        row = await session.get(ClientKeys, known.secret_id, with_for_update=True)
        if row is None:
            return
        former = {key.thumbprint for key in usable({"keys": row.keys})}
        row.keys, row.read_at = [key.jwk for key in keys], func.core.now()
        prints = [key.thumbprint for key in keys]
        if former != set(prints):
            client_id = select(ClientSecret.client_id).where(ClientSecret.id == known.secret_id).scalar_subquery()
            detail = {"kind": "jwks", "url": known.url, "thumbprints": prints}
            session.add(ClientHistory(client_id=client_id, actor=_ACTOR, action="keys_read", detail=detail))


async def _wait(secret_id: int) -> None:
    """Wait for whoever reads the set now, if anybody does."""
    under_way = (ClientKeys.read_at < ClientKeys.tried_at) & (
        ClientKeys.tried_at > func.core.now() - timedelta(seconds=SECONDS + 1)
    )
    for _ in range(round(SECONDS / _LOOK)):
        async with reading() as session:
            if not await session.scalar(select(under_way).where(ClientKeys.secret_id == secret_id)):
                return
        await asyncio.sleep(_LOOK)
