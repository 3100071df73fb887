"""What happens at the commit that brings a mail: somebody may be waiting for it.

A process that serves people sends it itself, at once, with the locked routine of everyone, or wakes the workers when
there are too many. Where nobody waits (a worker, a command), the scheduler's next tick is soon enough; it is also the
net below the others.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

log = structlog.get_logger("repere.mail")

Sender = Callable[[Sequence[int]], Awaitable[object]]

AT_ONCE: Final = 20
"""Mails of one commit that the process of the page sends itself; more are the workers' business."""
AT_A_TIME: Final = 2
"""Sendings of one process at a time: each keeps a database connection while the server takes the mail."""
WAITING: Final = 50
"""Sendings that may wait for their turn; the workers take the others."""
_STOP_SECONDS: Final = 4.0
_INFO = "repere.mail"


class _Here:
    """Set in a process that sends by itself."""

    send: Sender | None = None
    turns: asyncio.Semaphore | None = None
    running: set["asyncio.Task[None]"] = set()


def at_commit(session: AsyncSession, mail_id: int) -> None:
    """Have a mail sent when the session commits."""
    session.info.setdefault(_INFO, []).append(mail_id)


def start(send: Sender) -> None:
    """Send from now on in this process, on its running loop, what it commits."""
    _Here.send, _Here.turns = send, asyncio.Semaphore(AT_A_TIME)


async def stop() -> None:
    """Let the sendings of this process end, for a few seconds; the workers take up the others."""
    _Here.send = None
    if _Here.running:
        await asyncio.wait(_Here.running, timeout=_STOP_SECONDS)


@event.listens_for(Session, "after_commit")
def _committed(session: Session) -> None:
    # The release of a savepoint is announced too: nothing is committed yet.
    if session.in_nested_transaction():
        return
    ids: list[int] = session.info.pop(_INFO, [])
    if not ids:
        return
    if _Here.send is None:
        return
    loop = asyncio.get_running_loop()
    if len(ids) <= AT_ONCE and len(_Here.running) < WAITING:
        task = loop.create_task(_send(_Here.send, ids))
        _Here.running.add(task)
        task.add_done_callback(_Here.running.discard)
    else:
        loop.run_in_executor(None, _wake_workers)


def _wake_workers() -> None:
    # Celery is long to import, and most processes never come here.
    from core.mail.tasks import wake

    wake()


async def _send(send: Sender, ids: Sequence[int]) -> None:
    assert _Here.turns is not None  # noqa: S101 - set by start()
    async with _Here.turns:
        try:
            await send(ids)
        except Exception as error:
            # The row is still there: the next tick takes it. Its content must not follow the error into a log.
            log.warning("mail_left_to_the_workers", mails=list(ids), error=type(error).__name__)
