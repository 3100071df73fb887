"""The lists of professions and specialties that sign-up offers; the room above that keeps them gives them."""

import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class Professions:
    """Labels to choose from, each in the order of the alphabet."""

    professions: Sequence[str] = ()
    specialties: Sequence[str] = ()
    codes: Mapping[str, str] = field(default_factory=dict)
    """Labels by code of the national nomenclatures, as cards name them."""


Provider = Callable[[AsyncSession], Awaitable[Professions]]


class _Known:
    """Who gives the lists; nobody when accounts stand alone, and then everything is written by hand."""

    provider: Provider | None = None


def use_professions(provider: Provider) -> None:
    """Register who gives the lists of professions and specialties."""
    _Known.provider = staticmethod(provider)


async def professions(session: AsyncSession) -> Professions:
    """Return the lists to choose from."""
    return await _Known.provider(session) if _Known.provider else Professions()


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def matched(text: str, labels: Sequence[str]) -> str:
    """Return the label of the list that a person typed, whatever its accents and capitals; else their own words."""
    wanted = _plain(text)
    return next((label for label in labels if _plain(label) == wanted), text)
