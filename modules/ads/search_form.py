"""What a person typed in the form of the search, turned into the parameters that every door of it takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from core.errors import InvalidInput
from maps.api import KINDS, PlaceHit, meant, ready, suggest
from modules.ads.search_query import AREAS, AdQuery, Pair, find_place, make_period, pairs, parse, write_period
from modules.ads.views import TOWNS

FORM_ONLY: Final = frozenset({"lieu", "start", "end"})
"""Fields of the form that no other door knows."""
SUGGESTED: Final = tuple(kind for kind in KINDS if kind in TOWNS | (AREAS - {"epci", "territory"}))
PLACES_API: Final = ("commune", "departement", "region", "france")
"""The same, as the suggestions of `/api/v1/places` call them: there, a commune may be a part of one."""
_MOST_FIELDS: Final = 100


@dataclass(slots=True)
class TypedPeriod:
    """A period as it was typed, and what is wrong with it."""

    start: str
    end: str
    error: str | None = None


@dataclass(slots=True)
class Typed:
    """What was typed, to be shown again; `query` is None when something is wrong. `changed`: the address is not the
    canonical one, and the page leads to it."""

    given: list[Pair]
    query: AdQuery | None = None
    lieu: str = ""
    places: list[PlaceHit] = field(default_factory=list)
    periods: list[TypedPeriod] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    changed: bool = False

    def value(self, name: str) -> str:
        """Return what was typed in a field."""
        return next((value for key, value in self.given if key == name), "")


async def read_form(items: Sequence[Pair], specialties: Mapping[str, str]) -> Typed:
    """Return what a form or an address asks; nothing that was typed is lost."""
    await ready()
    items = [(name, value.replace("\0", "")) for name, value in items[:_MOST_FIELDS]]
    typed = Typed(given=items)
    asked = [(name, value) for name, value in items if name not in FORM_ONLY]
    _read_periods(typed, items, asked)
    _read_place(typed, items, asked)
    if not any(_is_town(value) for name, value in asked if name == "place"):
        # Whoever takes the last town off keeps no order that needs one.
        asked = [(name, value) for name, value in asked if (name, value) != ("sort", "distance")]
    try:
        query = parse(asked, specialties)
    except InvalidInput as error:
        typed.errors = error.fields | typed.errors
    else:
        typed.query = query if not typed.errors else None
        typed.changed = sorted(pairs(query)) != sorted(items)
    for name, value in asked:
        if name == "place" and (found := _known(value)) is not None and found not in typed.places:
            typed.places.append(found)
    return typed


def _known(ref: str) -> PlaceHit | None:
    try:
        return find_place(ref)
    except ValueError:
        return None


def _is_town(ref: str) -> bool:
    found = _known(ref) if ref else None
    return found is not None and found.kind in TOWNS


def _read_periods(typed: Typed, items: Sequence[Pair], asked: list[Pair]) -> None:
    starts = [value.strip() for name, value in items if name == "start"]
    ends = [value.strip() for name, value in items if name == "end"]
    for start, end in zip(starts, ends + [""] * (len(starts) - len(ends)), strict=False):
        if not start and not end:
            continue
        one = TypedPeriod(start, end)
        typed.periods.append(one)
        try:
            asked.append(("period", write_period(make_period(start, end))))
        except ValueError as error:
            one.error = str(error)
            typed.errors["period"] = one.error
    if not starts:
        for name, value in items:
            if name == "period" and value.strip():
                start, _, end = value.partition("/")
                typed.periods.append(TypedPeriod(start, "" if end == ".." else end))


def _read_place(typed: Typed, items: Sequence[Pair], asked: list[Pair]) -> None:
    text = " ".join(next((value for name, value in items if name == "lieu"), "").split())
    if not text:
        return
    found = suggest(text, 3, SUGGESTED)
    if found and not found[0].doubtful:
        asked.append(("place", found[0].ref))
        return
    typed.lieu = text[:100]
    typed.errors["lieu"] = f"Aucun lieu ne s’appelle « {text[:60]} »." + (
        meant(hit.label for hit in found)
        or " Écrivez une ville, un code postal, un département, une région ou « France »."
    )
