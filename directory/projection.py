"""Search projection: one set-based statement, for a bulk load and for one edit alike."""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession


async def refresh_search(session: AsyncSession, offer_ids: Iterable[int]) -> None:
    """Write again the search rows of offers (internal ids) in the caller's transaction.

    Offers that may no longer be found lose their row.
    """
    raise NotImplementedError
