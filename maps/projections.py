"""Coordinates of the registers, in six projections, to WGS84."""

import re
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from pyproj import Transformer
from pyproj.exceptions import CRSError

Floats = npt.NDArray[np.float64]

WGS84 = 4326
FINESS_EPSG = frozenset({2154, 5490, 2972, 2975, 4471, 32621})
"""Projections that FINESS writes in `sourcecoordet` (REGISTERS §2a)."""

_EPSG = re.compile(r"EPSG\s*:?\s*(\d{4,5})", re.IGNORECASE)
_UTM_21N = re.compile(r"UTM\s+zone\s+21\s*N", re.IGNORECASE)
_PRECISION = re.compile(r"^\s*(\d)\s*,")


def epsg_of(source: str | None) -> int | None:
    """Return the EPSG code written in FINESS's `sourcecoordet`, or None when it names none.

    "1,ATLASANTE,96,BAN,EPSG:2154 RGF93 / Lambert-93 (Métropole)" gives 2154; "WGS84/UTM zone 21N"
    (Saint-Pierre-et-Miquelon, written without a code) gives 32621.
    """
    if not source:
        return None
    found = _EPSG.search(source)
    if found:
        return int(found[1])
    return 32621 if _UTM_21N.search(source) else None


def precision_of(source: str | None) -> int | None:
    """Return the precision level that starts `sourcecoordet`, or None."""
    found = _PRECISION.match(source or "")
    return int(found[1]) if found else None


@cache
def _transformer(epsg: int) -> Transformer:
    return Transformer.from_crs(epsg, WGS84, always_xy=True)


def to_wgs84(x: npt.ArrayLike, y: npt.ArrayLike, epsg: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Return longitudes and latitudes (degrees) of projected coordinates, each in its own projection.

    Args:
        x: easting (metres), or longitude for 4326.
        y: northing (metres), or latitude for 4326.
        epsg: EPSG code of each point; 0 when unknown.

    Returns:
        (lon, lat), NaN where the projection is unknown or the coordinates fall outside it.
    """
    xs: Any = np.asarray(x, dtype=np.float64)
    ys: Any = np.asarray(y, dtype=np.float64)
    codes: Any = np.asarray(epsg, dtype=np.int64)
    lon, lat = np.full(xs.shape, np.nan), np.full(xs.shape, np.nan)
    usable = np.isfinite(xs) & np.isfinite(ys)
    for code in np.unique(codes):
        mask = (codes == code) & usable
        if code <= 0 or not mask.any():
            continue
        if code == WGS84:
            lon[mask], lat[mask] = xs[mask], ys[mask]
            continue
        try:
            transformer = _transformer(int(code))
        except CRSError:
            continue
        lon[mask], lat[mask] = transformer.transform(xs[mask], ys[mask])
    wrong = ~((np.abs(lon) <= 180) & (np.abs(lat) <= 90))
    lon[wrong], lat[wrong] = np.nan, np.nan
    return lon, lat
