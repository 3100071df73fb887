"""The `_filter` expressions of FHIR: `name co "mantes" and (specialty eq 437 or not (active eq false))`.

`and` binds tighter than `or`. Paths may be chained (`location.address-city`), limited on the way
(`organization[type eq 355].name`), or come back (`_has:PractitionerRole:service:identifier`). An unknown parameter is
always refused here: half of an expression would say something else. `ne` is the opposite of `eq`: a resource without
the value answers it.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from search_api.fhir.search import values
from search_api.fhir.search.criteria import Chain, Either, Every, Has, No, Node, Test
from search_api.fhir.search.parameters import Parameter, Resource
from search_api.fhir.search.reading import DEEPEST, Unknown, one, reverse, step
from search_api.fhir.search.refusals import Refused

NAME: Final = "_filter"
LONGEST: Final = 4000
NESTED: Final = 20
MOST_TESTS: Final = 100

_PATH = re.compile(r"[A-Za-z_][A-Za-z0-9_:-]*")
_WORD = re.compile(r"[a-z]+")
_BARE = re.compile(r"[^\s()\[\]]+")
_SPACE = re.compile(r"\s*")
_DECODER = json.JSONDecoder()

STRING_WAYS: Final[Mapping[str, str]] = {"eq": "equals", "ne": "equals", "co": "contains", "sw": "", "ew": "ends"}
_NUMBERS: Final = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
OPERATORS: Final[Mapping[str, tuple[str, ...]]] = {
    "token": ("eq", "ne", "pr"),
    "string": (*STRING_WAYS, "pr"),
    "date": (*_NUMBERS, "po", "pr"),
    "quantity": (*_NUMBERS, "pr"),
    "reference": ("eq", "ne", "re", "pr"),
    "special": (),
}
"""Comparisons by type of parameter."""


@dataclass(slots=True)
class _Reader:
    """A position in an expression."""

    text: str
    base: str
    at: int = 0
    tests: int = 0

    def expression(self, resource: Resource, nested: int) -> Node:
        if nested > NESTED:
            raise Refused(f"L’expression compte trop de parenthèses ({NESTED} niveaux au plus).", NAME)
        either = [self._every(resource, nested)]
        while self._word("or"):
            either.append(self._every(resource, nested))
        return either[0] if len(either) == 1 else Either(tuple(either))

    def _every(self, resource: Resource, nested: int) -> Node:
        every = [self._term(resource, nested)]
        while self._word("and"):
            every.append(self._term(resource, nested))
        return every[0] if len(every) == 1 else Every(tuple(every))

    def _term(self, resource: Resource, nested: int) -> Node:
        if self._mark("("):
            found = self.expression(resource, nested + 1)
            self._close(")")
            return found
        start = self.at
        if self._word("not"):
            if self._mark("("):
                found = self.expression(resource, nested + 1)
                self._close(")")
                return No(found)
            self.at = start
        return self._path(resource, nested, 0)

    def _path(self, resource: Resource, nested: int, depth: int) -> Node:
        if depth > DEEPEST:
            raise Refused(f"Un enchaînement compte {DEEPEST} étapes au plus.", NAME, code="too-costly")
        self._skip()
        found = _PATH.match(self.text, self.at)
        if found is None:
            raise self._wrong("un paramètre est attendu")
        name = found.group()
        self.at = found.end()
        try:
            if name.startswith("_has:"):
                return self._has(resource, name, nested, depth)
            if self.text[self.at : self.at + 1] in (".", "["):
                reference, target = step(resource, name)
                limits = self._limits(target, nested)
                rest = self._path(target, nested, depth + 1)
                return Chain(reference, target, Every((limits, rest)) if limits else rest)
            parameter = resource.parameters.get(name)
            if parameter is None:
                raise Unknown
        except Unknown:
            raise Refused(
                f"« {name[:60]} » n’est pas un paramètre de {resource.type} qu’une expression puisse suivre.", NAME
            ) from None
        return self._test(parameter)

    def _has(self, resource: Resource, name: str, nested: int, depth: int) -> Node:
        parts = name.split(":", 3)
        if len(parts) < 4 or not parts[3]:
            raise Unknown
        other, reference = reverse(resource, parts[1], parts[2])
        self.at -= len(parts[3])
        return Has(other, reference, self._path(other, nested, depth + 1))

    def _limits(self, target: Resource, nested: int) -> Node | None:
        limits = None
        if self._mark("["):
            limits = self.expression(target, nested + 1)
            self._close("]")
        if self.text[self.at : self.at + 1] != ".":
            raise self._wrong("un point est attendu")
        self.at += 1
        return limits

    def _test(self, parameter: Parameter) -> Node:
        self.tests += 1
        if self.tests > MOST_TESTS:
            raise Refused(f"L’expression compte trop de critères ({MOST_TESTS} au plus).", NAME, code="too-costly")
        self._skip()
        found = _WORD.match(self.text, self.at)
        operator = found.group() if found else ""
        if operator not in OPERATORS[parameter.type]:
            known = ", ".join(OPERATORS[parameter.type]) or "aucun"
            raise Refused(
                f"« {operator} » ne compare pas {parameter.name} (opérateurs : {known}).", NAME, code="not-supported"
            )
        self.at += len(operator)
        value = self._value()
        if operator == "pr":
            if value not in ("true", "false"):
                raise self._wrong("pr attend true ou false")
            return Test(parameter, "missing", (values.Text("false" if value == "true" else "true"),))
        read = one(parameter, f"{NAME} ({parameter.name})", value, self.base)
        if isinstance(read, values.Span | values.Amount):
            return Test(parameter, "", (replace(read, prefix=operator),))
        test = Test(parameter, STRING_WAYS[operator] if parameter.type == "string" else "", (read,))
        return No(test) if operator == "ne" else test

    def _value(self) -> str:
        self._skip()
        if self.text[self.at : self.at + 1] == '"':
            try:
                value, self.at = _DECODER.raw_decode(self.text, self.at)
            except ValueError:
                raise self._wrong("un texte entre guillemets n’est pas fini") from None
            return str(value)
        found = _BARE.match(self.text, self.at)
        if found is None:
            raise self._wrong("une valeur est attendue")
        self.at = found.end()
        return found.group()

    def _skip(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _mark(self, mark: str) -> bool:
        self._skip()
        if self.text[self.at : self.at + 1] != mark:
            return False
        self.at += 1
        return True

    def _close(self, mark: str) -> None:
        if not self._mark(mark):
            raise self._wrong(f"« {mark} » est attendu")

    def _word(self, word: str) -> bool:
        self._skip()
        found = _WORD.match(self.text, self.at)
        if found is None or found.group() != word:
            return False
        self.at = found.end()
        return True

    def end(self) -> None:
        self._skip()
        if self.at < len(self.text):
            raise self._wrong("« and », « or » ou la fin est attendu")

    def _wrong(self, what: str) -> Refused:
        return Refused(f"L’expression n’est pas comprise au caractère {self.at + 1} : {what}.", NAME)


def expression(resource: Resource, text: str, base: str) -> Node:
    """Read an expression.

    Raises:
        Refused: it is not one, or asks too much.
    """
    reader = _Reader(values.checked(NAME, text.replace("\t", " ").replace("\r", " ").replace("\n", " "), LONGEST), base)
    found = reader.expression(resource, 0)
    reader.end()
    return found
