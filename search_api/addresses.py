"""Addresses of searches: parameters as pairs, and what a page's search box shows. Nothing here asks anything."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

Pair = tuple[str, str]

AROUND_ME: Final = "Autour de moi"
"""What « Où ? » shows while the place is the device's position."""


def address(pairs: Iterable[Pair], path: str = "/recherche") -> str:
    """Return the address of a search, `:` and `|` left readable."""
    query = urlencode(list(pairs), safe=":|,")
    return f"{path}?{query}" if query else path


def without(pairs: Iterable[Pair], *names: str) -> list[Pair]:
    """Return the parameters less those named; a change of search always goes back to its first page."""
    dropped = {*names, "page", "explain"}
    return [(name, value) for name, value in pairs if name not in dropped]


@dataclass(slots=True)
class TownField:
    """A field of the filters that takes a town: visible text, hidden choice, the label that the choice had."""

    name: str
    label: str
    text: str = ""
    value: str = ""
    chosen: str = ""


@dataclass(slots=True)
class SearchBox:
    """The two-field search as a page draws it: visible texts, hidden choices, what travels along, errors."""

    q: str = ""
    codes: Sequence[str] = ()
    code_label: str = ""
    place: str = ""
    where: Sequence[str] = ()
    lat: str = ""
    lon: str = ""
    place_label: str = ""
    kept: Sequence[Pair] = ()
    errors: dict[str, str] = field(default_factory=dict)
