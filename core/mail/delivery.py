"""Sending of what the outbox holds: claim one mail, send it under a lock, write what became of it.

A claim is committed before the server is spoken to, so that a process that dies leaves a trace; the mail is then
locked until its fate is committed, so that nobody else sends it meanwhile. Only a process that dies between the
server's acceptance and that commit can make a mail leave twice, with the same Message-ID.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core import clock
from core.db import unit_of_work
from core.mail import message
from core.mail.settings import mail_settings
from core.mail.smtp import Line, NotConfigured, PutOff, Refused, SendingFailed, ServerTrouble, server_of
from core.mail.states import State, pass_to
from core.models_mail import Mail
from core.settings import core_settings

log = structlog.get_logger("repere.mail")

PAUSES: Final = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 1800, 3600, 3 * 3600))
"""Between two attempts; the last one is repeated until the mail is given up."""
_TROUBLE_PAUSES: Final = PAUSES[:4]
"""When the server itself is in trouble: it is asked again ten minutes later at most."""
SILENT: Final = timedelta(minutes=1)
"""A sending that no one holds and that said nothing for so long: its process died."""
MOST: Final = 500
"""Mails that one call sends: the others are the next tick's."""
_WHO: Final = "envoi"


@dataclass(frozen=True, slots=True)
class Claim:
    """A mail that this process is to send: what it must still be when it is locked."""

    id: int
    attempts: int


async def deliver(ids: Sequence[int] | None = None, *, most: int = MOST) -> dict[State, int]:
    """Send what is due, the most pressing first, or what is due among some mails; any number may run at once.

    Returns:
        How many mails were left in each state.
    """
    fates: Counter[State] = Counter()
    settings = mail_settings()
    line: Line | None = None
    if not settings.kept_here:
        try:
            line = Line(server_of(settings))
            message.sender()
        except NotConfigured:
            # They wait for the operator until they are given up; `./repere doctor` says so.
            return dict(fates)
    try:
        for _ in range(most):
            claim = await _claim(ids)
            if claim is None:
                break
            fate, go_on = await _send(claim, line)
            if fate is not None:
                fates[fate] += 1
            if not go_on:
                break
    finally:
        if line is not None:
            await line.close()
    return dict(fates)


async def _claim(ids: Sequence[int] | None) -> Claim | None:
    async with unit_of_work() as session:
        now = await clock.now(session)
        free = (Mail.state == "queued") & (Mail.next_at <= now)
        left = (Mail.state == "sending") & (Mail.touched_at <= now - SILENT)
        wanted = select(Mail).where(Mail.state.in_(("queued", "sending")), Mail.give_up_at > now, free | left)
        if ids is not None:
            wanted = wanted.where(Mail.id.in_(ids))
        wanted = wanted.order_by(Mail.give_up_at, Mail.id).limit(1).with_for_update(skip_locked=True)
        mail = await session.scalar(wanted)
        if mail is None:
            return None
        pass_to(mail, "sending", now, who=_WHO)
        mail.attempts += 1
        return Claim(mail.id, mail.attempts)


async def _send(claim: Claim, line: Line | None) -> tuple[State | None, bool]:
    """Send a claimed mail; return its new state, None when it is in other hands, and whether to go on."""
    async with unit_of_work() as session:
        mail = await session.scalar(
            select(Mail)
            .where(Mail.id == claim.id, Mail.state == "sending", Mail.attempts == claim.attempts)
            .with_for_update(skip_locked=True)
        )
        if mail is None:
            return None, True
        go_on = True
        try:
            await _hand_over(mail, line)
        except SendingFailed as error:
            await _failed(session, mail, error)
            go_on = not isinstance(error, ServerTrouble)
        except Exception as error:
            # A mail that nobody foresaw must not stand in the way of the others.
            await _failed(session, mail, PutOff(f"Erreur inattendue : {type(error).__name__}"))
        else:
            now = await clock.now(session)
            pass_to(mail, "sent", now, who=_WHO)
            mail.sent_at, mail.reason = now, None
            # The mailbox of the demonstration shows them until they expire.
            if mail.secret and not core_settings().demo:
                mail.text = mail.html = None
            log.info("mail_sent", mail=mail.id, kind=mail.kind, attempts=mail.attempts)
        return mail.state, go_on  # type: ignore[return-value]


