"""From the name and value of a query parameter to a criterion: modifiers, chains, `_has`."""

from typing import Final

from search_api.fhir.search import values
from search_api.fhir.search.catalogue import RESOURCES
from search_api.fhir.search.criteria import Chain, Has, Node, Test
from search_api.fhir.search.parameters import Parameter, Resource
from search_api.fhir.search.refusals import Refused
from search_api.fhir.search.values import MOST_VALUES, Value

DEEPEST: Final = 4
"""Steps that chains and `_has` may take from the resource that is searched."""


class Unknown(Exception):
    """No parameter has this name: refused under strict handling, left out under lenient handling."""


def step(resource: Resource, name: str) -> tuple[Parameter, Resource]:
    """Return the reference that a step of a chain names (`organization`, `organization:Organization`), and its type.

    Raises:
        Unknown: no reference has this name.
        Refused: it does not lead to that type.
    """
    plain, _, wanted = name.partition(":")
    reference = resource.parameters.get(plain)
    if reference is None or reference.target is None:
        raise Unknown
    if wanted and wanted != reference.target:
        raise Refused(f"Cette référence ne mène qu’au type {reference.target}.", name)
    return reference, RESOURCES[reference.target]


def reverse(resource: Resource, type_: str, name: str) -> tuple[Resource, Parameter]:
    """Return the type and the reference by which `_has` comes back to a resource.

    Raises:
        Unknown: no reference of that type leads here.
    """
    other = RESOURCES.get(type_)
    reference = other.parameters.get(name) if other else None
    if other is None or reference is None or reference.target != resource.type:
        raise Unknown
    return other, reference


def criterion(resource: Resource, name: str, value: str, base: str, *, depth: int = 0) -> Node:
    """Read one query parameter.

    Raises:
        Unknown: no parameter has this name.
        Refused: a modifier or a value is not one of this parameter, or the chain is too long.
    """
    if depth > DEEPEST:
        raise Refused(f"Un enchaînement compte {DEEPEST} étapes au plus.", name, code="too-costly")
    if name.startswith("_has:"):
        parts = name.split(":", 3)
        if len(parts) < 4:
            raise Unknown
        other, reference = reverse(resource, parts[1], parts[2])
        return Has(other, reference, criterion(other, parts[3], value, base, depth=depth + 1))
    head, dot, rest = name.partition(".")
    if dot:
        reference, target = step(resource, head)
        return Chain(reference, target, criterion(target, rest, value, base, depth=depth + 1))
    plain, _, modifier = name.partition(":")
    parameter = resource.parameters.get(plain)
    if parameter is None:
        raise Unknown
    return _test(parameter, modifier, name, value, base)


def _test(parameter: Parameter, modifier: str, name: str, value: str, base: str) -> Test:
    if modifier and modifier == parameter.target:
        modifier = ""
    if modifier and modifier not in parameter.modifiers:
        known = ", ".join(f":{one}" for one in parameter.modifiers)
        raise Refused(
            f"Ce modificateur n’est pas pris en charge ici (modificateurs : {known or 'aucun'}).",
            name,
            code="not-supported",
        )
    if modifier == "missing":
        if value not in ("true", "false"):
            raise Refused("« true » ou « false » est attendu.", name)
        return Test(parameter, modifier, (values.Text(value),))
    given = [part for part in values.split(value, ",") if part.strip()]
    if len(given) > MOST_VALUES:
        raise Refused(f"Trop de valeurs ({MOST_VALUES} au plus).", name, code="too-costly")
    if not given:
        raise Refused("Une valeur est attendue.", name)
    return Test(parameter, modifier, tuple(one(parameter, name, part, base, modifier) for part in given))


def one(parameter: Parameter, name: str, value: str, base: str, modifier: str = "") -> Value:
    """Read one value.

    Raises:
        Refused: it is not of the parameter's type.
    """
    match parameter.type:
        case "token":
            return values.string(name, value) if modifier == "text" else values.token(name, value)
        case "string":
            return values.string(name, value)
        case "date":
            return values.date(name, value)
        case "quantity":
            return values.amount(name, value)
        case "reference":
            return values.reference(name, value, base)
        case _:
            assert parameter.disc is not None  # noqa: S101 - the catalogue gives one to each special parameter
            return parameter.disc(name, value)
