"""Conditions of a search in Meilisearch's filter language; each string is one member of a conjunction."""

from collections.abc import Collection, Sequence
from decimal import Decimal

from directory.api import PROFESSIONAL, PUBLIC
from search_api.engine import EngineQuery, Term
from search_api.meili.documents import blocks_of
from search_api.schemas import BBox, FacetKey

NOTHING = "level < 0"
"""Met by no document: an empty list of codes."""


def any_of(attribute: str, ids: Collection[int]) -> str:
    """One of these numbers."""
    return f"{attribute} IN [{', '.join(map(str, sorted(ids)))}]" if ids else NOTHING


def named(words: Sequence[Collection[str]]) -> str:
    """Every word, each by any of its lexemes."""

    def quoted(lexeme: str) -> str:
        escaped = lexeme.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'

    parts = [f"names IN [{', '.join(map(quoted, sorted(word)))}]" if word else NOTHING for word in words]
    return " AND ".join(parts)


def meets(term: Term) -> str:
    """A term is met by a code or by names; an empty one by nothing."""
    ways = []
    if term.codes:
        ways.append(any_of("codes", term.codes))
    if term.lexemes:
        ways.append(f"({named(term.lexemes)})")
    return " OR ".join(ways) if ways else NOTHING


def degrees(value: float) -> str:
    """Return a number in full, never with an exponent."""
    return format(Decimal(repr(float(value))), "f")


def inside(box: BBox) -> str:
    """Inside a viewport, edges included."""
    top_right = f"{degrees(box.north)}, {degrees(box.east)}"
    return f"_geoBoundingBox([{top_right}], [{degrees(box.south)}, {degrees(box.west)}])"


def visible(level: int) -> str:
    """What a person of this level may find."""
    return f"level <= {min(max(level, PUBLIC), PROFESSIONAL)}"


def elsewhere(query: EngineQuery) -> list[str]:
    """Every condition but the boundaries, the radius and the ticked facets."""
    found = [visible(query.level)]
    if query.zone is not None:
        found.append(any_of("places", query.zone))
    if query.bbox is not None:
        found.append(inside(query.bbox))
    found += [any_of("places", ids) for ids in query.within]
    found += [meets(term) for term in query.terms]
    found += [any_of("codes", codes) for codes in query.codes]
    if query.age is not None:
        found += [f"age_min <= {query.age}", f"age_max >= {query.age}"]
    if query.week_minute is not None:
        found.append(any_of("open", blocks_of(query.week_minute)))
    if query.visits:
        found.append(any_of("territory", query.visits))
    if query.accepts_new:
        found.append("accepts_new = true")
    return found


def ticked(query: EngineQuery) -> dict[FacetKey, str]:
    """One condition for each facet with ticks."""
    return {key: any_of("codes", codes) for key, codes in query.ticks.items()}


def ways(terms: Sequence[Term]) -> list[list[str]]:
    """Return, for each term, the conditions that meet it, the one of most points first.

    They overlap: what meets the term better than a condition says has more points, and comes before all the same.
    """
    found = []
    for term in terms:
        others = term.codes - term.primary
        conditions = [any_of("codes", term.primary)] if term.primary else []
        conditions += [named(term.lexemes)] if term.lexemes else []
        conditions += [any_of("codes", others)] if others else []
        found.append(conditions)
    return found
