"""Counts and names behind « Qui, quoi ? » suggestions: bitmaps count, the index of texts finds the names."""

import numpy as np
from pyroaring import BitMap

from search_api.columns.bitmaps import members
from search_api.columns.part import Part
from search_api.columns.state import State
from search_api.engine import NameHit, SuggestArea, Suggested, Term
from search_api.postgis_suggest import ENOUGH, NAMES
from search_api.texts.reader import TextReader


def suggest(
    state: State,
    texts: TextReader | None,
    codes: frozenset[int],
    names: tuple[Term, ...],
    area: SuggestArea,
    level: int,
) -> Suggested:
    """Count the offers of each code in the area; find the practitioners and sites whose own names meet every term."""
    inside = [(part, _inside(part, area, level)) for part in state.parts]
    counts: dict[int, int] = {}
    for part, rows in inside:
        for code in codes:
            if number := part.segment.codes.get(code).intersection_cardinality(rows):
                counts[code] = counts.get(code, 0) + number
    if texts is None or not names or not all(term.lexemes for term in names):
        return Suggested(counts, ())
    limited = bool(area.boundaries) or area.centre is not None
    if area.zone is not None and not area.zone:
        return Suggested(counts, ())
    everywhere = area.zone or frozenset()
    near = texts.names(names, level, NAMES, _places(inside, area) if limited else everywhere)
    hits = sorted(
        (NameHit(hit.kind, hit.id, number) for hit in near if (number := _count(inside, hit))),
        key=lambda hit: (hit.kind, -hit.count, hit.id),
    )
    kinds = [hit.kind for hit in hits]
    if limited and not area.only and min(kinds.count("practitioner"), kinds.count("site")) < ENOUGH:
        known = {(hit.kind, hit.id) for hit in hits}
        far = texts.names(names, level, NAMES, everywhere)
        # Beyond the area nothing is counted; what the index of texts names and the segments lack has just gone.
        hits += [
            NameHit(hit.kind, hit.id, 0)
            for hit in far
            if (hit.kind, hit.id) not in known and _lives(state, hit, area.zone)
        ]
    return Suggested(counts, tuple(hits))


def _inside(part: Part, area: SuggestArea, level: int) -> BitMap:
    seen = part.seen(level)
    if area.zone is not None:
        seen = seen & part.segment.places.any_of(area.zone)
    if area.boundaries:
        return seen & part.segment.places.any_of(area.boundaries)
    if area.centre is not None:
        return part.segment.circle(area.centre, area.radius_m, seen)
    return seen


def _places(inside: list[tuple[Part, BitMap]], area: SuggestArea) -> frozenset[int]:
    """Return the places where names are looked for: the boundaries, or the communes that the circle touches."""
    if area.boundaries:
        return area.boundaries
    found: set[int] = set()
    for part, rows in inside:
        segment = part.segment
        found |= set(np.unique(segment.commune[segment.sites_of(members(rows))]).tolist())
    return frozenset(found - {0}) or frozenset({0})


def _count(inside: list[tuple[Part, BitMap]], hit: NameHit) -> int:
    return sum(_rows(part, hit).intersection_cardinality(rows) for part, rows in inside)


def _lives(state: State, hit: NameHit, zone: frozenset[int] | None) -> bool:
    def rows(part: Part) -> BitMap:
        return part.every if zone is None else part.every & part.segment.places.any_of(zone)

    return any(_rows(part, hit).intersection_cardinality(rows(part)) for part in state.parts)


def _rows(part: Part, hit: NameHit) -> BitMap:
    if hit.kind == "site":
        return part.segment.rows_of_sites([hit.id])
    return part.segment.rows_of_person(hit.id)
