"""Names and codes of the places that resources name, from the index in memory."""

from typing import Any, NamedTuple

from maps.api import containers_of, place_by_id, places_version
from search_api.fhir.systems import SYSTEMS


class Town(NamedTuple):
    """A commune: its INSEE code and name, and its région as a tag of the source of the data."""

    code: str
    name: str
    tags: list[dict[str, Any]]


class _Kept:
    version: str = ""
    towns: dict[int, Town | None] = {}


def town(place_id: int | None) -> Town | None:
    """Return the commune that has this key; None when there is none, or no longer."""
    if place_id is None:
        return None
    if place_id in _Kept.towns:
        return _Kept.towns[place_id]
    found = place_by_id(place_id)
    made = None
    if found is not None:
        inside = [place_by_id(one) for one in containers_of([place_id]).get(place_id, ())]
        regions = [one for one in inside if one is not None and one.kind == "region"]
        tags = [{"system": SYSTEMS["R30"], "code": one.code, "display": one.name} for one in regions[:1]]
        made = Town(found.code, found.name, tags)
    _Kept.towns[place_id] = made
    return made


def refresh() -> None:
    """Forget what was kept of the places when they were loaded again since."""
    version = places_version()
    if version != _Kept.version:
        _Kept.version, _Kept.towns = version, {}
