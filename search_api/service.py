"""Use cases of the search: what pages, JSON API, exports and portals call. Nothing here commits."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from core.errors import InvalidInput
from directory.api import ConceptIndex, concept_index
from maps import api as maps
from search_api import engines, suggestions, text
from search_api.columns.engine import ColumnsEngine
from search_api.engine import PUBLIC, Counts, EngineAnswer, EngineQuery, FacetCounts, SearchEngine, match_set
from search_api.explain import hit_lines, order_lines
from search_api.facets import facets_out
from search_api.hydrate import asked, items
from search_api.mapping import map_answer
from search_api.params import clean_text
from search_api.resolve import CONCEPTS_SECONDS, Resolved, limit_keys, place_out, resolve, with_place
from search_api.schemas import (
    CAP,
    PAGE_SIZE,
    BBox,
    PlaceOut,
    Point,
    SearchAnswer,
    SearchItem,
    SearchQuery,
    SuggestionGroup,
    WhereRef,
)
from search_api.schemas_map import MapAnswer
from search_api.widen import widen

PLACES = 20
"""« Où ? » suggestions at most."""


class Prepared:
    """A search ready for the engine, and what its text was read as."""

    def __init__(
        self,
        engine: SearchEngine,
        resolved: Resolved,
        reading: text.Reading,
        concepts: ConceptIndex,
        asked_query: SearchQuery,
    ):
        self.engine = engine
        self.resolved = resolved
        self.reading = reading
        self.concepts = concepts
        self.asked_query = asked_query

    @property
    def query(self) -> EngineQuery:
        """The engine's query."""
        return self.resolved.query


async def prepare(
    session: AsyncSession, query: SearchQuery, level: int, engine: SearchEngine | None = None
) -> Prepared:
    """Choose the engine unless one is given, read the text and resolve the places and codes of a search.

    Raises:
        InvalidInput: a place, code or value does not exist.
    """
    await maps.ready()
    engine = engine or engines.engine()
    concepts = await concept_index(session, within=CONCEPTS_SECONDS if engine.name == ColumnsEngine.name else 0.0)
    reading = text.Reading()
    if query.q:
        placed = bool(query.where) or query.point is not None or query.bbox is not None
        reading = await text.read(session, query.q, query.scope, concepts, level, placed=placed)
        if reading.place is not None:
            query = with_place(query, text.place_ref(reading.place))
    resolved = resolve(concepts, query, level)
    resolved = replace(resolved, query=replace(resolved.query, terms=reading.terms))
    return Prepared(engine, resolved, reading, concepts, query)


