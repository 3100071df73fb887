"""Names of places, and what a typed place means, as pages need them."""

import asyncio
from collections.abc import Sequence

from geoalchemy2 import Geography
from sqlalchemy import cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import InvalidInput
from maps.api import Place, PlaceHit, resolve_ref, suggest
from search_api.param_places import place_ref
from search_api.params import clean_text
from search_api.schemas import PlaceOut

SAME_PLACE_M = 100
"""How far from a town's point another point is still that town's."""


async def labels(refs: Sequence[str]) -> dict[str, str]:
    """Return the label of each `kind:code` that exists (« Mantes-la-Jolie (78) »); others are left out."""
    found: dict[str, str] = {}
    for ref in refs:
        try:
            where = place_ref(ref)
        except ValueError:
            continue
        # The first use reads the places from the database, which must not hold the event loop.
        place = await asyncio.to_thread(resolve_ref, where.kind, where.code)
        if place is not None:
            found[ref] = place.label
    return found


async def measured_from(session: AsyncSession, centre: PlaceOut) -> str:
    """Name the point from which the distances of a whole zone are told: the town that it is, or its middle."""
    point = cast(func.ST_SetSRID(func.ST_MakePoint(centre.lon, centre.lat), 4326), Geography)
    town = await session.scalar(
        select(Place.name)
        .where(Place.kind == "commune", Place.retired_at.is_(None), func.ST_DWithin(Place.point, point, SAME_PLACE_M))
        .order_by(func.ST_Distance(Place.point, point), Place.id)
        .limit(1)
    )
    return town or "le milieu de la zone"


async def answers(typed: str, limit: int) -> list[PlaceHit]:
    """Return the places that answer what was typed, best first.

    Raises:
        InvalidInput: the text is too long.
    """
    try:
        cleaned = clean_text(typed)
    except ValueError as error:
        raise InvalidInput(str(error)) from None
    # As above, the first use reads the database.
    return await asyncio.to_thread(suggest, cleaned, limit) if cleaned else []
