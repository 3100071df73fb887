"""The nearest of many points, by geodesic metres: a tree proposes, the spheroid decides."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
from pyproj import Geod, Transformer
from scipy.spatial import cKDTree

Floats = npt.NDArray[np.float64]

GEOD: Final = Geod(ellps="WGS84")
LARGEST_RADIUS: Final = 6_400_000.0
"""More than any radius of curvature of the spheroid, in metres: an arc of it is flatter than any geodesic."""
SLACK_M: Final = 2.0
"""Points that round to the same metre are all candidates: an exact position then comes before an approximate one."""


@dataclass(frozen=True, slots=True)
class Points:
    """Positions in degrees, whether each is exact, and the commune of each."""

    lon: Floats
    lat: Floats
    exact: npt.NDArray[np.bool_]
    commune: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.lon)


@dataclass(frozen=True, slots=True)
class Nearest:
    """For each origin: metres (rounded, NaN for none) and the number of the point (-1 for none)."""

    metres: Floats
    index: npt.NDArray[np.int64]


@cache
def _to_space() -> Transformer:
    return Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)


def _space(lon: Floats, lat: Floats) -> Floats:
    x, y, z = _to_space().transform(lon, lat, np.zeros_like(lon))
    return np.column_stack([x, y, z])


def nearest(lon: Floats, lat: Floats, points: Points) -> Nearest:
    """Return the nearest point of each origin, exactly: no chord through the Earth decides, geodesics do.

    The nearest by chord gives a first distance; every point that could be nearer by the surface lies within the
    chord of that distance on a sphere flatter than the Earth, and only those are measured.
    """
    metres = np.full(len(lon), np.nan)
    index = np.full(len(lon), -1, dtype=np.int64)
    known = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    if not len(points) or not len(known):
        return Nearest(metres, index)
    tree = cKDTree(_space(points.lon, points.lat))
    origins = _space(lon[known], lat[known])
    first = tree.query(origins)[1]
    near = GEOD.inv(lon[known], lat[known], points.lon[first], points.lat[first])[2]
    angle = np.minimum((near + SLACK_M) / (2 * LARGEST_RADIUS), np.pi / 2)
    reach = 2 * LARGEST_RADIUS * np.sin(angle)
    candidates = tree.query_ball_point(origins, reach)
    counts = np.fromiter((len(found) for found in candidates), dtype=np.int64, count=len(candidates))
    owner = np.repeat(np.arange(len(known)), counts)
    found = np.concatenate([np.asarray(one, dtype=np.int64) for one in candidates])
    exact_metres = GEOD.inv(lon[known][owner], lat[known][owner], points.lon[found], points.lat[found])[2]
    # As the search orders: rounded metres, then exact positions, then a stable order.
    order = np.lexsort((found, ~points.exact[found], np.round(exact_metres), owner))
    firsts = order[np.searchsorted(owner[order], np.arange(len(known)))]
    metres[known] = np.round(exact_metres[firsts])
    index[known] = found[firsts]
    return Nearest(metres, index)
