"""Which offers a browser compares, and their sheets."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Final

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import NotFound
from directory.api import OfferSheet, offer_sheet

COOKIE: Final = "repere_comparer"
"""Which offers a browser compares: public identifiers, at most `MOST`; nobody keeps them."""
MOST: Final = 4
"""Offers that can be read side by side on a screen."""


def chosen(request: Request) -> list[uuid.UUID]:
    """Return the offers that this browser compares; what is no identifier is left out."""
    found = []
    for part in request.cookies.get(COOKIE, "").split("."):
        try:
            found.append(uuid.UUID(part))
        except ValueError:
            continue
    return list(dict.fromkeys(found))[:MOST]


def cookie_value(uids: Iterable[uuid.UUID]) -> str:
    """Return what the cookie holds of a choice."""
    return ".".join(str(uid) for uid in uids)


async def sheets(session: AsyncSession, uids: Sequence[uuid.UUID], level: int) -> tuple[list[OfferSheet], list[str]]:
    """Return the sheets of offers that may be read, and why the others are missing, in French."""
    found, gone = [], []
    for uid in uids[:MOST]:
        try:
            found.append(await offer_sheet(session, uid, level))
        except NotFound as error:
            gone.append(error.detail)
    return found, gone
