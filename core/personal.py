"""What each package keeps of a person, and what becomes of it: given to them on demand, erased with their account."""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class Subject:
    """The person concerned: their account, and what packages may know them by."""

    account_id: int
    uid: uuid.UUID
    rpps: str | None
    emails: tuple[str, ...]

    @property
    def actor(self) -> str:
        """Who they are in histories, which keep it."""
        return f"account:{self.uid}"


Erase = Callable[[AsyncSession, Subject], Awaitable[None]]
Export = Callable[[AsyncSession, Subject], Awaitable[object]]

_erasers: dict[str, Erase] = {}
_exporters: dict[str, Export] = {}


def register(name: str, *, erase: Erase | None = None, export: Export | None = None) -> None:
    """Register what a package does of what it keeps of people.

    Args:
        name: key of its part in the export, such as `annonces`.
        erase: erases it, in the transaction that closes the account.
        export: returns it, as JSON can say it.
    """
    if erase is not None:
        _erasers[name] = erase
    if export is not None:
        _exporters[name] = export


async def erase(session: AsyncSession, subject: Subject) -> None:
    """Have every package erase what it keeps of somebody; all of it, or nothing."""
    for name in sorted(_erasers):
        await _erasers[name](session, subject)


async def export(session: AsyncSession, subject: Subject) -> dict[str, object]:
    """Return what every package keeps of somebody."""
    return {name: await _exporters[name](session, subject) for name in sorted(_exporters)}
