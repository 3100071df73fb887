"""What a person typed in a portal's forms, turned into the parameters of its addresses.

As in the pages of the search, a visible text travels with the label that a suggestion gave it: once the text was
edited, the choice that stood behind is dropped and the text is read anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from core.errors import InvalidInput
from search_api.addresses import Pair
from search_api.page_fields import TOWNS, one, read_moment, same, town_text
from search_api.portals import parameters
from search_api.portals.client import PublicApi
from search_api.schemas import PlaceOut

PLACE_KINDS = ("commune", "epci", "departement", "region", "territory")
"""Kinds of place that may be chosen in a zone."""


@dataclass(slots=True)
class Typed:
    """The parameters of a page, the places chosen with their names, and what is wrong with the form's own fields.

    `towns` are the texts that the fields of a town refused. `changed` tells that the address differs from its
    canonical form: the page redirects to it.
    """

    pairs: list[Pair]
    places: list[PlaceOut] = field(default_factory=list)
    place_text: str = ""
    visits_name: str = ""
    origin_name: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    towns: dict[str, str] = field(default_factory=dict)
    changed: bool = False


async def read(api: PublicApi, within: str, items: Sequence[Pair]) -> Typed:
    """Return the canonical parameters of what a form or an address sent; parameters of others are dropped.

    Raises:
        Unavailable: the directory does not answer.
    """
    given: dict[str, list[str]] = {}
    for name, value in items:
        given.setdefault(name, []).append(value)
    known = (*parameters.TAKEN, parameters.VIEW, parameters.KEPT)
    kept = {name: list(dict.fromkeys(v for v in given.get(name, ()) if v.strip())) for name in known}
    for name in parameters.SINGLE:
        kept[name] = kept[name][:1]
    typed = Typed([])
    if (label := one(given, "code_label")) and "q" in given:
        kept["q" if same(one(given, "q"), label) else "code"] = []
    if text := one(given, "lieu"):
        await _add_place(api, within, text, kept["where"], typed)
    for name in TOWNS:
        if f"{name}_lieu" in given:
            await _read_town(api, name, given, kept, typed)
    read_moment(given, kept)
    await _keep_inside(api, within, kept, typed)
    _tidy(kept)
    typed.pairs = [(name, value) for name in known for value in kept[name]]
    typed.changed = sorted(typed.pairs) != sorted((name, value) for name, value in items)
    return typed


def _tidy(kept: dict[str, list[str]]) -> None:
    if not any(map(parameters.is_centre, kept["where"])):
        kept["radius_km"] = []
    if kept["page"] == ["1"]:
        kept["page"] = []
    if not kept["q"]:
        kept["scope"] = []
    kept[parameters.VIEW] = [one for one in kept[parameters.VIEW] if one in (parameters.TABLE, parameters.MAP)][:1]
    kept[parameters.KEPT] = kept[parameters.KEPT][: parameters.MOST_KEPT]


async def _add_place(api: PublicApi, within: str, text: str, chosen: list[str], typed: Typed) -> None:
    try:
        found = await api.places(text, within=within, kinds=PLACE_KINDS)
    except InvalidInput as error:
        typed.errors["lieu"], typed.place_text = error.fields.get("q", error.detail), text
        return
    if found and found[0].ref not in chosen:
        chosen.append(found[0].ref)
    elif not found:
        typed.errors["lieu"], typed.place_text = (
            f"Aucun lieu de la zone de ce portail ne s’appelle « {text[:80]} ». Écrivez une commune, une "
            "intercommunalité ou un département de la zone.",
            text,
        )


async def _keep_inside(api: PublicApi, within: str, kept: dict[str, list[str]], typed: Typed) -> None:
    """Drop the places that lie outside the zone, and say so."""
    chosen = kept["where"]
    if len(chosen) > parameters.MOST_PLACES:
        typed.errors["lieu"] = f"{parameters.MOST_PLACES} lieux au plus : les suivants ne sont pas pris."
    try:
        typed.places = await api.named(chosen[: parameters.MOST_PLACES], within=within)
    except InvalidInput:
        typed.places = []
    inside = [place.ref for place in typed.places]
    outside = [ref for ref in chosen[: parameters.MOST_PLACES] if ref not in inside]
    # A former code is answered by the place of today.
    if outside and len(typed.places) < len(chosen[: parameters.MOST_PLACES]):
        typed.errors.setdefault("lieu", f"« {outside[0][:60]} » est hors de la zone de ce portail : il n’est pas pris.")
    kept["where"] = inside


async def _read_town(
    api: PublicApi, name: str, given: dict[str, list[str]], kept: dict[str, list[str]], typed: Typed
) -> None:
    """Read the name of a town, which may lie outside the zone: whom the offers are for may live there."""
    text = town_text(name, given, kept)
    if text is None:
        return
    typed.towns[name] = text
    try:
        found = await api.places(text, kinds=("commune",))
    except InvalidInput as error:
        typed.errors[f"{name}_lieu"] = error.fields.get("q", error.detail)
        return
    if found:
        kept[name] = [TOWNS[name](found[0].ref)]
    else:
        typed.errors[f"{name}_lieu"] = f"Aucune commune ne s’appelle « {text[:80]} »."
