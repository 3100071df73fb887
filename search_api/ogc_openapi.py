"""The OpenAPI 3.0 document of the OGC API, which GIS software reads to learn filters and page sizes.

The application's own document is in version 3.1, which the standard's class `oas30` and its clients do not know.
"""

from typing import Any, Final

from core.openapi import PROBLEM
from search_api.ogc_collections import COLLECTIONS, SITES, Collection
from search_api.ogc_documents import ABOUT, GEOJSON, JSON, OPENAPI, SCHEMA, TITLE
from search_api.ogc_params import CRS84, PAGE

_OBJECT: Final = {"type": "object"}


def _limit(one: Collection) -> dict[str, Any]:
    return {
        "name": "limit",
        "in": "query",
        "description": f"Objets par page ; {one.largest} au plus, même si l’on en demande davantage.",
        "required": False,
        "schema": {"type": "integer", "minimum": 1, "maximum": one.most, "default": PAGE},
    }


def _query(name: str, says: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "description": says,
        "required": False,
        "schema": schema,
        "style": "form",
        "explode": False,
    }


COMMON: Final = {
    "limit": _limit(SITES),
    "bbox": _query(
        "bbox",
        "Zone : ouest,sud,est,nord en degrés (ou six nombres, les hauteurs étant sans effet). Un ouest supérieur à "
        "l’est traverse l’antiméridien.",
        {
            "type": "array",
            "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
            "items": {"type": "number"},
        },
    ),
    "bbox-crs": _query("bbox-crs", "Système de coordonnées de la zone.", {"type": "string", "enum": [CRS84]}),
    "datetime": _query(
        "datetime",
        "Instant ou intervalle de la dernière modification ; sans effet sur les communes.",
        {"type": "string", "example": "2026-11-01T00:00:00Z/.."},
    ),
    "resultType": _query(
        "resultType", "« hits » : le nombre d’objets, sans les objets.", {"type": "string", "enum": ["results", "hits"]}
    ),
    "f": _query("f", "Format : « json », le seul servi.", {"type": "string", "enum": ["json"]}),
    "after": _query("after", "Début de la page ; donné par le lien « next ».", {"type": "string"}),
}
"""Parameters that every collection takes."""


def item_parameters(one: Collection) -> list[dict[str, Any]]:
    """Return the parameters of a collection's features, written in full."""
    filters = [
        _query(
            known.name,
            known.says,
            {"type": "string", "example": known.example} | ({"enum": list(known.values)} if known.values else {}),
        )
        for known in one.filters
    ]
    return [_limit(one), *(value for name, value in COMMON.items() if name != "limit"), *filters]


def _answers(media_type: str, says: str) -> dict[str, Any]:
    problem = {"description": "Demande refusée", "content": {"application/problem+json": {"schema": PROBLEM}}}
    return {
        "200": {"description": says, "content": {media_type: {"schema": _OBJECT}}},
        "400": problem,
        "503": {**problem, "description": "Réponse trop longue : elle a été arrêtée"},
    }


def _get(name: str, summary: str, media_type: str, parameters: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "responses": _answers(media_type, summary),
    }
    return {"get": operation | {"parameters": parameters or [COMMON["f"]]}}


def document(base: str) -> dict[str, Any]:
    """Return the OpenAPI 3.0 document; `base` is the public address of the application."""
    paths: dict[str, Any] = {
        "/": _get("landing", "Page d’accueil de l’API", JSON),
        "/api": _get("api", "Ce document", OPENAPI),
        "/conformance": _get("conformance", "Classes de conformité", JSON),
        "/collections": _get("collections", "Collections", JSON),
    }
    for one in COLLECTIONS.values():
        root = f"/collections/{one.id}"
        feature_id = {"name": "featureId", "in": "path", "required": True, "schema": {"type": "string"}}
        paths[root] = _get(f"{one.id}.describe", f"Description : {one.title}", JSON)
        paths[f"{root}/schema"] = _get(f"{one.id}.schema", f"Propriétés : {one.title}", SCHEMA)
        paths[f"{root}/items"] = _get(f"{one.id}.items", one.title, GEOJSON, item_parameters(one))
        paths[f"{root}/items/{{featureId}}"] = _get(
            f"{one.id}.item", f"Un objet : {one.title}", GEOJSON, [feature_id, COMMON["f"]]
        )
    return {
        "openapi": "3.0.3",
        "info": {"title": TITLE, "description": ABOUT, "version": "1.0.0"},
        "servers": [{"url": f"{base}/ogc"}],
        "paths": paths,
        "components": {"parameters": COMMON},
    }
