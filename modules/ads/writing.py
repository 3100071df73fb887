"""What an author asks of an ad, typed in the page or sent to the API: keep it, or transmit it."""

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Conflict, InvalidInput
from modules.ads import content as contents
from modules.ads import files, life
from modules.ads.missing import lacking
from modules.ads.models import Ad, AdFile
from modules.ads.people import Reader
from modules.ads.schemas import AdContent
from modules.ads.states import refusal

Word = Literal["draft", "saved", "sent", "published", "extended", "unchanged"]
"""What became of an ad."""

ALREADY_THERE: Final = (
    "Cette annonce a déjà été enregistrée depuis cette page, puis elle a changé : rien n’a été modifié. "
    "Ce que vous avez saisi est gardé ci-dessous."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants an ad to say. `transmit`: send it to the council, or publish it again."""

    content: AdContent
    ends_on: date | None
    files: tuple[uuid.UUID, ...]
    transmit: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """An ad and what became of it."""

    ad: Ad
    word: Word


async def begin(session: AsyncSession, author: Reader, asked: Asked, uid: uuid.UUID | None) -> Outcome:
    """Write a new ad; asked twice by the same form, the second time finds the first.

    Raises:
        Conflict: this form began an ad that has changed since.
        InvalidInput: it lacks something.
    """
    found = await life.begun(session, author, uid) if uid else None
    if found is None:
        content, attached = await _with_files(session, author, asked)
        try:
            ad = await life.create(session, author, content, asked.ends_on, uid=uid, attached=attached)
        except Conflict:
            # Both halves of a double click: the first has just written it. Somebody else's is no business of theirs.
            found = await life.begun(session, author, uid) if uid else None
            if found is None:
                ad = await life.create(session, author, content, asked.ends_on, attached=attached)
    if found is not None:
        return await _again(session, author, found, asked)
    if not asked.transmit:
        return Outcome(ad, "draft")
    await life.submit(session, author, ad)
    return Outcome(ad, "sent")


async def _again(session: AsyncSession, author: Reader, ad: Ad, asked: Asked) -> Outcome:
    content, _ = await _with_files(session, author, asked)
    same = content == await contents.read(session, ad) and asked.ends_on == ad.ends_on
    if same and ad.state == "draft" and not asked.transmit:
        return Outcome(ad, "draft")
    if same and ad.state == "pending" and asked.transmit:
        return Outcome(ad, "sent")
    if ad.state == "draft" and ad.version == 1:
        return await change(session, author, ad, asked)
    raise Conflict(ALREADY_THERE)


async def change(session: AsyncSession, author: Reader, ad: Ad, asked: Asked) -> Outcome:
    """Write an ad of somebody, locked.

    Raises:
        Conflict: its state does not allow it.
        InvalidInput: it lacks something, or its category or situation changed.
    """
    content, attached = await _with_files(session, author, asked)
    if ad.state == "published":
        if not asked.transmit:
            raise refusal("published")
        before = ad.ends_on
        if await life.revise(session, author, ad, content, asked.ends_on, attached):
            return Outcome(ad, "sent")
        return Outcome(ad, "unchanged" if before == ad.ends_on else "extended")
    await life.save(session, ad, content, asked.ends_on, attached)
    if not asked.transmit:
        return Outcome(ad, "draft" if ad.state == "draft" else "saved")
    if ad.state == "unpublished":
        return Outcome(ad, "published" if await life.republish(session, author, ad, asked.ends_on) else "sent")
    await life.submit(session, author, ad)
    return Outcome(ad, "sent")


async def _with_files(session: AsyncSession, author: Reader, asked: Asked) -> tuple[AdContent, life.Files]:
    attached = await files.find(session, author.account_id, asked.files)
    return asked.content.model_copy(update={"files": files.refs(attached)}), attached


async def lacks(session: AsyncSession, author: Reader, asked: Asked) -> dict[str, str]:
    """Return what keeps an ad from being transmitted: field → French message."""
    errors: dict[str, str] = {}
    try:
        await files.find(session, author.account_id, asked.files)
    except InvalidInput as error:
        errors |= error.fields
    return await lacking(session, author, asked.content, asked.ends_on) | errors


async def file_uids(session: AsyncSession, ad: Ad) -> tuple[uuid.UUID, ...]:
    """Return the files of an ad, in their order."""
    wanted = select(AdFile.uid).where(AdFile.ad_id == ad.id).order_by(AdFile.position, AdFile.id)
    return tuple(await session.scalars(wanted))
