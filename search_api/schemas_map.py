"""What the map shows for a viewport and a query: GeoJSON, at most 500 features, exact counts."""

import uuid
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from search_api.schemas import Frozen

MAX_FEATURES = 500
"""Features of one map answer; beyond, sites are grouped into clusters."""
TOWN_LIST = 50
"""Sites named inside a feature of approximate positions; `count` stays exact."""


class FeatureKind(StrEnum):
    """What a point of the map stands for."""

    site = "site"
    cluster = "cluster"
    town = "town"


class PointGeometry(Frozen):
    """GeoJSON point, longitude first."""

    type: Literal["Point"] = "Point"
    coordinates: tuple[float, float]


class MapSite(Frozen):
    """A site named on the map."""

    id: uuid.UUID
    name: str
    url: str


class MapProperties(Frozen):
    """`site`: one site (or several at one address); `cluster`: many; `town`: those known by their town only."""

    kind: FeatureKind
    count: Annotated[int, Field(description="Sites.")]
    offers: Annotated[int, Field(description="Offers that match.")]
    label: str
    sites: list[MapSite] = Field(default=[], description="Named sites, by name; empty for a cluster.")
    bounds: tuple[float, float, float, float] | None = Field(
        default=None, description="West, south, east, north of a cluster's members."
    )


class MapFeature(Frozen):
    """A GeoJSON feature."""

    type: Literal["Feature"] = "Feature"
    geometry: PointGeometry
    properties: MapProperties


class MapAnswer(Frozen):
    """A GeoJSON feature collection, with the counts of the viewport."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[MapFeature]
    total: Annotated[int, Field(description="Sites of the match set inside the viewport.")]
    total_offers: int
    outside: Annotated[int, Field(description="Sites of the match set outside the viewport or without a position.")] = 0
