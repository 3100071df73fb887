"""How search parameters are declared, and those that every type has."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import false, true

from search_api.fhir.kinds import KINDS_OF_TYPE, Kind
from search_api.fhir.search.changed import LastUpdated
from search_api.fhir.search.parameters import Parameter, ParameterType, Resource
from search_api.fhir.search.rows import Row
from search_api.fhir.search.territories import Region
from search_api.fhir.search.token_fields import Column, Condition, Fixed, LogicalId

HL7: Final = "http://hl7.org/fhir/SearchParameter/"
ROR: Final = "https://interop.esante.gouv.fr/ig/fhir/ror/SearchParameter/ror-sp-"
_BOOLEAN: Final = "http://terminology.hl7.org/CodeSystem/special-values"


def of(name: str) -> Column:
    """Return what reads a column of the row itself."""
    return lambda row: getattr(row.main, name)


def live(row: Row) -> Condition:
    """Tell whether a row is in the directory."""
    return false() if row.gone else true()


def ended(row: Row) -> Condition:
    """Tell whether a row left the directory."""
    return true() if row.gone else false()


def parameter(
    name: str,
    type_: ParameterType,
    definition: str | None,
    documentation: str,
    fields: Mapping[Kind, Any],
    **more: Any,
) -> Parameter:
    """Return a parameter; see `Parameter` for what each part says."""
    return Parameter(name, type_, definition, documentation, fields, **more)


def resource(type_: str, *parameters: Parameter) -> Resource:
    """Return a type with its parameters, those that every type has included."""
    kinds = KINDS_OF_TYPE[type_]
    common = (
        parameter("_id", "token", HL7 + "Resource-id", "Identifiant logique.", dict.fromkeys(kinds, LogicalId())),
        parameter(
            "_lastUpdated",
            "date",
            HL7 + "Resource-lastUpdated",
            "Dernière modification, celle d’un parent comprise ; ce qui a quitté l’annuaire répond aussi, réduit à son "
            "identifiant et à sa date. Sans décalage horaire, l’heure est celle de Paris.",
            dict.fromkeys(kinds, LastUpdated(lambda row: row.updated_at)),
        ),
        parameter(
            "_tag",
            "token",
            HL7 + "Resource-tag",
            "Région (R30) de la commune.",
            {kind: Region() for kind in kinds if kind not in ("legal_entity", "practitioner")},
            labelled=True,
        ),
    )
    return Resource(type_, {one.name: one for one in (*common, *parameters)})


def active(type_: str, definition: str) -> Parameter:
    """Return the parameter that tells what is in the directory."""
    field = Fixed(_BOOLEAN, {"true": live, "false": ended})
    words = "true ; false pour ce qui a quitté l’annuaire, avec _lastUpdated."
    return parameter("active", "token", definition, words, dict.fromkeys(KINDS_OF_TYPE[type_], field))
