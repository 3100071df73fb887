"""The collections of the OGC API: what each holds, the properties of its features, the filters that it takes."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from search_api.labels import KINDS

CollectionId = Literal["sites", "offers", "communes"]

TEXT: Final = {"type": "string"}
COUNT: Final = {"type": "integer"}
YES_NO: Final = {"type": "boolean"}
INSTANT: Final = {"type": "string", "format": "date-time"}

SITE_KINDS: Final = {"practice": "Cabinet", "establishment": "Établissement"}


@dataclass(frozen=True, slots=True)
class Property:
    """A property of a feature: JSON schema and what it says, in French."""

    name: str
    schema: dict[str, Any]
    says: str


@dataclass(frozen=True, slots=True)
class Filter:
    """A query parameter that keeps the features of one value; `values` when they are few."""

    name: str
    says: str
    example: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection of features; `most` is the largest page."""

    id: CollectionId
    title: str
    says: str
    geometry: str
    most: int
    properties: tuple[Property, ...]
    filters: tuple[Filter, ...]

    @property
    def largest(self) -> str:
        """The largest page, as French texts write it."""
        return f"{self.most:,}".replace(",", "\u00a0")


_COMMUNE = Filter(
    "commune", "Code INSEE d’une commune ; Paris, Lyon et Marseille contiennent leurs arrondissements.", "78361"
)
_DEPARTEMENT = Filter("departement", "Numéro d’un département.", "78")
_PROFESSION = Filter("profession", "Profession exercée (nomenclature G15) : G15|70, ou 70.", "G15|70")
_CATEGORY = Filter("category", "Catégorie d’établissement (nomenclature R66) : R66|355, ou 355.", "R66|355")

_PLACED = (
    Property("commune", TEXT, "Code INSEE de la commune, ou de l’arrondissement"),
    Property("commune_name", TEXT, "Nom de la commune"),
    Property("departement", TEXT, "Numéro du département"),
    Property("exact", YES_NO, "Faux si la position est celle de la commune"),
)
_LAST = (
    Property("url", TEXT, "Adresse de la fiche"),
    Property("updated_at", INSTANT, "Dernière modification"),
)

SITES: Final = Collection(
    id="sites",
    title="Lieux de soins",
    says="Établissements et cabinets qui ont au moins une offre publique.",
    geometry="Point",
    most=10_000,
    properties=(
        Property("name", TEXT, "Nom du lieu"),
        Property("kind", TEXT, "practice (cabinet) ou establishment (établissement)"),
        Property("category", TEXT, "Catégorie de l’établissement (R66)"),
        Property("category_label", TEXT, "Libellé de la catégorie"),
        Property("finess", TEXT, "Numéro FINESS géographique"),
        Property("street", TEXT, "Voie"),
        Property("postal_code", TEXT, "Code postal"),
        *_PLACED,
        Property("offers", COUNT, "Nombre d’offres publiques"),
        *_LAST,
    ),
    filters=(
        _COMMUNE,
        _DEPARTEMENT,
        _PROFESSION,
        Filter("kind", "Sorte de lieu : practice (cabinet) ou establishment.", "practice", tuple(SITE_KINDS)),
        _CATEGORY,
    ),
)

OFFERS: Final = Collection(
    id="offers",
    title="Offres de santé",
    says="Offres publiques, chacune au point de son lieu ; sans géométrie quand la position est inconnue.",
    geometry="Point",
    most=10_000,
    properties=(
        Property("name", TEXT, "Nom de l’offre"),
        Property("kind", TEXT, "liberal ou establishment (établissement)"),
        Property("type", TEXT, "Type d’unité (J238)"),
        Property("type_label", TEXT, "Libellé du type d’unité"),
        Property("practitioner", TEXT, "Professionnel"),
        Property("profession", TEXT, "Profession (G15)"),
        Property("profession_label", TEXT, "Libellé de la profession"),
        Property("category", TEXT, "Catégorie de l’établissement (R66)"),
        Property("site", TEXT, "Identifiant du lieu"),
        Property("site_name", TEXT, "Nom du lieu"),
        Property("postal_code", TEXT, "Code postal"),
        *_PLACED,
        Property("age_min", COUNT, "Âge minimal des patients"),
        Property("age_max", COUNT, "Âge maximal des patients"),
        Property("accepts_new", YES_NO, "Accepte de nouveaux patients"),
        Property("described", YES_NO, "Décrite par le professionnel"),
        *_LAST,
    ),
    filters=(
        _COMMUNE,
        _DEPARTEMENT,
        _PROFESSION,
        Filter("kind", "Sorte d’offre : liberal ou establishment.", "liberal", tuple(KINDS)),
        _CATEGORY,
    ),
)

COMMUNES: Final = Collection(
    id="communes",
    title="Communes",
    says="Contours des communes de France, avec leur population.",
    geometry="MultiPolygon",
    most=1_000,
    properties=(
        Property("code", TEXT, "Code INSEE"),
        Property("name", TEXT, "Nom"),
        Property("population", COUNT, "Habitants"),
        Property("departement", TEXT, "Numéro du département"),
        Property("postal_codes", TEXT, "Codes postaux, séparés par des espaces"),
    ),
    filters=(Filter("code", "Code INSEE.", "78361"), _DEPARTEMENT),
)

COLLECTIONS: Final[dict[str, Collection]] = {one.id: one for one in (SITES, OFFERS, COMMUNES)}
