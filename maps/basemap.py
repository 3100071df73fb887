"""The offline basemap: contours of départements and communes, simplified to what a screen shows."""

from typing import Any, Final

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from maps.outlines import collection

MAX_COMMUNES: Final = 800
"""Communes of one answer, the most populated first: a wider view would show only a grey lace."""
SCREEN: Final = 1200
"""Pixels that a view is drawn on: contours are simplified to about one of them."""
COUNTRY_TOLERANCE: Final = 0.004
"""Degrees, about 300 m: a pixel at zoom 9, where the contours of communes take over."""

_DEPARTEMENTS = """
    SELECT code, name, ST_AsGeoJSON(ST_SimplifyPreserveTopology(contour, :tolerance), 3)
      FROM maps.place
     WHERE kind = 'departement' AND contour IS NOT NULL AND retired_at IS NULL
     ORDER BY code
"""

_COMMUNES = """
    SELECT code, name, population, ST_X(point::geometry), ST_Y(point::geometry),
           ST_AsGeoJSON(ST_SimplifyPreserveTopology(contour, :tolerance), 5)
      FROM maps.place
     WHERE kind = 'commune' AND retired_at IS NULL AND contour && ST_MakeEnvelope(:west, :south, :east, :north, 4326)
     ORDER BY population DESC, id
     LIMIT :most
"""


async def departements(session: AsyncSession) -> dict[str, Any]:
    """Return the contours of every département as a FeatureCollection."""
    rows = await session.execute(text(_DEPARTEMENTS), {"tolerance": COUNTRY_TOLERANCE})
    return collection(
        {"type": "Feature", "properties": {"code": code, "name": name}, "geometry": orjson.loads(shape)}
        for code, name, shape in rows
    )


async def communes(session: AsyncSession, view: tuple[float, float, float, float]) -> dict[str, Any]:
    """Return the communes that a view touches, with their point and population, the largest first.

    Args:
        session: unit of work.
        view: west, south, east, north in degrees.
    """
    west, south, east, north = view
    bounds = {"west": west, "south": south, "east": east, "north": north}
    tolerance = {"tolerance": (east - west) / SCREEN, "most": MAX_COMMUNES}
    rows = await session.execute(text(_COMMUNES), bounds | tolerance)
    return collection(
        {
            "type": "Feature",
            "properties": {"code": code, "name": name, "population": population, "lon": lon, "lat": lat},
            "geometry": orjson.loads(shape),
        }
        for code, name, population, lon, lat, shape in rows
    )
