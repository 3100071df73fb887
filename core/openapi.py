"""What the OpenAPI description says of errors, which all take one form (RFC 9457)."""

from typing import Any

PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problème (RFC 9457)",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "Ce qui s’est passé, en français."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}


def _problem(description: str, code: str, title: str, status: int, detail: str) -> dict[str, Any]:
    example = {"type": f"urn:repere:{code}", "title": title, "status": status, "detail": detail}
    content = {"application/problem+json": {"schema": PROBLEM, "example": example}}
    return {"description": description, "content": content}


ERRORS: dict[int | str, dict[str, Any]] = {
    404: _problem("Introuvable", "introuvable", "Introuvable", 404, "Cette fiche n’existe pas, ou plus."),
    422: _problem(
        "Paramètre refusé, avec un message par champ",
        "donnees-invalides",
        "Données invalides",
        422,
        "Certains paramètres sont incorrects : page : La page va de 1 à 14.",
    ),
    503: _problem(
        "Réponse trop longue, ou base indisponible",
        "indisponible",
        "Service momentanément indisponible",
        503,
        "La réponse demandait trop de temps : précisez la recherche (lieu, rayon, filtre).",
    ),
}
