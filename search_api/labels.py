"""French labels of what the search shows: facets, groups of suggestions, nomenclatures, kinds of place."""

from search_api.schemas import FacetKey, SuggestGroup

FACETS: dict[FacetKey, str] = {
    FacetKey.patients: "Patientèle",
    FacetKey.kind: "Type d’offre",
    FacetKey.expertise: "Niveau d’expertise",
    FacetKey.activities: "Activités",
    FacetKey.modes: "Modes de prise en charge",
    FacetKey.unit_types: "Types d’unité",
    FacetKey.professions: "Professions",
    FacetKey.specialties: "Spécialités",
    FacetKey.equipment: "Équipements",
    FacetKey.skills: "Compétences",
    FacetKey.reception: "Modalités d’accueil",
    FacetKey.convention: "Conventionnement",
}
"""Facets in the order in which they are shown (issue order, kept by every door)."""

SPECIALTY_SYSTEMS = ("R38", "R39", "R40", "R42", "R43", "R44", "R45", "R97")

FACET_SYSTEMS: dict[FacetKey, tuple[str, ...]] = {
    FacetKey.patients: ("AGE", "J29"),
    FacetKey.kind: ("KIND",),
    FacetKey.expertise: ("J35",),
    FacetKey.activities: ("J17",),
    FacetKey.modes: ("J19",),
    FacetKey.unit_types: ("J238",),
    FacetKey.professions: ("G15",),
    FacetKey.specialties: SPECIALTY_SYSTEMS,
    FacetKey.equipment: ("J18",),
    FacetKey.skills: ("J33",),
    FacetKey.reception: ("R338",),
    FacetKey.convention: ("R282",),
}
"""Nomenclatures that feed a facet. AGE and KIND are our own: their values are written without the system."""

AGE_BANDS = {"enfant": "Enfant", "adulte": "Adulte"}
"""Values of the facet `patients` beside the publics (J29): an offer may have both."""
KINDS = {"liberal": "Offre libérale", "establishment": "Établissement"}

SCOPES: dict[str, str] = {
    "J16": "Actes spécifiques",
    "J238": "Types d’unité",
    "J17": "Activités",
    "J18": "Équipements",
    "J33": "Compétences",
    "J35": "Niveaux d’expertise",
    "J19": "Modes de prise en charge",
    "R338": "Modalités d’accueil",
    "G15": "Professions",
    "R38": "Spécialités",
    "noms": "Noms de professionnels et d’établissements",
}
"""Values of `scope`: one nomenclature, or the names alone; absent: « dans tout le répertoire »."""

EVERYWHERE = "Tout le répertoire"

SUGGEST_GROUPS: dict[SuggestGroup, str] = {
    SuggestGroup.acts: "Actes",
    SuggestGroup.unit_types: "Types d’unité",
    SuggestGroup.activities: "Activités",
    SuggestGroup.equipment: "Équipements",
    SuggestGroup.skills: "Compétences",
    SuggestGroup.specialties: "Spécialités et professions",
    SuggestGroup.practitioners: "Professionnels",
    SuggestGroup.establishments: "Établissements",
}
"""Groups of « Qui, quoi ? » suggestions, in the order that breaks ties."""

SUGGEST_SYSTEMS: dict[str, SuggestGroup] = {
    "J16": SuggestGroup.acts,
    "J238": SuggestGroup.unit_types,
    "J17": SuggestGroup.activities,
    "J18": SuggestGroup.equipment,
    "J33": SuggestGroup.skills,
    "J35": SuggestGroup.skills,
    "G15": SuggestGroup.specialties,
} | dict.fromkeys(SPECIALTY_SYSTEMS, SuggestGroup.specialties)

CENTRE_KINDS = ("commune", "arrondissement", "commune_deleguee", "cp")
"""Kinds of place that are a centre: they measure, and exclude nothing unless a radius is given."""
BOUNDARY_KINDS = ("epci", "departement", "region", "territory", "france")
"""Kinds of place that are a boundary."""
