"""The layer of offers: what a vector tile shows of a search.

Far away, a tile is a grid whose cells tell how many sites and offers lie in them, so that nothing is left out and
a tile stays small; close up, each site is a point of its own. A site lies in one tile of a zoom only: the counts of
the tiles of a zoom add up to those of the search, but for the sites that have no position.
"""

import math
from typing import Any, Final

from sqlalchemy import ARRAY, BigInteger, Boolean, Float, Integer, Select, String, cast, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from directory.api import OfferSearch, Site
from maps.api import Tile
from search_api.engine import EngineQuery, MapCell, SearchEngine
from search_api.predicates import inside, latitude, longitude, matching
from search_api.schemas import BBox

LAYER: Final = "offers"
POINTS_ZOOM: Final = 14
"""First zoom at which every site is a point: a tile is then about 1.6 km wide."""
GRID: Final = 16
"""Cells along the side of a tile."""
FIELDS: Final = {
    "sites": "Nombre de lieux",
    "offers": "Nombre d’offres",
    "uid": "Identifiant public du lieu, quand il est seul",
    "name": "Nom du lieu, quand il est seul",
    "exact": "Faux si la position est celle de la commune",
}


async def shapes(session: AsyncSession, engine: SearchEngine, query: EngineQuery, at: Tile) -> Select[Any]:
    """Select what a tile shows of the match set, for `maps.api.tile`.

    Cells are counted by the engine, which knows the whole country; the points of a small tile are read from the
    projection, by its spatial index.
    """
    if at.z >= POINTS_ZOOM:
        return _points(query, at)
    found = await engine.map_features(session, query, _view(at), 360 / 2**at.z / GRID)
    return _cells(found.cells)


def _view(at: Tile) -> BBox:
    """Return a box that holds its edges and lies in this tile alone: of its edges, a tile has two and not four."""
    west, south, east, north = at.bounds
    if at.x < 2**at.z - 1:
        east = math.nextafter(east, west)
    return BBox(west=west, south=math.nextafter(south, north), east=east, north=north)


def _shown(rows: Any, sites: Any) -> Select[Any]:
    point = func.ST_SetSRID(func.ST_MakePoint(rows.c.lon, rows.c.lat), 4326)
    return select(
        point.label("shape"),
        cast(sites, Integer).label("sites"),
        cast(rows.c.offers, Integer).label("offers"),
        cast(Site.uid, String).label("uid"),
        Site.name,
        rows.c.exact,
    )


def _points(query: EngineQuery, at: Tile) -> Select[Any]:
    rows = (
        select(
            OfferSearch.site_id.label("site_id"),
            func.min(longitude()).label("lon"),
            func.min(latitude()).label("lat"),
            func.bool_or(OfferSearch.exact).label("exact"),
            func.count().label("offers"),
        )
        .where(*matching(query), inside(_view(at)))
        .group_by(OfferSearch.site_id)
        .subquery("rows_found")
    )
    return _shown(rows, literal(1)).join_from(rows, Site, Site.id == rows.c.site_id).order_by(rows.c.site_id)


def _cells(found: tuple[MapCell, ...]) -> Select[Any]:
    columns = {
        "lon": literal([cell.lon for cell in found], ARRAY(Float)),
        "lat": literal([cell.lat for cell in found], ARRAY(Float)),
        "sites": literal([cell.sites for cell in found], ARRAY(Integer)),
        "offers": literal([cell.offers for cell in found], ARRAY(Integer)),
        "exact": literal([cell.exact for cell in found], ARRAY(Boolean)),
        "site_id": literal([cell.site_ids[0] if cell.sites == 1 else None for cell in found], ARRAY(BigInteger)),
    }
    rows = func.unnest(*columns.values()).table_valued(*columns, name="cells").render_derived()
    order = (rows.c.lon, rows.c.lat, rows.c.sites, rows.c.exact)
    return _shown(rows, rows.c.sites).join_from(rows, Site, Site.id == rows.c.site_id, isouter=True).order_by(*order)
