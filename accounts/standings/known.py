"""What the registers know of a person; the room above that keeps them says it."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """Somebody whom the registers know: a doctor, or an intern (a student of medicine).

    `specialty` is written `system|code`. `departement` is that of the main practice. Coordinates are the register's
    own: nobody proved that they are reached there.
    """

    kind: Literal["doctor", "intern"]
    specialty: str | None = None
    departement: str | None = None
    address: str | None = None
    email: str | None = None
    mobile: str | None = None
    phone: str | None = None


Source = Callable[[AsyncSession, Collection[str]], Awaitable[Mapping[str, KnownPerson]]]
Specialties = Callable[[AsyncSession], Awaitable[Mapping[str, str]]]


class _Known:
    """Who knows people and specialties; nobody when accounts stand alone."""

    source: Source | None = None
    specialties: Specialties | None = None


def use_known_people(source: Source, specialties: Specialties) -> None:
    """Register who knows people, by RPPS number, and the specialties of medicine, by `system|code`."""
    _Known.source = staticmethod(source)
    _Known.specialties = staticmethod(specialties)


async def known_people(session: AsyncSession, numbers: Collection[str]) -> Mapping[str, KnownPerson]:
    """Return those whom the registers know, by RPPS number; all at once."""
    return await _Known.source(session, numbers) if _Known.source and numbers else {}


async def known_person(session: AsyncSession, rpps: str | None) -> KnownPerson | None:
    """Return what the registers know of a RPPS number."""
    return (await known_people(session, (rpps,))).get(rpps) if rpps else None


async def specialties(session: AsyncSession) -> Mapping[str, str]:
    """Return the specialties of medicine that may be chosen: labels by `system|code`, in the order of the alphabet."""
    return await _Known.specialties(session) if _Known.specialties else {}
