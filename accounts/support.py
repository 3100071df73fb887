"""Use cases of support: following, answering, closing; every passage follows `support_states` and is kept."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from accounts import inputs, support_queries
from accounts.messages import send_message
from accounts.models import Account
from accounts.models_support import SupportEntry, SupportLink, SupportPassage, SupportRequest
from accounts.person import Person
from accounts.support_states import next_state
from core import clock, mail
from core.errors import Conflict, NotFound, TooMany
from core.security import digest, new_token

LONGEST_TEXT: Final = 5000
LINK_LIFE: Final = timedelta(days=90)
HOUR: Final = timedelta(hours=1)
REPLIES_PER_HOUR: Final = 20
STALE: Final = (
    "Cette demande a changé pendant que vous écriviez : rien n’a été envoyé, et votre texte est gardé ci-dessous. "
    "Relisez le fil, puis recommencez."
)
TOO_MANY: Final = (
    "Vous avez déjà envoyé plusieurs demandes depuis une heure : celle-ci n’est pas envoyée, et votre texte est gardé. "
    "Réessayez plus tard ; les précédentes sont bien arrivées."
)


def number(request: SupportRequest) -> str:
    """Return the number that people say of a request."""
    return f"A-{request.id}"


async def reply(session: AsyncSession, request: SupportRequest, given: str, *, actor: str, author: str) -> None:
    """Add the asker's words to the thread, which opens again what was answered or closed.

    Raises:
        InvalidInput: the text is empty or too long.
        TooMany: too many replies within the hour.
    """
    text = _text(given, "reponse")
    locked = await _lock(session, request.id)
    if await _already(session, locked, actor, "person", text):
        return
    since = await clock.now(session) - HOUR
    sent = await session.scalar(
        select(func.count()).where(
            SupportEntry.request_id == locked.id, SupportEntry.side == "person", SupportEntry.at > since
        )
    )
    if (sent or 0) >= REPLIES_PER_HOUR:
        raise TooMany(TOO_MANY)
    say(session, locked, actor, author, "person", text)
    await _pass(session, locked, "reply", actor)
    if locked.handler_id is not None:
        await send_message(
            session,
            locked.handler_id,
            kind="support.reply",
            key=f"{locked.id}:{locked.version}",
            subject=f"Nouveau message sur la demande {number(locked)}",
            body=f"{author} a complété une demande que vous suivez.",
            link=f"/assistance/demandes/{locked.id}",
        )


async def answer(session: AsyncSession, request_id: int, version: int, given: str, operator: Person) -> None:
    """Answer a request: the person is told by mail, and by a message when they have an account.

    Raises:
        InvalidInput: the text is empty or too long.
        Conflict: somebody wrote in the thread meanwhile.
        NotFound: no such request.
    """
    text = _text(given, "reponse")
    request = await _lock(session, request_id)
    if await _already(session, request, operator.actor, "operator", text):
        return
    _fresh(request, version)
    entry = say(session, request, operator.actor, operator.name, "operator", text)
    request.handler_id = operator.account_id
    await _pass(session, request, "answer", operator.actor)
    await session.flush()
    await write_to_asker(session, request, "answered", str(entry.id), {"answer": text})
    if request.account_id is not None:
        await send_message(
            session,
            request.account_id,
            kind="support.answered",
            key=str(entry.id),
            subject=f"Réponse à votre demande {number(request)}",
            body=text if len(text) <= 300 else text[:300].rsplit(" ", 1)[0] + " …",
            link=f"/assistance/mes-demandes/{request.id}",
        )


async def annotate(session: AsyncSession, request_id: int, given: str, operator: Person) -> None:
    """Write a note that operators alone read; it changes nothing else.

    Raises:
        InvalidInput: the note is empty or too long.
        NotFound: no such request.
    """
    text = _text(given, "note")
    request = await _lock(session, request_id)
    if not await _already(session, request, operator.actor, "note", text):
        say(session, request, operator.actor, operator.name, "note", text)


async def act(session: AsyncSession, request_id: int, version: int, action: str, operator: Person) -> None:
    """Take charge of a request, close it or open it again.

    Raises:
        Conflict: it changed meanwhile, or its state does not allow it.
        NotFound: no such request.
    """
    request = await _lock(session, request_id)
    _fresh(request, version)
    if action == "take":
        request.handler_id = operator.account_id
    await _pass(session, request, action, operator.actor)


async def find(session: AsyncSession, request_id: int) -> SupportRequest:
    """Return a request of the queue.

    Raises:
        NotFound: no such request.
    """
    found = await session.get(SupportRequest, request_id)
    if found is None:
        raise NotFound("Cette demande n’existe pas.")
    return found


async def thread(session: AsyncSession, request: SupportRequest, *, notes: bool) -> Sequence[SupportEntry]:
    """Return the lines of a request's thread, in order."""
    return (await session.scalars(support_queries.thread(request.id, notes=notes))).all()


