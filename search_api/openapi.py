"""What the OpenAPI description says of the search: its parameters, written once, and its errors."""

from typing import Any

from search_api.labels import FACET_SYSTEMS, FACETS, KINDS, SCOPES
from search_api.params import LAST_PAGE, MAX_AGE, MAX_RADIUS_KM, MAX_TEXT, MIN_RADIUS_KM
from search_api.schemas import FacetKey


def _one(name: str, description: str, schema: dict[str, Any], example: object) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": schema,
        "example": example,
    }


def _many(name: str, description: str, examples: list[str]) -> dict[str, Any]:
    found = _one(name, description, {"type": "array", "items": {"type": "string"}}, examples)
    return found | {"style": "form", "explode": True}


def search_parameters() -> list[dict[str, Any]]:
    """Return the parameters of a search as OpenAPI objects, French descriptions and examples included."""
    text = {"type": "string"}
    flag = {"type": "boolean"}
    facets = []
    for key, label in FACETS.items():
        systems = ", ".join(system for system in FACET_SYSTEMS[key] if system not in ("AGE", "KIND"))
        values = {
            FacetKey.kind: " ; ".join(f"`{code}` ({name})" for code, name in KINDS.items()),
            FacetKey.patients: "`enfant`, `adulte`, ou un public `J29|…`",
        }.get(key, f"codes de {systems}")
        example = {FacetKey.kind: "liberal", FacetKey.patients: "enfant"}.get(key, f"{FACET_SYSTEMS[key][0]}|…")
        facets.append(
            _many(key.value, f"Facette « {label} » : {values}. Plusieurs valeurs : l’une ou l’autre.", [example])
        )
    return [
        _one("q", "Texte libre : acte, spécialité, profession, nom…", text | {"maxLength": MAX_TEXT}, "kiné"),
        _one(
            "scope",
            "Limite le texte à une nomenclature : " + ", ".join(f"`{k}` {v}" for k, v in SCOPES.items()) + ".",
            text | {"enum": list(SCOPES)},
            "J16",
        ),
        _many("code", "Codes `nomenclature|code` que l’offre doit tous avoir.", ["G15|70"]),
        _many(
            "where",
            "Lieux : `commune:78361`, `cp:78200` (centres), `epci:…`, `departement:78`, `region:11`, "
            "`territory:…`, `france` (limites). Plusieurs lieux : leur union.",
            ["commune:78361"],
        ),
        _many(
            "within",
            "Ne garde que ce qui est dans l’un de ces lieux, séparés par des virgules, communes comprises. Donné "
            "plusieurs fois : dans l’un des lieux de chacun.",
            ["departement:78,departement:95"],
        ),
        _one(
            "lat",
            "Latitude d’un point (degrés WGS84), avec `lon`.",
            {"type": "number", "minimum": -90, "maximum": 90},
            48.99,
        ),
        _one("lon", "Longitude d’un point.", {"type": "number", "minimum": -180, "maximum": 180}, 1.71),
        _one(
            "radius_km",
            "Rayon autour des centres, en kilomètres.",
            {"type": "number", "minimum": MIN_RADIUS_KM, "maximum": MAX_RADIUS_KM},
            20,
        ),
        _one("origin", "Lieu depuis lequel mesurer les distances, sans rien limiter.", text, "commune:78361"),
        _one("bbox", "Zone : ouest,sud,est,nord en degrés.", text, "1.6,48.9,1.9,49.1"),
        _one(
            "sort",
            "Ordre : distance (par défaut) ou pertinence.",
            text | {"enum": ["distance", "relevance"], "default": "distance"},
            "distance",
        ),
        _one("page", "Page de 15 résultats.", {"type": "integer", "minimum": 1, "maximum": LAST_PAGE, "default": 1}, 1),
        _one("age", "Âge du patient, en années.", {"type": "integer", "minimum": 0, "maximum": MAX_AGE}, 7),
        _one(
            "open_at",
            "Ouvert à cet instant (heure locale sans décalage), ou `maintenant`.",
            text,
            "2026-11-28T09:30",
        ),
        _one("visits", "Se déplace dans cette commune (code INSEE).", text, "78361"),
        _one("accepts_new", "Accepte de nouveaux patients.", flag, True),
        *facets,
        _one("explain", "Explique l’ordre des résultats.", flag, True),
    ]
