"""A segment: rows of the projection that never change, and the sets of rows that each value has.

The base of an index is one segment mapped from a snapshot; what changed since is in a few small ones. A site
lives in one segment at a time, with all of its offers, so totals add up and pages merge.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from functools import cached_property

import numpy as np
from pyroaring import BitMap

from search_api.columns import geo
from search_api.columns.batch import Array
from search_api.columns.bitmaps import Bitmaps, bitmap, firsts, members, runs
from search_api.columns.build import LAST_AGE
from search_api.engine import LatLon
from search_api.schemas import BBox

GROUPS = ("codes", "places", "territory", "names", "ages", "flags")
ACCEPTS, SENSITIVE = 0, 1
"""Keys of the `flags` group."""


class Segment:
    """Arrays of `build.segment_arrays`, in memory or mapped from a file. Everything that it returns is read only."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._arrays = arrays
        self.offer, self.site_of, self.own = arrays["offer"], arrays["site_of"], arrays["own"]
        self.hours = arrays["hours"]
        self.code_set, self.set_start, self.set_code = arrays["code_set"], arrays["set_start"], arrays["set_code"]
        self.site, self.site_start = arrays["site"], arrays["site_start"]
        self.lat, self.lon, self.exact, self.commune = arrays["lat"], arrays["lon"], arrays["exact"], arrays["commune"]
        self.x, self.y, self.z = arrays["x"], arrays["y"], arrays["z"]
        self.digest = arrays["digest"]
        self.codes, self.places, self.territory, self.names, self.ages, self.flags = (
            Bitmaps({part: arrays[f"bitmaps/{group}/{part}"] for part in ("keys", "offsets", "sizes", "data")})
            for group in GROUPS
        )

    def __len__(self) -> int:
        return len(self.offer)

    @cached_property
    def codes_end(self) -> int:
        """One more than the largest concept id in use."""
        return int(self.set_code.max()) + 1 if len(self.set_code) else 1

    def sites_of(self, rows: Array) -> Array:
        """Return the sites (by their number here) of increasing rows, each once."""
        found = self.site_of[rows]
        keep = np.ones(len(found), bool)
        keep[1:] = found[1:] != found[:-1]
        return found[keep]

    def rows_of_sites(self, ids: Iterable[int]) -> BitMap:
        """Return the rows of sites given by id; unknown ones are passed over."""
        return runs([(int(self.site_start[at]), int(self.site_start[at + 1])) for at in self._sites_at(ids)])

    def _sites_at(self, ids: Iterable[int]) -> list[int]:
        wanted = np.fromiter(ids, np.int64)
        order = self._arrays["site_order"]
        return [int(order[at]) for at in _found(self.site, order, wanted)]

    def site_ids_of_offers(self, ids: Iterable[int]) -> set[int]:
        """Return the ids of the sites where offers, given by id, stand here."""
        order = self._arrays["offer_order"]
        rows = [int(order[at]) for at in _found(self.offer, order, np.fromiter(ids, np.int64))]
        return {int(self.site[self.site_of[row]]) for row in rows}

    def rows_of_person(self, person: int) -> BitMap:
        """Return the rows of a practitioner, by id."""
        order, values = self._arrays["person_order"], self._arrays["person"]
        low = bisect_left(order, person, key=values.__getitem__)
        high = bisect_left(order, person + 1, lo=low, key=values.__getitem__)
        return bitmap(order[low:high])

    def named(self, words: Iterable[Iterable[str]]) -> BitMap:
        """Return the rows whose names hold every word, each by any of its lexemes."""
        sets = [self.names.any_of(at for lexeme in word if (at := self._text(lexeme)) is not None) for word in words]
        return BitMap.intersection(*sets) if sets else BitMap()

    def _text(self, lexeme: str) -> int | None:
        starts, data = self._arrays["text_start"], self._arrays["text_bytes"]

        def text(index: int) -> bytes:
            return data[int(starts[index]) : int(starts[index + 1])].tobytes()

        wanted, count = lexeme.encode(), len(starts) - 1
        found = bisect_left(range(count), wanted, key=text)
        return found if found < count and text(found) == wanted else None

    def of_age(self, age: int) -> BitMap:
        """Return the rows that take a patient of this age, in years."""
        return self.ages.between(0, age) & self.ages.between(LAST_AGE + 1 + age, 2 * LAST_AGE + 1)

    def open_patterns(self, minute: int) -> Array:
        """Tell, for each pattern of hours, whether it is open at a minute of the week."""
        owner, low, high = (self._arrays[name] for name in ("hours_of", "hours_low", "hours_high"))
        patterns = int(owner[-1]) + 1 if len(owner) else 1
        found = np.zeros(patterns + 1, bool)
        found[owner[(low <= minute) & (minute < high)]] = True
        return found

    def box(self, west: float, south: float, east: float, north: float) -> BitMap:
        """Return the rows of the cells that a box touches: those inside, and some around."""
        cell, start = self._arrays["cell"], self._arrays["cell_start"]
        bounds = np.array(geo.cell_runs(west, south, east, north), np.int64)
        lows, highs = start[np.searchsorted(cell, bounds[:, 0])], start[np.searchsorted(cell, bounds[:, 1])]
        return runs(list(zip(lows.tolist(), highs.tolist(), strict=True)))

    def inside(self, rows: Array, box: BBox) -> Array:
        """Keep the increasing rows whose site is inside a box, edges included."""
        sites = self.site_of[rows]
        lat, lon = self.lat[sites], self.lon[sites]
        return rows[(lon >= box.west) & (lon <= box.east) & (lat >= box.south) & (lat <= box.north)]

    def circle(self, centre: LatLon, radius_m: float, among: BitMap | None = None) -> BitMap:
        """Return the rows within a radius of a point, of all rows or among some."""
        near = self.box(*geo.box_around(centre, radius_m))
        rows = members(near if among is None else near & among)
        numbers = self.site_of[rows]
        starts = firsts(numbers)
        keep = self._within(numbers[starts], centre, radius_m)
        return bitmap(rows[np.repeat(keep, np.diff(np.append(starts, len(rows))))])

    def _within(self, sites: Array, centre: LatLon, radius_m: float) -> Array:
        arc, wrong = geo.about(self.x[sites], self.y[sites], self.z[sites], centre)
        inside = arc + wrong <= radius_m
        unsure = np.flatnonzero(~inside & (arc - wrong <= radius_m))
        if len(unsure):
            at = sites[unsure]
            inside[unsure] = geo.metres(self.lat[at], self.lon[at], (centre,)) <= radius_m
        return inside

    def about(self, sites: Array, origins: tuple[LatLon, ...]) -> tuple[Array, Array]:
        """Return the least and the most metres from sites to the nearest origin; infinite without a position."""
        x, y, z = self.x[sites], self.y[sites], self.z[sites]
        low, high = np.full(len(sites), np.inf), np.full(len(sites), np.inf)
        for origin in origins:
            arc, wrong = geo.about(x, y, z, origin)
            low, high = np.fmin(low, arc - wrong), np.fmin(high, arc + wrong)
        return low, high

    def metres(self, sites: Array, origins: tuple[LatLon, ...]) -> Array:
        """Return the rounded geodesic metres from sites to the nearest origin; infinite without one or a position."""
        if not origins:
            return np.full(len(sites), np.inf)
        found = np.rint(geo.metres(self.lat[sites], self.lon[sites], origins))
        return np.where(np.isnan(found), np.inf, found)


def _found(values: Array, order: Array, wanted: Array) -> list[int]:
    """Return where, in the increasing order of some values, the wanted ones stand; absent ones are passed over."""
    found = []
    for one in wanted.tolist():
        at = bisect_left(order, one, key=values.__getitem__)
        if at < len(order) and values[order[at]] == one:
            found.append(at)
    return found
