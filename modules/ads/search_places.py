"""Searched places as keys of the projection, and how far towns are from a searched one.

An ad answers a place when one of its own contains it, lies in it or is it; a searched town also takes the ads of the
towns around it. A search by distance orders the ads by the least of the distances from a searched town to one of
theirs; zero where the ad is in the town itself. An ad for a whole département, a région or France that holds the town
counts as zero too, after those of the town: it says « anywhere here », and the town is one of these places.
"""

import math
import sys
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from geoalchemy2 import Geometry
from pyproj import Geod
from sqlalchemy import cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from maps.api import Place, PlaceContainment, PlaceHit, containers_of, members_of, place_by_id, places_version, ready
from modules.ads.search_query import AdQuery, find_place
from modules.ads.views import TOWNS

_GEOD: Final = Geod(ellps="WGS84")
_EARTH: Final = 6_371_000
_MOST_KEPT: Final = 2000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search asks of places: `keys` of `AdSpot` of which one must be there, or None when it asks nothing.

    A key leads to its rank in an order by distance: twice the metres from the nearest searched town, and one more for
    an area that holds it; to None where there is no telling. `around`: those areas.
    """

    keys: dict[int, int | None] | None = None
    around: frozenset[int] = frozenset()
    towns: tuple[PlaceHit, ...] = ()

    def metres(self, place_id: int) -> int | None:
        """Return how far a place is from the nearest searched town, when the search had to know."""
        rank = (self.keys or {}).get(place_id)
        return None if rank is None else rank // 2


@dataclass(frozen=True, slots=True)
class _Towns:
    """Every town of the country, as arrays, and those that lie in another (arrondissements, delegated communes)."""

    ids: Any
    lons: Any
    lats: Any
    vectors: Any
    inside: dict[int, list[int]]


class _Kept:
    """The towns until the places change, and the surroundings of those that were asked for."""

    version = ""
    towns: _Towns | None = None
    near: OrderedDict[tuple[int, int], dict[int, int]] = OrderedDict()


async def _towns(session: AsyncSession) -> _Towns:
    kinds = sorted(TOWNS)
    rows = await session.execute(
        select(Place.id, func.ST_X(cast(Place.point, Geometry)), func.ST_Y(cast(Place.point, Geometry)))
        .where(Place.kind.in_(kinds), Place.retired_at.is_(None), Place.point.is_not(None))
        .order_by(Place.id)
    )
    ids, lons, lats = (np.array(column) for column in zip(*rows, strict=True))
    holder = aliased(Place)
    held = await session.execute(
        select(PlaceContainment.container_id, PlaceContainment.place_id)
        .join(holder, holder.id == PlaceContainment.container_id)
        .join(Place, Place.id == PlaceContainment.place_id)
        .where(holder.kind.in_(kinds), Place.kind.in_(kinds), Place.retired_at.is_(None))
        .order_by(PlaceContainment.container_id, PlaceContainment.place_id)
    )
    inside: dict[int, list[int]] = {}
    for container_id, place_id in held:
        inside.setdefault(container_id, []).append(place_id)
    return _Towns(ids, lons, lats, _vectors(lons, lats), inside)


def _vectors(lons: Any, lats: Any) -> Any:
    """Return points as directions from the centre of a sphere: one product tells which are near another."""
    lon, lat = np.radians(lons), np.radians(lats)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


async def _known_towns(session: AsyncSession) -> _Towns:
    if _Kept.towns is None or _Kept.version != places_version():
        _Kept.near.clear()
        _Kept.towns, _Kept.version = await _towns(session), places_version()
    return _Kept.towns


async def positions(session: AsyncSession, towns: Collection[int]) -> tuple[Any, Any, Any]:
    """Return keys, longitudes and latitudes of towns, as arrays in the order of the keys; unknown ones are left out."""
    known = await _known_towns(session)
    wanted_ids = np.array(sorted(towns), dtype=known.ids.dtype)
    at = np.searchsorted(known.ids, wanted_ids).clip(max=len(known.ids) - 1)
    at = at[known.ids[at] == wanted_ids]
    return known.ids[at], known.lons[at], known.lats[at]


async def near(session: AsyncSession, town: PlaceHit, radius_km: int) -> dict[int, int]:
    """Return the towns within a radius of a town, itself and what lies in it at zero, with their distance in metres."""
    towns = await _known_towns(session)
    known = _Kept.near.get((town.id, radius_km))
    if known is None:
        known = _Kept.near[town.id, radius_km] = _around(towns, town, radius_km * 1000)
        while len(_Kept.near) > _MOST_KEPT:
            _Kept.near.popitem(last=False)
    return known


def _around(towns: _Towns, town: PlaceHit, radius: int) -> dict[int, int]:
    found: dict[int, int] = {}
    if town.lat is not None and town.lon is not None:
        # A sphere is wrong by half a per cent: it chooses widely, the ellipsoid decides.
        centre = _vectors(np.array(town.lon), np.array(town.lat))
        chosen = np.flatnonzero(towns.vectors @ centre >= math.cos(radius * 1.01 / _EARTH))
        lons, lats = towns.lons[chosen], towns.lats[chosen]
        _, _, far = _GEOD.inv(np.full(chosen.shape, town.lon), np.full(chosen.shape, town.lat), lons, lats)
        within = far <= radius
        rounded = np.rint(far[within]).astype(int).tolist()
        found = dict(zip(towns.ids[chosen[within]].tolist(), rounded, strict=True))
    # What lies in the town is in the town, however far its middle.
    return found | dict.fromkeys((town.id, *towns.inside.get(town.id, ())), 0)


async def wanted(session: AsyncSession, query: AdQuery) -> Wanted:
    """Return what a search asks of places.

    Raises:
        ValueError: a place is no longer known.
    """
    if not query.places:
        return Wanted()
    await ready()
    places = [find_place(ref) for ref in query.places]
    towns = tuple(place for place in places if place.kind in TOWNS)
    areas = [place for place in places if place.kind not in TOWNS]
    keys: dict[int, int | None] = {}
    around: set[int] = set()
    for area in areas:
        # Itself, what lies in it, what contains it.
        keys |= dict.fromkeys((area.id, -area.id, *containers_of([area.id])[area.id]))
    if areas and query.sort == "distance":
        # They match wherever they are: near or not, each has its distance.
        keys |= {place_id: 2 * far for place_id, far in distances(towns, _towns_in(areas)).items()}
    for town in towns:
        for place_id, far in (await near(session, town, query.radius_km)).items():
            keys[place_id] = min(2 * far, _known(keys.get(place_id)))
    for town in towns:
        keys[-town.id] = 0
        around.update(containers_of([town.id])[town.id])
    for holder in around:
        keys[holder] = min(1, _known(keys.get(holder)))
    everywhere = query.sort == "date" and any(area.kind == "pays" for area in areas)
    return Wanted(None if everywhere else keys, frozenset(around), towns)


def _known(rank: int | None) -> int:
    return sys.maxsize if rank is None else rank


def _towns_in(areas: Sequence[PlaceHit]) -> list[PlaceHit]:
    members = {member for area in areas for member in members_of(area.id)}
    return [hit for member in sorted(members) if (hit := place_by_id(member)) is not None and hit.kind in TOWNS]


def distances(towns: Sequence[PlaceHit], to: Sequence[PlaceHit]) -> dict[int, int]:
    """Return how far places are from the nearest of some towns, in metres; only those that have a point."""
    placed = [place for place in to if place.lat is not None]
    origins = [town for town in towns if town.lat is not None]
    if not placed or not origins:
        return {}
    lon = np.array([place.lon for place in placed])
    lat = np.array([place.lat for place in placed])
    best: Any = np.full(len(placed), np.inf)
    for town in origins:
        _, _, far = _GEOD.inv(np.full(len(placed), town.lon), np.full(len(placed), town.lat), lon, lat)
        best = np.minimum(best, far)
    return {place.id: round(float(far)) for place, far in zip(placed, best, strict=True)}
