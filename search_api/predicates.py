"""Conditions of a search as SQL expressions over the projection; every statement is made of these."""

from collections.abc import Collection, Sequence
from functools import cache

from sqlalchemy import ARRAY, ColumnElement, Integer, and_, cast, false, func, literal, or_
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import TSQUERY

from directory.api import OfferSearch, searchable
from search_api.engine import EngineQuery, LatLon, Term
from search_api.schemas import BBox

WIDE_DEGREES = 20.0
"""A viewport wider than this gains nothing from the spatial index."""


def _int_array(ids: Collection[int]) -> ColumnElement[list[int]]:
    return literal(sorted(ids), ARRAY(Integer))


@cache
def seen_sql(level: int) -> str:
    """Return `searchable` as text, for statements that call the projection `s`."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    compiled = searchable(level).compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    return str(compiled).replace("directory.offer_search.", "s.")


def has_codes(ids: Collection[int]) -> ColumnElement[bool]:
    """Any of these concepts."""
    return OfferSearch.codes.op("&&", is_comparison=True)(_int_array(ids))


def tsquery(words: Sequence[Collection[str]]) -> str:
    """Return the text of a tsquery that every word must meet, each by any of its lexemes."""

    def quoted(lexeme: str) -> str:
        escaped = lexeme.replace("\\", "\\\\").replace("'", "''")
        return f"'{escaped}'"

    return " & ".join("(" + " | ".join(quoted(lexeme) for lexeme in sorted(word)) + ")" for word in words)


def has_names(words: Sequence[Collection[str]]) -> ColumnElement[bool]:
    """Every word, each by any of its lexemes, in the names of the site or the practitioner."""
    return OfferSearch.names.op("@@", is_comparison=True)(cast(tsquery(words), TSQUERY))


def meets(term: Term) -> ColumnElement[bool]:
    """A term is met by a code or by names; an empty one by nothing."""
    ways = []
    if term.codes:
        ways.append(has_codes(term.codes))
    if term.lexemes:
        ways.append(has_names(term.lexemes))
    return or_(*ways) if ways else false()


def geography(point: LatLon) -> ColumnElement[object]:
    """The point as PostGIS geography."""
    return cast_geography(func.ST_SetSRID(func.ST_MakePoint(point.lon, point.lat), 4326))


def cast_geography(geometry: ColumnElement[object]) -> ColumnElement[object]:
    """Cast a geometry to geography (geodesic on the WGS84 spheroid, never degrees)."""
    cast_one: ColumnElement[object] = func.geography(geometry)
    return cast_one


def within(points: Sequence[LatLon], metres: float) -> ColumnElement[bool]:
    """At most this far from one of the points, by the spatial index."""
    return or_(*(func.ST_DWithin(OfferSearch.position, geography(point), metres) for point in points))


def distance(points: Sequence[LatLon]) -> ColumnElement[int]:
    """Geodesic metres to the nearest of the points, rounded; NULL for a site without a position."""
    each = [func.ST_Distance(OfferSearch.position, geography(point)) for point in points]
    nearest = each[0] if len(each) == 1 else func.least(*each)
    return cast(func.round(nearest), Integer)


def longitude() -> ColumnElement[float]:
    """Longitude of the site in degrees."""
    value: ColumnElement[float] = func.ST_X(func.geometry(OfferSearch.position))
    return value


def latitude() -> ColumnElement[float]:
    """Latitude of the site in degrees."""
    value: ColumnElement[float] = func.ST_Y(func.geometry(OfferSearch.position))
    return value


def inside(box: BBox) -> ColumnElement[bool]:
    """Inside a viewport, edges included.

    The spatial index compares geodesic outlines, which bulge from the parallels: the outline is therefore
    widened and cut in short segments, and coordinates decide.
    """
    exact = and_(longitude().between(box.west, box.east), latitude().between(box.south, box.north))
    if box.east - box.west > WIDE_DEGREES or box.north - box.south > WIDE_DEGREES:
        return exact
    margin = 0.01
    envelope = func.ST_MakeEnvelope(
        max(box.west - margin, -180.0),
        max(box.south - margin, -90.0),
        min(box.east + margin, 180.0),
        min(box.north + margin, 90.0),
        4326,
    )
    outline = cast_geography(func.ST_Segmentize(envelope, 0.5))
    return and_(OfferSearch.position.op("&&", is_comparison=True)(outline), exact)


def in_places(ids: Collection[int]) -> ColumnElement[bool]:
    """In one of these places; none of them holds nothing."""
    return OfferSearch.places.op("&&", is_comparison=True)(_int_array(ids))


def seen(level: int, zone: frozenset[int] | None) -> list[ColumnElement[bool]]:
    """What a caller of this level and of this zone may find."""
    return [searchable(level)] if zone is None else [searchable(level), in_places(zone)]


def area(query: EngineQuery) -> list[ColumnElement[bool]]:
    """Where: the union of boundaries and of discs around the centres, then what limits further."""
    parts: list[ColumnElement[bool]] = []
    if query.boundaries:
        parts.append(in_places(query.boundaries))
    if query.radius_m is not None and query.centres:
        parts.append(within(query.centres, query.radius_m))
    found = [or_(*parts)] if parts else []
    found += [in_places(ids) for ids in query.within]
    if query.bbox is not None:
        found.append(inside(query.bbox))
    return found


def base(query: EngineQuery) -> list[ColumnElement[bool]]:
    """Every condition but the ticked facets."""
    found = [*seen(query.level, query.zone), *area(query)]
    found += [meets(term) for term in query.terms]
    found += [has_codes(codes) if codes else false() for codes in query.codes]
    if query.age is not None:
        found.append(and_(OfferSearch.age_min <= query.age, OfferSearch.age_max >= query.age))
    if query.week_minute is not None:
        found.append(OfferSearch.open_minutes.op("@>", is_comparison=True)(literal(query.week_minute, Integer)))
    if query.visits:
        found.append(OfferSearch.territory.op("&&", is_comparison=True)(_int_array(query.visits)))
    if query.accepts_new:
        found.append(OfferSearch.accepts_new.is_(True))
    return found


def ticked(query: EngineQuery) -> list[ColumnElement[bool]]:
    """One condition for each facet with ticks, in the order of `query.ticks`."""
    return [has_codes(codes) if codes else false() for codes in query.ticks.values()]


def matching(query: EngineQuery) -> list[ColumnElement[bool]]:
    """Every condition: the match set."""
    return base(query) + ticked(query)
