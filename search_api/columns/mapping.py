"""Points of the map: sites of the match set grouped by cells of a grid, counts exact, as `postgis_map` groups them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from pyroaring import BitMap

from search_api.columns.batch import Array
from search_api.columns.bitmaps import firsts, members
from search_api.columns.part import Part
from search_api.columns.segment import Segment
from search_api.engine import MapCell
from search_api.postgis_map import NAMED, TOWN_CELL_DEGREES
from search_api.schemas import BBox

_SMALL = 1 << 16


@dataclass(frozen=True, slots=True)
class _Sites:
    """Sites of the viewport: the columns of a segment, where each site stands in them, and its offers found there."""

    segment: Segment
    at: Array
    lon: Array
    lat: Array
    offers: Array


def cells(parts: Iterable[tuple[Part, BitMap]], view: BBox, cell_degrees: float) -> tuple[MapCell, ...]:
    """Return the cells of a viewport, largest first."""
    shown = [sites for part, found in parts if len((sites := _inside(part.segment, found, view)).at)]
    if not shown:
        return ()
    # Cells look square on the screen: a degree of latitude is drawn 1 / cos(latitude) larger.
    middle = math.radians(max(-80.0, min(80.0, (view.south + view.north) / 2)))
    tall = cell_degrees * math.cos(middle)
    apart = cell_degrees <= TOWN_CELL_DEGREES
    lon, lat = _joined(one.lon for one in shown), _joined(one.lat for one in shown)
    columns = {
        "lon": lon,
        "lat": lat,
        "offers": _joined(one.offers for one in shown),
        "site": _joined(one.segment.site[one.at] for one in shown),
        "exact": _joined(one.segment.exact[one.at] for one in shown),
    }
    keys = _keys(lon, lat, cell_degrees, tall)
    if not apart:
        found_cells = _grouped(columns, None, keys, apart=False, towns=False)
    else:
        columns["commune"] = _joined(one.segment.commune[one.at] for one in shown)
        exact = columns["exact"]
        found_cells = _grouped(columns, exact, keys, apart=True, towns=False)
        found_cells += _grouped(columns, ~exact, columns["commune"].astype(np.int64), apart=True, towns=True)
    return tuple(sorted(found_cells, key=lambda cell: (-cell.sites, cell.lon, cell.lat)))


def _inside(segment: Segment, found: BitMap, view: BBox) -> _Sites:
    numbers = segment.site_of[members(found & segment.box(view.west, view.south, view.east, view.north))]
    starts = firsts(numbers)
    at = numbers[starts]
    offers = np.diff(starts, append=len(numbers))
    lon, lat = segment.lon[at], segment.lat[at]
    inside = (lon >= view.west) & (lon <= view.east) & (lat >= view.south) & (lat <= view.north)
    if inside.all():
        return _Sites(segment, at, lon, lat, offers)
    kept = np.flatnonzero(inside)
    return _Sites(segment, *(column[kept] for column in (at, lon, lat, offers)))


def _joined(columns: Iterable[Array]) -> Array:
    """Return the columns of several segments as one; that of a single one is not copied."""
    found = tuple(columns)
    return found[0] if len(found) == 1 else np.concatenate(found)


def _keys(lon: Array, lat: Array, wide: float, tall: float) -> Array:
    """Return the number of each point's cell, small ones where the viewport has few cells."""
    across, up = np.floor(lon / wide), np.floor(lat / tall)
    west, south = across.min(), up.min()
    width = across.max() - west + 1
    # Whole numbers below 2^53 are exact as floats.
    up -= south
    up *= width
    up += across
    up -= west
    # Numbers of sixteen bits are sorted by counting them.
    return up.astype(np.uint16 if (lat.max() / tall - south + 1) * width < _SMALL else np.int64)


def _grouped(columns: dict[str, Array], mask: Array | None, keys: Array, *, apart: bool, towns: bool) -> list[MapCell]:
    """Return the cells of the sites of a mask (all without one), in the order of their keys."""
    if mask is None:
        at = np.argsort(keys, kind="stable")
        keys = keys[at]
    else:
        among = np.flatnonzero(mask)
        if not len(among):
            return []
        keys = keys[among]
        order = np.argsort(keys, kind="stable")
        at, keys = among[order], keys[order]
    starts = firsts(keys)
    lon, lat, site = columns["lon"][at], columns["lat"][at], columns["site"][at]
    sizes = np.diff(starts, append=len(at))
    edges = [*starts.tolist(), len(at)]
    offers = np.add.reduceat(columns["offers"][at], starts).tolist()
    exact = np.logical_or.reduceat(columns["exact"][at], starts).tolist()
    west, east = np.minimum.reduceat(lon, starts).tolist(), np.maximum.reduceat(lon, starts).tolist()
    south, north = np.minimum.reduceat(lat, starts).tolist(), np.maximum.reduceat(lat, starts).tolist()
    mean_lon = (np.add.reduceat(lon, starts) / sizes).tolist()
    mean_lat = (np.add.reduceat(lat, starts) / sizes).tolist()
    least = np.minimum.reduceat(site, starts).tolist()
    communes = columns["commune"][at[starts]].tolist() if towns else []
    return [
        MapCell(
            lat=mean_lat[index],
            lon=mean_lon[index],
            sites=size,
            offers=offers[index],
            exact=exact[index] and not towns,
            commune_id=(communes[index] or None) if towns else None,
            site_ids=tuple(np.sort(site[edges[index] : edges[index + 1]])[:NAMED].tolist())
            if apart
            else (least[index],),
            bounds=(west[index], south[index], east[index], north[index]),
            one_point=west[index] == east[index] and south[index] == north[index],
        )
        for index, size in enumerate(sizes.tolist())
    ]
