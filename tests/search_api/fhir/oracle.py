"""What each search parameter means, read from the resources themselves: no table, no statement, no code of the product.

A search must find exactly the resources of which the oracle says that they answer.
"""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Json = dict[str, Any]
Coding = tuple[str | None, str, str | None]
PARIS = ZoneInfo("Europe/Paris")


def fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.lower().replace("’", "'").replace("œ", "oe"))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def codings(concepts: Json | Sequence[Json] | None) -> list[Coding]:
    """System, code and label of each coding of some CodeableConcepts."""
    given = [concepts] if isinstance(concepts, dict) else concepts or []
    return [(one.get("system"), one["code"], one.get("display")) for c in given for one in c.get("coding", ())]


def extensions(resource: Json, name: str) -> list[Json]:
    return [one for one in resource.get("extension", ()) if one["url"].endswith(name)]


def nested(resource: Json, outer: str, inner: str) -> list[Json]:
    """Values of the inner extensions of some extensions."""
    found = []
    for one in extensions(resource, outer):
        for part in one.get("extension", ()):
            if part["url"] == inner:
                found += [value for name, value in part.items() if name.startswith("value")]
    return found


def identifiers(resource: Json) -> list[Coding]:
    return [(one["system"], one["value"], None) for one in resource["identifier"]]


def person_identifiers(resource: Json) -> list[Coding]:
    # The RPPS alone names somebody too.
    return [
        *identifiers(resource),
        *((system, code[1:], None) for system, code, _ in identifiers(resource) if code.startswith("8")),
    ]


def flag(resource: Json) -> list[Coding]:
    return [("http://terminology.hl7.org/CodeSystem/special-values", str(resource["active"]).lower(), None)]


def tags(resource: Json) -> list[Coding]:
    return [(one["system"], one["code"], one.get("display")) for one in resource["meta"].get("tag", ())]


def own_id(resource: Json) -> list[Coding]:
    return [("", resource["id"], None)]


def reference(*path: str) -> Callable[[Json], list[str]]:
    def read(resource: Json) -> list[str]:
        found = resource.get(path[0], [])
        return [one["reference"] for one in ([found] if isinstance(found, dict) else found)]

    return read


def ages(end: str) -> Callable[[Json], list[float]]:
    def read(resource: Json) -> list[float]:
        return [one[end]["value"] for one in nested(resource, "ror-healthcareservice-patient-type", "ageRange")]

    return read


def equipment(resource: Json) -> list[Coding]:
    return codings(nested(resource, "ror-location-equipment", "equipmentType"))


def divisions(resource: Json) -> list[Coding]:
    outer = "ror-territorial-division"
    return codings(nested(resource, outer, "typeTerritorialDivision")) + codings(
        nested(resource, outer, "codeTerritorialDivision")
    )


def day(text: str) -> date:
    return date.fromisoformat(text)


def midnight(of: date) -> datetime:
    return datetime(of.year, of.month, of.day, tzinfo=PARIS).astimezone(UTC)


Span = tuple[datetime | None, datetime | None]


def closing(resource: Json) -> list[Span]:
    found = []
    for one in resource.get("notAvailable", ()):
        if one.get("id") == "closingRepoeningDate":
            during = one["during"]
            start = midnight(day(during["start"])) if "start" in during else None
            end = midnight(day(during["end"]) + timedelta(days=1)) if "end" in during else None
            found.append((start, end))
    return found


def updated(resource: Json) -> list[Span]:
    at = datetime.fromisoformat(resource["meta"]["lastUpdated"])
    return [(at, at)]


