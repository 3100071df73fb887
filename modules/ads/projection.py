"""What searches read of an ad, written in the transaction of every change of what is shown."""

from sqlalchemy.ext.asyncio import AsyncSession

from modules.ads.models import Ad


async def refresh(session: AsyncSession, ad: Ad) -> None:
    """Write what searches read of an ad, or remove it when it is not published."""
