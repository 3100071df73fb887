"""The zone of a program that calls: the places to which its answers are limited, whatever it asks."""

import uuid

from fastapi import Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import caller_of
from core.errors import NotFound
from directory.api import Offer, Site
from maps import api as maps
from search_api.resolve import zone_ids
from search_api.schemas import SearchQuery

OUTSIDE = "Cette fiche est hors de la zone ouverte à votre application."


def zoned(request: Request, query: SearchQuery) -> SearchQuery:
    """Return a search limited to the zone of who asks."""
    zone = caller_of(request).zone
    return query.model_copy(update={"zone": zone}) if zone else query


async def zone_of(request: Request) -> frozenset[int] | None:
    """Return the keys of the places to which the answers of a request are limited."""
    zone = caller_of(request).zone
    if zone:
        await maps.ready()
    return zone_ids(zone)


async def refuse_outside(
    session: AsyncSession, request: Request, *, site: uuid.UUID | None = None, offer: uuid.UUID | None = None
) -> None:
    """Refuse the sheet of a site or of an offer that lies outside the zone of who asks.

    Raises:
        NotFound: it does, or has no place.
    """
    zone = await zone_of(request)
    if zone is None:
        return
    wanted = select(Site.commune_id)
    if offer is not None:
        wanted = wanted.join(Offer, Offer.site_id == Site.id).where(Offer.uid == offer)
    else:
        wanted = wanted.where(Site.uid == site)
    commune = await session.scalar(wanted)
    inside = {commune, *maps.containers_of([commune]).get(commune, ())} if commune is not None else set()
    if zone.isdisjoint(inside):
        raise NotFound(OUTSIDE)
