"""What the registers say of doctors and of students of medicine, for the accounts that hold their numbers."""

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import KnownPerson, sorted_phone, use_known_people
from core.ui.filters import calm
from directory.models import Concept, Practitioner, Role, Site

DOCTOR: Final = "10"
"""Médecin, among the professions (G15)."""
STUDENT: Final = "E"
SPECIALTIES: Final = "R38"
_OF_MEDICINE: Final = "SM"
"""How the codes of the specialties of doctors begin: those of dentists and nurses are in the same nomenclature."""
_SAINT_MARTIN: Final = {"977": "971", "978": "971"}
"""Saint-Barthélemy and Saint-Martin are of the council of Guadeloupe."""
_COMMUNE: Final = re.compile(r"(97[1-8]|2[AB]|(?!9[678])\d{2})\w{2,3}")


def _departement(commune: str | None) -> str | None:
    found = _COMMUNE.fullmatch(commune or "")
    return _SAINT_MARTIN.get(found[1], found[1]) if found else None


def _specialty(refs: Collection[str]) -> str | None:
    return next((ref for ref in refs if ref.startswith(f"{SPECIALTIES}|{_OF_MEDICINE}")), None)


def _phones(row: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in (row.ameli_phone, row.phone, row.phone2):
        read = sorted_phone(text) if text else None
        if read is not None:
            found.setdefault(*read)
    return found


def _address(row: Any) -> str | None:
    town = " ".join(filter(None, (row.postal_code, calm(row.town))))
    return ", ".join(filter(None, (calm(row.complement), calm(row.street), town))) or None


async def _known(session: AsyncSession, numbers: Collection[str]) -> Mapping[str, KnownPerson]:
    rows = await session.execute(
        select(
            Practitioner.rpps,
            Practitioner.category.label("person_category"),
            Role.category.label("role_category"),
            Practitioner.specialties.label("own"),
            Role.specialties.label("there"),
            Role.ameli_phone,
            Site.complement,
            Site.street,
            Site.postal_code,
            Site.town,
            Site.commune_code,
            Site.phone,
            Site.phone2,
            Site.email,
        )
        .outerjoin(
            Role,
            (Role.practitioner_id == Practitioner.id) & Role.closed_on.is_(None) & (Role.profession == DOCTOR),
        )
        .outerjoin(Site, (Site.id == Role.site_id) & Site.closed_on.is_(None))
        .where(
            Practitioner.rpps.in_(numbers),
            Practitioner.profession == DOCTOR,
            Practitioner.closed_on.is_(None),
        )
        # The main practice: their own before an employer's, one that has a place before one that has none.
        .order_by(
            Practitioner.rpps,
            Practitioner.id,
            (Role.mode == "L").desc().nulls_last(),
            Site.commune_code.is_(None),
            Role.id,
        )
        .ext(distinct_on(Practitioner.rpps))
    )
    return {
        row.rpps: KnownPerson(
            kind="intern" if STUDENT in (row.person_category, row.role_category) else "doctor",
            specialty=_specialty([*row.own, *(row.there or ())]),
            departement=_departement(row.commune_code),
            address=_address(row),
            email=row.email,
            **_phones(row),
        )
        for row in rows
    }


async def _specialties(session: AsyncSession) -> Mapping[str, str]:
    found = await session.execute(
        select(Concept.code, Concept.label)
        .where(Concept.system == SPECIALTIES, Concept.code.startswith(_OF_MEDICINE), Concept.active)
        .order_by(Concept.label, Concept.code)
    )
    return {f"{SPECIALTIES}|{row.code}": row.label for row in found}


def offer_known_people() -> None:
    """Have accounts know the doctors, the students of medicine and the specialties of the registers."""
    use_known_people(_known, _specialties)
