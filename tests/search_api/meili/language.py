"""Meilisearch's filter language as its reference describes it: refuses what is not of it, and tells what it means."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

Document = Mapping[str, Any]
Meaning = Callable[[Document], bool]

_TOKENS = re.compile(r'\s*(>=|<=|!=|[()\[\],=<>]|"(?:\\.|[^"\\])*"|[\w.\-/]+)')
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
}
EARTH_M = 6_371_000.0


class Refused(Exception):
    """Not an expression of the language, or of an attribute that may not be filtered."""


def read(expression: str, filterable: set[str]) -> Meaning:
    """Return what an expression means for a document."""
    tokens: list[str] = []
    at = 0
    while at < len(expression.rstrip()):
        token = _TOKENS.match(expression, at)
        if token is None:
            raise Refused(expression[at:])
        tokens.append(token[1])
        at = token.end()
    reader = _Reader(tokens, filterable)
    meaning = reader.either()
    if reader.tokens:
        raise Refused(" ".join(reader.tokens))
    return meaning


def sphere_metres(lat: float, lng: float, other_lat: float, other_lng: float) -> float:
    """Haversine distance, the one that Meilisearch computes."""
    a, b = math.radians(lat), math.radians(other_lat)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(other_lng - lng) / 2) ** 2
    return 2 * EARTH_M * math.asin(min(1.0, math.sqrt(half)))


class _Reader:
    def __init__(self, tokens: list[str], filterable: set[str]) -> None:
        self.tokens = tokens
        self.filterable = filterable

    def take(self, expected: str | None = None) -> str:
        if not self.tokens or (expected is not None and self.tokens[0] != expected):
            raise Refused(f"{expected} expected at {' '.join(self.tokens)}")
        return self.tokens.pop(0)

    def next_is(self, token: str) -> bool:
        return bool(self.tokens) and self.tokens[0] == token

    def either(self) -> Meaning:
        parts = [self.both()]
        while self.next_is("OR"):
            self.take()
            parts.append(self.both())
        return lambda document: any(part(document) for part in parts)

    def both(self) -> Meaning:
        parts = [self.one()]
        while self.next_is("AND"):
            self.take()
            parts.append(self.one())
        return lambda document: all(part(document) for part in parts)

    def one(self) -> Meaning:
        if self.next_is("NOT"):
            self.take()
            negated = self.one()
            return lambda document: not negated(document)
        if self.next_is("("):
            self.take()
            inner = self.either()
            self.take(")")
            return inner
        name = self.take()
        if name in ("_geoRadius", "_geoBoundingBox"):
            self.known("_geo")
            return self.radius() if name == "_geoRadius" else self.box()
        self.known(name)
        operator = self.take()
        if operator == "IN":
            wanted = self.values()
            return lambda document: any(value in wanted for value in _values(document, name))
        if operator == "=":
            single = _literal(self.take())
            return lambda document: single in _values(document, name)
        if operator in _COMPARISONS:
            compare, bound = _COMPARISONS[operator], float(self.take())
            return lambda document: any(compare(value, bound) for value in _values(document, name))
        raise Refused(operator)

    def known(self, attribute: str) -> None:
        if attribute not in self.filterable:
            raise Refused(f"{attribute} is not filterable")

    def values(self) -> set[Any]:
        self.take("[")
        found = set()
        while not self.next_is("]"):
            found.add(_literal(self.take()))
            if not self.next_is("]"):
                self.take(",")
        self.take("]")
        return found

    def point(self, opening: str = "[", closing: str = "]") -> list[float]:
        self.take(opening)
        found = [float(self.take())]
        while self.next_is(","):
            self.take()
            found.append(float(self.take()))
        self.take(closing)
        return found

    def radius(self) -> Meaning:
        lat, lng, metres = self.point("(", ")")
        _on_the_globe(lat, lng)

        def near(document: Document) -> bool:
            place = document.get("_geo")
            return place is not None and sphere_metres(lat, lng, place["lat"], place["lng"]) <= metres

        return near

    def box(self) -> Meaning:
        self.take("(")
        top, right = self.point()
        self.take(",")
        bottom, left = self.point()
        self.take(")")
        _on_the_globe(top, right)
        _on_the_globe(bottom, left)
        if top < bottom:
            raise Refused("the top is below the bottom")

        def inside(document: Document) -> bool:
            place = document.get("_geo")
            return place is not None and bottom <= place["lat"] <= top and left <= place["lng"] <= right

        return inside


def _on_the_globe(lat: float, lng: float) -> None:
    if not (-90 <= lat <= 90 and -180 <= lng <= 180):
        raise Refused("not on the globe")


def _literal(token: str) -> Any:
    if token.startswith('"'):
        return re.sub(r"\\(.)", r"\1", token[1:-1])
    if token in ("true", "false"):
        return token == "true"
    return float(token)


def _values(document: Document, name: str) -> list[Any]:
    value = document.get(name)
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
