"""Parts of resources: `_elements` and `_summary`, marked as such so that nobody takes a part for the whole."""

from collections.abc import Collection, Mapping
from typing import Any, Final

SUMMARY: Final[Mapping[str, frozenset[str]]] = {
    "HealthcareService": frozenset(
        ["identifier", "active", "providedBy", "category", "type", "specialty", "location", "name", "comment", "photo"]
    ),
    "Location": frozenset(
        [
            "identifier",
            "status",
            "operationalStatus",
            "name",
            "description",
            "mode",
            "type",
            "physicalType",
            "managingOrganization",
        ]
    ),
    "Organization": frozenset(["identifier", "active", "type", "name", "partOf"]),
    "Practitioner": frozenset(["identifier", "active", "name", "telecom", "address", "gender", "birthDate"]),
    "PractitionerRole": frozenset(
        ["identifier", "active", "period", "practitioner", "organization", "code", "specialty", "location", "telecom"]
    ),
}
"""Elements of a summary, as R4 marks them."""
MODIFIERS: Final[Mapping[str, frozenset[str]]] = {
    "HealthcareService": frozenset({"active"}),
    "Location": frozenset({"status"}),
    "Organization": frozenset({"active"}),
    "Practitioner": frozenset(),
    "PractitionerRole": frozenset(),
}
"""Elements that change the meaning of the others: never left out."""
ALWAYS: Final = frozenset({"resourceType", "id", "meta", "implicitRules", "modifierExtension"})
_SUBSETTED: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "subsetted",
}


def subset(resource: dict[str, Any], summary: str, elements: Collection[str], *, match: bool) -> dict[str, Any]:
    """Return what is asked of a resource.

    Args:
        resource: whole; it is not changed.
        summary: true, text, data or false.
        elements: names, which apply to the results (`name`) or to a type (`Organization.name`); empty for all.
        match: whether the resource is a result, and not one that comes with the results.
    """
    type_ = resource["resourceType"]
    if summary == "true":
        wanted = SUMMARY[type_]
    elif summary == "text":
        wanted = frozenset({"text"})
    elif summary == "data":
        return _marked({name: value for name, value in resource.items() if name != "text"})
    else:
        own = {one.partition(".")[2] for one in elements if one.partition(".")[0] == type_}
        if match:
            own |= {one for one in elements if "." not in one}
        if not own:
            return resource
        wanted = frozenset(own)
    kept = ALWAYS | MODIFIERS[type_] | wanted
    return _marked({name: value for name, value in resource.items() if name.removeprefix("_") in kept})


def _marked(resource: dict[str, Any]) -> dict[str, Any]:
    meta = resource["meta"]
    return resource | {"meta": meta | {"tag": [*meta.get("tag", ()), _SUBSETTED]}}
