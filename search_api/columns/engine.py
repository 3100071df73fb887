"""The `columns` engine: bitmaps choose the rows, arrays count and rank them. No statement, except for names."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from pyroaring import BitMap
from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Unavailable
from search_api import postgis_suggest, words
from search_api.columns import geo, mapping, ranking, suggesting
from search_api.columns.batch import Array
from search_api.columns.bitmaps import members
from search_api.columns.part import Part
from search_api.columns.state import State
from search_api.engine import (
    Counts,
    EngineAnswer,
    EngineQuery,
    FacetCounts,
    MapCells,
    SuggestArea,
    Suggested,
    Term,
    match_set,
)
from search_api.schemas import BBox, FacetKey

LIMIT_SECONDS = 5.0
"""An answer that takes longer is given up: the slowest takes a twentieth of it."""

SMALL_RADIUS_M = 30_000
SMALL_ROWS = 20_000
"""Offers around a place that are counted in two or three milliseconds, whatever is asked of them."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found:
    """The match set, part by part, and what does not depend on the page."""

    parts: tuple[tuple[Part, BitMap], ...]
    counts: Counts
    facets: FacetCounts
    sizes: tuple[str, ...]
    """Offers of each condition taken alone, in French, for those who ask how the answer came about."""


class ColumnsEngine:
    """`SearchEngine` over one state of the index: the answers of a request agree with one another."""

    name = "columns"

    def __init__(self, state: State) -> None:
        self.state = state

    async def answer(self, session: AsyncSession, query: EngineQuery) -> EngineAnswer:
        """See `SearchEngine.answer`."""
        # Facets are left for later: they are counted while the database reads the page.
        if self._small(query):
            return self.answer_now(query)
        return await _aside(lambda: self.answer_now(query))

    async def count(self, session: AsyncSession, query: EngineQuery) -> Counts:
        """See `SearchEngine.count`."""
        return (await _aside(lambda: self._find(replace(query, facet_of={})))).counts

    async def suggest(
        self, session: AsyncSession, codes: frozenset[int], names: tuple[Term, ...], area: SuggestArea, level: int
    ) -> Suggested:
        """See `SearchEngine.suggest`."""
        texts = words.reader()
        if texts is not None or not names:
            return await _aside(lambda: suggesting.suggest(self.state, texts, codes, names, area, level))
        counted = await _aside(lambda: suggesting.suggest(self.state, None, codes, (), area, level))
        return Suggested(
            counted.counts, (await postgis_suggest.suggest(session, frozenset(), names, area, level)).names
        )

    async def map_features(
        self, session: AsyncSession, query: EngineQuery, view: BBox, cell_degrees: float
    ) -> MapCells:
        """See `SearchEngine.map_features`."""
        return await _aside(lambda: self._map(query, view, cell_degrees))

    async def position(self, session: AsyncSession) -> int:
        """Return the last event that this state takes into account."""
        return self.state.position

    def _small(self, query: EngineQuery) -> bool:
        """Tell whether a search costs less than going to a thread and back: a circle that holds few offers."""
        if query.radius_m is None or query.radius_m > SMALL_RADIUS_M or query.boundaries:
            return False
        if query.codes or query.terms:
            return True
        boxes = [geo.box_around(centre, query.radius_m) for centre in query.centres]
        return sum(len(part.segment.box(*box)) for part in self.state.parts for box in boxes) <= SMALL_ROWS

    def answer_now(self, query: EngineQuery) -> EngineAnswer:
        """Return the answer, in this thread; its facets are counted when they are asked for."""
        begun = time.perf_counter()
        found = self._find(query)
        if not found.counts.offers:
            return EngineAnswer(found.counts, (), found.facets, ("aucune offre",))
        hits, plan = ranking.page(found.parts, query)
        spent = f"{(time.perf_counter() - begun) * 1000:.1f} ms".replace(".", ",")
        size = f"{len(self.state.parts)} segment(s), {found.counts.offers} offres trouvées, {spent}"
        return EngineAnswer(found.counts, hits, found.facets, (*found.sizes, plan, size))

    def _find(self, query: EngineQuery) -> Found:
        matched = match_set(query)
        # The counts of a query without facets are not those of the same query with them.
        key = ("found", bool(query.facet_of), matched)
        known: Found | None = self.state.kept.find(key) or self.state.kept.find(("found", True, matched))
        if known is None:
            known = self._summarise(query)
            self.state.kept.keep(key, known)
        return known

    def _summarise(self, query: EngineQuery) -> Found:
        parts: list[tuple[Part, BitMap]] = []
        ticked: list[tuple[Part, BitMap, list[BitMap]]] = []
        sites = offers = 0
        sizes: dict[str, int] = {}
        for part in self.state.parts:
            criteria = part.criteria(query)
            base = part.matching(query, criteria)
            ticks = part.ticked(query)
            labelled = [
                *criteria,
                *(("filtre " + key.value, rows) for key, rows in zip(query.ticks, ticks, strict=True)),
            ]
            for index, (name, rows) in enumerate(labelled, 1):
                sizes[f"{index}. {name}"] = sizes.get(f"{index}. {name}", 0) + len(rows)
            full = BitMap.intersection(base, *ticks) if ticks else base
            if full:
                sites += len(part.segment.sites_of(members(full)))
                offers += len(full)
                parts.append((part, full))
            ticked.append((part, base, ticks))
        told = tuple(f"condition {name} : {size} offres" for name, size in sizes.items())
        work = sum(len(base) for _, base, _ in ticked) * (1 + len(query.ticks))
        facets = FacetCounts(lambda: _facets(query, parts, ticked), _aside if work > SMALL_ROWS else None)
        return Found(tuple(parts), Counts(sites, offers), facets, told)

    def _map(self, query: EngineQuery, view: BBox, cell_degrees: float) -> MapCells:
        found = self._find(replace(query, facet_of={}))
        cells = mapping.cells(found.parts, view, cell_degrees)
        inside = Counts(sum(cell.sites for cell in cells), sum(cell.offers for cell in cells))
        return MapCells(cells, inside, found.counts)


