"""Canonical addresses of the feed: profiles, extensions, code systems and identifiers, and the few labels that no
nomenclature of ours holds."""

from collections.abc import Mapping
from typing import Any, Final

ROR: Final = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/"
ANNUAIRE: Final = "https://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition/"
CORE: Final = "http://hl7.org/fhir/StructureDefinition/"

PROFILES: Final[Mapping[str, str]] = {
    "Organization": ROR + "ror-organization",
    "Location": ROR + "ror-location",
    "HealthcareService": ROR + "ror-healthcareservice",
    "Practitioner": ROR + "ror-practitioner",
    "PractitionerRole": ROR + "ror-practitionerrole",
}


def nos(name: str) -> str:
    """Return the address of a code system of the NOS (`TRE_R211-ActiviteOperationnelle`)."""
    return f"https://mos.esante.gouv.fr/NOS/{name}/FHIR/{name.replace('_', '-', 1)}"


SYSTEMS: Final[Mapping[str, str]] = {
    "J16": nos("TRE_R210-ActeSpecifique"),
    "J17": nos("TRE_R211-ActiviteOperationnelle"),
    "J18": nos("TRE_R212-Equipement"),
    "J19": nos("TRE_R213-ModePriseEnCharge"),
    "J29": nos("TRE_R239-PublicPrisEnCharge"),
    "J33": nos("TRE_R243-CompetenceSpecifique"),
    "J35": nos("TRE_R245-SpecialisationDePriseEnCharge"),
    "J238": nos("TRE_R244-CategorieOrganisation"),
    "G15": nos("TRE_G15-ProfessionSante"),
    "R02": nos("TRE_R02-SecteurActivite"),
    "R04": nos("TRE_R04-TypeSavoirFaire"),
    "R11": nos("TRE_R11-CiviliteExercice"),
    "R13": nos("TRE_R13-Commune"),
    "R23": nos("TRE_R23-ModeExercice"),
    "R30": nos("TRE_R30-RegionOM"),
    "R38": nos("TRE_R38-SpecialiteOrdinale"),
    "R39": nos("TRE_R39-Competence"),
    "R40": nos("TRE_R40-CompetenceExclusive"),
    "R42": nos("TRE_R42-DESCnonQualifiant"),
    "R43": nos("TRE_R43-CapaciteSavoirFaire"),
    "R44": nos("TRE_R44-QualificationPAC"),
    "R45": nos("TRE_R45-FonctionQualifiee"),
    "R66": nos("TRE_R66-CategorieEtablissement"),
    "R72": nos("TRE_R72-FinessStatutJuridique"),
    "R97": nos("TRE_R97-DroitExerciceCompl"),
    "R200": nos("TRE_R200-CanalCommunication"),
    "R201": nos("TRE_R201-TypeDivisionTerritoriale"),
    "R202": nos("TRE_R202-AccessibiliteLieu"),
    "R203": nos("TRE_R203-StatutLieu"),
    "R227": nos("TRE_R227-ChampActivite"),
    "R252": nos("TRE_R252-TypeHoraire"),
    "R282": nos("TRE_R282-CNAMAmeliSecteurConventionnement"),
    "R283": nos("TRE_R283-NiveauConfidentialite"),
    "R287": nos("TRE_R287-NatureContact"),
    "R338": nos("TRE_R338-ModaliteAccueil"),
    "R354": nos("TRE_R354-TypeIdentifiantRessourceOperationnelle"),
    "R355": nos("TRE_R355-TypeIdentifiantOffre"),
    "G09": nos("TRE_G09-DepartementOM"),
    "G13": nos("TRE_G13-OrientationParticuliere"),
}
"""Code system of each of our systems: those named for a set of the ROR (J…) are drawn from a wider terminology."""

LABELS: Final[Mapping[str, Mapping[str, str]]] = {
    "R04": {
        "S": "Spécialité ordinale",
        "C": "Compétence",
        "CEX": "Compétence exclusive",
        "CAPA": "Capacité",
        "DEC": "Droit d’exercice complémentaire",
        "DNQ": "DESC non qualifiant",
        "FQ": "Fonction qualifiée",
        "OP": "Orientation particulière",
        "PAC": "Qualification PAC",
    },
    "R11": {"DR": "Docteur", "PR": "Professeur"},
    "R23": {
        "L": "Libéral, indépendant, artisan, commerçant",
        "S": "Salarié",
        "B": "Bénévole",
        "I": "Indirect",
    },
    "R201": {"1": "Région", "2": "Département", "3": "Commune", "4": "Territoire de Santé", "5": "Pays"},
    "R203": {"1": "Fermé définitivement", "2": "Fermé temporairement", "3": "Opérationnel"},
    "R354": {"25": "Identifiant du lieu de réalisation de l’offre connu par l’instance ROR"},
    "R355": {"35": "Identifiant fonctionnel de l’offre connu par l’instance ROR"},
}
EXPERTISE: Final[Mapping[str, str]] = {
    "R38": "S", "R39": "C", "R40": "CEX", "R42": "DNQ", "R43": "CAPA", "R44": "PAC", "R45": "FQ", "R97": "DEC",
    "G13": "OP",
}  # fmt: skip
"""Type of savoir-faire (R04) of the codes of a system."""

IDENTIFIER_TYPES: Final = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"
ORGANIZATION_TYPES: Final = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-3307"
PERSON_ID: Final = "urn:oid:1.2.250.1.71.4.2.1"
"""idNat_PS: the type of a number followed by the number, 8 for the RPPS."""
STRUCTURE_ID: Final = "urn:oid:1.2.250.1.71.4.2.2"
"""idNat_Struct: the type of a number, then the number: 1 FINESS, 3 SIRET, 4 practice of the RPPS."""
FINESS: Final = "https://finess.esante.gouv.fr"
SIRENE: Final = "https://sirene.fr"
UUIDS: Final = "urn:ietf:rfc:3986"


def persistent(uid: str, kind: Any = None) -> dict[str, Any]:
    """Return our persistent identifier of a resource: the UUID that was minted for it once."""
    found: dict[str, Any] = {"use": "official"}
    if kind is not None:
        found["type"] = kind
    return found | {"system": UUIDS, "value": f"urn:uuid:{uid}"}


def extension(url: str, **value: Any) -> dict[str, Any]:
    """Return an extension with its value (`valueCode="…"`)."""
    return {"url": url, **value}


CREATED: Final = ROR + "ror-meta-creation-date"
UNKNOWN: Final[Mapping[str, Any]] = {
    "extension": [{"url": CORE + "data-absent-reason", "valueCode": "unknown"}],
    "text": "Non renseigné",
}
"""What stands where a profile wants a value that nobody gave."""
