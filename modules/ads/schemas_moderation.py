"""Values that moderators' pages and API give: lines of the table, an ad to judge, statistics."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from modules.ads.life import LONGEST_REASON

ModeratedState = Literal["pending", "published", "unpublished", "refused"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class ListedAd(_Value):
    """Une annonce du tableau. `moderated` : le lecteur peut agir sur elle, sinon il la lit seulement."""

    number: int
    title: str
    state: ModeratedState
    category: str | None
    council: str | None
    author: str
    rpps: str | None
    submitted_at: datetime | None
    updated_at: datetime
    ends_on: date | None
    refusals: int
    escalated: bool
    reported: bool
    moderated: bool


class ModeratedAdList(_Value):
    """Une page du tableau. `waiting` : combien d’annonces attendent le lecteur, quels que soient les filtres."""

    total: int
    page: int
    pages: int
    waiting: int
    escalated: int
    ads: list[ListedAd]


class DecisionLine(_Value):
    """Une ligne de l’historique d’une annonce."""

    at: datetime
    who: str
    action: str
    reason: str


class ModeratedAd(_Value):
    """Une annonce, pour qui la modère. `version` est à rendre avec la décision."""

    number: int
    version: int
    state: ModeratedState
    category: str | None
    situation: str
    specialty: str
    title: str
    description: str
    conditions: str
    places: list[str]
    periods: list[str]
    ends_on: date | None
    council: str | None
    author: str
    rpps: str | None
    refusals: int
    signals: list[str]
    history: list[DecisionLine]


class Accepted(BaseModel):
    """Ce que demande une acceptation."""

    version: Annotated[int, Field(ge=0, le=2**31 - 1, description="Version de l’annonce qui a été lue.")]


class Refused(Accepted):
    """Ce que demande un refus."""

    reason: Annotated[str, Field(max_length=LONGEST_REASON, description="Motif, montré à l’auteur.")] = ""


class Decided(_Value):
    """Ce que l’annonce est devenue."""

    number: int
    version: int
    state: ModeratedState


class CategoryCounts(_Value):
    """Combien d’annonces d’une catégorie sont dans chaque état."""

    category: str
    label: str
    pending: int = 0
    published: int = 0
    unpublished: int = 0
    refused: int = 0

    @property
    def total(self) -> int:
        """Toutes ensemble."""
        return self.pending + self.published + self.unpublished + self.refused


class Delays(_Value):
    """Décisions d’une période et leurs délais, en heures depuis la transmission."""

    accepted: int = 0
    refused: int = 0
    median_hours: float | None = None
    slowest_hours: float | None = Field(default=None, description="Neuf décisions sur dix sont plus rapides.")

    @property
    def decided(self) -> int:
        """Toutes les décisions."""
        return self.accepted + self.refused

    @property
    def refusal_rate(self) -> float | None:
        """Part des refus, entre 0 et 1."""
        return self.refused / self.decided if self.decided else None


class Month(Delays):
    """Un mois, nommé par son premier jour."""

    month: date
    submitted: int = 0


class CouncilFigures(Delays):
    """Un conseil, dans la vue nationale."""

    council: str
    waiting: int = 0
    published: int = 0


class Statistics(_Value):
    """Chiffres d’un conseil, ou de tous (`council` vide). `refused_later` : refusées après leur publication."""

    council: str | None
    made_at: datetime
    waiting: int
    oldest_waiting: datetime | None
    categories: list[CategoryCounts]
    year: Delays
    refused_later: int
    months: list[Month]
    councils: list[CouncilFigures]
