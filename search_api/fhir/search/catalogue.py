"""The search parameters of each type, as the guide of the ROR lists them, and what each one reads."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import ARRAY, Integer, and_, false, func, literal, or_, select, true

from directory.api import SiteEquipment
from search_api.fhir.kinds import KINDS_OF_TYPE, Kind
from search_api.fhir.search import near
from search_api.fhir.search.fields import Ages, Instants, Periods, Strings
from search_api.fhir.search.parameters import Parameter, ParameterType, Resource
from search_api.fhir.search.references import Link, OfferOfRole
from search_api.fhir.search.rows import Row
from search_api.fhir.search.territories import City, Region, Territory
from search_api.fhir.search.token_fields import (
    AnyOf,
    CodeLists,
    Codes,
    Column,
    Concepts,
    Condition,
    Fixed,
    Identifiers,
    LogicalId,
    Persistent,
)
from search_api.fhir.systems import EXPERTISE, FINESS, ORGANIZATION_TYPES, PERSON_ID, SIRENE, STRUCTURE_ID

HL7: Final = "http://hl7.org/fhir/SearchParameter/"
ROR: Final = "https://interop.esante.gouv.fr/ig/fhir/ror/SearchParameter/ror-sp-"
_BOOLEAN: Final = "http://terminology.hl7.org/CodeSystem/special-values"
_STATUS: Final = "http://hl7.org/fhir/location-status"


def of(name: str) -> Column:
    """Return what reads a column of the row itself."""
    return lambda row: getattr(row.main, name)


def _live(row: Row) -> Condition:
    return false() if row.gone else true()


def _ended(row: Row) -> Condition:
    return true() if row.gone else false()


def _parameter(
    name: str,
    type_: ParameterType,
    definition: str | None,
    documentation: str,
    fields: Mapping[Kind, Any],
    **more: Any,
) -> Parameter:
    return Parameter(name, type_, definition, documentation, fields, **more)


def _resource(type_: str, *parameters: Parameter) -> Resource:
    kinds = KINDS_OF_TYPE[type_]
    common = (
        _parameter("_id", "token", HL7 + "Resource-id", "Identifiant logique.", dict.fromkeys(kinds, LogicalId())),
        _parameter(
            "_lastUpdated",
            "date",
            HL7 + "Resource-lastUpdated",
            "Dernière modification, celle d’un parent comprise ; ce qui a quitté l’annuaire répond aussi, réduit à son "
            "identifiant et à sa date. Sans décalage horaire, l’heure est celle de Paris.",
            dict.fromkeys(kinds, Instants(lambda row: row.updated_at)),
        ),
        _parameter(
            "_tag",
            "token",
            HL7 + "Resource-tag",
            "Région (R30) de la commune.",
            {kind: Region() for kind in kinds if kind not in ("legal_entity", "practitioner")},
            labelled=True,
        ),
    )
    return Resource(type_, {one.name: one for one in (*common, *parameters)})


def _active(type_: str, definition: str) -> Parameter:
    field = Fixed(_BOOLEAN, {"true": _live, "false": _ended})
    words = "true ; false pour ce qui a quitté l’annuaire, avec _lastUpdated."
    return _parameter("active", "token", definition, words, dict.fromkeys(KINDS_OF_TYPE[type_], field))


# -- HealthcareService ----------------------------------------------------------------------------------------


def _with_codes(row: Row, ids: list[int]) -> Condition:
    # The projection holds each code of an offer and of the equipment of its place; systems tell them apart.
    return and_(row.search.codes.op("&&", is_comparison=True)(literal(ids, ARRAY(Integer))))


def _one(name: str) -> Callable[[Row], Condition]:
    return lambda row: and_(getattr(row.main, name).is_not(None))


def _many(*names: str) -> Callable[[Row], Condition]:
    return lambda row: or_(*(func.cardinality(getattr(row.main, name)) > 0 for name in names))


def _equipped(row: Row, ids: list[int]) -> Condition:
    site_id = row.main.id if row.kind == "location" else row.main.site_id
    return and_(site_id.in_(select(SiteEquipment.site_id).where(SiteEquipment.concept_id.in_(ids))))


def _any_equipment(row: Row) -> Condition:
    site_id = row.main.id if row.kind == "location" else row.main.site_id
    return and_(site_id.in_(select(SiteEquipment.site_id)))


HEALTHCARE_SERVICE: Final = _resource(
    "HealthcareService",
    _active("HealthcareService", HL7 + "HealthcareService-active"),
    _parameter(
        "identifier",
        "token",
        HL7 + "HealthcareService-identifier",
        "Identifiant national persistant de l’offre.",
        {"offer": Persistent()},
    ),
    _parameter("name", "string", HL7 + "HealthcareService-name", "Nom de l’offre.", {"offer": Strings((of("name"),))}),
    _parameter(
        "service-category",
        "token",
        HL7 + "HealthcareService-service-category",
        "Type d’offre (J238).",
        {"offer": Concepts(("J238",), _with_codes, _one("type_id"))},
        labelled=True,
    ),
    _parameter(
        "service-type",
        "token",
        HL7 + "HealthcareService-service-type",
        "Champ d’activité (R227).",
        {"offer": Concepts(("R227",), _with_codes, _one("field_id"))},
        labelled=True,
    ),
    _parameter(
        "specialty",
        "token",
        HL7 + "HealthcareService-specialty",
        "Activité opérationnelle (J17).",
        {"offer": Concepts(("J17",), _with_codes, _many("activities"))},
        labelled=True,
    ),
    _parameter(
        "characteristic",
        "token",
        HL7 + "HealthcareService-characteristic",
        "Mode de prise en charge (J19), modalité d’accueil (R338), acte spécifique ou réalisé hors cabinet (J16), "
        "spécialisation (J35), compétence (J33).",
        {
            "offer": Concepts(
                ("J19", "R338", "J16", "J35", "J33"),
                _with_codes,
                lambda row: or_(
                    _one("mode_id")(row),
                    _many("reception", "acts", "outside_acts", "specialisations", "skills")(row),
                ),
            )
        },
        labelled=True,
    ),
    _parameter(
        "specific-competence",
        "token",
        ROR + "healthcareservice-specific-competence",
        "Compétence spécifique (J33).",
        {"offer": Concepts(("J33",), _with_codes, _many("skills"))},
        labelled=True,
    ),
    _parameter(
        "patient-type",
        "token",
        ROR + "healthcareservice-patient-type",
        "Public pris en charge (J29).",
        {"offer": Concepts(("J29",), _with_codes, _many("publics"))},
        labelled=True,
    ),
    _parameter(
        "age-range-low",
        "quantity",
        ROR + "healthcareservice-age-range-low",
        "Âge minimal de la patientèle, en années.",
        {"offer": Ages(of("age_min"))},
    ),
    _parameter(
        "age-range-high",
        "quantity",
        ROR + "healthcareservice-age-range-high",
        "Âge maximal de la patientèle, en années.",
        {"offer": Ages(of("age_max"))},
    ),
    _parameter(
        "intervention-zone",
        "token",
        ROR + "healthcareservice-intervention-zone",
        "Territoire d’intervention : code du lieu (R13, G09, R30 …) ou type de division (R201).",
        {"offer": Territory()},
        labelled=True,
    ),
    _parameter(
        "notavailable-closing-reopeningdate",
        "date",
        None,
        "Période entre la fermeture et la réouverture prévisionnelle.",
        {"offer": Periods(of("closing_on"), of("reopening_on"))},
    ),
    _parameter(
        "equipment-type",
        "token",
        ROR + "healthcareservice-equipment-type",
        "Équipement (J18) du lieu de l’offre.",
        {"offer": Concepts(("J18",), _with_codes, _any_equipment)},
        labelled=True,
    ),
    _parameter(
        "location",
        "reference",
        HL7 + "HealthcareService-location",
        "Lieu de réalisation de l’offre ; se prolonge (location.near, location.address-postalcode …).",
        {"offer": Link("location", of("site_id"))},
        target="Location",
    ),
    _parameter(
        "organization",
        "reference",
        HL7 + "HealthcareService-organization",
        "Entité géographique ou cabinet qui porte l’offre ; se prolonge.",
        {"offer": Link("site", of("site_id"))},
        target="Organization",
    ),
)

# -- Location -------------------------------------------------------------------------------------------------

LOCATION: Final = _resource(
    "Location",
    _parameter(
        "identifier",
        "token",
        HL7 + "Location-identifier",
        "Identifiant du lieu.",
        {"location": Persistent()},
    ),
    _parameter("name", "string", HL7 + "Location-name", "Nom du lieu.", {"location": Strings((of("name"),))}),
    _parameter(
        "address-postalcode",
        "string",
        HL7 + "Location-address-postalcode",
        "Début du code postal : 78 désigne un département.",
        {"location": Strings((of("postal_code"),))},
    ),
    _parameter("address-city", "string", HL7 + "Location-address-city", "Localité de l’adresse.", {"location": City()}),
    _parameter(
        "commune-cog",
        "token",
        ROR + "location-commune-cog",
        "Code INSEE de la commune (R13).",
        {"location": Codes("R13", of("commune_code"))},
    ),
    _parameter(
        "equipment-type",
        "token",
        ROR + "equipment-type",
        "Équipement (J18).",
        {"location": Concepts(("J18",), _equipped, _any_equipment)},
        labelled=True,
    ),
    _parameter(
        "status",
        "token",
        HL7 + "Location-status",
        "active ; inactive pour ce qui a quitté l’annuaire, avec _lastUpdated.",
        {"location": Fixed(_STATUS, {"active": _live, "inactive": _ended})},
    ),
    _parameter("type", "token", HL7 + "Location-type", "Destination d’usage ; aucun lieu n’en a aujourd’hui.", {}),
    _parameter(
        "organization",
        "reference",
        HL7 + "Location-organization",
        "Entité géographique ou cabinet du lieu ; se prolonge.",
        {"location": Link("site", of("id"))},
        target="Organization",
    ),
    _parameter(
        "near",
        "special",
        HL7 + "Location-near",
        "latitude|longitude|distance|unité (km, m, mi) : de 0,1 à 1 000 km, 20 km sans distance. Les résultats sont "
        "triés par distance, qu’ils donnent en mètres.",
        {"location": None},
        disc=near.around_point,
    ),
    _parameter(
        "near-insee-code",
        "special",
        ROR + "location-near-insee-code",
        "code INSEE|distance|unité : autour du centre de la commune, comme near.",
        {"location": None},
        disc=near.around_commune,
    ),
)

# -- Organization ---------------------------------------------------------------------------------------------

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

ORGANIZATION: Final = _resource(
    "Organization",
    _active("Organization", HL7 + "Organization-active"),
    _parameter(
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
    _parameter(
        "name",
        "string",
        HL7 + "Organization-name",
        "Nom, ou nom long, de l’organisation.",
        {"legal_entity": _NAMES, "site": _NAMES},
    ),
    _parameter(
        "type",
        "token",
        HL7 + "Organization-type",
        "Catégorie d’établissement (R66), secteur d’activité (R02), statut juridique (R72), entité juridique ou "
        "géographique.",
        {"legal_entity": _LEGAL_TYPES, "site": _SITE_TYPES},
        labelled=True,
    ),
    _parameter(
        "partof",
        "reference",
        HL7 + "Organization-partof",
        "Entité juridique d’une entité géographique ; se prolonge.",
        {"site": Link("legal_entity", of("legal_entity_id"))},
        target="Organization",
    ),
    _parameter(
        "address-postalcode",
        "string",
        HL7 + "Organization-address-postalcode",
        "Début du code postal : 78 désigne un département.",
        {"legal_entity": Strings((of("postal_code"),)), "site": Strings((of("postal_code"),))},
    ),
    _parameter(
        "address-city",
        "string",
        HL7 + "Organization-address-city",
        "Localité de l’adresse.",
        {"legal_entity": Strings((of("town"),)), "site": City()},
    ),
    _parameter(
        "period-end",
        "date",
        ROR + "organization-period-end",
        "Date de fermeture : trouve les organisations fermées, réduites à leur identifiant et à cette date.",
        {"legal_entity": _CLOSED, "site": _CLOSED},
    ),
    _parameter(
        "closing-type",
        "token",
        ROR + "organization-closing-type",
        "Type de fermeture ; les registres chargés ne le disent pas.",
        {},
    ),
)

# -- Practitioner, PractitionerRole ---------------------------------------------------------------------------

PRACTITIONER: Final = _resource(
    "Practitioner",
    _active("Practitioner", HL7 + "Practitioner-active"),
    _parameter(
        "identifier",
        "token",
        HL7 + "Practitioner-identifier",
        "Identifiant national (8 suivi du RPPS), ou RPPS seul.",
        {"practitioner": Identifiers(PERSON_ID, (("", of("national_id")), ("", of("rpps"))))},
    ),
    _parameter(
        "name",
        "string",
        HL7 + "Practitioner-name",
        "Nom ou prénom.",
        {"practitioner": Strings((of("last_name"), of("first_name")))},
    ),
    _parameter("family", "string", HL7 + "individual-family", "Nom.", {"practitioner": Strings((of("last_name"),))}),
    _parameter("given", "string", HL7 + "individual-given", "Prénom.", {"practitioner": Strings((of("first_name"),))}),
)

_SPECIALTIES: Final = AnyOf(
    (
        CodeLists(tuple(EXPERTISE), of("specialties")),
        CodeLists(tuple(EXPERTISE), lambda row: row.practitioner.specialties),
    )
)

PRACTITIONER_ROLE: Final = _resource(
    "PractitionerRole",
    _active("PractitionerRole", HL7 + "PractitionerRole-active"),
    _parameter(
        "identifier",
        "token",
        HL7 + "PractitionerRole-identifier",
        "Identifiant persistant de la situation d’exercice.",
        {"role": Persistent()},
    ),
    _parameter(
        "role",
        "token",
        HL7 + "PractitionerRole-role",
        "Profession (G15).",
        {"role": Codes("G15", of("profession"))},
        labelled=True,
    ),
    _parameter(
        "specialty",
        "token",
        HL7 + "PractitionerRole-specialty",
        "Savoir-faire (R38, R39, R40 …).",
        {"role": _SPECIALTIES},
        labelled=True,
    ),
    _parameter(
        "practitioner",
        "reference",
        HL7 + "PractitionerRole-practitioner",
        "Professionnel ; se prolonge (practitioner.identifier …).",
        {"role": Link("practitioner", of("practitioner_id"))},
        target="Practitioner",
    ),
    _parameter(
        "organization",
        "reference",
        HL7 + "PractitionerRole-organization",
        "Entité géographique ou cabinet où l’on exerce ; se prolonge.",
        {"role": Link("site", of("site_id"))},
        target="Organization",
    ),
    _parameter(
        "location",
        "reference",
        HL7 + "PractitionerRole-location",
        "Lieu où l’on exerce ; se prolonge.",
        {"role": Link("location", of("site_id"))},
        target="Location",
    ),
    _parameter(
        "service",
        "reference",
        HL7 + "PractitionerRole-service",
        "Offre de la situation d’exercice ; se prolonge.",
        {"role": OfferOfRole()},
        target="HealthcareService",
    ),
)

RESOURCES: Final[Mapping[str, Resource]] = {
    one.type: one for one in (HEALTHCARE_SERVICE, LOCATION, ORGANIZATION, PRACTITIONER, PRACTITIONER_ROLE)
}
