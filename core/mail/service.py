"""What operators ask of the outbox, and what the mailbox of the demonstration shows."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.errors import Conflict, NotFound
from core.mail import waking
from core.mail.outbox import KEPT_TRYING
from core.mail.states import State, pass_to, state_of
from core.models_mail import Mail

PAGE_SIZE: Final = 30
MOST_RETRIED: Final = 1000
_OPERATOR: Final = "exploitant"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many mails are in each state, how many failed this week, and since when the oldest one that waits does."""

    queued: int
    sending: int
    sent: int
    failed: int
    failed_lately: int
    waiting_since: datetime | None


@dataclass(frozen=True, slots=True)
class MailPage:
    """A page of the mailbox, newest first."""

    mails: Sequence[Mail]
    total: int
    page: int
    pages: int

    @property
    def first(self) -> int:
        """Rank of the first mail shown."""
        return (self.page - 1) * PAGE_SIZE + 1

    @property
    def last(self) -> int:
        """Rank of the last mail shown."""
        return self.first + len(self.mails) - 1


async def counts(session: AsyncSession) -> Counts:
    """Count the mails of the outbox."""
    rows = await session.execute(
        select(Mail.state, func.count(), func.min(Mail.queued_at)).group_by(Mail.state).order_by(Mail.state)
    )
    found = {state: (count, oldest) for state, count, oldest in rows}
    number = {state: found.get(state, (0, None))[0] for state in ("queued", "sending", "sent", "failed")}
    week_ago = await clock.now(session) - timedelta(days=7)
    lately = select(func.count()).select_from(Mail).where(Mail.state == "failed", Mail.touched_at > week_ago)
    return Counts(
        **number,
        failed_lately=await session.scalar(lately) or 0,
        waiting_since=found.get("queued", (0, None))[1],
    )


async def id_of(session: AsyncSession, kind: str, key: str) -> int:
    """Return the number of a mail that was just queued.

    Raises:
        sqlalchemy.exc.NoResultFound: it was not.
    """
    return (await session.scalars(select(Mail.id).where(Mail.kind == kind, Mail.key == key))).one()


async def latest(session: AsyncSession, *, state: State | None, limit: int) -> Sequence[Mail]:
    """Return the last mails, of one state or of all."""
    wanted = select(Mail).order_by(Mail.id.desc()).limit(limit)
    if state is not None:
        wanted = wanted.where(Mail.state == state)
    return (await session.scalars(wanted)).all()


async def failed_ids(session: AsyncSession) -> Sequence[int]:
    """Return the mails that failed and still have something to say, oldest first."""
    wanted = select(Mail.id).where(Mail.state == "failed", Mail.text.is_not(None)).order_by(Mail.id)
    return (await session.scalars(wanted.limit(MOST_RETRIED))).all()


async def retry(session: AsyncSession, mail_id: int) -> None:
    """Put a mail that failed back in the queue, at once and for the full length of the attempts.

    Raises:
        NotFound: there is no such mail.
        Conflict: it did not fail, or its content was erased.
    """
    mail = await session.get(Mail, mail_id, with_for_update=True)
    if mail is None:
        raise NotFound(f"Il n’y a pas de mail n° {mail_id}.")
    if state_of(mail) == "failed" and mail.text is None:
        raise Conflict(f"Le contenu du mail n° {mail_id} a été effacé : il ne peut plus partir.")
    now = await clock.now(session)
    pass_to(mail, "queued", now, who=_OPERATOR)
    mail.attempts, mail.next_at = 0, now
    # A secret lives as long as what it opens, not a day more.
    if not mail.secret:
        mail.give_up_at = now + KEPT_TRYING
    waking.at_commit(session, mail.id)


async def page_of(session: AsyncSession, *, recipient: str, page: int) -> MailPage:
    """Return a page of all the mails, or of those whose recipient's address holds a text.

    A page beyond the last one is the last one.
    """
    chosen: list[ColumnElement[bool]] = [Mail.recipient.icontains(recipient, autoescape=True)] if recipient else []
    total = await session.scalar(select(func.count()).select_from(Mail).where(*chosen)) or 0
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(page, 1), pages)
    wanted = select(Mail).where(*chosen).order_by(Mail.id.desc()).limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)
    return MailPage((await session.scalars(wanted)).all(), total, page, pages)


async def find(session: AsyncSession, uid: uuid.UUID) -> Mail:
    """Return a mail by its public identifier.

    Raises:
        NotFound: there is no such mail.
    """
    mail = await session.scalar(select(Mail).where(Mail.uid == uid))
    if mail is None:
        raise NotFound("Ce mail n’existe pas.")
    return mail
