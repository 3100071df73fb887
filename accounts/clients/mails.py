"""Mails to the contact of a client: no secret is ever in them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.models_clients import Client, ClientSecret
from core import clock, mail

KINDS: Final = {"key": "clé d’API", "secret": "secret OAuth2", "jwks": "jeu de clés publiques"}
BEFORE: Final = (30, 7)
"""Days before its end at which the contact of a client is told."""


async def created(session: AsyncSession, client: Client, kind: str) -> None:
    """Tell that a client exists."""
    context = {"kind": KINDS[kind], "signs": kind == "jwks", "public_id": client.public_id}
    await _queue(session, client, "created", str(client.id), context)


async def rotated(session: AsyncSession, client: Client, secret: ClientSecret, end: datetime | None) -> None:
    """Tell that a client has a new secret, and when the former one ends."""
    context = {"kind": KINDS[secret.kind], "signs": secret.kind == "jwks", "hint": secret.hint, "end": end}
    await _queue(session, client, "rotated", str(secret.id), context)


async def status_changed(session: AsyncSession, client: Client, why: str) -> None:
    """Tell that a client was suspended, closed, or may read again."""
    await _queue(session, client, "status", f"{client.id}:{client.version}", {"status": client.status, "why": why})


async def warn(session: AsyncSession) -> int:
    """Tell the contacts of the clients that end soon, once for each delay; return how many mails that made."""
    now = await clock.now(session)
    soon = (
        await session.scalars(
            select(Client)
            .where(
                Client.status == "active",
                Client.expires_at > now,
                Client.expires_at <= now + timedelta(days=max(BEFORE)),
            )
            .order_by(Client.expires_at, Client.id)
            .limit(5_000)
        )
    ).all()
    written = 0
    for client in soon:
        assert client.expires_at is not None  # noqa: S101 - selected so
        days = min(days for days in BEFORE if client.expires_at <= now + timedelta(days=days))
        key = f"{client.id}:{client.expires_at.isoformat()}:{days}"
        written += await _queue(session, client, "ending", key, {"end": client.expires_at})
    return written


async def _queue(session: AsyncSession, client: Client, name: str, key: str, context: Mapping[str, object]) -> bool:
    return await mail.queue(
        session,
        kind=f"accounts.client_{name}",
        key=key,
        to=client.contact,
        template=f"accounts/client_{name}",
        context={"name": client.name, **context},
    )
