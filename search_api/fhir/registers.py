"""Resources that come from the registers: Organization, Location, Practitioner, PractitionerRole."""

from collections.abc import Sequence
from typing import Any, Final

from directory.api import FEE_OPTIONS
from maps.api import split_street
from search_api.fhir import places
from search_api.fhir.codes import Codes, Json
from search_api.fhir.rows import Batch
from search_api.fhir.systems import (
    ANNUAIRE,
    CORE,
    CREATED,
    EXPERTISE,
    FINESS,
    IDENTIFIER_TYPES,
    ORGANIZATION_TYPES,
    PERSON_ID,
    ROR,
    SIRENE,
    STRUCTURE_ID,
    SYSTEMS,
    UNKNOWN,
    persistent,
)
from search_api.fhir.telecoms import level_of, mailboxes, phone_channel, registered, telecom

_LEGAL: Final = ("LEGAL-ENTITY", "Entité juridique")
_GEOGRAPHICAL: Final = ("GEOGRAPHICAL-ENTITY", "Entité géographique")
_GENDERS: Final = {"M": "male", "MME": "female", "MLLE": "female"}
_OPERATIONAL: Final = "3"
_WGS84: Final = "WGS84"


def created(row: Any) -> Json:
    """Return the extension that says when a resource was made."""
    return {"url": CREATED, "valueDateTime": row.created_at.isoformat()}


def filled(resource: Json) -> Json:
    """Return a resource without what it has nothing to say of."""
    return {name: value for name, value in resource.items() if value or value is False}


def _identifier(kind: str, system: str, value: str, label: str | None = None) -> Json:
    coding = {"system": IDENTIFIER_TYPES, "code": kind}
    return {
        "use": "official",
        "type": {"coding": [coding | {"display": label} if label else coding]},
        "system": system,
        "value": value,
    }


def _organization_type(name: str, coding: Json) -> Json:
    return {
        "extension": [{"url": ANNUAIRE + "as-ext-organization-types", "valueCode": name}],
        **coding,
    }


def _entity(kind: tuple[str, str]) -> Json:
    coding = {"system": ORGANIZATION_TYPES, "code": kind[0], "display": kind[1]}
    return _organization_type("organizationType", {"coding": [coding]})


def _line(complement: str | None, street: str | None) -> Json:
    lines: list[str] = []
    parts: list[Json | None] = []
    if complement:
        lines.append(complement)
        parts.append({"extension": [{"url": CORE + "iso21090-ADXP-additionalLocator", "valueString": complement}]})
    if street:
        number, repetition, name = split_street(street)
        found: list[Json] = []
        if number is not None:
            found.append({"url": CORE + "iso21090-ADXP-houseNumber", "valueString": str(number)})
        if repetition:
            found.append({"url": CORE + "iso21090-ADXP-buildingNumberSuffix", "valueString": repetition})
        if name:
            found.append({"url": CORE + "iso21090-ADXP-streetNameBase", "valueString": name})
        lines.append(street)
        parts.append({"extension": found} if found else None)
    return {"line": lines, "_line": parts} if lines else {}


def address(row: Any, complement: str | None, town: places.Town | None) -> Json:
    """Return the postal address of a row, with the code of its commune."""
    found: Json = {}
    if row.commune_code:
        coding = {"system": SYSTEMS["R13"], "code": row.commune_code}
        if town is not None and town.code == row.commune_code:
            coding["display"] = town.name
        found["extension"] = [
            {"url": "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code", "valueCoding": coding}
        ]
    found |= _line(complement, row.street)
    city = row.town or (town.name if town else None)
    if city:
        found["city"] = city
    if row.postal_code:
        found["postalCode"] = row.postal_code
    return found | {"country": "FR"} if found else found


def _period(opened: Any) -> list[Json]:
    return [{"url": CORE + "organization-period", "valuePeriod": {"start": opened.isoformat()}}] if opened else []


def legal_entities(batch: Batch, codes: Codes) -> dict[int, Json]:
    """Return the Organizations of legal entities."""
    made = {}
    for row in batch.rows:
        identifiers = [persistent(row.own_uid)]
        if row.finess:
            identifiers += [
                _identifier("IDNST", STRUCTURE_ID, "1" + row.finess, "Identifiant national de structure"),
                _identifier("FINEJ", FINESS, row.finess, "FINESS d’entité juridique"),
            ]
        if row.siren:
            identifiers.append(_identifier("SIREN", SIRENE, row.siren, "SIREN"))
        types = [_entity(_LEGAL)]
        if row.legal_status:
            types.append(_organization_type("statutJuridiqueINSEE", codes.code("R72", row.legal_status)))
        postal = address(row, None, None)
        made[row.id] = filled(
            {
                "id": row.own_uid,
                "extension": [created(row), *_period(row.opened_on)],
                "identifier": identifiers,
                "active": True,
                "type": types,
                "name": row.name,
                "alias": [row.long_name] if row.long_name else None,
                "telecom": [telecom(codes, phone_channel(row.phone), row.phone)] if row.phone else None,
                "address": [postal] if postal else None,
            }
        )
    return made


