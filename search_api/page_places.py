"""Names of places, and what a typed place means, as pages need them."""

import asyncio
from collections.abc import Sequence

from core.errors import InvalidInput
from maps.api import PlaceHit, resolve_ref, suggest
from search_api.params import clean_text, place_ref


async def labels(refs: Sequence[str]) -> dict[str, str]:
    """Return the label of each `kind:code` that exists (« Mantes-la-Jolie (78) »); others are left out."""
    found: dict[str, str] = {}
    for ref in refs:
        try:
            where = place_ref(ref)
        except ValueError:
            continue
        # The first use reads the places from the database, which must not hold the event loop.
        place = await asyncio.to_thread(resolve_ref, where.kind, where.code)
        if place is not None:
            found[ref] = place.label
    return found


async def answers(typed: str, limit: int) -> list[PlaceHit]:
    """Return the places that answer what was typed, best first.

    Raises:
        InvalidInput: the text is too long.
    """
    try:
        cleaned = clean_text(typed)
    except ValueError as error:
        raise InvalidInput(str(error)) from None
    # As above, the first use reads the database.
    return await asyncio.to_thread(suggest, cleaned, limit) if cleaned else []
