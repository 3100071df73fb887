"""The towns of the ads that answer a search, as the marks of a map."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import InvalidInput
from maps.api import cluster, place_by_id
from modules.ads import search
from modules.ads.schemas_find import MapOut
from modules.ads.search import TownAd
from modules.ads.search_places import positions
from modules.ads.search_query import AdQuery

NAMED: Final = 8
"""Ads that the mark of a town names."""

Box = tuple[float, float, float, float]
_WORLD: Final[Box] = (-180.0, -90.0, 180.0, 90.0)


def read_view(text: str) -> Box:
    """Return the viewport of a map; the world when nothing is asked.

    Raises:
        InvalidInput: it is not one.
    """
    if not text.strip():
        return _WORLD
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        west = south = east = north = float("nan")
    # Written so that NaN is refused too.
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        said = "Quatre nombres sont attendus, en degrés : ouest,sud,est,nord."
        raise InvalidInput(said, fields={"view": said})
    return west, south, east, north


async def features(session: AsyncSession, query: AdQuery, view: str, zoom: int) -> MapOut:
    """Return the marks of a viewport, and the box that holds every town of the answer.

    Raises:
        InvalidInput: the viewport is not one.
    """
    box = read_view(view)
    counts = await search.places_of(session, query)
    towns, lons, lats = await positions(session, counts)
    weights = [counts[town] for town in towns.tolist()]
    marks = cluster(lons, lats, zoom, box, weights=weights) if weights else []
    alone = [int(towns[mark.index]) for mark in marks if mark.index is not None]
    latest = await search.latest_of(session, query, alone, NAMED) if alone else {}
    found: list[dict[str, Any]] = []
    for mark in marks:
        properties: dict[str, Any] = {"kind": "cluster", "count": mark.count}
        if mark.index is None:
            properties["bounds"] = [mark.west, mark.south, mark.east, mark.north]
        else:
            town = int(towns[mark.index])
            hit = place_by_id(town)
            label = hit.label if hit else ""
            properties = {"kind": "town", "count": mark.count, "label": label, "ads": _named(latest.get(town, ()))}
        point = {"type": "Point", "coordinates": [round(mark.lon, 5), round(mark.lat, 5)]}
        found.append({"type": "Feature", "geometry": point, "properties": properties})
    bounds = (lons.min(), lats.min(), lons.max(), lats.max()) if weights else None
    return MapOut(total=sum(mark.count for mark in marks), bounds=bounds, features=found)


def _named(ads: Sequence[TownAd]) -> list[dict[str, Any]]:
    return [{"number": ad.number, "title": ad.title, "address": f"/annonces/{ad.number}"} for ad in ads]
