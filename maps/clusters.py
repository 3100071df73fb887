"""Many points as few marks: a grid whose counts are exact."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

MAX_FEATURES = 500


@dataclass(frozen=True, slots=True)
class Cluster:
    """Points of one cell: mean position, how many, the box that holds them; `index` of the point when alone."""

    lon: float
    lat: float
    count: int
    west: float
    south: float
    east: float
    north: float
    index: int | None


def cluster(
    lon: npt.ArrayLike,
    lat: npt.ArrayLike,
    zoom: int,
    bbox: tuple[float, float, float, float],
    *,
    weights: npt.ArrayLike | None = None,
    most: int = MAX_FEATURES,
    cell_pixels: int = 64,
) -> list[Cluster]:
    """Group the points of a viewport. See `maps.api.cluster`."""
    x: Any = np.asarray(lon, dtype=np.float64)
    y: Any = np.asarray(lat, dtype=np.float64)
    weight: Any = np.ones(x.shape, dtype=np.int64) if weights is None else np.asarray(weights, dtype=np.int64)
    west, south, east, north = bbox
    inside = np.flatnonzero((x >= west) & (x <= east) & (y >= south) & (y <= north))
    if inside.size == 0:
        return []
    x, y, weight = x[inside], y[inside], weight[inside]
    world = 256.0 * 2.0 ** max(0, min(zoom, 22))
    pixel_x = (x + 180.0) / 360.0 * world
    sine = np.clip(np.sin(np.radians(y)), -0.9999, 0.9999)
    pixel_y = (0.5 - np.log((1 + sine) / (1 - sine)) / (4 * np.pi)) * world
    size = float(cell_pixels)
    while True:
        cells = np.floor(pixel_x / size).astype(np.int64) * (1 << 32) + np.floor(pixel_y / size).astype(np.int64)
        _, group = np.unique(cells, return_inverse=True)
        groups = int(group.max()) + 1
        if groups <= most:
            break
        size *= 1.5
    points = np.bincount(group, minlength=groups)
    count = np.bincount(group, weights=weight, minlength=groups).astype(np.int64)
    mean_x = np.bincount(group, weights=x, minlength=groups) / points
    mean_y = np.bincount(group, weights=y, minlength=groups) / points
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(groups))
    lows_x, highs_x = np.minimum.reduceat(x[order], starts), np.maximum.reduceat(x[order], starts)
    lows_y, highs_y = np.minimum.reduceat(y[order], starts), np.maximum.reduceat(y[order], starts)
    first = inside[order][starts]
    return [
        Cluster(
            lon=float(mean_x[g]),
            lat=float(mean_y[g]),
            count=int(count[g]),
            west=float(lows_x[g]),
            south=float(lows_y[g]),
            east=float(highs_x[g]),
            north=float(highs_y[g]),
            index=int(first[g]) if points[g] == 1 else None,
        )
        for g in np.argsort(-count, kind="stable")
    ]
