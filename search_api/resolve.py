"""From a `SearchQuery` to what engines take: places become ids and points, codes become concept ids."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from core.clock import PARIS
from core.errors import InvalidInput
from directory.api import (
    AGE_SYSTEM,
    KIND_SYSTEM,
    ConceptIndex,
    departement_at,
    departement_of_region,
    timezone_of,
)
from maps.api import PlaceHit, containers_of, members_of, resolve_ref, suggest
from search_api.engine import EngineQuery, LatLon, SuggestArea
from search_api.lexicon import lexicon
from search_api.param_places import place_ref, ref_text
from search_api.params import LAST_PAGE
from search_api.schemas import CAP, PAGE_SIZE, FacetKey, PlaceOut, Point, SearchQuery, WhereRef

CONCEPTS_SECONDS = 1.0
"""How long the concepts in hand serve without asking whether a nomenclature was loaded, where nothing else is asked."""
TOWNS = 50
"""Towns of a postal code that are looked at."""
OWN_SYSTEMS = {FacetKey.patients: AGE_SYSTEM, FacetKey.kind: KIND_SYSTEM}
"""Facets of which some values are words of ours, written without their system."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A query whose places are known: for the engine, and the place that distances are told from."""

    query: EngineQuery
    centre: PlaceOut | None
    visited: PlaceHit | None


def place_out(hit: PlaceHit) -> PlaceOut:
    """Return a place of the location index as answers show it."""
    return PlaceOut(
        ref=hit.ref,
        kind={"code_postal": "cp", "pays": "france"}.get(hit.kind, hit.kind),
        code=hit.code,
        name=hit.name,
        label=hit.label,
        population=hit.population,
        lat=hit.lat,
        lon=hit.lon,
        context=hit.context,
    )


def find_place(ref: WhereRef, field: str) -> PlaceHit:
    """Return the place of a reference.

    Raises:
        InvalidInput: there is none.
    """
    hit = resolve_ref(ref.kind, ref.code)
    if hit is None:
        message = f"Aucun lieu ne répond à « {ref_text(ref)} »."
        raise InvalidInput(message, fields={field: message})
    return hit


def _inside(boundary: PlaceHit) -> frozenset[int]:
    """Return the place keys that mean "inside" in the projection.

    A territory counts by its communes: an operator may load one at any time, after the offers' rows were written.
    """
    # Its own key stays, so that a territory left empty finds nothing instead of limiting nothing.
    return (members_of(boundary.id) if boundary.kind == "territory" else frozenset()) | {boundary.id}


def _limits(groups: Iterable[tuple[WhereRef, ...]]) -> tuple[frozenset[int], ...]:
    """Return, for each group, the place keys any of which limits.

    Raises:
        InvalidInput: a place does not exist.
    """
    return tuple(map(limit_keys, groups))


def limit_keys(group: Iterable[WhereRef]) -> frozenset[int]:
    """Return the keys of the places that a group of `within` means: what lies in any of them is inside.

    Raises:
        InvalidInput: a place does not exist.
    """
    return frozenset().union(*(_keys(find_place(ref, "within")) for ref in group))


def _keys(hit: PlaceHit) -> frozenset[int]:
    if hit.kind != "code_postal":
        return _inside(hit)
    # Nothing lies in a postal code: its towns share it, or have several.
    towns = suggest(hit.code, TOWNS, {"commune", "arrondissement"})
    served = frozenset(town.id for town in towns if hit.code in town.postal_codes)
    # Paris, Lyon and Marseille bear the codes of all their arrondissements.
    divided = frozenset().union(*containers_of(served).values())
    return (served - divided) | {hit.id}


def _point(hit: PlaceHit) -> LatLon | None:
    return LatLon(hit.lat, hit.lon) if hit.lat is not None and hit.lon is not None else None


def facet_ref(key: FacetKey, value: str) -> str:
    """Return the `system|code` of a facet's value."""
    return value if "|" in value else f"{OWN_SYSTEMS[key]}|{value}"


def _concept(concepts: ConceptIndex, ref: str, field: str) -> int | None:
    found = concepts.id(ref)
    if found is None and ref.partition("|")[0] not in (AGE_SYSTEM, KIND_SYSTEM):
        message = f"Le code « {ref} » n’existe dans aucune nomenclature chargée."
        raise InvalidInput(message, fields={field: message})
    return found


def _ticks(concepts: ConceptIndex, query: SearchQuery) -> dict[FacetKey, frozenset[int]]:
    ticks: dict[FacetKey, frozenset[int]] = {}
    for key, values in query.facets.items():
        ids = (_concept(concepts, facet_ref(key, value), key.value) for value in values)
        ticks[key] = frozenset(found for found in ids if found is not None)
    return ticks