async def _hand_over(mail: Mail, line: Line | None) -> None:
    if mail.text is None or mail.html is None:
        raise Refused("Le contenu de ce mail a été effacé.")
    made = message.compose(mail)
    if line is not None:
        await line.send(made, message.sender().addr_spec, mail.recipient)


async def _failed(session: AsyncSession, mail: Mail, error: SendingFailed) -> None:
    now = await clock.now(session)
    pauses = _TROUBLE_PAUSES if isinstance(error, ServerTrouble) else PAUSES
    mail.reason = error.reason
    mail.next_at = now + pauses[min(mail.attempts, len(pauses)) - 1]
    for_good = isinstance(error, Refused) or mail.next_at >= mail.give_up_at
    pass_to(mail, "failed" if for_good else "queued", now, who=_WHO, why=_code(error))
    if isinstance(error, ServerTrouble):
        await _spare(session, mail.next_at)
    # The server's words may name the person: they stay in the row.
    log.warning("mail_not_sent", mail=mail.id, kind=mail.kind, state=mail.state, why=_code(error))


async def _spare(session: AsyncSession, until: datetime) -> None:
    """Leave a server in trouble alone: all that waits now waits as long as the mail that met the trouble."""
    others = (
        select(Mail.id)
        .where(Mail.state == "queued", Mail.next_at < until)
        .order_by(Mail.give_up_at, Mail.id)
        .with_for_update(skip_locked=True)
    )
    await session.execute(update(Mail).where(Mail.id.in_(others)).values(next_at=until))


def _code(error: SendingFailed) -> str:
    return f"{type(error).__name__} {error.code or ''}".strip()


async def tidy(session: AsyncSession) -> int:
    """Give up the mails whose time is over, and erase what secrets hold once they expired.

    Returns:
        How many were given up.
    """
    now = await clock.now(session)
    over = await session.scalars(
        select(Mail)
        .where(Mail.state.in_(("queued", "sending")), Mail.give_up_at <= now)
        .order_by(Mail.give_up_at, Mail.id)
        .limit(MOST)
        .with_for_update(skip_locked=True)
    )
    given_up = 0
    for mail in over:
        pass_to(mail, "failed", now, who=_WHO, why="expired")
        mail.reason = mail.reason or _never_tried()
        given_up += 1
    expired = await session.scalars(
        select(Mail)
        .where(Mail.secret, Mail.text.is_not(None), Mail.state.in_(("sent", "failed")), Mail.give_up_at <= now)
        .order_by(Mail.id)
        .limit(MOST)
        .with_for_update(skip_locked=True)
    )
    for mail in expired:
        mail.text = mail.html = None
    return given_up


def _never_tried() -> str:
    settings = mail_settings()
    if settings.kept_here:
        return "Le délai d’envoi est passé."
    try:
        server_of(settings)
        message.sender()
    except NotConfigured as error:
        return error.detail
    return "Le délai d’envoi est passé."


async def erase_old(session: AsyncSession) -> int:
    """Erase the personal values of the mails that are no longer kept; the rows remember that they were announced.

    Returns:
        How many were erased.
    """
    before = await clock.now(session) - timedelta(days=mail_settings().mail_days)
    return await _erase(session, before)


async def _erase(session: AsyncSession, before: datetime) -> int:
    old = await session.scalars(
        select(Mail)
        .where(Mail.state.in_(("sent", "failed")), Mail.touched_at < before, func.length(Mail.recipient) > 0)
        .order_by(Mail.id)
        .limit(10_000)
        .with_for_update(skip_locked=True)
    )
    erased = 0
    for mail in old:
        mail.recipient = mail.recipient_name = mail.subject = ""
        mail.reply_to = None
        mail.text = mail.html = mail.reason = None
        erased += 1
    return erased
