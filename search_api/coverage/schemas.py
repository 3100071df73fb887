"""What the JSON of the coverage reports takes and gives."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from search_api.addresses import Pair
from search_api.coverage.figures import Summary
from search_api.schemas import FacetKey

State = Literal["asked", "running", "ready", "failed"]

Text = Annotated[str, Field(max_length=200)]


class CoverageAsk(BaseModel):
    """A question: a search without its place, and one territory."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"code": ["G15|70"], "where": "departement:78"}]},
    )

    where: Text = Field(
        description="Territoire : `epci:…`, `departement:78`, `region:11`, `territory:…`, `france`. Une commune ou un "
        "code postal désigne son intercommunalité."
    )
    code: list[Text] = Field(
        default=[], max_length=20, description="Codes `nomenclature|code` que l’offre doit tous avoir."
    )
    q: Text | None = Field(default=None, description="Texte libre, lu comme par la recherche.")
    scope: Text | None = Field(default=None, description="Limite le texte à une nomenclature, comme dans la recherche.")
    facets: dict[FacetKey, list[Text]] = Field(
        default={}, description="Filtres de la recherche, par facette : l’une ou l’autre des valeurs."
    )
    age: int | None = Field(default=None, description="Âge du patient, en années.")
    open_at: Text | None = Field(default=None, description="Ouvert à cet instant (heure de Paris sans décalage).")
    accepts_new: bool = Field(default=False, description="Accepte de nouveaux patients.")

    def pairs(self) -> list[Pair]:
        """Return the question as the parameters of a search."""
        pairs: list[Pair] = [("where", self.where), *(("code", code) for code in self.code)]
        pairs += [(name, value) for name in ("q", "scope", "open_at") if (value := getattr(self, name))]
        pairs += [(str(key), value) for key, values in self.facets.items() for value in values]
        if self.age is not None:
            pairs.append(("age", str(self.age)))
        if self.accepts_new:
            pairs.append(("accepts_new", "1"))
        return pairs


class CoverageFiles(BaseModel):
    """Addresses of the files of a report that is ready."""

    html: str = Field(description="Carte autonome : une page HTML qui se lit sans réseau.")
    xlsx: str = Field(description="Tableau Excel : une ligne par commune, définitions sur la seconde feuille.")
    geojson: str = Field(description="Communes en GeoJSON, avec leurs chiffres.")


class CoverageStatus(BaseModel):
    """Where a report stands."""

    id: uuid.UUID
    title: str
    state: State = Field(description="`asked` demandé, `running` en cours, `ready` prêt, `failed` échoué.")
    state_label: str
    progress: int = Field(ge=0, le=100, description="Avancement, de 0 à 100.")
    message: str = Field(description="Ce qu’il en est, en français.")
    stalled: bool = Field(description="Rien n’avance depuis un moment : le service de calcul est peut-être arrêté.")
    asked_at: datetime
    ready_at: datetime | None
    communes: int
    page: str = Field(description="Adresse de la page du rapport.")
    summary: Summary | None = Field(description="Totaux, une fois le rapport prêt.")
    files: CoverageFiles | None
