"""Search parameters of places and of organizations (Location, Organization)."""

from typing import Final

from sqlalchemy import and_, select, true

from directory.api import SiteEquipment
from search_api.fhir.search import near
from search_api.fhir.search.declared import HL7, ROR, active, ended, live, of, parameter, resource
from search_api.fhir.search.fields import Periods, Strings
from search_api.fhir.search.references import Link
from search_api.fhir.search.rows import Row
from search_api.fhir.search.territories import City
from search_api.fhir.search.token_fields import AnyOf, Codes, Concepts, Condition, Fixed, Identifiers, Persistent
from search_api.fhir.systems import FINESS, ORGANIZATION_TYPES, SIRENE, STRUCTURE_ID


def equipped(row: Row, ids: list[int]) -> Condition:
    """Tell whether the place of a row has one of these equipments."""
    site_id = row.main.id if row.kind == "location" else row.main.site_id
    return and_(site_id.in_(select(SiteEquipment.site_id).where(SiteEquipment.concept_id.in_(ids))))


def any_equipment(row: Row) -> Condition:
    """Tell whether the place of a row has any equipment."""
    site_id = row.main.id if row.kind == "location" else row.main.site_id
    return and_(site_id.in_(select(SiteEquipment.site_id)))


_STATUS: Final = "http://hl7.org/fhir/location-status"

LOCATION: Final = resource(
    "Location",
    parameter(
        "identifier",
        "token",
        HL7 + "Location-identifier",
        "Identifiant du lieu.",
        {"location": Persistent()},
    ),
    parameter("name", "string", HL7 + "Location-name", "Nom du lieu.", {"location": Strings((of("name"),))}),
    parameter(
        "address-postalcode",
        "string",
        HL7 + "Location-address-postalcode",
        "Début du code postal : 78 désigne un département.",
        {"location": Strings((of("postal_code"),))},
    ),
    parameter("address-city", "string", HL7 + "Location-address-city", "Localité de l’adresse.", {"location": City()}),
    parameter(
        "commune-cog",
        "token",
        ROR + "location-commune-cog",
        "Code INSEE de la commune (R13).",
        {"location": Codes("R13", of("commune_code"))},
    ),
    parameter(
        "equipment-type",
        "token",
        ROR + "equipment-type",
        "Équipement (J18).",
        {"location": Concepts(("J18",), equipped, any_equipment)},
        labelled=True,
    ),
    parameter(
        "status",
        "token",
        HL7 + "Location-status",
        "active ; inactive pour ce qui a quitté l’annuaire, avec _lastUpdated.",
        {"location": Fixed(_STATUS, {"active": live, "inactive": ended})},
    ),
    parameter("type", "token", HL7 + "Location-type", "Destination d’usage ; aucun lieu n’en a aujourd’hui.", {}),
    parameter(
        "organization",
        "reference",
        HL7 + "Location-organization",
        "Entité géographique ou cabinet du lieu ; se prolonge.",
        {"location": Link("site", of("id"))},
        target="Organization",
    ),
    parameter(
        "near",
        "special",
        HL7 + "Location-near",
        "latitude|longitude|distance|unité (km, m, mi) : de 0,1 à 1 000 km, 20 km sans distance. Les résultats sont "
        "triés par distance, qu’ils donnent en mètres.",
        {"location": None},
        disc=near.around_point,
    ),
    parameter(
        "near-insee-code",
        "special",
        ROR + "location-near-insee-code",
        "code INSEE|distance|unité : autour du centre de la commune, comme near.",
        {"location": None},
        disc=near.around_commune,
    ),
)


_STRUCTURE: Final = Identifiers(STRUCTURE_ID, (("1", of("finess")), ("3", of("siret")), ("", of("structure_id"))))
_SITE_TYPES: Final = AnyOf(
    (
        Fixed(ORGANIZATION_TYPES, {"GEOGRAPHICAL-ENTITY": lambda row: true()}),
        Codes("R66", of("category")),
        Codes("R02", of("sector")),
    )
)
_LEGAL_TYPES: Final = AnyOf(
    (Fixed(ORGANIZATION_TYPES, {"LEGAL-ENTITY": lambda row: true()}), Codes("R72", of("legal_status")))
)
_NAMES: Final = Strings((of("name"), of("long_name")))
_CLOSED: Final = Periods(of("closed_on"), of("closed_on"))

ORGANIZATION: Final = resource(
    "Organization",
    active("Organization", HL7 + "Organization-active"),
    parameter(
        "identifier",
        "token",
        HL7 + "Organization-identifier",
        "FINESS, SIRET, SIREN, identifiant national de structure, ou notre identifiant persistant.",
        {
            "legal_entity": AnyOf(
                (
                    Persistent(),
                    Identifiers(FINESS, (("", of("finess")),)),
                    Identifiers(STRUCTURE_ID, (("1", of("finess")),)),
                    Identifiers(SIRENE, (("", of("siren")),)),
                )
            ),
            "site": AnyOf(
                (
                    Persistent(),
                    Identifiers(FINESS, (("", of("finess")),)),
                    Identifiers(SIRENE, (("", of("siret")),)),
                    _STRUCTURE,
                )
            ),
        },
    ),
    parameter(
        "name",
        "string",
        HL7 + "Organization-name",
        "Nom, ou nom long, de l’organisation.",
        {"legal_entity": _NAMES, "site": _NAMES},
    ),
    parameter(
        "type",
        "token",
        HL7 + "Organization-type",
        "Catégorie d’établissement (R66), secteur d’activité (R02), statut juridique (R72), entité juridique ou "
        "géographique.",
        {"legal_entity": _LEGAL_TYPES, "site": _SITE_TYPES},
        labelled=True,
    ),
    parameter(
        "partof",
        "reference",
        HL7 + "Organization-partof",
        "Entité juridique d’une entité géographique ; se prolonge.",
        {"site": Link("legal_entity", of("legal_entity_id"))},
        target="Organization",
    ),
    parameter(
        "address-postalcode",
        "string",
        HL7 + "Organization-address-postalcode",
        "Début du code postal : 78 désigne un département.",
        {"legal_entity": Strings((of("postal_code"),)), "site": Strings((of("postal_code"),))},
    ),
    parameter(
        "address-city",
        "string",
        HL7 + "Organization-address-city",
        "Localité de l’adresse.",
        {"legal_entity": Strings((of("town"),)), "site": City()},
    ),
    parameter(
        "period-end",
        "date",
        ROR + "organization-period-end",
        "Date de fermeture : trouve les organisations fermées, réduites à leur identifiant et à cette date.",
        {"legal_entity": _CLOSED, "site": _CLOSED},
    ),
    parameter(
        "closing-type",
        "token",
        ROR + "organization-closing-type",
        "Type de fermeture ; les registres chargés ne le disent pas.",
        {},
    ),
)