async def search(
    session: AsyncSession, query: SearchQuery, level: int = PUBLIC, engine: SearchEngine | None = None
) -> SearchAnswer:
    """Answer a search: totals, the page asked for, facets, what the text was read as.

    Args:
        session: the caller's unit of work, read only here.
        query: from `parse_query`.
        level: what the person may see (R283: 1 public, 2 professionals).
        engine: which engine answers; the process's own choice by default.

    Raises:
        InvalidInput: a place, code or value does not exist (French message at the parameter).
        Unavailable: the answer took too long.
    """
    prepared = await prepare(session, query, level, engine)
    found, prepared = await _answer(session, prepared)
    engine_query = prepared.query
    # The page is on its way to the database and back while the facets are counted.
    page = asyncio.create_task(_items(session, prepared, found, engine_query.offset + 1))
    try:
        await asyncio.sleep(0)
        if isinstance(found.facets, FacetCounts):
            await found.facets.ready()
        facets = facets_out(found.facets, query, prepared.concepts)
    except BaseException:
        page.cancel()
        raise
    results = await page
    shown = min(found.counts.sites, CAP)
    return SearchAnswer(
        total=found.counts.sites,
        total_offers=found.counts.offers,
        page=query.page,
        pages=-(-shown // PAGE_SIZE),
        items=results,
        facets=facets,
        centre=prepared.resolved.centre,
        understood=list(prepared.reading.understood),
        widen=widen(prepared.asked_query, prepared.reading) if not found.counts.offers else [],
        engine=prepared.engine.name,
        explain=order_lines(engine_query, prepared.resolved.centre, prepared.concepts, found.plan)
        if query.explain
        else None,
    )


async def _answer(session: AsyncSession, prepared: Prepared) -> tuple[EngineAnswer, Prepared]:
    """Ask the engine; when words read together find nothing, ask again with each word on its own."""
    found = await prepared.engine.answer(session, prepared.query)
    if found.counts.offers or not prepared.reading.loose:
        return found, prepared
    loose = replace(prepared.query, terms=prepared.reading.loose)
    again = await prepared.engine.answer(session, loose)
    if not again.counts.offers:
        return found, prepared
    prepared.resolved = replace(prepared.resolved, query=loose)
    return again, prepared


async def _items(session: AsyncSession, prepared: Prepared, found: EngineAnswer, first_rank: int) -> list[SearchItem]:
    visited = prepared.resolved.visited
    wanted = asked(prepared.query, visited.name if visited else None)
    results = await items(session, found.hits, prepared.concepts, wanted, first_rank)
    if not prepared.asked_query.explain:
        return results
    lines = {first_rank + index: hit_lines(hit, prepared.query) for index, hit in enumerate(found.hits)}
    return [item.model_copy(update={"explanation": lines.get(item.rank, [])}) for item in results]


async def all_results(
    session: AsyncSession, query: SearchQuery, level: int = PUBLIC, engine: SearchEngine | None = None
) -> tuple[SearchAnswer, SearchQuery]:
    """Return the results that an export holds (200 at most, from the first), without facets.

    Raises as `search` does.
    """
    prepared = await prepare(session, query, level, engine)
    whole = replace(prepared.query, offset=0, limit=CAP, facet_of={})
    prepared.resolved = replace(prepared.resolved, query=whole)
    found, prepared = await _answer(session, prepared)
    results = await _items(session, prepared, found, 1)
    answer = SearchAnswer(
        total=found.counts.sites,
        total_offers=found.counts.offers,
        page=1,
        pages=1,
        items=results,
        facets=[],
        centre=prepared.resolved.centre,
        understood=list(prepared.reading.understood),
        engine=prepared.engine.name,
    )
    return answer, prepared.asked_query


async def count(
    session: AsyncSession, query: SearchQuery, level: int = PUBLIC, engine: SearchEngine | None = None
) -> Counts:
    """Return the number of sites and offers of a search, without a page. Raises as `search` does."""
    prepared = await prepare(session, query, level, engine)
    counts = await prepared.engine.count(session, prepared.query)
    if not counts.offers and prepared.reading.loose:
        return await prepared.engine.count(session, replace(prepared.query, terms=prepared.reading.loose))
    return counts


async def suggest(
    session: AsyncSession,
    typed: str,
    where: tuple[WhereRef, ...] = (),
    point: Point | None = None,
    level: int = PUBLIC,
    engine: SearchEngine | None = None,
    *,
    within: tuple[WhereRef, ...] = (),
    zone: tuple[str, ...] = (),
) -> list[SuggestionGroup]:
    """Return « Qui, quoi ? » suggestions by group, with the number of offers near the places given.

    With `within`, offers are counted in these places, and nobody from elsewhere is named.

    Raises:
        InvalidInput: the text is too long, or a place does not exist.
    """
    await maps.ready()
    chosen = engine or engines.engine()
    return await suggestions.suggest(session, chosen, _cleaned(typed), where, point, level, within=within, zone=zone)


async def places(
    typed: str,
    limit: int = 10,
    *,
    within: tuple[WhereRef, ...] = (),
    kinds: Collection[str] | None = None,
) -> list[PlaceOut]:
    """Return « Où ? » suggestions, best first (20 at most), of some kinds or in some places only.

    Raises:
        InvalidInput: the text is too long, or a place does not exist.
    """
    cleaned = _cleaned(typed)
    await maps.ready()
    # Namesakes elsewhere would come first when they are larger: the zone limits what is looked at.
    inside = limit_keys(within) if within else None
    most = min(limit, PLACES)
    found = await asyncio.to_thread(maps.suggest, cleaned, most, kinds, inside) if cleaned else []
    return [place_out(hit) for hit in found]


async def named_places(refs: Sequence[WhereRef], within: tuple[WhereRef, ...] = ()) -> list[PlaceOut]:
    """Return the places that references name, in their order; those that do not exist, or lie elsewhere, are left out.

    Raises:
        InvalidInput: a place of `within` does not exist.
    """
    await maps.ready()
    found = [hit for ref in refs if (hit := maps.resolve_ref(ref.kind, ref.code)) is not None]
    if within:
        limits = limit_keys(within)
        around = maps.containers_of(hit.id for hit in found)
        found = [hit for hit in found if not limits.isdisjoint((hit.id, *around.get(hit.id, ())))]
    return [place_out(hit) for hit in found]


async def matched(
    session: AsyncSession, query: SearchQuery, level: int = PUBLIC, engine: SearchEngine | None = None
) -> EngineQuery:
    """Return the match set of a search, for its map and its tiles: without order, page nor distances.

    As in `search`, words that find nothing together are taken each on its own. Raises as `search` does.
    """
    prepared = await prepare(session, query, level, engine)
    whole = replace(match_set(prepared.query), facet_of={})
    if prepared.reading.loose and not (await prepared.engine.count(session, whole)).offers:
        loose = replace(whole, terms=prepared.reading.loose)
        if (await prepared.engine.count(session, loose)).offers:
            return loose
    return whole


async def map_features(
    session: AsyncSession, engine: SearchEngine, query: EngineQuery, view: BBox, zoom: int
) -> MapAnswer:
    """Return what the map shows of a search (see `matched`) inside a viewport, grouped for a zoom level 0–19."""
    return await map_answer(session, engine, query, view, zoom)


def _cleaned(typed: str) -> str:
    try:
        return clean_text(typed)
    except ValueError as error:
        raise InvalidInput(str(error), fields={"q": str(error)}) from None
