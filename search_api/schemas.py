"""One query model for page, API, export, map and portal, and the answer that every engine gives."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

PAGE_SIZE = 15
"""Results a page (manual of the ROR, part V: « 15 résultats affichés par page »)."""
CAP = 200
"""Results shown in all (same manual: « limite de 200 résultats au total »)."""


class Sort(StrEnum):
    """Order of the results."""

    distance = "distance"
    relevance = "relevance"


class FacetKey(StrEnum):
    """Groups of filters; values of a group are "or", groups are "and"."""

    patients = "patients"
    kind = "kind"
    expertise = "expertise"
    activities = "activities"
    modes = "modes"
    unit_types = "unit_types"
    professions = "professions"
    specialties = "specialties"
    equipment = "equipment"
    skills = "skills"
    reception = "reception"
    convention = "convention"


class Frozen(BaseModel):
    """Base of immutable values."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WhereRef(Frozen):
    """A place named in the query: `commune:78361`, `cp:78200`, `epci:…`, `departement:78`, `region:11`, `france`."""

    kind: str
    code: str


class Point(Frozen):
    """WGS84 position in degrees."""

    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]


class BBox(Frozen):
    """Viewport in WGS84 degrees, west ≤ east (the antimeridian is refused by the door)."""

    west: float
    south: float
    east: float
    north: float


class SearchQuery(Frozen):
    """What a person asks: where, what, filters, order, page. `codes` are `system|code` and are "and"-ed.

    `where` says where people look; each group of `within` limits what they may find there: one of its places, any kind.
    """

    q: str | None = None
    scope: str | None = None
    codes: tuple[str, ...] = ()
    where: tuple[WhereRef, ...] = ()
    within: tuple[tuple[WhereRef, ...], ...] = ()
    point: Point | None = None
    origin: WhereRef | None = None
    radius_km: float | None = None
    bbox: BBox | None = None
    facets: dict[FacetKey, tuple[str, ...]] = Field(default_factory=dict)
    age: int | None = None
    open_at: datetime | None = None
    visits: str | None = None
    accepts_new: bool = False
    sort: Sort = Sort.distance
    page: int = 1
    explain: bool = False
    zone: tuple[str, ...] = Field(default=(), description="Places of the zone of who asks; never a parameter.")


class PlaceOut(Frozen):
    """A place as suggestions and answers show it. `ref` is what `where` takes (`commune:78361`)."""

    ref: str
    kind: str
    code: str
    name: str
    label: str
    population: int
    lat: float | None
    lon: float | None
    context: str = Field(description="What tells it from its namesakes: département, postal codes.")


class ConceptOut(Frozen):
    """A code with its label; `matched` when the query asked for it."""

    code: str
    label: str
    matched: bool = False


class OfferCard(Frozen):
    """An offer inside a result."""

    id: uuid.UUID
    name: str
    practitioner: str | None
    type: ConceptOut | None
    labels: list[ConceptOut] = Field(description="Two or three labels that say what is done, matched ones first.")
    patients: str = Field(description="« Enfant », « Adulte », « Enfant et adulte ».")
    convention: str | None
    carte_vitale: bool | None
    accepts_new: bool | None
    visits: bool = Field(description="Comes to the patient's home.")
    visits_searched: str | None = Field(description="The searched commune when it is in the territory.")
    open_now: bool | None = Field(description="None when no hours are known.")
    opening: str | None = Field(
        default=None,
        description="« ouvert maintenant », « fermé, ouvre demain à 9 h », or what holds at the instant asked for.",
    )
    booking_phone: str | None
    booking_url: str | None
    described: bool
    updated_at: datetime


class SiteCard(Frozen):
    """A result: a site with what the list shows."""

    id: uuid.UUID
    name: str
    kind: str
    category: str | None
    street: str | None
    postal_code: str | None
    commune: str | None
    departement: str | None
    phone: str | None
    lat: float | None
    lon: float | None


class SearchItem(Frozen):
    """A site, its distance from the place asked for, and the offers in it that match."""

    rank: int
    site: SiteCard
    distance_m: int | None
    distance_km: float | None
    approximate: bool = Field(description="The position is that of the town.")
    offers: list[OfferCard]
    offers_count: int
    explanation: list[str] = Field(default_factory=list)


class FacetValue(Frozen):
    """A value of a facet, with the number of offers of the match set that have it."""

    code: str
    label: str
    count: int
    selected: bool = False


class Facet(Frozen):
    """A group of filters with its counts over the whole match set, the group's own ticks ignored."""

    key: FacetKey
    label: str
    values: list[FacetValue]


class SearchAnswer(Frozen):
    """What `/api/v1/search` answers. `total` counts sites, `total_offers` offers; never capped."""

    total: int
    total_offers: int
    capped_at: int = CAP
    page: int
    pages: int
    items: list[SearchItem]
    facets: list[Facet]
    centre: PlaceOut | None
    understood: list[ConceptOut] = Field(default=[], description="Codes that the text was read as.")
    widen: list[str] = Field(default=[], description="French advice when nothing matches.")
    engine: str = "postgis"
    explain: list[str] | None = None


class SuggestGroup(StrEnum):
    """Groups of « Qui, quoi ? » suggestions."""

    acts = "acts"
    unit_types = "unit_types"
    activities = "activities"
    equipment = "equipment"
    skills = "skills"
    specialties = "specialties"
    practitioners = "practitioners"
    establishments = "establishments"


class Suggestion(Frozen):
    """One suggestion: a code to search for, or a sheet to open."""

    label: str
    detail: str | None = None
    code: str | None = None
    url: str | None = None
    count: int | None = None


class SuggestionGroup(Frozen):
    """Suggestions of one kind, best first."""

    group: SuggestGroup
    label: str
    items: list[Suggestion]
