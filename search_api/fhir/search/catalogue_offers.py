"""Search parameters of offers (HealthcareService)."""

from collections.abc import Callable
from typing import Final

from sqlalchemy import ARRAY, Integer, and_, func, literal, or_

from search_api.fhir.search.catalogue_places import any_equipment
from search_api.fhir.search.declared import HL7, ROR, active, of, parameter, resource
from search_api.fhir.search.fields import Ages, Periods, Strings
from search_api.fhir.search.references import Link
from search_api.fhir.search.rows import Row
from search_api.fhir.search.territories import Territory
from search_api.fhir.search.token_fields import (
    Concepts,
    Condition,
    Persistent,
)


def _with_codes(row: Row, ids: list[int]) -> Condition:
    # The projection holds each code of an offer and of the equipment of its place; systems tell them apart.
    return and_(row.search.codes.op("&&", is_comparison=True)(literal(ids, ARRAY(Integer))))


def _one(name: str) -> Callable[[Row], Condition]:
    return lambda row: and_(getattr(row.main, name).is_not(None))


def _many(*names: str) -> Callable[[Row], Condition]:
    return lambda row: or_(*(func.cardinality(getattr(row.main, name)) > 0 for name in names))


HEALTHCARE_SERVICE: Final = resource(
    "HealthcareService",
    active("HealthcareService", HL7 + "HealthcareService-active"),
    parameter(
        "identifier",
        "token",
        HL7 + "HealthcareService-identifier",
        "Identifiant national persistant de l’offre.",
        {"offer": Persistent()},
    ),
    parameter("name", "string", HL7 + "HealthcareService-name", "Nom de l’offre.", {"offer": Strings((of("name"),))}),
    parameter(
        "service-category",
        "token",
        HL7 + "HealthcareService-service-category",
        "Type d’offre (J238).",
        {"offer": Concepts(("J238",), _with_codes, _one("type_id"))},
        labelled=True,
    ),
    parameter(
        "service-type",
        "token",
        HL7 + "HealthcareService-service-type",
        "Champ d’activité (R227).",
        {"offer": Concepts(("R227",), _with_codes, _one("field_id"))},
        labelled=True,
    ),
    parameter(
        "specialty",
        "token",
        HL7 + "HealthcareService-specialty",
        "Activité opérationnelle (J17).",
        {"offer": Concepts(("J17",), _with_codes, _many("activities"))},
        labelled=True,
    ),
    parameter(
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
    parameter(
        "specific-competence",
        "token",
        ROR + "healthcareservice-specific-competence",
        "Compétence spécifique (J33).",
        {"offer": Concepts(("J33",), _with_codes, _many("skills"))},
        labelled=True,
    ),
    parameter(
        "patient-type",
        "token",
        ROR + "healthcareservice-patient-type",
        "Public pris en charge (J29).",
        {"offer": Concepts(("J29",), _with_codes, _many("publics"))},
        labelled=True,
    ),
    parameter(
        "age-range-low",
        "quantity",
        ROR + "healthcareservice-age-range-low",
        "Âge minimal de la patientèle, en années.",
        {"offer": Ages(of("age_min"))},
    ),
    parameter(
        "age-range-high",
        "quantity",
        ROR + "healthcareservice-age-range-high",
        "Âge maximal de la patientèle, en années.",
        {"offer": Ages(of("age_max"))},
    ),
    parameter(
        "intervention-zone",
        "token",
        ROR + "healthcareservice-intervention-zone",
        "Territoire d’intervention : code du lieu (R13, G09, R30 …) ou type de division (R201).",
        {"offer": Territory()},
        labelled=True,
    ),
    parameter(
        "notavailable-closing-reopeningdate",
        "date",
        None,
        "Période entre la fermeture et la réouverture prévisionnelle.",
        {"offer": Periods(of("closing_on"), of("reopening_on"))},
    ),
    parameter(
        "equipment-type",
        "token",
        ROR + "healthcareservice-equipment-type",
        "Équipement (J18) du lieu de l’offre.",
        {"offer": Concepts(("J18",), _with_codes, any_equipment)},
        labelled=True,
    ),
    parameter(
        "location",
        "reference",
        HL7 + "HealthcareService-location",
        "Lieu de réalisation de l’offre ; se prolonge (location.near, location.address-postalcode …).",
        {"offer": Link("location", of("site_id"))},
        target="Location",
    ),
    parameter(
        "organization",
        "reference",
        HL7 + "HealthcareService-organization",
        "Entité géographique ou cabinet qui porte l’offre ; se prolonge.",
        {"offer": Link("site", of("site_id"))},
        target="Organization",
    ),
)
