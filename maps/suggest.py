"""« Où ? »: places that answer what a person types, in process."""

from collections.abc import Collection

from maps import store
from maps.schemas import PlaceHit
from maps.text import normal_name


def suggest(text: str, limit: int = 10, kinds: Collection[str] | None = None) -> list[PlaceHit]:
    """Return the places that answer a text, best first: by match, then by population, then by id."""
    places = store.current()
    wanted = normal_name(text)
    if not wanted:
        return []
    found = []
    for row, name in enumerate(places.names):
        if kinds is not None and places.kinds[row] not in kinds:
            continue
        normal = normal_name(name)
        if normal.startswith(wanted) or places.codes[row].lower() == wanted:
            found.append((normal != wanted, -places.populations[row], places.ids[row], row))
    return [places.hit(row) for *_, row in sorted(found)[:limit]]


def warm() -> None:
    """Build what suggestions need."""
    store.current()
