"""Photos and PDF of ads."""

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from modules.ads.models import Ad, AdFile


async def drop_all(session: AsyncSession, ad: Ad) -> None:
    """Take every file off an ad; contents that nothing names any longer are swept later."""
    await session.execute(delete(AdFile).where(AdFile.ad_id == ad.id))
