"""A page of answers as a Bundle: links, entries, distances, what was left out."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

from search_api.fhir.kinds import RESOURCE_TYPES
from search_api.fhir.outcome import Issue, outcome
from search_api.fhir.search.hits import Hit
from search_api.fhir.search.inclusions import Key
from search_api.fhir.search.request import Asked
from search_api.fhir.search.subset import subset
from search_api.fhir.systems import CORE, ROR

Json = dict[str, Any]
_METRES: Final = {"unit": "m", "system": "http://unitsofmeasure.org", "code": "m"}


def address(base: str, type_: str, pairs: Sequence[tuple[str, str]]) -> str:
    """Return the address of a search."""
    query = urlencode(pairs, quote_via=quote, safe=":/|,")
    return f"{base}/{type_}" + (f"?{query}" if query else "")


def entries(
    asked: Asked, base: str, hits: Sequence[Hit], made: Mapping[tuple[Key, bool], Json], others: Sequence[Key]
) -> list[Json]:
    """Return the entries of a page: results in order, then what comes with them."""
    found = []
    for hit in hits:
        resource = made.get(((hit.kind, hit.id), hit.gone))
        # What left the directory between two statements of this page is not told.
        if resource is None:
            continue
        entry = _entry(asked, base, _measured(resource, hit.metres), match=True)
        if hit.metres is not None:
            distance = {"url": CORE + "location-distance", "valueDistance": {"value": hit.metres, **_METRES}}
            entry["search"] = {"extension": [distance], "mode": "match"}
        found.append(entry)
    for key in others:
        resource = made.get((key, False))
        if resource is not None:
            found.append(_entry(asked, base, resource, match=False))
    return found


def _entry(asked: Asked, base: str, resource: Json, *, match: bool) -> Json:
    return {
        "fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}",
        "resource": subset(resource, asked.summary, asked.elements, match=match),
        "search": {"mode": "match" if match else "include"},
    }


def _measured(resource: Json, metres: int | None) -> Json:
    """Add the distance where the ROR wants it: on an offer, or on the address of a place."""
    if metres is None:
        return resource
    distance = {"url": ROR + "ror-calculated-distance", "valueQuantity": {"value": metres, **_METRES}}
    if resource["resourceType"] == RESOURCE_TYPES["offer"]:
        return resource | {"extension": [*resource.get("extension", ()), distance]}
    if resource["resourceType"] == RESOURCE_TYPES["location"] and "address" in resource:
        address = resource["address"]
        return resource | {"address": address | {"extension": [*address.get("extension", ()), distance]}}
    return resource


def bundle(total: int | None, links: Sequence[tuple[str, str]], found: Sequence[Json], issues: Sequence[Issue]) -> Json:
    """Return the Bundle; what was left out comes last, as an entry of its own kind."""
    told = list(found)
    if issues:
        told.append({"resource": outcome(*issues), "search": {"mode": "outcome"}})
    made: Json = {"resourceType": "Bundle", "type": "searchset"}
    if total is not None:
        made["total"] = total
    made["link"] = [{"relation": relation, "url": url} for relation, url in links]
    return made | ({"entry": told} if told else {})