def resolve(concepts: ConceptIndex, query: SearchQuery, level: int) -> Resolved:
    """Resolve everything but the text.

    A commune, a postal code or a point is a centre: it measures, and limits only with a radius. An EPCI,
    département, région, territory or France is a boundary. Limits are united; each group of `within` limits
    further. Distances are told from
    `origin`, else from the centres, else from the points of the boundaries, else from the middle of the
    viewport.

    Raises:
        InvalidInput: a place or a code does not exist.
    """
    centres: list[LatLon] = []
    boundaries: list[PlaceHit] = []
    named: PlaceHit | None = None
    departements: set[str | None] = set()
    for ref in query.where:
        hit = find_place(ref, "where")
        departements.add(departement_of_region(hit.code) if hit.kind == "region" else hit.departement)
        if hit.boundary:
            boundaries.append(hit)
        elif point := _point(hit):
            centres.append(point)
            named = named or hit
    if query.point is not None:
        centres.append(LatLon(query.point.lat, query.point.lon))
    origins = list(centres)
    if query.origin is not None:
        named = find_place(query.origin, "origin")
        origins = [point for point in [_point(named)] if point]
    elif not origins:
        # The point of France measures nothing that anyone asked for.
        limits = [hit for hit in boundaries if hit.kind != "pays"]
        named = limits[0] if len(limits) == 1 else None
        origins = [point for hit in limits if (point := _point(hit))]
    if not origins and query.bbox is not None:
        box = query.bbox
        origins = [LatLon((box.south + box.north) / 2, (box.west + box.east) / 2)]
    visited = find_place(WhereRef(kind="commune", code=query.visits), "visits") if query.visits else None
    visits: frozenset[int] = frozenset()
    if visited is not None:
        visits = frozenset({visited.id, *containers_of([visited.id]).get(visited.id, ())})
    week_minute = None
    if query.open_at is not None:
        instant = _there(query, departements)
        week_minute = (instant.isoweekday() - 1) * 1440 + instant.hour * 60 + instant.minute
    codes = tuple(frozenset(filter(None, [_concept(concepts, ref, "code")])) for ref in query.codes)
    page = min(query.page, LAST_PAGE)
    engine_query = EngineQuery(
        level=level,
        codes=codes,
        boundaries=frozenset().union(*map(_inside, boundaries)),
        within=_limits(query.within),
        centres=tuple(dict.fromkeys(centres)),
        radius_m=query.radius_km * 1000 if query.radius_km is not None else None,
        bbox=query.bbox,
        origins=tuple(dict.fromkeys(origins)),
        ticks=_ticks(concepts, query),
        age=query.age,
        week_minute=week_minute,
        visits=visits,
        accepts_new=query.accepts_new,
        zone=zone_ids(query.zone),
        sort=query.sort,
        offset=(page - 1) * PAGE_SIZE,
        limit=min(PAGE_SIZE, CAP - (page - 1) * PAGE_SIZE),
        facet_of=lexicon(concepts).facet_of,
    )
    centre = place_out(named) if named is not None else None
    if query.point is not None and query.origin is None:
        centre = _here(query) if len(origins) == 1 else None
    return Resolved(engine_query, centre, visited)


def _there(query: SearchQuery, departements: set[str | None]) -> datetime:
    """Return the asked instant on the clock of the place of the search, as offers write their hours.

    « Maintenant » at noon in Paris is the morning in Guadeloupe; a time that was typed is the place's already. A
    search that spans several clocks is told the time of Paris.
    """
    assert query.open_at is not None  # noqa: S101 - asked for only then
    if query.open_at.tzinfo == PARIS:
        return query.open_at
    if query.point is not None and not departements:
        departements = {departement_at(query.point.lat, query.point.lon)}
    zones = {timezone_of(one) for one in departements}
    return query.open_at.astimezone(zones.pop() if len(zones) == 1 else PARIS)


def _here(query: SearchQuery) -> PlaceOut | None:
    assert query.point is not None  # noqa: S101 - the caller looked
    return PlaceOut(
        ref="",
        kind="point",
        code="",
        name="Point choisi",
        label="Point choisi",
        population=0,
        lat=query.point.lat,
        lon=query.point.lon,
        context="",
    )


def zone_ids(zone: Collection[str]) -> frozenset[int] | None:
    """Return the keys of the places of a zone; None when it is the whole country.

    A place that is no longer known holds nothing: a zone never widens by itself.
    """
    if not zone:
        return None
    found = (resolve_ref(ref.kind, ref.code) for ref in map(place_ref, zone))
    return frozenset().union(*(_inside(hit) for hit in found if hit is not None))


def suggest_area(
    where: tuple[WhereRef, ...],
    point: Point | None = None,
    *,
    within: tuple[WhereRef, ...] = (),
    zone: Collection[str] = (),
) -> tuple[SuggestArea, str | None]:
    """Return where the counts of suggestions are taken, and its name; `within` leaves out whatever is elsewhere.

    Boundaries count inside themselves. A commune or postal code counts in its département, which is what
    people mean by "near" in a count, and costs no distance. A point counts within 20 km.

    Raises:
        InvalidInput: a place does not exist.
    """
    limits = zone_ids(zone)
    if within:
        name = find_place(within[0], "within").name if len(within) == 1 else None
        return SuggestArea(boundaries=limit_keys(within), only=True, zone=limits), name
    ids: set[int] = set()
    name = None
    for ref in where:
        hit = find_place(ref, "where")
        if hit.kind == "pays":
            return SuggestArea(zone=limits), None
        if not hit.boundary and hit.departement:
            hit = resolve_ref("departement", hit.departement) or hit
        ids |= _inside(hit)
        name = name or hit.name
    if not ids and point is not None:
        return SuggestArea(centre=LatLon(point.lat, point.lon), zone=limits), None
    return SuggestArea(boundaries=frozenset(ids), zone=limits), name if len(where) == 1 else None


def with_place(query: SearchQuery, ref: WhereRef) -> SearchQuery:
    """Return the query centred on a place that its text named."""
    return query.model_copy(update={"where": (ref,)})
