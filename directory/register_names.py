"""Names that the registers give to the numbers over which people hold rights."""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.ui.filters import calm
from directory.labels import person_name
from directory.models import LegalEntity, Practitioner, Site


async def names_of_rpps(session: AsyncSession, numbers: Collection[str]) -> dict[str, str]:
    """Return the names of the practitioners who have these RPPS numbers; unknown numbers are left out."""
    rows = await session.execute(
        select(Practitioner.rpps, Practitioner.first_name, Practitioner.last_name)
        .where(Practitioner.rpps.in_(numbers))
        .order_by(Practitioner.id)
    )
    return {row.rpps: person_name(row.first_name, row.last_name) for row in rows}


async def names_of_finess(session: AsyncSession, numbers: Collection[str]) -> dict[str, str]:
    """Return the names of the establishments, or of the legal entities, that have these FINESS numbers."""
    found: dict[str, str] = {}
    for table in (LegalEntity, Site):
        rows = await session.execute(
            select(table.finess, func.min(table.name)).where(table.finess.in_(numbers)).group_by(table.finess)
        )
        found |= {number: calm(name) for number, name in rows if number is not None}
    return found
