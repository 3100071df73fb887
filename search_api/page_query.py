"""What a person typed in the page's forms, turned into the parameters that every door of the search takes.

A visible text travels with the label that a suggestion gave it (`q` and `code_label`, `lieu` and `where_label`,
`visits_lieu` and `visits_label`): while both are equal the hidden choice stands; once the text was edited, the
choice is dropped and the text is read anew. So the forms work with and without scripts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.errors import InvalidInput
from maps.api import PlaceHit, meant
from search_api import page_places, params
from search_api.addresses import Pair
from search_api.labels import CENTRE_KINDS
from search_api.page_fields import TOWNS, one, read_moment, same, town_text

PLACE_CHOICES = 8


@dataclass(slots=True)
class Typed:
    """Parameters of the search, the texts to show again, and what is wrong with the form's own fields.

    `places` are those that a refused place resembles, `towns` the texts that the fields of a town refused. `changed`
    tells that the address differs from the canonical one: the page redirects to it.
    """

    pairs: list[Pair]
    place_text: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    towns: dict[str, str] = field(default_factory=dict)
    places: list[PlaceHit] = field(default_factory=list)
    changed: bool = False


async def read_form(items: Sequence[Pair]) -> Typed:
    """Return the canonical parameters of what a form or an address sent; parameters of others are dropped."""
    given: dict[str, list[str]] = {}
    for name, value in items:
        given.setdefault(name, []).append(value)
    kept = {name: [v for v in values if v.strip()] for name, values in given.items() if name in params.NAMES}
    typed = Typed([])

    if (label := one(given, "code_label")) and "q" in given:
        if same(one(given, "q"), label):
            kept.pop("q", None)
        else:
            kept.pop("code", None)

    if "lieu" in given:
        await _read_place(given, kept, typed)
    for name in TOWNS:
        if f"{name}_lieu" in given:
            await _read_town(name, given, kept, typed)
    read_moment(given, kept)

    centred = bool(kept.get("lat")) or any(ref.partition(":")[0] in CENTRE_KINDS for ref in kept.get("where", []))
    if not centred:
        kept.pop("radius_km", None)
    if kept.get("page") == ["1"]:
        kept.pop("page")
    if not kept.get("q"):
        kept.pop("scope", None)

    order = [*params.SINGLE, *(str(name) for name in params.REPEATED)]
    typed.pairs = [(name, value) for name in sorted(kept, key=order.index) for value in kept[name]]
    typed.changed = sorted(typed.pairs) != sorted((n, v) for n, v in items)
    return typed


async def _read_place(given: dict[str, list[str]], kept: dict[str, list[str]], typed: Typed) -> None:
    text, label = one(given, "lieu"), one(given, "where_label")
    if label and same(text, label):
        return
    for name in ("where", "lat", "lon"):
        kept.pop(name, None)
    if not text:
        return
    typed.place_text = text
    try:
        found = await page_places.answers(text, PLACE_CHOICES)
    except InvalidInput as error:
        typed.errors["lieu"] = error.detail
        return
    if not found or found[0].doubtful:
        typed.errors["lieu"] = f"Aucun lieu ne s’appelle « {text[:80]} »." + (
            meant(hit.label for hit in found) or " Écrivez une commune, un code postal, un département ou une région."
        )
        typed.places = found
        return
    kept["where"] = [found[0].ref]


async def _read_town(name: str, given: dict[str, list[str]], kept: dict[str, list[str]], typed: Typed) -> None:
    text = town_text(name, given, kept)
    if text is None:
        return
    typed.towns[name] = text
    try:
        found = [hit for hit in await page_places.answers(text, 10) if hit.ref.startswith("commune:")]
    except InvalidInput as error:
        typed.errors[f"{name}_lieu"] = error.detail
        return
    if found and not found[0].doubtful:
        kept[name] = [TOWNS[name](found[0].ref)]
    else:
        typed.errors[f"{name}_lieu"] = (
            f"Aucune commune ne s’appelle « {text[:80]} ».{meant(hit.label for hit in found)}"
        )
