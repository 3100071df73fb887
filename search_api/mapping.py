"""From the engine's cells to the GeoJSON of the map."""

import math
from typing import Final

from sqlalchemy import ARRAY, BigInteger, any_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import Fixed, keys
from directory.api import Site
from maps.api import place_by_id
from search_api.engine import EngineQuery, MapCell, MapCells, SearchEngine
from search_api.postgis_map import TOWN_CELL_DEGREES
from search_api.schemas import BBox
from search_api.schemas_map import (
    MAX_FEATURES,
    FeatureKind,
    MapAnswer,
    MapFeature,
    MapProperties,
    MapSite,
    PointGeometry,
)

CELL_PIXELS = 64
"""Side of a cell on the screen: a cluster's badge and the room around it."""
TILE_PIXELS = 256
_SITES: Final = Fixed(
    select(Site.id, Site.uid, Site.name).where(Site.id == any_(bindparam("ids", type_=ARRAY(BigInteger))))
)


async def map_answer(
    session: AsyncSession, engine: SearchEngine, query: EngineQuery, view: BBox, zoom: int
) -> MapAnswer:
    """Return the points of a viewport: at most `MAX_FEATURES`, which leave nothing out.

    A screen seldom holds as many cells. When one does, or when the viewport is far wider than a screen shows at
    this zoom, the cells are widened at once to what fits, then beyond those where towns are shown apart.
    """
    cell = 360 / 2**zoom * CELL_PIXELS / TILE_PIXELS
    found = await engine.map_features(session, query, view, cell)
    if len(found.cells) > MAX_FEATURES:
        cell = _fitting(view, cell)
        found = await engine.map_features(session, query, view, cell)
    if len(found.cells) > MAX_FEATURES:
        cell = max(cell, TOWN_CELL_DEGREES * 1.01)
        found = await engine.map_features(session, query, view, cell)
    names = await _names(session, found)
    features = [_feature(found_cell, names) for found_cell in found.cells]
    return MapAnswer(
        features=features,
        total=found.inside.sites,
        total_offers=found.inside.offers,
        outside=found.whole.sites - found.inside.sites,
    )


def _fitting(view: BBox, cell: float) -> float:
    """Return the size of cells of which the viewport cannot hold more than `MAX_FEATURES`."""
    upright = math.cos(math.radians(max(-80.0, min(80.0, (view.south + view.north) / 2))))
    # A viewport that does not begin at the edge of a cell touches one more in each direction.
    while ((view.east - view.west) / cell + 2) * ((view.north - view.south) / (cell * upright) + 2) > MAX_FEATURES:
        cell *= 1.1
    return cell


def _named(cell: MapCell) -> bool:
    return cell.one_point or (not cell.exact and cell.commune_id is not None)


async def _names(session: AsyncSession, found: MapCells) -> dict[int, MapSite]:
    ids = [site for cell in found.cells if _named(cell) for site in cell.site_ids]
    if not ids:
        return {}
    rows = await _SITES.rows(session, ids=keys(ids))
    return {row.id: MapSite(id=row.uid, name=row.name, url=f"/sites/{row.uid}") for row in rows}


def _feature(cell: MapCell, names: dict[int, MapSite]) -> MapFeature:
    sites: list[MapSite] = []
    if _named(cell):
        sites = sorted(
            (names[one] for one in cell.site_ids if one in names), key=lambda s: (s.name.casefold(), str(s.id))
        )
    if cell.commune_id is not None:
        kind = FeatureKind.town
        place = place_by_id(cell.commune_id)
        town = place.name if place else "Commune"
        label = f"{town} : position approximative, {_lieux(cell.sites)}"
    elif cell.one_point:
        kind = FeatureKind.site
        label = sites[0].name if len(sites) == 1 else f"{_lieux(cell.sites)} à cette adresse"
    else:
        kind = FeatureKind.cluster
        label = _lieux(cell.sites)
    return MapFeature(
        geometry=PointGeometry(coordinates=(round(cell.lon, 6), round(cell.lat, 6))),
        properties=MapProperties(
            kind=kind,
            count=cell.sites,
            offers=cell.offers,
            label=label,
            sites=sites,
            bounds=None if cell.one_point else cell.bounds,
        ),
    )


def _lieux(number: int) -> str:
    return "1 lieu" if number == 1 else f"{number:,} lieux".replace(",", " ")
