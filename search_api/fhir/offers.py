"""Offers as HealthcareService, on the profile of the ROR."""

from functools import lru_cache
from typing import Any, Final

from directory.api import LANGUAGES
from search_api.fhir.codes import Codes, Json
from search_api.fhir.hours import hours
from search_api.fhir.registers import created, filled
from search_api.fhir.rows import MSSANTE, Batch
from search_api.fhir.systems import ROR, SYSTEMS, UNKNOWN, persistent
from search_api.fhir.telecoms import contact, mailboxes

_DIVISIONS: Final = {
    "region": ("1", "R30"),
    "departement": ("2", "G09"),
    "commune": ("3", "R13"),
    "commune_deleguee": ("3", "R13"),
    "arrondissement": ("3", "R13"),
    "territory": ("4", None),
}
"""Type of division (R201) and system of the code, by kind of place; a territory has the code of its operator."""
_SENSITIVE: Final = {
    value: {"url": ROR + "ror-healthcareservice-sensitive-unit", "valueBoolean": value} for value in (False, True)
}
_LANGUAGE: Final = "urn:ietf:bcp:47"


def offers(batch: Batch, codes: Codes) -> dict[int, Json]:
    """Return the HealthcareServices of offers."""
    contacts, territory = batch.of("contacts"), batch.of("territory")
    kind = codes.code("R355", "35")
    made = {}
    for row in batch.rows:
        points = contacts.get(row.id, ())
        extensions = [created(row), _SENSITIVE[row.sensitive], _patients(codes, row)]
        extensions += [contact(codes, one) for one in points if one.purpose != MSSANTE]
        extensions += [_division(codes, one.kind, one.code, one.name) for one in territory.get(row.id, ())]
        offer_type = codes.concept(row.type_id)
        made[row.id] = filled(
            {
                "id": row.own_uid,
                "extension": extensions,
                "identifier": [persistent(row.own_uid, kind)],
                "active": True,
                "providedBy": {"reference": f"Organization/{row.site_uid}"},
                "category": [offer_type] if offer_type else None,
                "type": [codes.concept(row.field_id) or dict(UNKNOWN)],
                "specialty": codes.concepts(row.activities) or [dict(UNKNOWN)],
                "location": [{"reference": f"Location/{row.site_uid}"}],
                "name": row.name,
                "comment": getattr(row, "comment", None),
                "telecom": mailboxes(codes, points) if points else None,
                "characteristic": _characteristics(codes, row),
                "communication": [_language(code) for code in row.languages],
                **hours(batch, row, codes),
            }
        )
    return made


def _characteristics(codes: Codes, row: Any) -> list[Json]:
    found = [codes.concept(row.mode_id) or dict(UNKNOWN)]
    found += codes.concepts(row.reception)
    found += [act for one in row.acts if (act := codes.act(one, "specificAct"))]
    found += [act for one in row.outside_acts if (act := codes.act(one, "outsideOfficeAct"))]
    found += codes.concepts(row.specialisations)
    return found + codes.concepts(row.skills)


@lru_cache(maxsize=4096)
def _ages(low: int, high: int) -> Json:
    year = {"unit": "an", "system": "http://unitsofmeasure.org", "code": "a"}
    return {"url": "ageRange", "valueRange": {"low": {"value": low, **year}, "high": {"value": high, **year}}}


def _patients(codes: Codes, row: Any) -> Json:
    parts = [_ages(row.age_min, row.age_max)]
    parts += [{"url": "supportedPatientInfo", "valueCodeableConcept": one} for one in codes.concepts(row.publics)]
    return {"url": ROR + "ror-healthcareservice-patient-type", "extension": parts}


@lru_cache(maxsize=128)
def _language(code: str) -> Json:
    coding = {"system": _LANGUAGE, "code": code}
    if code in LANGUAGES:
        coding["display"] = LANGUAGES[code]
    return {"coding": [coding]}


@lru_cache(maxsize=65_536)
def _division(codes: Codes, kind_of_place: str, code: str, name: str) -> Json:
    """Return a place where the offer comes to the patient's home."""
    kind, system = _DIVISIONS.get(kind_of_place, ("5", None))
    coding = {"code": code, "display": name}
    if system is not None:
        coding = {"system": SYSTEMS[system], **coding}
    return {
        "url": ROR + "ror-territorial-division",
        "extension": [
            {"url": "typeTerritorialDivision", "valueCodeableConcept": codes.code("R201", kind)},
            {"url": "codeTerritorialDivision", "valueCodeableConcept": {"coding": [coding]}},
        ],
    }