def sites(batch: Batch, codes: Codes) -> dict[int, Json]:
    """Return the Organizations of sites: establishments and practices."""
    contacts = batch.of("contacts")
    made = {}
    for row in batch.rows:
        identifiers = [persistent(row.own_uid)]
        structure = row.structure_id or ("1" + row.finess if row.finess else "3" + row.siret if row.siret else None)
        if structure:
            identifiers.append(_identifier("IDNST", STRUCTURE_ID, structure, "Identifiant national de structure"))
        if row.finess:
            identifiers.append(_identifier("FINEG", FINESS, row.finess, "FINESS d’entité géographique"))
        if row.siret:
            identifiers.append(_identifier("SIRET", SIRENE, row.siret, "SIRET"))
        types = [_entity(_GEOGRAPHICAL)]
        if row.category:
            types.append(codes.code("R66", row.category))
        if row.sector:
            types.append(_organization_type("secteurActiviteRASS", codes.code("R02", row.sector)))
        extensions = [created(row), *_period(row.opened_on)]
        if row.accessibility:
            extensions.append(codes.extension("ror-organization-accessibility-location", "R202", row.accessibility))
        postal = address(row, row.complement, places.town(row.commune_id))
        made[row.id] = filled(
            {
                "id": row.own_uid,
                "extension": extensions,
                "identifier": identifiers,
                "active": True,
                "type": types,
                "name": row.name,
                "alias": [row.long_name] if row.long_name and row.long_name != row.name else None,
                "telecom": _telecoms(codes, row, contacts.get(row.id, ())),
                "address": [postal] if postal else None,
                "partOf": {"reference": f"Organization/{row.legal_entity_uid}"} if row.legal_entity_uid else None,
            }
        )
    return made


def _telecoms(codes: Codes, row: Any, contacts: Sequence[Any]) -> list[Json]:
    """Return the contacts of a place: what people wrote first, then what the registers say, each value once."""
    found = {one.value: telecom(codes, one.channel, one.value, level_of(one)) for one in contacts}
    for one in registered(codes, row):
        found.setdefault(one["value"], one)
    return list(found.values())


def locations(batch: Batch, codes: Codes) -> dict[int, Json]:
    """Return the Locations of sites."""
    contacts, equipment = batch.of("contacts"), batch.of("equipment")
    status = codes.extension("ror-location-status", "R203", _OPERATIONAL)
    kind = codes.code("R354", "25")
    made = {}
    for row in batch.rows:
        town = places.town(row.commune_id)
        extensions = [status, _commune(row, town), created(row)]
        for one in equipment.get(row.id, ()):
            value = codes.concept(one.concept_id)
            if value is not None:
                part = {"url": "equipmentType", "valueCodeableConcept": value}
                extensions.append({"url": ROR + "ror-location-equipment", "extension": [part]})
        made[row.id] = filled(
            {
                "id": row.own_uid,
                "extension": extensions,
                "identifier": [persistent(row.own_uid, kind)],
                "status": "active",
                "name": row.name,
                "mode": "instance",
                "telecom": _telecoms(codes, row, contacts.get(row.id, ())),
                "address": address(row, row.complement, town),
                "position": _position(row),
                "managingOrganization": {"reference": f"Organization/{row.own_uid}"},
            }
        )
    return made


def _commune(row: Any, town: places.Town | None) -> Json:
    url = ROR + "ror-commune-cog"
    code = town.code if town is not None else row.commune_code
    if not code:
        return {"url": url, "valueCodeableConcept": dict(UNKNOWN)}
    coding = {"system": SYSTEMS["R13"], "code": code}
    if town is not None:
        coding["display"] = town.name
    return {"url": url, "valueCodeableConcept": {"coding": [coding]}}


