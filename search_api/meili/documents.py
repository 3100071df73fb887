"""What Meilisearch holds: one document per offer, ids and codes only, and the settings of its index.

An offer, not a site, is the document: facets count offers, and every condition must be met by one and the same
offer. Pages of sites come from the same documents by `distinct`. Nothing is searched as text: words were read
into codes and lexemes before, and are filtered exactly.
"""

from collections.abc import Collection, Iterable
from typing import Any, Final

from meilisearch_python_sdk.models.settings import (
    Faceting,
    MeilisearchSettings,
    Pagination,
    ProximityPrecision,
    TypoTolerance,
)
from sqlalchemy import Select, case, func, select

from directory.api import PROFESSIONAL, PUBLIC, OfferSearch, searchable
from search_api.engine import LatLon
from search_api.meili import grid
from search_api.meili.settings import MeiliSettings
from search_api.predicates import latitude, longitude
from search_api.relevance import score

VERSION: Final = 1
"""Raised when documents or settings change: the follower then loads a new index and leaves the former."""
MOST = 10_000_000
"""More than there will ever be: totals and facets are never cut short."""
WEEK = 7 * 1440
BLOCKS: Final = (1440, 240, 60, 15, 5, 1)
"""Lengths in minutes of the blocks that opening hours are cut into, each a divisor of the one before."""


def index_name(settings: MeiliSettings) -> str:
    """Return the index that is searched; another form of documents has another name."""
    return f"{settings.meili_index}-offers-{VERSION}"


def index_settings() -> MeilisearchSettings:
    """Return the settings of the index; applied before any document, they cost nothing then."""
    return MeilisearchSettings(
        ranking_rules=["sort"],
        # Something must be named, or every attribute is; nothing is ever searched by words.
        searchable_attributes=["id"],
        filterable_attributes=[
            "_geo", "accepts_new", "age_max", "age_min", "cells", "codes", "level", "names", "open", "places",
            "site_id", "territory",
        ],
        sortable_attributes=["_geo", "approximate", "merit", "site_id"],
        typo_tolerance=TypoTolerance(enabled=False),
        faceting=Faceting(max_values_per_facet=MOST),
        pagination=Pagination(max_total_hits=MOST),
        proximity_precision=ProximityPrecision.BY_ATTRIBUTE,
        facet_search=False,
        prefix_search="disabled",
        # Past the cut-off the server would answer in any order without a word: our own time-out comes first.
        search_cutoff_ms=60_000,
    )  # fmt: skip


def blocks(ranges: Iterable[tuple[int, int]]) -> list[int]:
    """Return the blocks of the week that opening hours are made of, each as one number.

    A minute is open when one of the few blocks that may hold it is there: `blocks_of`. Nine to noon is three
    blocks, where minutes would be 180.
    """
    found = []
    for low, high in ranges:
        at = low
        while at < high:
            rank, size = next((rank, s) for rank, s in enumerate(BLOCKS) if at % s == 0 and at + s <= high)
            found.append(rank * WEEK + at // size)
            at += size
    return found


def blocks_of(minute: int) -> list[int]:
    """Return the blocks, one of each length, that hold a minute of the week."""
    return [rank * WEEK + minute // size for rank, size in enumerate(BLOCKS)]


def rows(ids: Collection[int] | None = None) -> Select[Any]:
    """Select what documents are made from: every offer that somebody may find, or those among `ids`."""
    statement = select(
        OfferSearch.offer_id,
        OfferSearch.site_id,
        case((searchable(PUBLIC), PUBLIC), else_=PROFESSIONAL).label("level"),
        longitude().label("lon"),
        latitude().label("lat"),
        OfferSearch.exact,
        OfferSearch.places,
        OfferSearch.codes,
        OfferSearch.territory,
        OfferSearch.age_min,
        OfferSearch.age_max,
        OfferSearch.accepts_new,
        OfferSearch.open_minutes,
        func.tsvector_to_array(OfferSearch.names).label("names"),
        OfferSearch.described,
    ).where(searchable(PROFESSIONAL))
    if ids is not None:
        statement = statement.where(OfferSearch.offer_id.in_(ids))
    return statement.order_by(OfferSearch.offer_id)


def document(row: Any) -> dict[str, Any]:
    """Return the document of a row of `rows`. `merit` is what relevance gives to the offer, text and place apart."""
    hours = [(part.lower, part.upper) for part in row.open_minutes or ()]
    merit = score(
        terms=(),
        codes=(),
        lexemes=(),
        described=row.described,
        accepts_new=row.accepts_new,
        hours=bool(hours),
        exact=row.exact,
        distance_m=None,
    )
    found = {
        "id": row.offer_id,
        "site_id": row.site_id,
        "level": row.level,
        "approximate": 0 if row.exact else 1,
        "places": row.places,
        "codes": row.codes,
        "territory": row.territory,
        "age_min": row.age_min,
        "age_max": row.age_max,
        "accepts_new": row.accepts_new is True,
        "open": blocks(hours),
        "names": row.names,
        "merit": merit,
    }
    if row.lon is not None:
        found["cells"] = grid.cells(LatLon(row.lat, row.lon))
        found["_geo"] = {"lat": row.lat, "lng": row.lon}
    return found
