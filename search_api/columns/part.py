"""A segment as it stands now: without the rows that died, and what several queries ask of it again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from pyroaring import BitMap

from search_api.columns.batch import Array, slices
from search_api.columns.bitmaps import bitmap, members, runs
from search_api.columns.segment import ACCEPTS, SENSITIVE, Segment
from search_api.engine import PUBLIC, EngineQuery, LatLon, Term
from search_api.relevance import NAME, OTHER, PRIMARY


@dataclass
class Part:
    """A segment and the rows of it that live elsewhere by now, or nowhere."""

    segment: Segment
    dead: BitMap = field(default_factory=BitMap)

    @cached_property
    def every(self) -> BitMap:
        """The rows that live here."""
        return runs([(0, len(self.segment))]) - self.dead

    @cached_property
    def _public(self) -> BitMap:
        return self.every - self.segment.flags.get(SENSITIVE)

    @property
    def alive(self) -> int:
        """How many rows live here."""
        return len(self.every)

    @cached_property
    def digest(self) -> int:
        """Sum of the digests of the rows that live here, modulo 2^64."""
        return int(self.segment.digest[members(self.every)].sum(dtype=np.uint64))

    def without(self, sites: Collection[int]) -> "Part":
        """Return the part once some sites, given by id, live elsewhere; itself when none lived here."""
        gone = self.segment.rows_of_sites(sites) - self.dead
        return Part(self.segment, self.dead | gone) if gone else self

    def site_ids(self) -> set[int]:
        """Return the ids of the sites that live here."""
        return set(self.segment.site[self.segment.sites_of(members(self.every))].tolist())

    def seen(self, level: int) -> BitMap:
        """Return the rows that a person of this level may find: `directory.api.searchable` on this segment."""
        return self._public if level <= PUBLIC else self.every

    def meets(self, term: Term) -> BitMap:
        """Return the rows that meet a term, by a code or by names."""
        found = self.segment.codes.any_of(term.codes)
        return found | self.segment.named(term.lexemes) if term.lexemes else found

    def criteria(self, query: EngineQuery) -> list[tuple[str, BitMap]]:
        """Return the rows of each condition that has a set of its own, with its French name."""
        segment = self.segment
        sets = [(f"« {term.text} »", self.meets(term)) for term in query.terms]
        sets += [("code", segment.codes.any_of(codes)) for codes in query.codes]
        if query.visits:
            sets.append(("territoire visité", segment.territory.any_of(query.visits)))
        if query.age is not None:
            sets.append((f"{query.age} ans", segment.of_age(query.age)))
        if query.accepts_new:
            sets.append(("nouveaux patients", segment.flags.get(ACCEPTS)))
        if query.boundaries and not _circles(query):
            sets.append(("limites", segment.places.any_of(query.boundaries)))
        if query.zone is not None:
            sets.append(("zone de l’application", segment.places.any_of(query.zone)))
        sets += [("zone", segment.places.any_of(ids)) for ids in query.within]
        if query.bbox is not None:
            box = query.bbox
            sets.append(("cellules de la carte", segment.box(box.west, box.south, box.east, box.north)))
        return sets

    def matching(self, query: EngineQuery, criteria: Sequence[tuple[str, BitMap]]) -> BitMap:
        """Return the rows that meet every condition but the ticked facets; the rarest condition is taken first."""
        segment = self.segment
        sets = [found for _, found in criteria]
        circles = _circles(query)
        box = query.bbox
        found = self.seen(query.level)
        for one in sorted(sets, key=len):
            found = found & one
        if circles and query.radius_m is not None:
            near = [segment.circle(centre, query.radius_m, found) for centre in circles]
            if query.boundaries:
                near.append(found & segment.places.any_of(query.boundaries))
            found = BitMap.union(*near)
        if box is None and query.week_minute is None:
            return found
        rows = members(found)
        if box is not None:
            rows = segment.inside(rows, box)
        if query.week_minute is not None:
            rows = rows[segment.open_patterns(query.week_minute)[segment.hours[rows]]]
        return bitmap(rows)

    def ticked(self, query: EngineQuery) -> list[BitMap]:
        """Return the rows of each ticked facet, in the order of `query.ticks`."""
        return [self.segment.codes.any_of(codes) for codes in query.ticks.values()]

    def code_counts(self, found: BitMap) -> Array:
        """Return how many of some rows hold each concept, by concept id."""
        segment = self.segment
        sets = segment.code_set[members(found)]
        known = len(segment.set_start) - 1
        if len(sets) * 8 > known:
            weights = np.bincount(sets, minlength=known)
            used = np.flatnonzero(weights)
            weights = weights[used]
        else:
            used, weights = np.unique(sets, return_counts=True)
        starts = segment.set_start[used]
        lengths = segment.set_start[used + 1] - starts
        values = segment.set_code[slices(starts, lengths)]
        counted = np.bincount(values, weights=np.repeat(weights, lengths), minlength=segment.codes_end)
        return counted.astype(np.int64)


def _circles(query: EngineQuery) -> tuple[LatLon, ...]:
    return query.centres if query.radius_m is not None else ()


def own_points(segment: Segment, rows: Array, terms: tuple[Term, ...]) -> Array:
    """Return the points of increasing rows for the words of the text and for what helps to decide."""
    points = segment.own[rows].astype(np.int64)
    if not terms or not len(rows):
        return points
    among = bitmap(rows)

    def at(found: BitMap) -> Array:
        return np.searchsorted(rows, members(among & found))

    for term in terms:
        gained = np.zeros(len(rows), np.int64)
        gained[at(segment.codes.any_of(term.codes))] = OTHER
        if term.lexemes:
            gained[at(segment.named(term.lexemes))] = NAME
        gained[at(segment.codes.any_of(term.primary))] = PRIMARY
        points += gained
    return points
