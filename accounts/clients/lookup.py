"""Who holds a key or a token: one reading of the database for each request, so that what is taken back ends at once."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import LargeBinary, Select, bindparam, false, func, select

from accounts.clients import secrets
from accounts.clients.key_sets import KeySet
from accounts.clients.keys import usable
from accounts.models_clients import Client, ClientKeys, ClientSecret, ClientToken
from core import db
from core.settings import core_settings

MOST_SETS: Final = 20
"""Sets of public keys of a client that are looked at, the latest first: those that live are far fewer."""
Reason = Literal["unknown", "expired", "revoked", "suspended"]


@dataclass(frozen=True, slots=True)
class Known:
    """A client behind a key, a token or a secret, and what it may do at this instant."""

    id: int
    uid: uuid.UUID
    name: str
    scopes: frozenset[str]
    zone: tuple[str, ...]
    per_minute: int
    per_day: int
    secret_id: int


def _columns() -> list[Any]:
    now = func.core.now()
    return [
        Client.id,
        Client.uid,
        Client.public_id,
        Client.name,
        Client.status,
        Client.scopes,
        Client.zone,
        Client.per_minute,
        Client.per_day,
        Client.demo,
        func.coalesce(Client.expires_at <= now, false()).label("client_over"),
        ClientSecret.id.label("secret_id"),
        ClientSecret.ended_at.is_not(None).label("ended"),
        func.coalesce(ClientSecret.expires_at <= now, false()).label("secret_over"),
    ]


def _clients(kind: secrets.Kind) -> Select[Any]:
    columns = _columns()
    wanted = bindparam("digest", type_=LargeBinary)
    if kind == "token":
        columns += [
            ClientToken.scopes.label("token_scopes"),
            ClientToken.revoked_at.is_not(None).label("revoked"),
            (ClientToken.expires_at <= func.core.now()).label("token_over"),
        ]
    found = select(*columns).select_from(Client).join(ClientSecret, ClientSecret.client_id == Client.id)
    if kind == "token":
        found = found.join(ClientToken, ClientToken.secret_id == ClientSecret.id)
        return found.where(ClientToken.digest == wanted)
    return found.where(ClientSecret.digest == wanted, ClientSecret.kind == kind)


def _key_sets() -> Select[Any]:
    now = func.core.now()
    read = (now.label("now"), ClientKeys.url, ClientKeys.keys, (now - ClientKeys.read_at).label("age"))
    return (
        select(*_columns(), *read)
        .select_from(Client)
        .join(ClientSecret, ClientSecret.client_id == Client.id)
        .join(ClientKeys, ClientKeys.secret_id == ClientSecret.id)
        .where(Client.public_id == bindparam("public_id"))
        .order_by(ClientSecret.id.desc())
        .limit(MOST_SETS)
    )


_READ: Final = {kind: db.Fixed(_clients(kind)) for kind in secrets.PREFIXES}
_KEYS: Final = db.Fixed(_key_sets())


async def holder(shown: str) -> Known | Reason:
    """Return the client that a key or an access token is of, or why it opens nothing."""
    for kind in ("token", "key"):
        if shown.startswith(secrets.PREFIXES[kind]):
            async with db.reading() as session:
                rows = await _READ[kind].rows(session, digest=secrets.keyed(kind, shown))
            return _judged(rows[0]) if rows else "unknown"
    return "unknown"


async def secret_holder(public_id: str, secret: str) -> Known | Reason:
    """Return the client whose OAuth2 secret this is, or why it opens nothing."""
    async with db.reading() as session:
        rows = await _READ["secret"].rows(session, digest=secrets.keyed("secret", secret))
    return _judged(rows[0]) if rows and rows[0].public_id == public_id else "unknown"


async def key_holder(public_id: str) -> tuple[datetime | None, list[tuple[Known, KeySet]]]:
    """Return the sets of public keys of a client that are good now, and what time it is for the database."""
    async with db.reading() as session:
        rows = await _KEYS.rows(session, public_id=public_id)
    found = []
    for row in rows:
        known = _judged(row)
        if isinstance(known, Known):
            found.append((known, KeySet(row.secret_id, usable({"keys": row.keys}), row.url, row.age)))
    return (rows[0].now if rows else None), found


def _judged(row: Any) -> Known | Reason:
    if row.demo is not None and not core_settings().demo:
        # Its secrets are written in the documentation.
        return "unknown"
    if row.ended or row.status == "closed" or getattr(row, "revoked", False):
        return "revoked"
    # A token outlives the secret that obtained it when a rotation ends that one, until its own hour is over.
    token_over = getattr(row, "token_over", None)
    if row.client_over or (row.secret_over if token_over is None else token_over):
        return "expired"
    if row.status != "active":
        return "suspended"
    scopes = frozenset(row.scopes)
    if token_over is not None:
        scopes &= frozenset(row.token_scopes)
    return Known(
        id=row.id,
        uid=row.uid,
        name=row.name,
        scopes=scopes,
        zone=tuple(row.zone),
        per_minute=row.per_minute,
        per_day=row.per_day,
        secret_id=row.secret_id,
    )
