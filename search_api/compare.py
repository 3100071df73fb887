"""Which offers a browser compares, and their sheets."""

import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import Request

from core.errors import NotFound
from directory.api import OfferSheet

COOKIE: Final = "repere_comparer"
"""Which offers a browser compares: public identifiers, at most `LISTED`; nobody keeps them."""
MOST: Final = 4
"""Offers that can be read side by side on a screen."""
LISTED: Final = 20
"""Offers of a choice that are named when there are more than can be read side by side."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The offers of a choice that may be read: those side by side, those that wait, those that are not even named.

    `gone` says in French why the others are missing.
    """

    sheets: list[OfferSheet]
    waiting: list[OfferSheet]
    unnamed: list[uuid.UUID]
    gone: list[str]

    @property
    def too_many(self) -> list[OfferSheet]:
        """Every offer that is named, when one has to be taken off; else none."""
        return [*self.sheets, *self.waiting] if self.waiting else []

    def without(self, uid: uuid.UUID) -> list[uuid.UUID]:
        """Return the choice less one offer: whoever takes one off loses none of the others, shown or not."""
        named = (sheet.uid for sheet in (*self.sheets, *self.waiting))
        return [one for one in (*named, *self.unnamed) if one != uid]


def chosen(request: Request) -> list[uuid.UUID]:
    """Return the offers that this browser compares; what is no identifier is left out."""
    found = []
    for part in request.cookies.get(COOKIE, "").split("."):
        try:
            found.append(uuid.UUID(part))
        except ValueError:
            continue
    return list(dict.fromkeys(found))[:LISTED]


def cookie_value(uids: Iterable[uuid.UUID]) -> str:
    """Return what the cookie holds of a choice."""
    return ".".join(str(uid) for uid in uids)


async def read(uids: Sequence[uuid.UUID], sheet: Callable[[uuid.UUID], Awaitable[OfferSheet]]) -> Chosen:
    """Return what a choice of offers holds; `sheet` reads one, or raises `NotFound` when nobody may read it."""
    found, gone = [], []
    for uid in uids[:LISTED]:
        try:
            found.append(await sheet(uid))
        except NotFound as error:
            gone.append(error.detail)
    return Chosen(found[:MOST], found[MOST:], list(uids[LISTED:]), gone)
