"""Opening of one ad: what a reader may see of it, and how often they may see how its author is reached."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Limit, reach, take
from core.errors import DomainError, NotFound, TooMany
from modules.ads.models import Ad
from modules.ads.people import Reader, readable_by
from modules.ads.views import AdView, view

CONTACTS: Final = Limit("ads-contacts", 30, timedelta(minutes=2))
"""Contacts that one account may have shown to it: a reader's afternoon, not a copy of the file."""
MAIL_USE: Final = "ordre"
"""The use of coordinates whose e-mail its owner confirmed: the one that is written to."""
NOT_FOUND: Final = "Cette annonce n’existe pas, ou n’est pas publiée."


class NoLongerShown(DomainError):
    """An ad that was published and is not any more: nothing else is said of it."""

    status = 410
    code = "annonce-retiree"
    title = "Cette annonce n’est plus publiée"


@dataclass(frozen=True, slots=True)
class Opened:
    """An ad that somebody opens, and what they are to it."""

    ad: Ad
    view: AdView
    mine: bool
    moderated: bool


async def find(session: AsyncSession, reader: Reader, number: int) -> Ad:
    """Return an ad that somebody may read.

    Raises:
        NoLongerShown: it was published, and ended.
        NotFound: it does not exist, or was never published for them to see.
    """
    chosen = Ad.number == number if number < 2**31 else None
    ad = None if chosen is None else await session.scalar(select(Ad).where(chosen, readable_by(reader)))
    if ad is not None:
        return ad
    if chosen is not None and await session.scalar(select(Ad.id).where(chosen, Ad.published_at.is_not(None))):
        raise NoLongerShown("Son auteur l’a retirée ou la modifie, ou sa date de fin est passée.")
    raise NotFound(NOT_FOUND)


async def open_ad(session: AsyncSession, reader: Reader, number: int) -> Opened:
    """Return an ad as somebody reads it, without its contacts unless they are the author's own.

    Raises:
        NoLongerShown: it was published, and ended.
        NotFound: it does not exist, or was never published for them to see.
    """
    ad = await find(session, reader, number)
    mine = ad.account_id == reader.account_id
    moderated = ad.submitted_at is not None and reader.moderates_for(ad.council)
    return Opened(ad, await view(session, ad, contacts=mine), mine, moderated)


async def show_contacts(session: AsyncSession, reader: Reader, number: int) -> Opened:
    """Return an ad with how its author is reached; what is counted is forgotten as the counter fills again.

    Raises:
        TooMany: this account asked for too many.
        NotFound: it does not exist, or may not be read.
        NoLongerShown: it was published, and ended.
    """
    opened = await open_ad(session, reader, number)
    if opened.mine:
        return opened
    wait = await take(session, CONTACTS, str(reader.account_id))
    if wait is not None:
        minutes = -(-int(wait.total_seconds()) // 60)
        raise TooMany(
            "Vous avez affiché beaucoup de coordonnées en peu de temps. "
            f"Réessayez dans {minutes}\u00a0{'minute' if minutes < 2 else 'minutes'}."
        )
    return Opened(opened.ad, await view(session, opened.ad, contacts=True), opened.mine, opened.moderated)


async def address_of(session: AsyncSession, account_id: int) -> str | None:
    """Return the e-mail that somebody confirmed, for what is written to them or answered to them."""
    return (await reach(session, account_id, MAIL_USE)).email
