"""The first visit of somebody to the Ordre's services: what may be shown of them, and their council."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.models_coordinates import OrdinalFile


async def first_visit_done(session: AsyncSession, account_id: int) -> bool:
    """Tell whether somebody has answered what the first visit asks."""
    visited = await session.scalar(select(OrdinalFile.visited_at).where(OrdinalFile.account_id == account_id))
    return visited is not None
