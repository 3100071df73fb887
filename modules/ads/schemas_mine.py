"""What the API says of one's own ads, and what it reads."""

import uuid
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from modules.ads.schemas import CONDITIONS_MAX, DESCRIPTION_MAX, MOST_FILES, MOST_PERIODS, MOST_PLACES, TITLE_MAX

Category = Literal["adjuvat", "assistanat", "association", "collaboration", "remplacement", "succession"]
Side = Literal["seeks", "offers"]
State = Literal["draft", "pending", "published", "unpublished", "refused"]
Reference = Annotated[str, StringConstraints(max_length=60)]


class PeriodIn(BaseModel):
    """Une période ; sans fin, elle se lit « à partir du »."""

    model_config = ConfigDict(extra="forbid")

    starts_on: date
    ends_on: date | None = None


class AdIn(BaseModel):
    """Ce que dit une annonce ; un brouillon peut manquer de tout."""

    model_config = ConfigDict(extra="forbid")

    category: Category | None = None
    side: Annotated[
        Side | None, Field(description="`seeks` : l’auteur cherche quelqu’un ; `offers` : il se propose.")
    ] = None
    specialty: Annotated[Reference | None, Field(description="Spécialité de la nomenclature R38 : `R38|SM54`.")] = None
    title: Annotated[str, Field(max_length=TITLE_MAX)] = ""
    description: Annotated[str, Field(max_length=DESCRIPTION_MAX)] = ""
    conditions: Annotated[str, Field(max_length=CONDITIONS_MAX)] = ""
    urgent: Annotated[
        bool, Field(description="« Urgent » de qui cherche, « Disponible immédiatement » de qui s’offre.")
    ] = False
    anonymous: Annotated[bool, Field(description="Les lecteurs écrivent par un formulaire, sans voir l’auteur.")] = (
        False
    )
    places: Annotated[
        list[Reference],
        Field(max_length=MOST_PLACES, description="`commune:78361`, `departement:78`, `region:11` ou `france`."),
    ] = []
    periods: Annotated[list[PeriodIn], Field(max_length=MOST_PERIODS)] = []
    files: Annotated[
        list[uuid.UUID], Field(max_length=MOST_FILES, description="Fichiers envoyés avant, dans l’ordre.")
    ] = []
    ends_on: Annotated[date | None, Field(description="Dernier jour de publication, inclus ; un an au plus.")] = None


class NewAdIn(AdIn):
    """Une nouvelle annonce."""

    id: Annotated[
        uuid.UUID | None,
        Field(description="Tiré par l’appelant : la même demande envoyée deux fois ne crée qu’une annonce."),
    ] = None


class EndIn(BaseModel):
    """Une date de fin de publication."""

    model_config = ConfigDict(extra="forbid")

    ends_on: date


class ReasonIn(BaseModel):
    """Pourquoi une annonce est dépubliée."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[
        Literal["filled", "changed", "other"],
        Field(description="`filled` : pourvue ; `changed` : besoins changés ; `other` : autre raison."),
    ]


class OwnPlaceOut(BaseModel):
    """Un lieu d’une annonce."""

    ref: str | None
    label: str


class PeriodOut(BaseModel):
    """Une période, et comment elle se lit."""

    starts_on: date
    ends_on: date | None
    text: str


class OwnFileOut(BaseModel):
    """Une photo ou un PDF, et l’adresse à laquelle il est servi à qui peut lire l’annonce."""

    id: uuid.UUID
    kind: Literal["image", "pdf"]
    name: str
    url: str
    thumbnail_url: str | None
    size: int
    width: int | None
    height: int | None


class OwnAd(BaseModel):
    """Une annonce, telle que son auteur la lit ; `actions` : ce qu’il peut faire maintenant."""

    number: int
    id: uuid.UUID
    version: int
    state: State
    state_label: str
    category: Category | None
    category_label: str
    side: Side | None
    situation: str
    specialty: str | None
    specialty_label: str
    title: str
    description: str
    conditions: str
    urgent: bool
    anonymous: bool
    places: list[OwnPlaceOut]
    periods: list[PeriodOut]
    files: list[OwnFileOut]
    ends_on: date | None
    council: str | None
    refusals: int
    refusal_reason: str | None
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    published_at: datetime | None
    actions: list[str]


class OwnAds(BaseModel):
    """Une page de ses annonces, la dernière modifiée d’abord."""

    total: int
    page: int
    pages: int
    ads: list[OwnAd]


class HistoryLine(BaseModel):
    """Ce qui est arrivé à une annonce ; un modérateur est nommé par son conseil."""

    at: datetime
    action: str
    label: str
    who: str
    reason: str | None
    state: str
