"""What is told by mail of the life of an ad: one mail for each line of its history."""

from sqlalchemy.ext.asyncio import AsyncSession

from modules.ads.models import Ad, AdHistory


async def announce(session: AsyncSession, ad: Ad, line: AdHistory) -> None:
    """Write the mail that a passage calls for, in its transaction."""
