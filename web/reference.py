"""The JSON API as a page: what the OpenAPI document says, flattened for reading."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: its name, what it takes, what it does, an example."""

    name: str
    kind: str
    description: str
    required: bool
    example: str


@dataclass(frozen=True, slots=True)
class Operation:
    """An address that can be read."""

    method: str
    path: str
    anchor: str
    summary: str
    description: str
    parameters: list[Parameter]


TYPES = {"string": "texte", "integer": "entier", "number": "nombre", "boolean": "1 ou 0", "array": "répétable"}


def _kind(schema: Mapping[str, Any]) -> str:
    for choice in schema.get("anyOf", ()):
        if choice.get("type") != "null":
            return _kind(choice)
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    return TYPES.get(schema.get("type", ""), "")


def _example(parameter: Mapping[str, Any]) -> str:
    if "example" in parameter:
        return str(parameter["example"])
    examples = parameter.get("examples")
    if isinstance(examples, Mapping):
        return next((str(item.get("value", "")) for item in examples.values()), "")
    schema = parameter.get("schema", {})
    return str(next(iter(schema.get("examples", ())), ""))


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """Return the operations of an OpenAPI document, in its order."""
    found = []
    for path, methods in document.get("paths", {}).items():
        for method, operation in methods.items():
            parameters = [
                Parameter(
                    name=item["name"],
                    kind=_kind(item.get("schema", {})),
                    description=item.get("description") or item.get("schema", {}).get("description", ""),
                    required=bool(item.get("required")),
                    example=_example(item),
                )
                for item in operation.get("parameters", ())
            ]
            found.append(
                Operation(
                    method=method.upper(),
                    path=path,
                    anchor=f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
                    summary=operation.get("summary", ""),
                    description=operation.get("description", ""),
                    parameters=parameters,
                )
            )
    return found
