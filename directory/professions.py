"""The lists that sign-up offers: professions, and what people specialise in."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import Professions, use_professions
from directory.models import Concept

PROFESSION = "G15"
SPECIALTIES = ("R38", "R39", "R40", "R42", "R43", "R44", "R45", "R97")
"""Systems of what a professional knows how to do; the same words in two of them are one choice."""


async def _lists(session: AsyncSession) -> Professions:
    async def labels(*systems: str) -> dict[str, str]:
        found = await session.execute(
            select(Concept.code, Concept.label)
            .where(Concept.system.in_(systems), Concept.active)
            .order_by(Concept.label, Concept.code)
        )
        return {row.code: row.label for row in found}

    professions, specialties = await labels(PROFESSION), await labels(*SPECIALTIES)
    return Professions(
        list(dict.fromkeys(professions.values())), list(dict.fromkeys(specialties.values())), specialties | professions
    )


def offer_professions() -> None:
    """Have sign-up offer the lists of the nomenclatures."""
    use_professions(_lists)
