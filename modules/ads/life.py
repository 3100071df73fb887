"""The life of an ad: every passage, under the lock of its row, with its line of history and its mail."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Standing, standing_of
from core import clock
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from modules.ads import content as contents
from modules.ads import files, notices, projection, reports, rules
from modules.ads.missing import lacking
from modules.ads.models import Ad, AdFile, AdHistory
from modules.ads.models_upload import AdUpload
from modules.ads.people import Reader, moderated_by
from modules.ads.schemas import AdContent
from modules.ads.situations import refused_to
from modules.ads.states import WRITABLE, Action, State, next_state, refusal

STALE: Final = "Cette annonce a changé pendant que vous la lisiez : rien n’a été modifié. Relisez-la, puis recommencez."
TWICE: Final = "Cette annonce est déjà enregistrée : retrouvez-la dans « Gérer »."
ALREADY: Final = "Un autre modérateur a déjà traité cette annonce : rien n’a été modifié."
LONGEST_REASON: Final = 1000
CLOCK: Final = "clock"
NATIONAL: Final = "national"

Files = Sequence[AdFile | AdUpload]


@dataclass(frozen=True, slots=True)
class By:
    """Who makes a passage: their reference in histories, and the council in whose name a moderator acts."""

    actor: str
    council: str | None = None


async def create(
    session: AsyncSession,
    author: Reader,
    content: AdContent,
    ends_on: date | None,
    *,
    uid: uuid.UUID | None = None,
    attached: Files = (),
) -> Ad:
    """Begin a draft; whatever it lacks is said when it is transmitted.

    Args:
        session: unit of work.
        author: whose draft it is.
        content: what it says.
        ends_on: last day of publication.
        uid: what the form that asks for it drew: sent twice, it begins one draft.
        attached: its files, those that `content` names.

    Raises:
        Conflict: there is an ad of this `uid` already.
    """
    made = insert(Ad).values(uid=uid or uuid.uuid4(), account_id=author.account_id, state="draft", ends_on=ends_on)
    ad_id = await session.scalar(made.on_conflict_do_nothing(index_elements=["uid"]).returning(Ad.id))
    if ad_id is None:
        raise Conflict(TWICE)
    ad = await session.get_one(Ad, ad_id)
    await contents.write(session, ad, content)
    await files.attach(session, ad, attached)
    session.add(AdHistory(ad_id=ad.id, actor=author.person.actor, action="create", to_state="draft"))
    await session.flush()
    await session.refresh(ad)
    return ad


async def begun(session: AsyncSession, author: Reader, uid: uuid.UUID) -> Ad | None:
    """Return the ad that a form of somebody has begun already, locked; None when it has not, or it is deleted."""
    ad = await _locked(session, Ad.uid == uid, Ad.account_id == author.account_id)
    return None if ad is None or ad.state == "deleted" else ad


async def own(session: AsyncSession, author: Reader, number: int, version: int | None = None) -> Ad:
    """Return an ad of somebody, locked.

    Raises:
        NotFound: it is not theirs, or is deleted.
        Conflict: it changed since `version`.
    """
    ad = await _locked(session, Ad.number == number, Ad.account_id == author.account_id)
    if ad is None or ad.state == "deleted":
        raise NotFound("Cette annonce n’existe pas, ou n’est pas l’une des vôtres.")
    if version is not None and ad.version != version:
        raise Conflict(STALE)
    return ad


async def moderated(session: AsyncSession, moderator: Reader, number: int, version: int) -> Ad:
    """Return an ad that somebody moderates, locked.

    Raises:
        NotFound: it is not theirs to moderate.
        Forbidden: they wrote it.
        Conflict: somebody acted on it since `version`.
    """
    ad = await _locked(session, Ad.number == number, moderated_by(moderator))
    if ad is None:
        raise NotFound("Cette annonce n’existe pas, ou relève d’un autre conseil.")
    if ad.account_id == moderator.account_id:
        raise Forbidden("Vous êtes l’auteur de cette annonce : un autre modérateur doit la vérifier.")
    if ad.version != version:
        raise Conflict(ALREADY)
    return ad


async def save(
    session: AsyncSession,
    ad: Ad,
    content: AdContent,
    ends_on: date | None,
    attached: Files | None = None,
) -> None:
    """Keep what was typed, of a draft or of an ad that is not shown; nothing is transmitted.

    `attached`: its files, those that `content` names; None leaves them as they are.

    Raises:
        Conflict: the state allows no change, or the ad is published: then `revise` is meant.
        InvalidInput: the category or the situation changed after a submission.
    """
    state = _state(ad)
    if state not in WRITABLE or state == "published":
        raise refusal(state)
    _same_kind(ad, content)
    await contents.write(session, ad, content)
    if attached is not None:
        await files.attach(session, ad, attached)
    ad.ends_on = ends_on
    await _touch(session, ad)


async def submit(session: AsyncSession, author: Reader, ad: Ad) -> None:
    """Transmit an ad to the council of its author.

    Raises:
        InvalidInput: it lacks something; `fields` says what.
        Conflict: its state does not allow it.
    """
    next_state(_state(ad), "submit")
    said = await contents.read(session, ad)
    await _complete(session, author, said, ad.ends_on)
    await _send(session, author, ad, said, "submit")


async def revise(
    session: AsyncSession,
    author: Reader,
    ad: Ad,
    content: AdContent,
    ends_on: date | None,
    attached: Files | None = None,
) -> bool:
    """Change a published ad: another content unpublishes it and transmits it again, another end alone is immediate.

    `attached`: its files, those that `content` names; None leaves them as they are.

    Returns:
        Whether it went back to moderation.

    Raises:
        InvalidInput: it lacks something, or its category or situation changed.
        Conflict: its state does not allow it.
    """
    next_state(_state(ad), "revise")
    _same_kind(ad, content)
    if content.digest() == ad.content:
        if ends_on != ad.ends_on:
            await extend(session, author, ad, ends_on)
        return False
    # Before anything is written: what is published stays as it was read.
    await _complete(session, author, content, ends_on)
    await contents.write(session, ad, content)
    if attached is not None:
        await files.attach(session, ad, attached)
    ad.ends_on = ends_on
    await _send(session, author, ad, content, "revise")
    return True


async def extend(session: AsyncSession, author: Reader, ad: Ad, ends_on: date | None) -> None:
    """Change the end of publication alone, at once.

    Raises:
        InvalidInput: the date is past, or more than a year away.
        Conflict: the state does not allow it.
    """
    next_state(_state(ad), "extend")
    _end(ends_on, clock.today(await clock.now(session)))
    before, ad.ends_on = ad.ends_on, ends_on
    detail = {"before": before.isoformat() if before else None, "after": ends_on.isoformat() if ends_on else None}
    await _pass(session, ad, "extend", By(author.person.actor), detail=detail)


async def unpublish(session: AsyncSession, author: Reader, ad: Ad, reason: str | None) -> None:
    """Take an ad off; it may be published again later."""
    next_state(_state(ad), "unpublish")
    ad.unpublish_reason = reason
    await _pass(session, ad, "unpublish", By(author.person.actor), reason=reason)


async def republish(session: AsyncSession, author: Reader, ad: Ad, ends_on: date | None) -> bool:
    """Publish an ad again: at once if its content is the one last accepted, else through moderation.

    Returns:
        Whether it is published already.

    Raises:
        InvalidInput: it lacks something, or the end of publication is past.
        Conflict: the state does not allow it.
    """
    next_state(_state(ad), "republish")
    said = await contents.read(session, ad)
    await _complete(session, author, said, ends_on)
    ad.ends_on = ends_on
    if said.digest() != ad.accepted:
        await _send(session, author, ad, said, "submit")
        return False
    ad.published_at = await clock.now(session)
    ad.unpublish_reason = None
    await _pass(session, ad, "republish", By(author.person.actor))
    return True


async def remove(session: AsyncSession, author: Reader, ad: Ad) -> None:
    """Delete an ad: its number stays taken, what it said goes."""
    await leave(session, ad, author.person.actor)


async def leave(session: AsyncSession, ad: Ad, actor: str) -> None:
    """Delete an ad, locked, of somebody who closes their account, and may no longer be a reader."""
    next_state(_state(ad), "delete")
    await _pass(session, ad, "delete", By(actor))
    await _erase(session, ad, actor)


async def accept(session: AsyncSession, moderator: Reader, ad: Ad) -> None:
    """Publish an ad that a council has read.

    Raises:
        Conflict: another moderator decided first, its end of publication is past, or the standing of its author is.
    """
    if ad.state != "pending":
        raise Conflict(ALREADY)
    now = await clock.now(session)
    if ad.ends_on is None or ad.ends_on < clock.today(now):
        raise Conflict("La date de fin de publication choisie par l’auteur est passée : l’annonce n’est pas publiée.")
    if refused_to(await standing_of(session, ad.account_id), ad.category, ad.side) is not None:
        raise Conflict("La situation de l’auteur ne permet plus de publier cette annonce : elle n’est pas publiée.")
    ad.accepted = ad.content
    ad.published_at = now
    ad.unpublish_reason = None
    await _pass(session, ad, "accept", _by(moderator, ad))


async def refuse(session: AsyncSession, moderator: Reader, ad: Ad, reason: str) -> None:
    """Refuse an ad, waiting or published; the reason is shown to its author.

    Raises:
        InvalidInput: the reason is too long.
        Conflict: another moderator decided first.
    """
    if ad.state not in ("pending", "published"):
        raise Conflict(ALREADY)
    if len(reason) > LONGEST_REASON:
        said = f"Le motif compte {LONGEST_REASON} caractères au plus."
        raise InvalidInput(said, fields={"reason": said})
    ad.refusals += 1
    # What was refused is no longer what a council accepted, even if it had been.
    ad.accepted = None
    await _pass(session, ad, "refuse", _by(moderator, ad), reason=reason.strip() or None)


async def expire(session: AsyncSession, ad: Ad) -> None:
    """Take off an ad, locked, whose last day is past; the clock does it."""
    await _pass(session, ad, "expire", By(CLOCK))


async def suspend(session: AsyncSession, ad: Ad, reason: str, standing: Standing | None) -> None:
    """Take off an ad, locked, that the standing of its author no longer allows; `reason`: one of `SUSPEND_REASONS`."""
    ad.unpublish_reason = reason
    ended = standing.licence_ended if standing else None
    detail = {"standing": standing.kind if standing else None, "ended": ended.isoformat() if ended else None}
    await _pass(session, ad, "suspend", By(CLOCK), reason=reason, detail=detail)


async def purge(session: AsyncSession, ad: Ad) -> None:
    """Delete an ad, locked, that was kept as long as it may be; the clock does it."""
    await _pass(session, ad, "purge", By(CLOCK))
    await _erase(session, ad, CLOCK)


async def _erase(session: AsyncSession, ad: Ad, actor: str) -> None:
    """Answer who reported an ad, then empty it of all that it said: the one place that takes from its history."""
    await reports.close_gone(session, ad, actor)
    await contents.write(session, ad, AdContent())
    await files.drop_all(session, ad)
    ad.content = ad.accepted = None
    for line in await session.scalars(select(AdHistory).where(AdHistory.ad_id == ad.id).order_by(AdHistory.id)):
        line.reason = line.detail = None
    await session.flush()


def _state(ad: Ad) -> State:
    state: Any = ad.state
    return state  # type: ignore[no-any-return]


async def _locked(session: AsyncSession, *chosen: ColumnElement[bool]) -> Ad | None:
    wanted = select(Ad).where(*chosen).with_for_update().execution_options(populate_existing=True)
    return await session.scalar(wanted)


def _by(moderator: Reader, ad: Ad) -> By:
    council = f"CD{ad.council}" if ad.council in moderator.councils else NATIONAL
    return By(moderator.person.actor, council)


def _same_kind(ad: Ad, content: AdContent) -> None:
    if ad.submitted_at is None or (content.category, content.side) == (ad.category, ad.side):
        return
    said = "La catégorie et la situation ne changent plus une fois l’annonce transmise : déposez une autre annonce."
    raise InvalidInput(said, fields={"category": said})


def _end(ends_on: date | None, today: date) -> None:
    error = rules.end_error(ends_on, today)
    if error:
        raise InvalidInput(error, fields={"ends_on": error})


async def _complete(session: AsyncSession, author: Reader, content: AdContent, ends_on: date | None) -> None:
    errors = await lacking(session, author, content, ends_on)
    if errors:
        raise InvalidInput("L’annonce est incomplète : elle n’est pas transmise.", fields=errors)


async def _send(session: AsyncSession, author: Reader, ad: Ad, content: AdContent, action: Action) -> None:
    assert author.standing is not None  # noqa: S101 - `_complete` refused whoever has none
    ad.council = author.standing.council
    ad.content = content.digest()
    ad.submitted_at = await clock.now(session)
    ad.escalated_at = None
    ad.unpublish_reason = None
    await _pass(session, ad, action, By(author.person.actor), detail=content.model_dump(mode="json"))


async def _touch(session: AsyncSession, ad: Ad) -> None:
    ad.version += 1
    ad.updated_at = await clock.now(session)
    await session.flush()


async def _pass(
    session: AsyncSession, ad: Ad, action: Action, by: By, *, reason: str | None = None, detail: Any = None
) -> None:
    before = _state(ad)
    after = next_state(before, action)
    ad.state = after
    if after == "published":
        ad.closed_at = None
    elif after != "pending":
        ad.closed_at = await clock.now(session)
    line = AdHistory(
        ad_id=ad.id,
        actor=by.actor,
        council=by.council,
        action=action,
        from_state=before,
        to_state=after,
        reason=reason,
        detail=detail,
    )
    session.add(line)
    await _touch(session, ad)
    await projection.refresh(session, ad)
    await notices.announce(session, ad, line)
