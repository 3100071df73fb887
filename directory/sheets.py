"""Sheets of a site and of an offer, complete for a page or for JSON, at a level of confidentiality."""

import uuid

from sqlalchemy.ext.asyncio import AsyncSession

from directory.schemas import OfferSheet, SiteSheet


async def site_sheet(session: AsyncSession, uid: uuid.UUID, level: int) -> SiteSheet:
    """Return the sheet of a site (level 1 public, 2 professional).

    Raises:
        core.errors.NotFound: no such site, or it has closed; the message says since when.
    """
    raise NotImplementedError


async def offer_sheet(session: AsyncSession, uid: uuid.UUID, level: int) -> OfferSheet:
    """Return the sheet of an offer (level 1 public, 2 professional).

    Raises:
        core.errors.NotFound: no such offer, or it has closed or is not published; the message says so.
    """
    raise NotImplementedError