def _facets(
    query: EngineQuery, parts: list[tuple[Part, BitMap]], ticked: list[tuple[Part, BitMap, list[BitMap]]]
) -> dict[FacetKey, dict[int, int]]:
    """Count the offers of each facet: those found, and for the facets that are ticked, those of the other ticks."""
    if not query.facet_of:
        return {}
    whole = _total([part.code_counts(full) for part, full in parts])
    facets = _spread(query.facet_of, whole, frozenset(FacetKey) - frozenset(query.ticks))
    for index, key in enumerate(query.ticks):
        counted = []
        for part, base, ticks in ticked:
            others = BitMap.intersection(base, *(tick for at, tick in enumerate(ticks) if at != index))
            if others:
                counted.append(part.code_counts(others))
        facets |= _spread(query.facet_of, _total(counted), frozenset([key]))
    return facets


def _total(counted: list[Array]) -> Array:
    """Return the sum of counts by concept id, whatever the largest id of each."""
    total = np.zeros(max((len(one) for one in counted), default=0), np.int64)
    for one in counted:
        total[: len(one)] += one
    return total


def _spread(
    facet_of: Mapping[int, FacetKey], counts: Array, keys: frozenset[FacetKey]
) -> dict[FacetKey, dict[int, int]]:
    """Return the counts of some facets by concept id, from those of every concept."""
    facets: dict[FacetKey, dict[int, int]] = {key: {} for key in keys}
    used = np.flatnonzero(counts)
    for concept, number in zip(used.tolist(), counts[used].tolist(), strict=True):
        key = facet_of.get(concept)
        if key in facets:
            facets[key][concept] = number
    return facets


async def _aside(work: Callable[[], T]) -> T:
    """Run a computation in a thread: the event loop goes on serving meanwhile.

    Raises:
        Unavailable: it took too long.
    """
    try:
        return await asyncio.wait_for(asyncio.to_thread(work), LIMIT_SECONDS)
    except TimeoutError:
        raise Unavailable(
            f"La recherche a été arrêtée : elle dépassait {LIMIT_SECONDS:.0f} secondes. Précisez un lieu ou un critère."
        ) from None
