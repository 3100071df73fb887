"""The protocol behind which every search engine stands, and the resolved query that it receives.

An engine never sees words or place names: `resolve` and `text` turned them into ids, lexemes and points once.
Whatever the engine, the same query has the same totals, facet counts and page in the same order (DESIGN §4).
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import Unavailable
from search_api.schemas import BBox, FacetKey, Sort

PUBLIC = 1
"""Level of an anonymous visitor; professionals have 2 (R283)."""


@dataclass(frozen=True, slots=True)
class Term:
    """What one word (or group of words) may match: any of these codes, or names that hold these lexemes.

    `primary` are the codes, among `codes`, that say what the offer is (type, profession, specialty): they
    weigh more in the relevance. `lexemes` are of `directory.simple_fr`: each set stands for one word of the
    group, any of its members will do. A term with neither codes nor lexemes matches nothing.
    """

    text: str
    codes: frozenset[int] = frozenset()
    primary: frozenset[int] = frozenset()
    lexemes: tuple[frozenset[str], ...] = ()


@dataclass(frozen=True, slots=True)
class LatLon:
    """A WGS84 position in degrees."""

    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class EngineQuery:
    """A search whose words and places are resolved.

    Area: with `boundaries` (place ids) or `radius_m`, an offer must lie in one of the boundaries or within the
    radius of one of the `centres`; `bbox` and each set of place ids of `within` restrict further. `zone` limits
    whatever is asked to what lies in one of these places (none of them: nothing does); without it, nothing is limited.
    Distances are measured from the nearest of `origins`; there are none when `origins` is empty. `terms`, `codes` and
    `ticks` hold concept ids: each term, each set of codes and each ticked facet must be met by at least one of its
    members. `visits` are place ids, any of which in the territory suffices. `facet_of` tells which facet a concept
    feeds; without it, no facet is counted.
    """

    level: int = PUBLIC
    terms: tuple[Term, ...] = ()
    codes: tuple[frozenset[int], ...] = ()
    boundaries: frozenset[int] = frozenset()
    within: tuple[frozenset[int], ...] = ()
    centres: tuple[LatLon, ...] = ()
    radius_m: float | None = None
    bbox: BBox | None = None
    origins: tuple[LatLon, ...] = ()
    ticks: Mapping[FacetKey, frozenset[int]] = field(default_factory=dict, hash=False)
    age: int | None = None
    week_minute: int | None = None
    visits: frozenset[int] = frozenset()
    accepts_new: bool = False
    zone: frozenset[int] | None = None
    sort: Sort = Sort.distance
    offset: int = 0
    limit: int = 15
    facet_of: Mapping[int, FacetKey] = field(default_factory=dict, compare=False)


def match_set(query: EngineQuery) -> EngineQuery:
    """Return what a query's counts depend on: not its page nor its order, nor a centre that limits nothing.

    People of different towns who ask for the same thing have the same counts.
    """
    centres = query.centres if query.radius_m is not None else ()
    return replace(query, centres=centres, origins=(), sort=Sort.distance, offset=0, limit=0)


@dataclass(frozen=True, slots=True)
class Hit:
    """A site of the page, and its matching offers, most relevant first (`offers` is bounded, the count is not)."""

    site_id: int
    distance_m: int | None
    exact: bool
    score: int
    offers: tuple[int, ...]
    offers_count: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Size of a match set: sites and offers."""

    sites: int
    offers: int


Counted = Mapping[FacetKey, Mapping[int, int]]


class FacetCounts(Counted):
    """Offers by concept id for each facet, counted when they are first asked for."""

    def __init__(
        self, count: Callable[[], Counted], aside: Callable[[Callable[[], Counted]], Awaitable[Counted]] | None = None
    ) -> None:
        self._count = count
        self._aside = aside

    async def ready(self) -> None:
        """Count now, away from the event loop where that takes long. Raises as `SearchEngine.answer`."""
        if self._aside is not None:
            await self._aside(lambda: self._counted)

    @cached_property
    def _counted(self) -> Counted:
        return self._count()

    def __getitem__(self, key: FacetKey) -> Mapping[int, int]:
        return self._counted[key]

    def __iter__(self) -> Iterator[FacetKey]:
        return iter(self._counted)

    def __len__(self) -> int:
        return len(self._counted)


@dataclass(frozen=True, slots=True)
class EngineAnswer:
    """Totals over the whole match set, the hits of the page, and the offers counted by concept id for each facet.

    A facet's own ticks are ignored in its counts; the other facets' ticks hold.
    """

    counts: Counts
    hits: tuple[Hit, ...]
    facets: Mapping[FacetKey, Mapping[int, int]]
    plan: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SuggestArea:
    """Where the counts of suggestions are taken: inside the boundaries, or within the radius of the centre.

    `only` leaves out the names of people and places elsewhere, which otherwise follow those of the area. With a
    `zone`, nothing is counted nor named that does not lie in one of its places too.
    """

    boundaries: frozenset[int] = frozenset()
    centre: LatLon | None = None
    radius_m: float = 20_000
    only: bool = False
    zone: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class NameHit:
    """A practitioner or a site found by its name, with its offers in the area."""

    kind: str
    id: int
    count: int


@dataclass(frozen=True, slots=True)
class Suggested:
    """Offers by concept id in the area, and the names that match."""

    counts: Mapping[int, int]
    names: tuple[NameHit, ...]


@dataclass(frozen=True, slots=True)
class MapCell:
    """Sites of the match set that one point of the map stands for; `site_ids` is bounded, `sites` is not."""

    lat: float
    lon: float
    sites: int
    offers: int
    exact: bool
    commune_id: int | None
    site_ids: tuple[int, ...]
    bounds: tuple[float, float, float, float]
    one_point: bool


@dataclass(frozen=True, slots=True)
class MapCells:
    """Points of a viewport, its counts, and those of the whole match set."""

    cells: tuple[MapCell, ...]
    inside: Counts
    whole: Counts


class EngineUnavailable(Unavailable):
    """An engine cannot answer, or not exactly: its server is silent or refuses, or the query is beyond it.

    Whoever chose the engine asks another one; the session is as usable as before.
    """


class SearchEngine(Protocol):
    """What a search engine can do. Reads only; the session is the caller's unit of work.

    An engine that depends on another service raises `EngineUnavailable` from any method.
    """

    name: str

    async def answer(self, session: AsyncSession, query: EngineQuery) -> EngineAnswer:
        """Return totals, the page asked for, and facet counts."""
        ...

    async def count(self, session: AsyncSession, query: EngineQuery) -> Counts:
        """Return the totals alone."""
        ...

    async def suggest(
        self, session: AsyncSession, codes: frozenset[int], names: tuple[Term, ...], area: SuggestArea, level: int
    ) -> Suggested:
        """Count the offers of candidate codes in an area, and find names that match every term."""
        ...

    async def map_features(
        self, session: AsyncSession, query: EngineQuery, view: BBox, cell_degrees: float
    ) -> MapCells:
        """Group the match set inside a viewport by cells of a grid; approximate positions by commune."""
        ...

    async def position(self, session: AsyncSession) -> int:
        """Return the last event position that the engine's answers take into account."""
        ...
