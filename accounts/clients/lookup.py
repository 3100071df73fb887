"""Who holds a key or a token: one reading of the database for each request, so that what is taken back ends at once."""

import uuid
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import LargeBinary, Select, bindparam, false, func, select

from accounts.clients import secrets
from accounts.models_clients import Client, ClientSecret, ClientToken
from core import db
from core.settings import core_settings

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


def _clients(kind: secrets.Kind) -> Select[Any]:
    now = func.core.now()
    columns: list[Any] = [
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
    wanted = bindparam("digest", type_=LargeBinary)
    if kind == "token":
        columns += [
            ClientToken.scopes.label("token_scopes"),
            ClientToken.revoked_at.is_not(None).label("revoked"),
            (ClientToken.expires_at <= now).label("token_over"),
        ]
    found = select(*columns).select_from(Client).join(ClientSecret, ClientSecret.client_id == Client.id)
    if kind == "token":
        found = found.join(ClientToken, ClientToken.secret_id == ClientSecret.id)
        return found.where(ClientToken.digest == wanted)
    return found.where(ClientSecret.digest == wanted, ClientSecret.kind == kind)


_READ: Final = {kind: db.Fixed(_clients(kind)) for kind in secrets.PREFIXES}


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
