"""The CapabilityStatement, made of the tables that the parser itself reads: what it declares is what works."""

from datetime import date
from typing import Any, Final

from search_api.fhir.search.catalogue import RESOURCES
from search_api.fhir.search.parameters import Parameter, Resource
from search_api.fhir.systems import PROFILES

FHIR_VERSION: Final = "4.0.1"
CHANGED: Final = date(2026, 11, 25)
"""When what is declared last changed."""
GUIDE: Final = "https://interop.esante.gouv.fr/ig/fhir/ror/ImplementationGuide/ans.fhir.fr.ror"
EXPORT: Final = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export"
Json = dict[str, Any]
_OWN: Final = (
    ("_filter", "special", "Expression sur les paramètres du type : and, or, not, parenthèses."),
    ("_has", "special", "Critère d’une ressource qui cite celle-ci, par exemple _has:PractitionerRole:service:…"),
)


def _parameter(parameter: Parameter) -> Json:
    words = [parameter.documentation]
    if parameter.modifiers:
        words.append("Modificateurs : " + ", ".join(f":{one}" for one in parameter.modifiers) + ".")
    if parameter.ordered:
        words.append("Peut servir de tri.")
    found: Json = {"name": parameter.name, "type": parameter.type, "documentation": " ".join(words)}
    return found | ({"definition": parameter.definition} if parameter.definition else {})


def _references(resource: Resource) -> list[Parameter]:
    return [one for one in resource.parameters.values() if one.target]


def _resource(resource: Resource) -> Json:
    back = [
        f"{other.type}:{one.name}"
        for other in RESOURCES.values()
        for one in _references(other)
        if one.target == resource.type
    ]
    own = [{"name": name, "type": kind, "documentation": words} for name, kind, words in _OWN]
    return {
        "type": resource.type,
        "supportedProfile": [PROFILES[resource.type]],
        "interaction": [{"code": "read"}, {"code": "vread"}, {"code": "search-type"}],
        "versioning": "versioned",
        "readHistory": False,
        "referencePolicy": ["literal", "local"],
        "searchInclude": ["*", *(f"{resource.type}:{one.name}" for one in _references(resource))],
        "searchRevInclude": back,
        "searchParam": [*map(_parameter, resource.parameters.values()), *own],
    }


def _security(base: str) -> Json:
    site = base.removesuffix("/fhir")
    return {
        "extension": [
            {
                "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                "extension": [
                    {"url": "token", "valueUri": f"{site}/oauth/token"},
                    {"url": "revoke", "valueUri": f"{site}/oauth/revoke"},
                ],
            }
        ],
        "service": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                        "code": "SMART-on-FHIR",
                    }
                ]
            }
        ],
        "description": "Sans accès, ce que voit le grand public. Un programme enregistré montre une clé, ou un jeton "
        "obtenu par client_credentials avec un secret ou une assertion qu’il signe (SMART Backend Services).",
    }


def statement(base: str) -> Json:
    """Return the CapabilityStatement of the feed."""
    return {
        "resourceType": "CapabilityStatement",
        "name": "Repere",
        "title": "Repère, répertoire opérationnel de l’offre de santé",
        "status": "active",
        "date": CHANGED.isoformat(),
        "kind": "instance",
        "implementation": {"description": "Flux FHIR de Repère", "url": base},
        "software": {"name": "Repère"},
        "fhirVersion": FHIR_VERSION,
        "format": ["application/fhir+json", "json"],
        "implementationGuide": [GUIDE],
        "rest": [
            {
                "mode": "server",
                "documentation": "Lecture seule. Chaque réponse est limitée au niveau de confidentialité de son "
                "appelant. Un paramètre inconnu est refusé avec Prefer: handling=strict ; sinon il est laissé de côté, "
                "et un avertissement le dit. Pages de 50 ressources, 200 au plus ; leurs liens se suivent tels quels "
                "pendant 7 jours.",
                "security": _security(base),
                "operation": [{"name": "export", "definition": EXPORT}],
                "resource": [_resource(one) for one in RESOURCES.values()],
                "searchParam": [
                    {
                        "name": name,
                        "type": "special" if name != "_count" else "number",
                        "documentation": words,
                    }
                    for name, words in (
                        ("_sort", "Paramètres de tri, précédés de - pour l’ordre inverse."),
                        ("_count", "Ressources par page : 50 sans précision, 200 au plus ; 0 pour le total seul."),
                        ("_total", "none, estimate ou accurate."),
                        ("_summary", "true, text, data, count ou false."),
                        ("_elements", "Éléments à garder."),
                        ("_include", "Ressources citées ; :iterate pour suivre ce qui a été joint."),
                        ("_revinclude", "Ressources qui citent les résultats."),
                    )
                ],
            }
        ],
    }
