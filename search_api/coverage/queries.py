"""What a report reads of the directory: counts by commune, positions, places visited. Public offers alone."""

from typing import Any

from sqlalchemy import ColumnElement, Select, distinct, func, select

from directory.api import OfferSearch
from search_api.engine import EngineQuery
from search_api.predicates import latitude, longitude, matching


def by_commune(query: EngineQuery) -> Select[Any]:
    """Offers, sites, and offers that say where they visit, by commune (or arrondissement) of the site."""
    columns: list[ColumnElement[Any]] = [
        OfferSearch.commune_id.expression,
        func.count().label("offers"),
        func.count(distinct(OfferSearch.site_id)).label("sites"),
        func.count().filter(OfferSearch.territory != []).label("visiting"),
    ]
    return (
        select(*columns)
        .where(*matching(query), OfferSearch.commune_id.is_not(None))
        .group_by(OfferSearch.commune_id)
        .order_by(OfferSearch.commune_id)
    )


def positions(query: EngineQuery) -> Select[Any]:
    """Each position of a site of the match set, once."""
    lon, lat = longitude(), latitude()
    return (
        select(
            lon.label("lon"),
            lat.label("lat"),
            func.bool_or(OfferSearch.exact).label("exact"),
            func.min(OfferSearch.commune_id).label("commune_id"),
        )
        .where(*matching(query), OfferSearch.position.is_not(None))
        .group_by(lon, lat)
        .order_by(lon, lat)
    )


def visited(query: EngineQuery) -> Select[Any]:
    """Each place that an offer of the match set, wherever it is, says it visits."""
    place = func.unnest(OfferSearch.territory).label("place")
    return select(place).where(*matching(query), OfferSearch.territory != []).distinct().order_by("place")