def _position(row: Any) -> Json | None:
    if row.lat is None or row.lon is None:
        return None
    parts = [
        {"url": "geodicSystem", "valueString": _WGS84},
        {"url": "reliablePosition", "valueBoolean": row.exact},
    ]
    return {
        "extension": [{"url": ROR + "ror-location-geolocation", "extension": parts}],
        "longitude": round(row.lon, 7),
        "latitude": round(row.lat, 7),
    }


def practitioners(batch: Batch, codes: Codes) -> dict[int, Json]:
    """Return the Practitioners."""
    contacts = batch.of("contacts")
    made = {}
    for row in batch.rows:
        name: Json = {"use": "official", "family": row.last_name}
        if row.first_name:
            name["given"] = [row.first_name]
        if row.civility:
            name["prefix"] = [row.civility]
        if row.title:
            name["suffix"] = [row.title]
        known = [codes.code("G15", row.profession)] if row.profession else []
        known += specialties(codes, row.specialties)
        made[row.id] = filled(
            {
                "id": row.own_uid,
                "extension": [created(row)],
                "identifier": [
                    _identifier("IDNPS", PERSON_ID, row.national_id, "Identifiant national du professionnel")
                ],
                "active": True,
                "name": [name],
                "telecom": mailboxes(codes, contacts.get(row.id, ())),
                "gender": _GENDERS.get(row.civility or ""),
                "qualification": [{"code": one} for one in known],
            }
        )
    return made


def specialties(codes: Codes, refs: Sequence[str]) -> list[Json]:
    """Return the savoir-faire that a register writes as `system|code`."""
    found = []
    for ref in dict.fromkeys(refs):
        system, _, code = ref.partition("|")
        if system in SYSTEMS and code:
            found.append(codes.code(system, code))
    return found


def _expertise(codes: Codes, refs: Sequence[str]) -> Json:
    """Return the type of the first savoir-faire: the profile wants one."""
    kinds = [EXPERTISE[system] for ref in refs if (system := ref.partition("|")[0]) in EXPERTISE]
    return codes.code("R04", kinds[0]) if kinds else dict(UNKNOWN)


def roles(batch: Batch, codes: Codes) -> dict[int, Json]:
    """Return the PractitionerRoles."""
    made = {}
    for row in batch.rows:
        refs = list(dict.fromkeys([*row.specialties, *row.person_specialties]))
        site = row.site_uid
        made[row.id] = filled(
            {
                "id": row.own_uid,
                "extension": [created(row), _mode(codes, row.mode), *_known_as(codes, row), *_ameli(codes, row)],
                "identifier": [persistent(row.own_uid)],
                "active": True,
                "practitioner": {"reference": f"Practitioner/{row.practitioner_uid}"},
                "organization": {"reference": f"Organization/{site}"},
                "code": [codes.known("G15", row.profession)],
                "specialty": [_expertise(codes, refs), *specialties(codes, refs)],
                "location": [{"reference": f"Location/{site}"}],
                "healthcareService": [{"reference": f"HealthcareService/{row.offer_uid}"}],
                "telecom": [telecom(codes, phone_channel(row.ameli_phone), row.ameli_phone)]
                if row.ameli_phone
                else None,
            }
        )
    return made


def _mode(codes: Codes, mode: str | None) -> Json:
    return {
        "url": ROR + "ror-practitionerrole-unit-exercise-mode",
        "valueCodeableConcept": codes.known("R23", mode),
    }


def _known_as(codes: Codes, row: Any) -> list[Json]:
    """Return the name under which somebody works; registers hold one name for both."""
    if not row.last_name:
        return []
    parts: list[Json] = []
    if row.title in ("DR", "PR"):
        parts.append({"url": "exerciseTitle", "valueCodeableConcept": codes.code("R11", row.title)})
    parts.append({"url": "exerciseLastName", "valueString": row.last_name})
    if row.first_name:
        parts.append({"url": "exerciseFirstName", "valueString": row.first_name})
    return [{"url": ROR + "RORPractitionerRoleName", "extension": parts}]


def _ameli(codes: Codes, row: Any) -> list[Json]:
    """Return what AMELI says: convention, option of moderate fees, carte Vitale."""
    found: list[Json] = []
    prefix = ANNUAIRE + "as-ext-practitionerrole-"
    if row.convention:
        found.append({"url": prefix + "contracted", "valueCodeableConcept": codes.code("R282", row.convention)})
    if row.fee_option:
        found.append({"url": prefix + "hascas", "valueBoolean": row.fee_option in FEE_OPTIONS})
    if row.carte_vitale is not None:
        found.append({"url": prefix + "vitale-accepted", "valueBoolean": row.carte_vitale})
    return found
