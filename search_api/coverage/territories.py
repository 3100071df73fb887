"""Suggestions of « Où ? » for a report: what has communes inside, and for a town what it lies in."""

import asyncio
from typing import Final

from core.errors import InvalidInput
from maps import api as maps
from maps.api import BOUNDARIES, PlaceHit
from search_api.coverage.question import area_of
from search_api.params import clean_text
from search_api.resolve import place_out
from search_api.schemas import PlaceOut

MOST: Final = 10
TOWNS: Final = 5
"""Towns whose intercommunalité is proposed."""


async def suggest(typed: str, *, doubtful: bool = True) -> list[PlaceOut]:
    """Return the territories that answer a text, best first: by their own name, then by a town of theirs.

    Without `doubtful`, those that merely resemble it are left out.

    Raises:
        InvalidInput: the text is too long.
    """
    try:
        cleaned = clean_text(typed)
    except ValueError as error:
        raise InvalidInput(str(error), fields={"q": str(error)}) from None
    return await asyncio.to_thread(_suggest, cleaned, doubtful) if cleaned else []


def _suggest(typed: str, doubtful: bool) -> list[PlaceOut]:
    found: dict[int, PlaceOut] = {}
    named = maps.suggest(typed, MOST, BOUNDARIES)
    towns = maps.suggest(typed, TOWNS, {"commune", "arrondissement", "commune_deleguee", "code_postal"})
    # A town that bears the very name comes before a far territory that merely resembles it.
    for hit in sorted([*named, *towns], key=lambda hit: (-hit.score, not hit.boundary)):
        area = _area(hit) if doubtful or not hit.doubtful else None
        if area is not None and area.id not in found:
            out = place_out(area)
            if area.id != hit.id:
                out = out.model_copy(update={"context": f"{out.context} · {hit.label}"})
            found[area.id] = out
    return list(found.values())[:MOST]


def _area(hit: PlaceHit) -> PlaceHit | None:
    try:
        return area_of(hit)
    except InvalidInput:
        return None
