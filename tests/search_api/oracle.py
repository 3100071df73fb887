"""The same answers by brute force in plain Python over the rows of the projection: slow, and plainly right."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from pyproj import Geod

from search_api.engine import EngineQuery, LatLon
from search_api.labels import FACET_SYSTEMS
from search_api.relevance import score
from search_api.schemas import FacetKey, Sort

GEOD = Geod(ellps="WGS84")


@dataclass(frozen=True)
class Row:
    offer_id: int
    site_id: int
    point: LatLon | None
    exact: bool
    places: frozenset[int]
    codes: frozenset[int]
    territory: frozenset[int]
    age_min: int
    age_max: int
    accepts_new: bool | None
    hours: tuple[tuple[int, int], ...]
    lexemes: frozenset[str]
    described: bool
    sensitive: bool


@dataclass(frozen=True)
class Site:
    site_id: int
    metres: int | None
    exact: bool
    score: int
    offers: tuple[int, ...]


@dataclass(frozen=True)
class Oracle:
    rows: list[Row]
    systems: dict[int, str]

    @property
    def facet_of(self) -> dict[int, FacetKey]:
        """Which facet each concept feeds."""
        facets = {system: key for key, systems in FACET_SYSTEMS.items() for system in systems}
        return {code: facets[system] for code, system in self.systems.items() if system in facets}

    def answer(self, query: EngineQuery) -> tuple[int, list[Site], dict[FacetKey, dict[int, int]]]:
        """Return the number of offers, every site in order, and the facets."""
        base = [row for row in self.rows if self.matches(row, query)]
        found = [row for row in base if all(codes & row.codes for codes in query.ticks.values())]
        facets: dict[FacetKey, dict[int, int]] = {}
        for key, systems in FACET_SYSTEMS.items():
            others = [codes for other, codes in query.ticks.items() if other is not key]
            counter: Counter[int] = Counter()
            for row in base:
                if all(codes & row.codes for codes in others):
                    counter.update(code for code in row.codes if self.systems[code] in systems)
            facets[key] = dict(counter)
        return len(found), self.sites(found, query), facets

    def matches(self, row: Row, query: EngineQuery) -> bool:
        if row.sensitive and query.level < 2:
            return False
        near = query.radius_m is not None and any(
            exact_metres(row.point, centre) <= query.radius_m for centre in query.centres
        )
        if (query.boundaries or query.radius_m is not None) and not (near or query.boundaries & row.places):
            return False
        if query.zone is not None and not query.zone & row.places:
            return False
        if not all(ids & row.places for ids in query.within):
            return False
        box = query.bbox
        if box is not None and not (
            row.point and box.west <= row.point.lon <= box.east and box.south <= row.point.lat <= box.north
        ):
            return False
        for term in query.terms:
            named = bool(term.lexemes) and all(word & row.lexemes for word in term.lexemes)
            if not (term.codes & row.codes or named):
                return False
        return (
            all(codes & row.codes for codes in query.codes)
            and (query.age is None or row.age_min <= query.age <= row.age_max)
            and (query.week_minute is None or any(low <= query.week_minute < high for low, high in row.hours))
            and (not query.visits or bool(query.visits & row.territory))
            and (not query.accepts_new or row.accepts_new is True)
        )

    def sites(self, found: Iterable[Row], query: EngineQuery) -> list[Site]:
        grouped: dict[int, list[Row]] = {}
        for row in found:
            grouped.setdefault(row.site_id, []).append(row)
        sites = []
        for site_id, rows in grouped.items():
            metres = distance(rows[0].point, query.origins)
            scored = {
                row.offer_id: score(
                    terms=query.terms,
                    codes=row.codes,
                    lexemes=row.lexemes,
                    described=row.described,
                    accepts_new=row.accepts_new,
                    hours=bool(row.hours),
                    exact=row.exact,
                    distance_m=metres,
                )
                for row in rows
            }
            offers = tuple(sorted(scored, key=lambda one: (-scored[one], one)))
            sites.append(Site(site_id, metres, rows[0].exact, max(scored.values()), offers))

        def order(site: Site) -> tuple[float, ...]:
            far = float("inf") if site.metres is None else site.metres
            nearest = (far, not site.exact, site.site_id)
            return nearest if query.sort is Sort.distance and query.origins else (-site.score, *nearest)

        return sorted(sites, key=order)


def exact_metres(a: LatLon | None, b: LatLon) -> float:
    if a is None:
        return float("inf")
    return float(GEOD.inv(a.lon, a.lat, b.lon, b.lat)[2])


def distance(point: LatLon | None, origins: Sequence[LatLon]) -> int | None:
    if point is None or not origins:
        return None
    return round(min(exact_metres(point, origin) for origin in origins))


def load(dsn: str) -> Oracle:
    with psycopg.connect(dsn, row_factory=namedtuple_row) as conn:
        rows: list[Any] = conn.execute(
            "SELECT s.*, ST_X(position::geometry) AS lon, ST_Y(position::geometry) AS lat,"
            " tsvector_to_array(names) AS lexemes, ARRAY(SELECT ARRAY[lower(r), upper(r)]"
            " FROM unnest(open_minutes) r ORDER BY 1) AS hours FROM directory.offer_search s ORDER BY offer_id"
        ).fetchall()
        concepts: list[Any] = conn.execute("SELECT id, system FROM directory.concept").fetchall()
    return Oracle(
        rows=[
            Row(
                offer_id=row.offer_id,
                site_id=row.site_id,
                point=None if row.lon is None else LatLon(row.lat, row.lon),
                exact=row.exact,
                places=frozenset(row.places),
                codes=frozenset(row.codes),
                territory=frozenset(row.territory),
                age_min=row.age_min,
                age_max=row.age_max,
                accepts_new=row.accepts_new,
                hours=tuple((low, high) for low, high in row.hours or ()),
                lexemes=frozenset(row.lexemes),
                described=row.described,
                sensitive=row.sensitive,
            )
            for row in rows
        ],
        systems={concept.id: concept.system for concept in concepts},
    )
