"""Parameters of a portal's addresses, and what it asks the public API with them."""

from collections.abc import Iterable, Sequence
from typing import Final

from search_api.addresses import Pair
from search_api.compare import LISTED
from search_api.labels import CENTRE_KINDS
from search_api.schemas import FacetKey

FACETS: Final = tuple(str(key) for key in FacetKey)
FILTERS: Final = (*FACETS, "code", "q", "scope", "age", "visits", "accepts_new", "sort")
"""What a portal may begin with."""
TAKEN: Final = ("q", "scope", "code", "where", "radius_km", "bbox", *FACETS, "age", "open_at", "visits",
                "accepts_new", "origin", "sort", "page")  # fmt: skip
"""Parameters of the search that a portal passes on; its zone is not one of them."""
VIEW, KEPT = "vue", "o"
"""Own parameters: how results are shown, and the offers that a browser without scripts keeps at hand."""
TABLE, MAP = "tableau", "carte"
MOST_PLACES: Final = 10
MOST_KEPT: Final = LISTED
SINGLE: Final = frozenset(
    {"q", "scope", "radius_km", "bbox", "age", "open_at", "visits", "accepts_new", "origin", "sort", "page"}
)


def is_centre(ref: str) -> bool:
    """Tell whether a place is one that distances are told from."""
    return ref.partition(":")[0] in CENTRE_KINDS


def asked(pairs: Iterable[Pair], within: str) -> list[Pair]:
    """Return what the public API is asked: the search, always inside the zone.

    The places chosen limit; with a radius, they are what the radius is around. Distances are told from `origin`,
    else from the towns.
    """
    given = list(pairs)
    places = [value for name, value in given if name == "where"]
    found = [(name, value) for name, value in given if name in TAKEN and name != "where"]
    found.append(("within", within))
    if any(name == "radius_km" for name, _ in found):
        found += [("where", ref) for ref in places]
    elif places:
        found.append(("within", ",".join(places)))
        found += [("where", ref) for ref in places if is_centre(ref)]
    return found


def kept(pairs: Sequence[Pair]) -> list[str]:
    """Return the offers that an address keeps at hand."""
    return [value for name, value in pairs if name == KEPT]
