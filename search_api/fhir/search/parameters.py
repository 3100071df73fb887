"""What a search parameter is; `catalogue` lists those of each type.

The parser, the statements and the CapabilityStatement all read the same tables: what is declared is what works.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, runtime_checkable

from search_api.fhir.kinds import KINDS_OF_TYPE, Kind
from search_api.fhir.search.rows import Row
from search_api.fhir.search.values import Disc

ParameterType = Literal["token", "string", "date", "quantity", "reference", "special"]

MODIFIERS: Final[Mapping[ParameterType, tuple[str, ...]]] = {
    "token": ("not", "text", "missing"),
    "string": ("exact", "contains", "missing"),
    "date": ("missing",),
    "quantity": ("missing",),
    "reference": ("missing",),
    "special": (),
}
"""Modifiers by type of parameter; a reference also takes the name of the type that it leads to."""


@runtime_checkable
class Ordered(Protocol):
    """A field that results may be ordered by; never NULL."""

    def order(self, row: Row) -> Any:
        """Return what the parameter sorts by."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """A search parameter of a type: its definition, what it reads in each of the type's kinds, its French words.

    `target` is the type that a reference leads to. `disc` reads the values of a special parameter. `labelled` says
    whether a token's codes have labels that `:text` looks in. A parameter without a canonical address is named by the
    guide alone; one without fields is of an element that no resource here has, and finds nothing.
    """

    name: str
    type: ParameterType
    definition: str | None
    documentation: str
    fields: Mapping[Kind, Any]
    target: str | None = None
    disc: Callable[[str, str], Disc] | None = None
    labelled: bool = False

    @property
    def modifiers(self) -> tuple[str, ...]:
        """The modifiers that it takes."""
        known = MODIFIERS[self.type]
        return known if self.type != "token" or self.labelled else tuple(one for one in known if one != "text")

    @property
    def ordered(self) -> bool:
        """Whether results may be sorted by it."""
        if self.type == "special":
            return True
        return bool(self.fields) and all(isinstance(field, Ordered) for field in self.fields.values())


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """A type of resource and its search parameters."""

    type: str
    parameters: Mapping[str, Parameter]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of rows that become resources of this type."""
        return KINDS_OF_TYPE[self.type]
