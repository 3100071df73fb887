"""A grid of the world, that documents are filtered by: rings around a place, and the inside and edge of a disc.

Meilisearch reads its whole tree of positions into memory for each `_geoRadius`, and for each `_geoPoint` sort of a
thousand documents or more (meilisearch#6596): with a country, some hundred MB a search. Cells are plain numbers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyproj import Geod

from search_api.engine import LatLon

GEOD: Final = Geod(ellps="WGS84")
LEVELS: Final = range(4, 17)
"""Level k cuts the world in 2^k rows and 2^k columns; around France, the last ones are 300 m high and 400 m wide."""
FINE: Final = 32
"""The edge of a disc is made of cells this many times smaller than it: some 300 of them, an eighth of its area."""
LAT_M, LON_M = 110_500.0, 111_200.0
"""Metres in a degree of latitude anywhere, and of longitude at the equator: never more than this."""
WIDE_M = 111_750.0
"""Never less."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Disc:
    """Cells wholly within the radius, and those that the circle crosses."""

    inside: frozenset[int]
    edge: frozenset[int]


def metres(points: Sequence[LatLon], origin: LatLon) -> list[float]:
    """Return the geodesic distance of each point."""
    if not points:
        return []
    found = _metres(np.array([p.lat for p in points]), np.array([p.lon for p in points]), origin)
    return [float(one) for one in found]


def cells(point: LatLon) -> list[int]:
    """Return the cells that hold a point, one of each level."""
    return [_number(level, *_place(level, point)) for level in LEVELS]


def block(level: int, point: LatLon) -> set[int]:
    """Return the cell of a point and its neighbours."""
    row, column = _place(level, point)
    rows = range(max(row - 1, 0), min(row + 1, 2**level - 1) + 1)
    return {_number(level, r, (column + c) % 2**level) for r in rows for c in (-1, 0, 1)}


def reach(level: int, point: LatLon) -> float:
    """Return the metres around a point that its block surely holds."""
    degrees = 180 / 2**level
    edge = min(abs(point.lat) + 2 * degrees, 90.0)
    return float(max(min(degrees * LAT_M, 2 * degrees * LON_M * math.cos(math.radians(edge))) - 1, 0.0))


def disc(centre: LatLon, radius_m: float) -> Disc:
    """Return the cells of a disc: a cell lies within a circle around its middle, whose distance decides."""
    inside: set[int] = set()
    edge: set[int] = set()
    sides = np.arange(2**LEVELS.start, dtype=np.int64)
    rows, columns = (one.ravel() for one in np.meshgrid(sides, sides, indexing="ij"))
    for level in LEVELS:
        high = 180 / 2**level
        lats, lons = (rows + 0.5) * high - 90, (columns + 0.5) * 2 * high - 180
        nearest_equator = np.maximum(np.abs(lats) - high / 2, 0)
        half = np.hypot(high / 2 * WIDE_M, high * WIDE_M * np.cos(np.radians(nearest_equator))) + 1
        away = _metres(lats, lons, centre)
        within = away + half <= radius_m
        inside |= _numbers(level, rows[within], columns[within])
        crossed = ~within & (away - half <= radius_m)
        rows, columns = rows[crossed], columns[crossed]
        if not rows.size:
            break
        if level == LEVELS[-1] or float(half[crossed].max()) <= radius_m / FINE:
            edge = _numbers(level, rows, columns)
            break
        rows = np.concatenate([rows * 2 + r for r in (0, 0, 1, 1)])
        columns = np.concatenate([columns * 2 + c for c in (0, 1, 0, 1)])
    return Disc(frozenset(inside), frozenset(edge))


def _place(level: int, point: LatLon) -> tuple[int, int]:
    side = 2**level
    row = min(int((point.lat + 90) / 180 * side), side - 1)
    return row, min(int((point.lon + 180) / 360 * side), side - 1)


def _number(level: int, row: int, column: int) -> int:
    return (level << 40) | (row << 20) | column


def _numbers(level: int, rows: Ints, columns: Ints) -> set[int]:
    return {_number(level, r, c) for r, c in zip(rows.tolist(), columns.tolist(), strict=True)}


def _metres(lats: Floats, lons: Floats, origin: LatLon) -> Floats:
    _, _, found = GEOD.inv(lons, lats, np.full(lons.shape, origin.lon), np.full(lons.shape, origin.lat))
    return np.asarray(found, dtype=np.float64)
