"""Search parameters of people and of their roles (Practitioner, PractitionerRole)."""

from typing import Final

from search_api.fhir.search.declared import HL7, active, of, parameter, resource
from search_api.fhir.search.fields import Strings
from search_api.fhir.search.references import Link, OfferOfRole
from search_api.fhir.search.token_fields import AnyOf, CodeLists, Codes, Identifiers, Persistent
from search_api.fhir.systems import EXPERTISE, PERSON_ID

PRACTITIONER: Final = resource(
    "Practitioner",
    active("Practitioner", HL7 + "Practitioner-active"),
    parameter(
        "identifier",
        "token",
        HL7 + "Practitioner-identifier",
        "Identifiant national (8 suivi du RPPS), ou RPPS seul.",
        {"practitioner": Identifiers(PERSON_ID, (("", of("national_id")), ("", of("rpps"))))},
    ),
    parameter(
        "name",
        "string",
        HL7 + "Practitioner-name",
        "Nom ou prénom.",
        {"practitioner": Strings((of("last_name"), of("first_name")))},
    ),
    parameter("family", "string", HL7 + "individual-family", "Nom.", {"practitioner": Strings((of("last_name"),))}),
    parameter("given", "string", HL7 + "individual-given", "Prénom.", {"practitioner": Strings((of("first_name"),))}),
)

_SPECIALTIES: Final = AnyOf(
    (
        CodeLists(tuple(EXPERTISE), of("specialties")),
        CodeLists(tuple(EXPERTISE), lambda row: row.practitioner.specialties),
    )
)

PRACTITIONER_ROLE: Final = resource(
    "PractitionerRole",
    active("PractitionerRole", HL7 + "PractitionerRole-active"),
    parameter(
        "identifier",
        "token",
        HL7 + "PractitionerRole-identifier",
        "Identifiant persistant de la situation d’exercice.",
        {"role": Persistent()},
    ),
    parameter(
        "role",
        "token",
        HL7 + "PractitionerRole-role",
        "Profession (G15).",
        {"role": Codes("G15", of("profession"))},
        labelled=True,
    ),
    parameter(
        "specialty",
        "token",
        HL7 + "PractitionerRole-specialty",
        "Savoir-faire (R38, R39, R40 …).",
        {"role": _SPECIALTIES},
        labelled=True,
    ),
    parameter(
        "practitioner",
        "reference",
        HL7 + "PractitionerRole-practitioner",
        "Professionnel ; se prolonge (practitioner.identifier …).",
        {"role": Link("practitioner", of("practitioner_id"))},
        target="Practitioner",
    ),
    parameter(
        "organization",
        "reference",
        HL7 + "PractitionerRole-organization",
        "Entité géographique ou cabinet où l’on exerce ; se prolonge.",
        {"role": Link("site", of("site_id"))},
        target="Organization",
    ),
    parameter(
        "location",
        "reference",
        HL7 + "PractitionerRole-location",
        "Lieu où l’on exerce ; se prolonge.",
        {"role": Link("location", of("site_id"))},
        target="Location",
    ),
    parameter(
        "service",
        "reference",
        HL7 + "PractitionerRole-service",
        "Offre de la situation d’exercice ; se prolonge.",
        {"role": OfferOfRole()},
        target="HealthcareService",
    ),
)
