"""The communes of an area and their contours, for reports that measure each of them once."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any, Final

import numpy as np
import shapely
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from maps import store
from maps.schemas import PlaceHit
from maps.store import PlaceSet

SCREEN: Final = 1200
"""Pixels that an area is drawn on: contours are simplified to about one of them."""
FINEST, COARSEST = 0.0002, 0.005
"""Degrees by which contours are simplified: about 20 m for a town, 500 m for the country."""
_DIGITS: Final = 5

_CONTOURS = """
    SELECT id, ST_AsBinary(contour) FROM maps.place
     WHERE id = ANY(:ids) AND contour IS NOT NULL ORDER BY id
"""


def communes_of(places: PlaceSet, container: int) -> list[PlaceHit]:
    """Return the communes that lie in a place, by code. See `maps.api.communes_of`."""
    rows = [places.by_id[place] for place in store.members_of(places, container) if place in places.by_id]
    whole = {places.ids[row] for row in rows if places.kinds[row] == "commune"}
    kept = [
        row
        for row in rows
        if places.kinds[row] == "commune"
        or (places.kinds[row] == "arrondissement" and places.parents[row] not in whole)
    ]
    return [places.hit(row) for row in sorted(kept, key=lambda row: (places.codes[row], places.ids[row]))]


async def contours(session: AsyncSession, ids: Collection[int]) -> dict[int, Any]:
    """Return the simplified contours of places that lie side by side. See `maps.api.contours`."""
    rows = (await session.execute(text(_CONTOURS), {"ids": sorted(ids)})).all()
    return await asyncio.to_thread(_simplified, [row[0] for row in rows], [row[1] for row in rows])


def _simplified(ids: Sequence[int], shapes: Sequence[bytes]) -> dict[int, Any]:
    if not ids:
        return {}
    raw = shapely.from_wkb([bytes(shape) for shape in shapes])
    west, south, east, north = shapely.total_bounds(raw)
    tolerance = min(COARSEST, max(FINEST, max(east - west, north - south) / SCREEN))
    # As one coverage: a border that two communes share stays one line, where each alone would leave gaps.
    drawn = shapely.coverage_simplify(raw, tolerance)
    rounded = shapely.orient_polygons(shapely.transform(drawn, lambda points: np.round(points, _DIGITS)))
    return {place: shape for place, shape in zip(ids, rounded, strict=True) if not shapely.is_empty(shape)}
