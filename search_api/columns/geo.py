"""Distances of the column engine: straight lines through the Earth to choose, geodesics to tell.

The straight line between two points of the ellipsoid costs three multiplications and orders sites almost as the
geodesic does. It decides for all but the few sites whose order, ring or circle could change; those are measured
by pyproj, which computes the same geodesic as PostGIS.
"""

import math
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from pyproj import Geod

from search_api.engine import LatLon

Array = npt.NDArray[Any]

_GEOD = Geod(ellps="WGS84")
_A = 6_378_137.0
_E2 = 0.0066943799901413165
_R = 6_371_008.8
_DIAMETER = 2 * _R
_SLACK = 0.05
"""Share of what an arc exceeds its chord by that a sphere of mean radius may be wrong by: the curvature of the
ellipsoid differs from the mean by 0.6 %, its square by 1.2 %, and more between far points."""
_FLOOR_M = 0.02
_ANTIPODES_M, _ANTIPODES_SLACK_M = 15_000_000, 1_000_000
"""Beyond, the sphere is no guide: geodesics to the other side of the Earth differ from its arcs by 600 km."""

CELL_DEGREES = 0.05
"""Side of a grid cell: 5.5 km of latitude, so that a circle of 20 km touches nine rows of cells."""
ROWS, COLUMNS = round(180 / CELL_DEGREES), round(360 / CELL_DEGREES)
NOWHERE = ROWS * COLUMNS
"""Cell of the sites without a position: after all others."""


def ecef(lat: Array, lon: Array) -> tuple[Array, Array, Array]:
    """Return the Cartesian coordinates, in metres, of points of the WGS84 ellipsoid."""
    phi, lam = np.radians(lat), np.radians(lon)
    radius = _A / np.sqrt(1 - _E2 * np.sin(phi) ** 2)
    around = radius * np.cos(phi)
    return around * np.cos(lam), around * np.sin(lam), radius * (1 - _E2) * np.sin(phi)


@lru_cache(maxsize=1024)
def _ecef(origin: LatLon) -> tuple[float, float, float]:
    x, y, z = ecef(np.array(origin.lat), np.array(origin.lon))
    return float(x), float(y), float(z)


def about(x: Array, y: Array, z: Array, origin: LatLon) -> tuple[Array, Array]:
    """Return approximate metres from a point, and by how much each may be wrong."""
    ox, oy, oz = _ecef(origin)
    chord = np.sqrt((x - ox) ** 2 + (y - oy) ** 2 + (z - oz) ** 2)
    arc = _DIAMETER * np.arcsin(np.minimum(chord / _DIAMETER, 1.0))
    wrong = (arc - chord) * _SLACK + _FLOOR_M
    return arc, np.where(arc > _ANTIPODES_M, _ANTIPODES_SLACK_M, wrong)


def metres(lat: Array, lon: Array, origins: tuple[LatLon, ...]) -> Array:
    """Return the geodesic metres, not rounded, from each point to the nearest origin; NaN without a position."""
    nearest = np.full(lat.shape, np.inf)
    for origin in origins:
        count = lat.shape
        each = _GEOD.inv(lon, lat, np.full(count, origin.lon), np.full(count, origin.lat))[2]
        nearest = np.fmin(nearest, each)
    return np.where(np.isnan(lat), np.nan, nearest)


def cells(lat: Array, lon: Array) -> Array:
    """Return the cell of each point, row by row from the south; `NOWHERE` without a position."""
    row = np.clip(np.floor((np.nan_to_num(lat) + 90) / CELL_DEGREES), 0, ROWS - 1)
    column = np.clip(np.floor((np.nan_to_num(lon) + 180) / CELL_DEGREES), 0, COLUMNS - 1)
    return np.where(np.isnan(lat), NOWHERE, row * COLUMNS + column).astype(np.int64)


def box_around(centre: LatLon, radius_m: float) -> tuple[float, float, float, float]:
    """Return west, south, east, north of a box that holds a circle; every longitude near a pole or the antimeridian."""
    # A degree of latitude is at least 110.5 km; one per cent more covers the ellipsoid.
    high = radius_m / 110_500 * 1.01
    south, north = centre.lat - high, centre.lat + high
    widest = max(abs(south), abs(north))
    if widest >= 89:
        return -180.0, max(south, -90.0), 180.0, min(north, 90.0)
    wide = high / math.cos(math.radians(widest))
    west, east = centre.lon - wide, centre.lon + wide
    if west < -180 or east > 180:
        return -180.0, south, 180.0, north
    return west, south, east, north


def cell_runs(west: float, south: float, east: float, north: float) -> list[tuple[int, int]]:
    """Return the runs of cells, first and past the last, that a box touches: one for each row of the grid."""
    low = max(0, min(ROWS - 1, math.floor((south + 90) / CELL_DEGREES)))
    high = max(0, min(ROWS - 1, math.floor((north + 90) / CELL_DEGREES)))
    first = max(0, min(COLUMNS - 1, math.floor((west + 180) / CELL_DEGREES)))
    last = max(0, min(COLUMNS - 1, math.floor((east + 180) / CELL_DEGREES)))
    return [(row * COLUMNS + first, row * COLUMNS + last + 1) for row in range(low, high + 1)]
