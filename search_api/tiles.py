"""The layer of offers: what a vector tile shows of a search.

Far away, a tile is a grid whose cells tell how many sites and offers lie in them, so that nothing is left out and
a tile stays small; close up, each site is a point of its own. A site lies in one tile of a zoom only: the counts of
the tiles of a zoom add up to those of the search, but for the sites that have no position.
"""

from typing import Any, Final

from sqlalchemy import ColumnElement, Integer, Select, String, and_, case, cast, func, literal, null, select

from directory.api import OfferSearch, Site
from maps.api import Tile
from search_api.engine import EngineQuery
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


def shapes(query: EngineQuery, at: Tile) -> Select[Any]:
    """Select what a tile shows of the match set, for `maps.api.tile`."""
    sites = (
        select(
            OfferSearch.site_id.label("site_id"),
            func.min(longitude()).label("lon"),
            func.min(latitude()).label("lat"),
            func.bool_or(OfferSearch.exact).label("exact"),
            func.count().label("offers"),
        )
        .where(*matching(query), _of_tile(at))
        .group_by(OfferSearch.site_id)
        .cte("sites")
    )
    found = sites if at.z >= POINTS_ZOOM else _cells(sites, at)
    one = literal(1) if at.z >= POINTS_ZOOM else found.c.sites
    alone = Site.id == found.c.site_id if at.z >= POINTS_ZOOM else and_(found.c.sites == 1, Site.id == found.c.site_id)
    return (
        select(
            func.ST_SetSRID(func.ST_MakePoint(found.c.lon, found.c.lat), 4326).label("shape"),
            cast(one, Integer).label("sites"),
            cast(found.c.offers, Integer).label("offers"),
            cast(Site.uid, String).label("uid"),
            Site.name,
            found.c.exact,
        )
        .select_from(found.outerjoin(Site, alone))
        .order_by(found.c.site_id)
    )


def _of_tile(at: Tile) -> ColumnElement[bool]:
    """In this tile and no other: of its edges, it holds the western and the northern."""
    west, south, east, north = at.bounds
    held = inside(BBox(west=west, south=south, east=east, north=north))
    return held if at.x == 2**at.z - 1 else and_(held, longitude() < east, latitude() > south)


def _cells(sites: Any, at: Tile) -> Any:
    """Group the sites of a tile by cells that look square on the screen."""
    west, south, east, north = at.bounds

    def height(degrees: ColumnElement[float]) -> ColumnElement[float]:
        found: ColumnElement[float] = func.ln(func.tan(func.radians(45 + degrees / 2)))
        return found

    column = func.floor((sites.c.lon - west) / (east - west) * GRID)
    top, bottom = height(literal(north)), height(literal(south))
    row = func.floor((top - height(sites.c.lat)) / (top - bottom) * GRID)
    alone = func.count() == 1
    return (
        select(
            func.min(sites.c.site_id).label("site_id"),
            func.avg(sites.c.lon).label("lon"),
            func.avg(sites.c.lat).label("lat"),
            func.count().label("sites"),
            func.sum(sites.c.offers).label("offers"),
            case((alone, func.bool_or(sites.c.exact)), else_=null()).label("exact"),
        )
        .group_by(column, row)
        .cte("cells")
    )
