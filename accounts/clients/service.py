"""Use cases of administrators on the programs that read the API. Nothing here commits."""

import uuid
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.clients import mails, secrets
from accounts.clients.forms import ClientValues
from accounts.clients.forms_keys import GivenKeys
from accounts.clients.states import ACTIONS, passage
from accounts.models_clients import Client, ClientHistory, ClientKeys, ClientSecret, ClientToken
from core import clock
from core.errors import Conflict, InvalidInput, NotFound

Access = Literal["key", "secret", "jwks"]
GRACES: Final = {0: "tout de suite", 1: "dans un jour", 7: "dans 7 jours", 30: "dans 30 jours"}
"""When the former secret ends, in days."""
LIVE: Final = 10
"""Secrets of a kind that a client may hold at once."""
STALE: Final = (
    "Cette application a changé pendant que vous écriviez : rien n’a été modifié, et ce que vous avez saisi est gardé. "
    "Relisez la page, puis recommencez."
)


def note(session: AsyncSession, client_id: int, actor: str, action: str, detail: object = None) -> None:
    """Write a line of a client's history."""
    session.add(ClientHistory(client_id=client_id, actor=actor, action=action, detail=detail))


async def find(session: AsyncSession, uid: uuid.UUID) -> Client:
    """Return a client, closed ones included.

    Raises:
        NotFound: there is none.
    """
    client = await session.scalar(select(Client).where(Client.uid == uid))
    if client is None:
        raise NotFound("Cette application n’existe pas.")
    return client


async def made_by(session: AsyncSession, request_id: uuid.UUID) -> Client | None:
    """Return the client that a form made, when it was sent already."""
    found: Client | None = await session.scalar(select(Client).where(Client.request_id == request_id))
    return found


async def create(
    session: AsyncSession, values: ClientValues, kind: Access, request_id: uuid.UUID, actor: str
) -> tuple[Client, str]:
    """Make a client and its first secret, which is kept nowhere; its contact is told.

    One that will sign with keys of its own gets no secret.
    """
    client = Client(public_id=secrets.new_public_id(), request_id=request_id, **asdict(values))
    session.add(client)
    await session.flush()
    await session.refresh(client)
    note(session, client.id, actor, "created", {"scopes": client.scopes, "zone": client.zone})
    secret = "" if kind == "jwks" else (await _add_secret(session, client, kind, actor))[1]
    await mails.created(session, client, kind)
    return client, secret


async def edit(session: AsyncSession, uid: uuid.UUID, version: int, values: ClientValues, actor: str) -> Client:
    """Change what a client is and may read; what changed is written in its history.

    Raises:
        Conflict: it changed meanwhile, or is closed.
    """
    client = await _lock(session, uid, version)
    changed: dict[str, Any] = {}
    for name, value in asdict(values).items():
        former = getattr(client, name)
        if former != value:
            changed[name] = [_plain(former), _plain(value)]
            setattr(client, name, value)
    if changed:
        client.version += 1
        note(session, client.id, actor, "edited", changed)
    return client


async def rotate(
    session: AsyncSession, uid: uuid.UUID, version: int, kind: str, grace: int, actor: str
) -> tuple[Client, str]:
    """Give a client a new secret of a kind; those that it has end after a while, so that it has time to change.

    Raises:
        InvalidInput: the kind or the delay is not one of ours.
        Conflict: it changed meanwhile, or is closed.
    """
    if kind not in ("key", "secret"):
        raise InvalidInput("Choisissez une clé ou un secret.", fields={"sorte": "Choisissez une clé ou un secret."})
    client = await _lock(session, uid, version)
    end = await _replaced(session, client, kind, grace)
    added, secret = await _add_secret(session, client, kind, actor)  # type: ignore[arg-type]
    client.version += 1
    await mails.rotated(session, client, added, end)
    return client, secret


