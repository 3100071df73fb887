"""Access tokens: given to a client that proved its secret, taken back, forgotten."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.clients import secrets
from accounts.clients.lookup import Known
from accounts.clients.scopes import in_order
from accounts.models_clients import Client, ClientSecret, ClientToken
from accounts.settings import client_settings
from core import clock


@dataclass(frozen=True, slots=True)
class Issued:
    """A token as it is given, once: it is kept nowhere."""

    token: str
    seconds: int
    scopes: list[str]


async def issue(session: AsyncSession, known: Known, scopes: frozenset[str]) -> Issued:
    """Give a client a token for some of its scopes; it never outlives the client."""
    token = secrets.new("token")
    now = await clock.now(session)
    expires = now + timedelta(minutes=client_settings().token_minutes)
    end = await session.scalar(select(Client.expires_at).where(Client.id == known.id))
    if end is not None:
        expires = min(expires, end)
    session.add(
        ClientToken(
            secret_id=known.secret_id,
            digest=secrets.keyed("token", token),
            scopes=in_order(scopes),
            issued_at=now,
            expires_at=expires,
        )
    )
    await session.flush()
    return Issued(token, max(1, int((expires - now).total_seconds())), in_order(scopes))


async def revoke(session: AsyncSession, client_id: int, token: str) -> bool:
    """Take a token back; tell whether it is the client's own, or nobody's. Twice changes nothing."""
    digest = secrets.keyed("token", token)
    row = (
        await session.execute(
            select(ClientToken.id, ClientSecret.client_id)
            .join(ClientSecret, ClientSecret.id == ClientToken.secret_id)
            .where(ClientToken.digest == digest)
        )
    ).one_or_none()
    if row is None:
        return True
    if row.client_id != client_id:
        return False
    await session.execute(
        update(ClientToken)
        .where(ClientToken.id == row.id, ClientToken.revoked_at.is_(None))
        .values(revoked_at=func.core.now())
    )
    return True
