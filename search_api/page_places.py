"""Names of places and the basemap, as pages need them."""

import asyncio
from collections.abc import Sequence

from maps.api import resolve_ref
from search_api.params import place_ref


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
