"""The towns of the ads that answer a search, as the marks of a map."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import InvalidInput
from maps.api import PlaceHit, cluster, place_by_id
from modules.ads.models import Ad
from modules.ads.schemas_find import MapOut
from modules.ads.search import TownCount, towns_of
from modules.ads.search_query import AdQuery

NAMED: Final = 8
"""Ads that the mark of a town names."""
FAR: Final = 12
"""Zoom from which every town is a mark of its own."""

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
    placed: list[tuple[TownCount, PlaceHit]] = []
    lon: list[float] = []
    lat: list[float] = []
    for town in await towns_of(session, query, most=NAMED):
        hit = place_by_id(town.place_id)
        if hit is not None and hit.lat is not None and hit.lon is not None:
            placed.append((town, hit))
            lon.append(hit.lon)
            lat.append(hit.lat)
    weights = [town.count for town, _ in placed]
    marks = cluster(lon, lat, zoom, box, weights=weights, most=500 if zoom < FAR else 5000) if placed else []
    alone = [placed[mark.index][0] for mark in marks if mark.index is not None]
    titles = await _titles(session, alone)
    found: list[dict[str, Any]] = []
    for mark in marks:
        known = placed[mark.index] if mark.index is not None else None
        properties: dict[str, Any] = (
            _town(*known, titles)
            if known
            else {"kind": "cluster", "count": mark.count, "bounds": [mark.west, mark.south, mark.east, mark.north]}
        )
        point = {"type": "Point", "coordinates": [round(mark.lon, 5), round(mark.lat, 5)]}
        found.append({"type": "Feature", "geometry": point, "properties": properties})
    bounds = (min(lon), min(lat), max(lon), max(lat)) if placed else None
    return MapOut(total=sum(mark.count for mark in marks), bounds=bounds, features=found)


def _town(town: TownCount, hit: PlaceHit, titles: dict[int, dict[str, Any]]) -> dict[str, Any]:
    ads = [titles[ad_id] for ad_id in town.ad_ids if ad_id in titles]
    return {"kind": "town", "count": town.count, "label": hit.label, "ads": ads}


async def _titles(session: AsyncSession, towns: Sequence[TownCount]) -> dict[int, dict[str, Any]]:
    ids = {ad_id for town in towns for ad_id in town.ad_ids}
    if not ids:
        return {}
    rows = await session.execute(select(Ad.id, Ad.number, Ad.title).where(Ad.id.in_(ids)).order_by(Ad.id))
    return {row.id: {"number": row.number, "title": row.title, "address": f"/annonces/{row.number}"} for row in rows}
