"""The offline basemap: contours of départements and communes, simplified to what a screen shows."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from maps.outlines import collection

View = tuple[float, float, float, float]
"""West, south, east, north in degrees."""

MAX_COMMUNES: Final = 800
"""Communes of one answer, the most populated first: a wider view would show only a grey lace."""
SCREEN: Final = 1200
"""Pixels that a view is drawn on: contours are simplified to about one of them."""
COUNTRY_TOLERANCE: Final = 0.004
"""Degrees, about 300 m: a pixel at zoom 9, where the contours of communes take over."""

_DEPARTEMENTS = """
    SELECT code, name, ST_AsGeoJSON(ST_SimplifyPreserveTopology(contour, :tolerance), 3),
           ST_XMin(contour), ST_YMin(contour), ST_XMax(contour), ST_YMax(contour)
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


@dataclass(frozen=True, slots=True)
class Shape:
    """A GeoJSON feature, written, and the degrees that it lies between."""

    feature: bytes
    west: float
    south: float
    east: float
    north: float

    def touches(self, view: View) -> bool:
        """Tell whether its rectangle meets a view."""
        west, south, east, north = view
        return self.west <= east and self.east >= west and self.south <= north and self.north >= south


def written(shapes: Iterable[Shape]) -> bytes:
    """Return shapes as a FeatureCollection."""
    return b'{"type":"FeatureCollection","features":[' + b",".join(shape.feature for shape in shapes) + b"]}"


async def departements(session: AsyncSession) -> list[Shape]:
    """Return the contours of every département."""
    rows = await session.execute(text(_DEPARTEMENTS), {"tolerance": COUNTRY_TOLERANCE})
    return [
        Shape(
            orjson.dumps(
                {
                    "type": "Feature",
                    "properties": {"code": code, "name": name},
                    "geometry": orjson.Fragment(shape),
                }
            ),
            *bounds,
        )
        for code, name, shape, *bounds in rows
    ]


async def communes(session: AsyncSession, view: View) -> dict[str, Any]:
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
