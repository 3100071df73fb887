"""Points of the map: sites of the match set grouped by cells of a grid, counts exact, as `postgis_map` groups them."""

import math
from collections.abc import Iterable

import numpy as np
from pyroaring import BitMap

from search_api.columns.batch import Array
from search_api.columns.bitmaps import firsts, members
from search_api.columns.part import Part
from search_api.engine import MapCell
from search_api.postgis_map import NAMED, TOWN_CELL_DEGREES
from search_api.schemas import BBox

_SMALL = 1 << 16


def cells(parts: Iterable[tuple[Part, BitMap]], view: BBox, cell_degrees: float) -> tuple[MapCell, ...]:
    """Return the cells of a viewport, largest first."""
    columns: dict[str, list[Array]] = {name: [] for name in ("site", "lon", "lat", "exact", "commune", "offers")}
    for part, found in parts:
        segment = part.segment
        numbers = segment.site_of[members(found & segment.box(view.west, view.south, view.east, view.north))]
        starts = firsts(numbers)
        sites = numbers[starts]
        lon, lat = segment.lon[sites], segment.lat[sites]
        inside = (lon >= view.west) & (lon <= view.east) & (lat >= view.south) & (lat <= view.north)
        sites = sites[inside]
        columns["site"].append(segment.site[sites])
        columns["lon"].append(lon[inside])
        columns["lat"].append(lat[inside])
        columns["exact"].append(segment.exact[sites])
        columns["commune"].append(segment.commune[sites])
        columns["offers"].append(np.diff(np.append(starts, len(numbers)))[inside])
    if not any(len(sites) for sites in columns["site"]):
        return ()
    joined = {name: np.concatenate(values) for name, values in columns.items()}
    # Cells look square on the screen: a degree of latitude is drawn 1 / cos(latitude) larger.
    middle = math.radians(max(-80.0, min(80.0, (view.south + view.north) / 2)))
    tall = cell_degrees * math.cos(middle)
    apart = cell_degrees <= TOWN_CELL_DEGREES
    gridded = joined["exact"] if apart else np.ones(len(joined["site"]), bool)
    across = np.floor(joined["lon"] / cell_degrees).astype(np.int64)
    up = np.floor(joined["lat"] / tall).astype(np.int64)
    found_cells = _grouped(joined, gridded, _keys(across, up), apart=apart, towns=False)
    if apart:
        found_cells += _grouped(joined, ~gridded, joined["commune"].astype(np.int64), apart=True, towns=True)
    return tuple(sorted(found_cells, key=lambda cell: (-cell.sites, cell.lon, cell.lat)))


def _keys(across: Array, up: Array) -> Array:
    across, up = across - across.min(), up - up.min()
    return np.asarray(up * (across.max() + 1) + across)


def _grouped(columns: dict[str, Array], mask: Array, keys: Array, *, apart: bool, towns: bool) -> list[MapCell]:
    at = np.flatnonzero(mask)
    if not len(at):
        return []
    keys = keys[at]
    # Numbers of sixteen bits are sorted by counting them.
    order = np.argsort(keys.astype(np.uint16) if keys.max() < _SMALL else keys, kind="stable")
    at, keys = at[order], keys[order]
    starts = firsts(keys)
    lon, lat, site = columns["lon"][at], columns["lat"][at], columns["site"][at]
    sizes = np.diff(np.append(starts, len(at)))
    edges = [*starts.tolist(), len(at)]
    offers = np.add.reduceat(columns["offers"][at], starts).tolist()
    exact = np.logical_or.reduceat(columns["exact"][at], starts).tolist()
    west, east = np.minimum.reduceat(lon, starts).tolist(), np.maximum.reduceat(lon, starts).tolist()
    south, north = np.minimum.reduceat(lat, starts).tolist(), np.maximum.reduceat(lat, starts).tolist()
    mean_lon = (np.add.reduceat(lon, starts) / sizes).tolist()
    mean_lat = (np.add.reduceat(lat, starts) / sizes).tolist()
    least = np.minimum.reduceat(site, starts).tolist()
    communes = columns["commune"][at][starts].tolist()
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
