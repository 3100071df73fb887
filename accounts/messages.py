"""What accounts are told: messages that packages send, that people read and mark as read."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.models_home import Message
from accounts.web import ours
from core import clock
from core.errors import NotFound

PAGE_SIZE = 30


@dataclass(frozen=True, slots=True)
class Told:
    """A message, as it is read."""

    uid: uuid.UUID
    subject: str
    body: str
    link: str | None
    sent_at: datetime
    read: bool


async def send_message(
    session: AsyncSession,
    account_id: int,
    *,
    kind: str,
    key: str,
    subject: str,
    body: str = "",
    link: str | None = None,
) -> bool:
    """Tell an account something, once for each (kind, key); return whether it is new.

    Args:
        session: the unit of work, which the caller commits: no message without what it tells.
        account_id: who is told.
        kind: what is told, such as `support.answered`.
        key: which one; asked for again, it stays one message.
        subject: one line.
        body: a few sentences, without markup.
        link: a page of ours where to go on.

    Raises:
        ValueError: the link is not a page of ours.
    """
    if link is not None and not ours(link):
        raise ValueError(link)
    row = await session.execute(
        insert(Message)
        .values(account_id=account_id, kind=kind, key=key, subject=subject, body=body, link=link)
        .on_conflict_do_nothing(index_elements=["account_id", "kind", "key"])
        .returning(Message.id)
    )
    return row.first() is not None


async def messages(
    session: AsyncSession, account_id: int, *, page: int = 1, size: int = PAGE_SIZE, unread: bool = False
) -> list[Told]:
    """Return a page of the messages of an account, the latest first."""
    wanted = select(Message).where(Message.account_id == account_id)
    if unread:
        wanted = wanted.where(Message.read_at.is_(None))
    rows = await session.scalars(wanted.order_by(Message.id.desc()).limit(size).offset((page - 1) * size))
    return [Told(m.uid, m.subject, m.body, m.link, m.sent_at, m.read_at is not None) for m in rows]


async def count(session: AsyncSession, account_id: int, *, unread: bool = False) -> int:
    """Count the messages of an account."""
    wanted = select(func.count()).select_from(Message).where(Message.account_id == account_id)
    if unread:
        wanted = wanted.where(Message.read_at.is_(None))
    return await session.scalar(wanted) or 0


async def read(session: AsyncSession, account_id: int, uid: uuid.UUID) -> str | None:
    """Mark a message as read; return where it leads. Reading it twice keeps the first time.

    Raises:
        NotFound: the account has no such message.
    """
    found = await session.scalar(
        select(Message).where(Message.uid == uid, Message.account_id == account_id).with_for_update()
    )
    if found is None:
        raise NotFound("Ce message n’existe pas, ou n’est pas à vous.")
    if found.read_at is None:
        found.read_at = await clock.now(session)
    return found.link


async def read_all(session: AsyncSession, account_id: int) -> int:
    """Mark every message of an account as read; return how many were not."""
    rows = await session.execute(
        update(Message)
        .where(Message.account_id == account_id, Message.read_at.is_(None))
        .values(read_at=await clock.now(session))
        .returning(Message.id)
    )
    return len(rows.all())


async def read_about(session: AsyncSession, account_id: int, links: Sequence[str]) -> None:
    """Mark as read the messages that lead to a page which the account is reading."""
    await session.execute(
        update(Message)
        .where(Message.account_id == account_id, Message.link.in_(links), Message.read_at.is_(None))
        .values(read_at=await clock.now(session))
    )
