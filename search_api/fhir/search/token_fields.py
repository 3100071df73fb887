"""Fields of codes and identifiers.

No field decides who sees what: the rows that exist for a caller come from `visible`, at every level of a search, and
no field reads what is restricted. A condition may be NULL where a value is missing; whoever negates it counts NULL as
false.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import ARRAY, ColumnElement, Text, and_, false, func, literal, or_, true

from search_api.fhir.search import named, values
from search_api.fhir.search.rows import Row
from search_api.fhir.systems import UUIDS

Condition = ColumnElement[bool]
Column = Callable[[Row], Any]
URN = "urn:uuid:"


def some(conditions: Sequence[Condition]) -> Condition:
    """At least one of these; never, when there are none."""
    return or_(*conditions) if conditions else false()


class TokenField(Protocol):
    """What a token parameter reads."""

    def match(self, row: Row, token: values.Token) -> Condition:
        """Tell whether the row has this code."""
        ...

    def labelled(self, row: Row, text: str) -> Condition | None:
        """Tell whether the row has a code whose label begins so; None when its codes have no labels."""
        ...

    def present(self, row: Row) -> Condition:
        """Tell whether the row has any code."""
        ...


class Unlabelled:
    """What has no words for people."""

    def labelled(self, row: Row, text: str) -> Condition | None:
        """See `TokenField`."""
        return None


@dataclass(frozen=True, slots=True)
class LogicalId(Unlabelled):
    """The logical id of a resource."""

    def match(self, row: Row, token: values.Token) -> Condition:
        """See `TokenField`."""
        found = values.uuid(token.code or "") if not token.system else None
        return and_(row.main.uid == found) if found else false()

    def present(self, row: Row) -> Condition:
        """See `TokenField`."""
        return true()

    def order(self, row: Row) -> Any:
        """Return what the parameter sorts by."""
        return row.main.uid


@dataclass(frozen=True, slots=True)
class Persistent(Unlabelled):
    """Our own identifier of a resource: its UUID as a URN."""

    def match(self, row: Row, token: values.Token) -> Condition:
        """See `TokenField`."""
        if token.system not in (None, UUIDS):
            return false()
        if token.code is None:
            return true()
        found = values.uuid(token.code.removeprefix(URN)) if token.code.startswith(URN) else None
        return and_(row.main.uid == found) if found else false()

    def present(self, row: Row) -> Condition:
        """See `TokenField`."""
        return true()


@dataclass(frozen=True, slots=True)
class Identifiers(Unlabelled):
    """Identifiers of one system; each column holds what follows a prefix."""

    system: str
    parts: tuple[tuple[str, Column], ...]

    def match(self, row: Row, token: values.Token) -> Condition:
        """See `TokenField`."""
        if token.system not in (None, self.system):
            return false()
        code = token.code
        if code is None:
            return self.present(row)
        return some(
            [
                and_(column(row) == code.removeprefix(prefix))
                for prefix, column in self.parts
                if code.startswith(prefix) and code != prefix
            ]
        )

    def present(self, row: Row) -> Condition:
        """See `TokenField`."""
        return some([and_(column(row).is_not(None)) for _, column in self.parts])


@dataclass(frozen=True, slots=True)
class Fixed(Unlabelled):
    """A few codes of FHIR itself, each with the condition under which a row has it."""

    system: str
    conditions: Mapping[str, Callable[[Row], Condition]]

    def match(self, row: Row, token: values.Token) -> Condition:
        """See `TokenField`."""
        if token.system not in (None, self.system):
            return false()
        if token.code is None:
            return self.present(row)
        found = self.conditions.get(token.code)
        return found(row) if found else false()

    def present(self, row: Row) -> Condition:
        """See `TokenField`."""
        return some([condition(row) for condition in self.conditions.values()])


@dataclass(frozen=True, slots=True)
class Concepts:
    """Concepts held as ids: `has` tells whether a row has any of them, `any` whether it has one at all."""

    systems: tuple[str, ...]
    has: Callable[[Row, list[int]], Condition]
    any: Callable[[Row], Condition]

    def match(self, row: Row, token: values.Token) -> Condition:
        """See `TokenField`."""
        known = named.entries(row.context.concepts, self.systems, token)
        return self.has(row, sorted(one.id for one in known)) if known else false()

    def labelled(self, row: Row, text: str) -> Condition | None:
        """See `TokenField`."""
        index = row.context.concepts
        known = [index.id(f"{system}|{code}") for system, code in named.labelled(index, self.systems, text)]
        ids = sorted(one for one in known if one is not None)
        return self.has(row, ids) if ids else false()

    def present(self, row: Row) -> Condition:
        """See `TokenField`."""
        return self.any(row)


@dataclass(frozen=True, slots=True)
class Codes:
    """A code of one nomenclature, held as text."""

    system: str
    column: Column

    def match(self, row: Row, token: values.Token) -> Condition:
        """See `TokenField`."""
        if not named.systems_of((self.system,), token):
            return false()
        return self.present(row) if token.code is None else and_(self.column(row) == token.code)

    def labelled(self, row: Row, text: str) -> Condition | None:
        """See `TokenField`."""
        known = [code for _, code in named.labelled(row.context.concepts, (self.system,), text)]
        return and_(self.column(row).in_(sorted(known))) if known else false()

    def present(self, row: Row) -> Condition:
        """See `TokenField`."""
        return and_(self.column(row).is_not(None))

    def order(self, row: Row) -> Any:
        """Return what the parameter sorts by."""
        return func.coalesce(self.column(row).collate("C"), "")


@dataclass(frozen=True, slots=True)
class CodeLists:
    """Codes held as an array of `system|code`."""

    systems: tuple[str, ...]
    column: Column

    def match(self, row: Row, token: values.Token) -> Condition:
        """See `TokenField`."""
        wanted = named.systems_of(self.systems, token)
        if token.code is not None:
            return self._any(row, [f"{system}|{token.code}" for system in wanted])
        if len(wanted) == len(self.systems):
            return self.present(row)
        return self._any(row, [one.ref for one in named.entries(row.context.concepts, wanted, token)])

    def labelled(self, row: Row, text: str) -> Condition | None:
        """See `TokenField`."""
        known = named.labelled(row.context.concepts, self.systems, text)
        return self._any(row, [f"{system}|{code}" for system, code in known])

    def _any(self, row: Row, refs: list[str]) -> Condition:
        if not refs:
            return false()
        return and_(self.column(row).op("&&", is_comparison=True)(literal(sorted(refs), ARRAY(Text))))

    def present(self, row: Row) -> Condition:
        """See `TokenField`."""
        return and_(func.cardinality(self.column(row)) > 0)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Several fields under one parameter."""

    fields: tuple[TokenField, ...]

    def match(self, row: Row, token: values.Token) -> Condition:
        """See `TokenField`."""
        return some([field.match(row, token) for field in self.fields])

    def labelled(self, row: Row, text: str) -> Condition | None:
        """See `TokenField`."""
        found = [condition for field in self.fields if (condition := field.labelled(row, text)) is not None]
        return some(found) if found else None

    def present(self, row: Row) -> Condition:
        """See `TokenField`."""
        return some([field.present(row) for field in self.fields])
