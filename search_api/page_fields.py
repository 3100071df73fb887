"""Fields that the forms of the directory and of its portals have alike, read without asking anything."""

from collections.abc import Callable, Mapping
from typing import Final

from search_api.moments import moment_field

TOWNS: Final[Mapping[str, Callable[[str], str]]] = {
    "visits": lambda ref: ref.removeprefix("commune:"),
    "origin": str,
}
"""Parameters that the filters write as the name of a town, and how they write its reference."""


def same(first: str, second: str) -> bool:
    """Tell whether two texts are one but for case and spaces."""
    return " ".join(first.split()).casefold() == " ".join(second.split()).casefold()


def one(given: Mapping[str, list[str]], name: str) -> str:
    """Return the first value of a field, with single spaces; empty when it was not sent."""
    values = given.get(name) or [""]
    return " ".join(values[0].split())


def read_moment(given: Mapping[str, list[str]], kept: dict[str, list[str]]) -> None:
    """Put in `kept` the moment of the field of a day and a time, when it is another one than the page showed.

    Left as it was, the list « Ouvert » beside it decides; emptied, the moment that it showed is no longer asked for.
    """
    moment, shown = one(given, "open_on"), one(given, "open_was")
    if moment and moment != shown:
        kept["open_at"] = [moment]
    elif not moment and shown and "open_on" in given and moment_field(one(kept, "open_at")) == shown:
        kept["open_at"] = []


def town_text(name: str, given: Mapping[str, list[str]], kept: dict[str, list[str]]) -> str | None:
    """Return the text of a field of a town that has to be read; None while its choice stands, or when it is empty."""
    text, label = one(given, f"{name}_lieu"), one(given, f"{name}_label")
    if label and same(text, label):
        return None
    kept[name] = []
    return text or None
