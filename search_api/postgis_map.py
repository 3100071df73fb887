"""Points of the map in SQL: sites of the match set grouped by cells of a grid, counts exact."""

import math
from typing import Any

from sqlalchemy import ColumnElement, Float, Select, cast, func, literal, not_, null, select, true, union_all
from sqlalchemy.dialects.postgresql import aggregate_order_by, array
from sqlalchemy.ext.asyncio import AsyncSession

from directory.api import OfferSearch
from search_api.engine import EngineQuery, MapCell
from search_api.predicates import inside, latitude, longitude, matching
from search_api.schemas import BBox

TOWN_CELL_DEGREES = 0.05
"""Cells smaller than this show approximate positions apart, one point per commune."""
NAMED = 50
"""Sites named by a cell."""


async def cells(session: AsyncSession, query: EngineQuery, view: BBox, cell_degrees: float) -> tuple[MapCell, ...]:
    """Return the cells of a viewport, largest first."""
    rows = await session.execute(_cells(query, view, cell_degrees))
    return tuple(
        MapCell(
            lat=row.lat,
            lon=row.lon,
            sites=row.sites,
            offers=int(row.offers),
            exact=row.exact,
            commune_id=row.commune_id,
            site_ids=tuple(row.ids[:NAMED]),
            bounds=(row.west, row.south, row.east, row.north),
            one_point=row.west == row.east and row.south == row.north,
        )
        for row in rows
    )


def _cells(query: EngineQuery, view: BBox, cell_degrees: float) -> Select[Any]:
    sites = (
        select(
            OfferSearch.site_id.label("site_id"),
            func.min(longitude()).label("lon"),
            func.min(latitude()).label("lat"),
            func.bool_or(OfferSearch.exact).label("exact"),
            func.min(OfferSearch.commune_id).label("commune_id"),
            func.count().label("offers"),
        )
        .where(*matching(query), inside(view))
        .group_by(OfferSearch.site_id)
        .cte("sites")
    )
    # Cells look square on the screen: a degree of latitude is drawn 1 / cos(latitude) larger.
    middle = math.radians(max(-80.0, min(80.0, (view.south + view.north) / 2)))
    tall = cell_degrees * math.cos(middle)
    apart = cell_degrees <= TOWN_CELL_DEGREES
    columns: list[ColumnElement[Any]] = [
        func.avg(sites.c.lon).label("lon"),
        func.avg(sites.c.lat).label("lat"),
        func.count().label("sites"),
        func.sum(sites.c.offers).label("offers"),
        func.min(sites.c.lon).label("west"),
        func.min(sites.c.lat).label("south"),
        func.max(sites.c.lon).label("east"),
        func.max(sites.c.lat).label("north"),
        # Only small cells are opened: naming the members of a large one would sort a whole département.
        func.coalesce(
            func.array_agg(aggregate_order_by(sites.c.site_id, sites.c.site_id)).filter(literal(apart)),
            array([func.min(sites.c.site_id)]),
        ).label("ids"),
    ]
    gridded = (
        select(
            *columns,
            func.bool_or(sites.c.exact).label("exact"),
            cast(null(), OfferSearch.commune_id.type).label("commune_id"),
        )
        .where(sites.c.exact if apart else true())
        .group_by(
            func.floor(sites.c.lon / cast(cell_degrees, Float)),
            func.floor(sites.c.lat / cast(tall, Float)),
        )
    )
    if not apart:
        return gridded.order_by(func.count().desc(), "lon", "lat")
    towns = (
        select(*columns, literal(False).label("exact"), sites.c.commune_id.label("commune_id"))
        .where(not_(sites.c.exact))
        .group_by(sites.c.commune_id)
    )
    both = union_all(gridded, towns).subquery()
    return select(both).order_by(both.c.sites.desc(), both.c.lon, both.c.lat)
