"""JSON of the search: what the API gives of ads and takes of saved searches."""

import uuid
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Frequency = Literal["now", "daily", "none"]


class AdPlaceOut(BaseModel):
    """A place of an ad; `ref` is what `place` takes."""

    ref: str | None
    name: str
    kind: str
    lat: float | None
    lon: float | None


class PeriodOut(BaseModel):
    """A period; without an end, it is open."""

    starts_on: date
    ends_on: date | None
    text: str


class AdFileOut(BaseModel):
    """A photo or a PDF, and where it is served to who may read the ad."""

    kind: Literal["image", "pdf"]
    name: str
    url: str
    thumbnail_url: str | None
    size: int


class AdOut(BaseModel):
    """A published ad. `distance_m`: from the nearest searched town to its nearest one."""

    number: int
    url: str
    category: str | None
    category_label: str
    side: str | None
    situation: str
    specialty: str | None
    specialty_label: str
    title: str
    badge: str | None
    anonymous: bool
    places: list[AdPlaceOut]
    periods: list[PeriodOut]
    published_at: datetime | None
    ends_on: date | None
    distance_m: int | None = None


class AdDetail(AdOut):
    """A whole ad; how its author is reached is asked for at `/contact`."""

    state: str
    description: str
    conditions: str
    files: list[AdFileOut]


class AdList(BaseModel):
    """What a search answers: `total` counts every ad, `capped_at` is how many may be read, 15 a page."""

    total: int
    capped_at: int
    page: int
    pages: int
    without_town: int = Field(description="Annonces d’un département, d’une région ou de la France : sans point.")
    items: list[AdOut]


class ContactOut(BaseModel):
    """How the author of an ad is reached; all empty for an anonymous ad, whose page has a form."""

    anonymous: bool
    email: str | None = None
    mobile: str | None = None
    phone: str | None = None
    address: str | None = None


class MapOut(BaseModel):
    """Towns and clusters of towns (GeoJSON). `total`: ads that name a town of the view."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    total: int
    bounds: tuple[float, float, float, float] | None
    features: list[dict[str, object]]


class SavedIn(BaseModel):
    """A search to keep: `query` is its address (`category=remplacement&place=departement:78`)."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=200)]
    frequency: Frequency = "now"
    query: Annotated[str, Field(max_length=4000)] = ""


class SavedChange(BaseModel):
    """A change of a saved search; `version` is the one that was read."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=200)]
    frequency: Frequency
    version: int


class SavedOut(BaseModel):
    """A saved search."""

    id: uuid.UUID
    name: str
    query: str
    frequency: Frequency
    created_at: datetime
    version: int