async def give_keys(
    session: AsyncSession, uid: uuid.UUID, version: int, given: GivenKeys, grace: int, actor: str
) -> Client:
    """Take the public keys of a client; those that it has end after a while, so that it has time to change.

    Raises:
        InvalidInput: the delay is not one of ours.
        Conflict: it changed meanwhile, or is closed.
    """
    client = await _lock(session, uid, version)
    end = await _replaced(session, client, "jwks", grace)
    prints = [key.thumbprint for key in given.keys]
    row = ClientSecret(client_id=client.id, kind="jwks", hint=given.url or prints[0])
    session.add(row)
    await session.flush()
    session.add(ClientKeys(secret_id=row.id, url=given.url, keys=[key.jwk for key in given.keys]))
    client.version += 1
    note(session, client.id, actor, "secret_given", {"kind": "jwks", "hint": row.hint, "thumbprints": prints})
    await session.flush()
    await mails.rotated(session, client, row, end)
    return client


async def _replaced(session: AsyncSession, client: Client, kind: str, grace: int) -> datetime | None:
    """Have what a client holds of a kind end after a while; return when, None when it holds nothing."""
    if grace not in GRACES:
        raise InvalidInput("Choisissez un délai.", fields={"delai": "Choisissez un délai."})
    now = await clock.now(session)
    end = now + timedelta(days=grace)
    former = (
        await session.scalars(
            select(ClientSecret)
            .where(ClientSecret.client_id == client.id, ClientSecret.kind == kind, ClientSecret.ended_at.is_(None))
            .order_by(ClientSecret.id)
        )
    ).all()
    live = [one for one in former if one.expires_at is None or one.expires_at > now]
    if len(live) >= LIVE:
        raise Conflict("Cette application a déjà trop de clés en cours : retirez les anciennes d’abord.")
    for one in live:
        one.expires_at = end if one.expires_at is None else min(one.expires_at, end)
    return end if live else None


async def end_secret(session: AsyncSession, uid: uuid.UUID, version: int, secret_id: int, actor: str) -> None:
    """End a secret at once, with the tokens that it obtained; ending it twice changes nothing.

    Raises:
        NotFound: the client has no such secret.
        Conflict: it changed meanwhile, or is closed.
    """
    client = await _lock(session, uid, version)
    secret = await session.get(ClientSecret, secret_id)
    if secret is None or secret.client_id != client.id:
        raise NotFound("Cette clé n’existe pas.")
    if secret.ended_at is not None:
        return
    now = await clock.now(session)
    secret.ended_at = now
    await session.execute(
        update(ClientToken)
        .where(ClientToken.secret_id == secret.id, ClientToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    client.version += 1
    note(session, client.id, actor, "secret_ended", {"kind": secret.kind, "hint": secret.hint})


async def change_status(
    session: AsyncSession, uid: uuid.UUID, version: int, wanted: str, why: str, actor: str
) -> Client:
    """Suspend a client, let it read again, or close it for ever; its contact is told.

    Raises:
        Conflict: it changed meanwhile, or the passage is not allowed.
    """
    client = await _lock(session, uid, version)
    client.status = passage(client.status, wanted)
    client.version += 1
    note(session, client.id, actor, ACTIONS[client.status], {"why": why} if why else None)
    await session.flush()
    await mails.status_changed(session, client, why)
    return client


async def _add_secret(
    session: AsyncSession, client: Client, kind: secrets.Kind, actor: str
) -> tuple[ClientSecret, str]:
    secret = secrets.new(kind)
    row = ClientSecret(client_id=client.id, kind=kind, hint=secrets.hint(secret), digest=secrets.keyed(kind, secret))
    session.add(row)
    await session.flush()
    note(session, client.id, actor, "secret_given", {"kind": kind, "hint": row.hint})
    return row, secret


def _plain(value: object) -> object:
    return value.isoformat() if hasattr(value, "isoformat") else value


async def _lock(session: AsyncSession, uid: uuid.UUID, version: int) -> Client:
    client = await session.scalar(
        select(Client).where(Client.uid == uid).with_for_update().execution_options(populate_existing=True)
    )
    if client is None:
        raise NotFound("Cette application n’existe pas.")
    if client.status == "closed":
        raise Conflict("Cette application est fermée : elle ne peut plus changer.")
    if client.version != version:
        raise Conflict(STALE)
    return client