TOKENS: dict[str, dict[str, Callable[[Json], list[Coding]]]] = {
    "HealthcareService": {
        "_id": own_id,
        "_tag": tags,
        "identifier": identifiers,
        "active": flag,
        "service-category": lambda r: codings(r.get("category")),
        "service-type": lambda r: codings(r["type"]),
        "specialty": lambda r: codings(r["specialty"]),
        "characteristic": lambda r: codings(r["characteristic"]),
        "specific-competence": lambda r: [one for one in codings(r["characteristic"]) if "R243" in (one[0] or "")],
        "patient-type": lambda r: codings(nested(r, "ror-healthcareservice-patient-type", "supportedPatientInfo")),
        "intervention-zone": divisions,
    },
    "Location": {
        "_id": own_id,
        "_tag": tags,
        "identifier": identifiers,
        "status": lambda r: [("http://hl7.org/fhir/location-status", r["status"], None)],
        "commune-cog": lambda r: codings([one["valueCodeableConcept"] for one in extensions(r, "ror-commune-cog")]),
        "equipment-type": equipment,
        "type": lambda r: codings(r.get("type")),
    },
    "Organization": {
        "_id": own_id,
        "_tag": tags,
        "identifier": identifiers,
        "active": flag,
        "type": lambda r: codings(r["type"]),
    },
    "Practitioner": {"_id": own_id, "identifier": person_identifiers, "active": flag},
    "PractitionerRole": {
        "_id": own_id,
        "_tag": tags,
        "identifier": identifiers,
        "active": flag,
        "role": lambda r: codings(r["code"]),
        "specialty": lambda r: [one for one in codings(r["specialty"]) if "R04" not in (one[0] or "")],
    },
}
LABELLED = {"_tag", "service-category", "service-type", "specialty", "characteristic", "patient-type", "role"}
STRINGS: dict[str, dict[str, Callable[[Json], list[str]]]] = {
    "HealthcareService": {"name": lambda r: [r["name"]]},
    "Location": {
        "name": lambda r: [r["name"]],
        "address-postalcode": lambda r: [r["address"]["postalCode"]] if "postalCode" in r.get("address", {}) else [],
        "address-city": lambda r: [r["address"]["city"]] if "city" in r.get("address", {}) else [],
    },
    "Organization": {
        "name": lambda r: [r["name"], *r.get("alias", ())],
        "address-postalcode": lambda r: [one["postalCode"] for one in r.get("address", ()) if "postalCode" in one],
        "address-city": lambda r: [one["city"] for one in r.get("address", ()) if "city" in one],
    },
    "Practitioner": {
        "name": lambda r: [one for name in r["name"] for one in (name["family"], *name.get("given", ()))],
        "family": lambda r: [name["family"] for name in r["name"]],
        "given": lambda r: [one for name in r["name"] for one in name.get("given", ())],
    },
    "PractitionerRole": {},
}
DATES: dict[str, dict[str, Callable[[Json], list[Span]]]] = {
    "HealthcareService": {"_lastUpdated": updated, "notavailable-closing-reopeningdate": closing},
    "Location": {"_lastUpdated": updated},
    "Organization": {"_lastUpdated": updated},
    "Practitioner": {"_lastUpdated": updated},
    "PractitionerRole": {"_lastUpdated": updated},
}
NUMBERS = {"HealthcareService": {"age-range-low": ages("low"), "age-range-high": ages("high")}}
REFERENCES: dict[str, dict[str, tuple[str, Callable[[Json], list[str]]]]] = {
    "HealthcareService": {
        "location": ("Location", reference("location")),
        "organization": ("Organization", reference("providedBy")),
    },
    "Location": {"organization": ("Organization", reference("managingOrganization"))},
    "Organization": {"partof": ("Organization", reference("partOf"))},
    "Practitioner": {},
    "PractitionerRole": {
        "practitioner": ("Practitioner", reference("practitioner")),
        "organization": ("Organization", reference("organization")),
        "location": ("Location", reference("location")),
        "service": ("HealthcareService", reference("healthcareService")),
    },
}


def has_token(known: Iterable[Coding], asked: str) -> bool:
    """Tell whether `system|code`, `|code`, `system|` or `code` is among some codings."""
    system, bar, code = asked.partition("|")
    if not bar:
        return any(one[1] == asked for one in known)
    return any((one[0] or "") == system and (not code or one[1] == code) for one in known)


def begins(text: str, start: str) -> bool:
    return fold(text).startswith(fold(start))


def span_of(text: str) -> tuple[datetime, datetime]:
    """All the instants that a partial date stands for."""
    if "T" in text:
        start = datetime.fromisoformat(text.replace("Z", "+00:00"))
        start = (start if start.tzinfo else start.replace(tzinfo=PARIS)).astimezone(UTC)
        clock = text.partition("T")[2].rstrip("Z").partition("+")[0]
        if "." in clock:
            return start, start + timedelta(microseconds=10 ** (6 - len(clock.partition(".")[2])))
        return start, start + (timedelta(seconds=1) if clock.count(":") == 2 else timedelta(minutes=1))
    parts = [int(part) for part in text.split("-")]
    first = date(*[*parts, 1, 1][:3])
    if len(parts) == 1:
        last = date(first.year + 1, 1, 1)
    elif len(parts) == 2:
        last = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    else:
        last = first + timedelta(days=1)
    return midnight(first), midnight(last)


def dated(known: Iterable[Span], prefix: str, text: str) -> bool:
    """Compare instants and periods with a partial date, prefix by prefix, as the specification words it."""
    low, high = span_of(text)
    start_of_time, end_of_time = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    for start, end in known:
        begin, finish = start or start_of_time, end or end_of_time
        # An instant lasts a microsecond.
        finish = finish + timedelta(microseconds=1) if begin == finish else finish
        contained = low <= begin and finish <= high
        found = {
            "": contained,
            "eq": contained,
            "ne": not contained,
            "gt": finish > high,
            "lt": begin < low,
            "ge": finish > high or contained,
            "le": begin < low or contained,
            "sa": begin >= high,
            "eb": finish <= low,
        }[prefix]
        if found:
            return True
    return False


def numbered(known: Iterable[float], prefix: str, text: str) -> bool:
    value = float(text)
    half = 0.5 * 10.0 ** -len(text.partition(".")[2])
    return any(
        {
            "": value - half <= one < value + half,
            "eq": value - half <= one < value + half,
            "ne": not value - half <= one < value + half,
            "gt": one > value,
            "lt": one < value,
            "ge": one >= value,
            "le": one <= value,
            "sa": one > value,
            "eb": one < value,
            "ap": abs(one - value) <= max(abs(value) * 0.1, half),
        }[prefix]
        for one in known
    )