async def write_to_asker(
    session: AsyncSession, request: SupportRequest, what: str, key: str, context: dict[str, str]
) -> None:
    """Write to the asker; without an account, the mail carries a link of its own, kept as a digest."""
    if not request.email:
        return
    if request.account_id is not None:
        path = f"/assistance/mes-demandes/{request.id}"
    else:
        token = new_token()
        expires = await clock.now(session) + LINK_LIFE
        session.add(SupportLink(request_id=request.id, token=digest(token), expires_at=expires))
        path = f"/assistance/suivi/{token}"
    await mail.queue(
        session,
        kind=f"accounts.support_{what}",
        key=key,
        to=request.email,
        to_name=request.name,
        template=f"accounts/support_{what}",
        context={"number": number(request), "path": path, **context},
        secret=request.account_id is None,
    )


def say(session: AsyncSession, request: SupportRequest, actor: str, author: str, side: str, text: str) -> SupportEntry:
    """Add a line to a thread."""
    entry = SupportEntry(request_id=request.id, actor=actor, author=author, side=side, text=text)
    session.add(entry)
    return entry


async def _pass(session: AsyncSession, request: SupportRequest, action: str, actor: str) -> None:
    after = next_state(request.state, action)
    session.add(
        SupportPassage(request_id=request.id, actor=actor, action=action, from_state=request.state, to_state=after)
    )
    request.state = after
    request.touched_at = await clock.now(session)
    request.version += 1


async def _lock(session: AsyncSession, request_id: int) -> SupportRequest:
    found = await session.scalar(
        select(SupportRequest)
        .where(SupportRequest.id == request_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFound("Cette demande n’existe pas.")
    return found


async def _already(session: AsyncSession, request: SupportRequest, actor: str, side: str, text: str) -> bool:
    """Tell whether the thread ends with these words: a double click, or a page sent again."""
    last = await session.scalar(
        select(SupportEntry).where(SupportEntry.request_id == request.id).order_by(SupportEntry.id.desc()).limit(1)
    )
    return last is not None and (last.actor, last.side, last.text) == (actor, side, text)


def _fresh(request: SupportRequest, version: int) -> None:
    if request.version != version:
        raise Conflict(STALE)


def _text(given: str, field_name: str) -> str:
    errors = inputs.Errors()
    text = errors.check(field_name, inputs.needed_text(LONGEST_TEXT, missing="Écrivez votre message."), given)
    errors.stop()
    return text


async def erase(session: AsyncSession, account: Account) -> None:
    """Take a closing account's name and addresses off its requests; the threads stay, for those who answered."""
    await session.execute(
        update(SupportRequest).where(SupportRequest.account_id == account.id).values(name="", email=None, phone=None)
    )
    await session.execute(
        update(SupportEntry)
        .where(SupportEntry.actor == f"account:{account.uid}", SupportEntry.side == "person")
        .values(author="Compte fermé")
    )
