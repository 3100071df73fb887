"""Counts and names behind « Qui, quoi ? » suggestions, in SQL.

Statements are written as text: at a suggestion per keystroke, building them would cost more than running them.
"""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from search_api.engine import NameHit, SuggestArea, Suggested, Term
from search_api.predicates import seen_sql, tsquery

NAMES = 30
"""Practitioners, and sites, read for the few that will be shown."""
ENOUGH = 8
"""Names of each kind in the area that make it needless to look beyond."""

_BOUNDARIES = "AND s.places && CAST(:boundaries AS integer[])"
_ZONE = " AND s.places && CAST(:zone AS integer[])"
_CIRCLE = """
    AND ST_DWithin(s.position, ST_SetSRID(ST_MakePoint(:lon, :lat), 4326)::geography, CAST(:radius AS double precision))
"""

_COUNTS = """
SELECT code, count(*) FROM (
    SELECT unnest(s.codes) AS code FROM directory.offer_search s
    WHERE {seen} AND s.codes && CAST(:codes AS integer[]) {area}
) each
WHERE code = ANY(CAST(:codes AS integer[])) GROUP BY code
"""

# The lexemes of a row mix the site's name with the practitioner's: only the entity's own name counts.
_NAMES = """
(SELECT 'practitioner' AS kind, p.id AS id, count(*) AS n FROM directory.offer_search s
   JOIN directory.role r ON r.id = s.role_id JOIN directory.practitioner p ON p.id = r.practitioner_id
  WHERE {seen} AND s.names @@ CAST(:names AS tsquery) {area} {person}
  GROUP BY p.id ORDER BY n DESC, p.id LIMIT {most})
UNION ALL
(SELECT 'site', e.id, count(*) AS n FROM directory.offer_search s JOIN directory.site e ON e.id = s.site_id
  WHERE {seen} AND s.names @@ CAST(:names AS tsquery) {area} {site}
  GROUP BY e.id ORDER BY n DESC, e.id LIMIT {most})
"""


def _area(area: SuggestArea) -> tuple[str, dict[str, Any]]:
    zone, values = _zone(area)
    if area.boundaries:
        return _BOUNDARIES + zone, {"boundaries": sorted(area.boundaries)} | values
    if area.centre is not None:
        around = {"lon": area.centre.lon, "lat": area.centre.lat, "radius": area.radius_m}
        return _CIRCLE + zone, around | values
    return zone, values


def _zone(area: SuggestArea) -> tuple[str, dict[str, Any]]:
    return ("", {}) if area.zone is None else (_ZONE, {"zone": sorted(area.zone)})


async def suggest(
    session: AsyncSession, codes: frozenset[int], names: tuple[Term, ...], area: SuggestArea, level: int
) -> Suggested:
    """Count the offers of each code in the area; find the practitioners and sites whose names meet every term."""
    where, values = _area(area)
    counts: dict[int, int] = {}
    if codes:
        statement = text(_COUNTS.format(seen=seen_sql(level), area=where))
        rows = await session.execute(statement, {"codes": sorted(codes), **values})
        counts = {row[0]: row[1] for row in rows}
    hits: list[NameHit] = []
    if names and all(term.lexemes for term in names):
        hits = await _names(session, names, level, where, values)
        kinds = [hit.kind for hit in hits]
        limited = bool(area.boundaries) or area.centre is not None
        if limited and not area.only and min(kinds.count("practitioner"), kinds.count("site")) < ENOUGH:
            known = {(hit.kind, hit.id) for hit in hits}
            far = await _names(session, names, level, *_zone(area))
            hits += [NameHit(hit.kind, hit.id, 0) for hit in far if (hit.kind, hit.id) not in known]
    return Suggested(counts, tuple(hits))


async def _names(
    session: AsyncSession, names: tuple[Term, ...], level: int, where: str, values: dict[str, Any]
) -> list[NameHit]:
    """Read practitioners and sites whose own names hold every word, with their offers in the area."""
    words = [word for term in names for word in term.lexemes]

    def own(name: str) -> str:
        return " ".join(f"AND core.fold({name}) LIKE ANY(CAST(:word{n} AS text[]))" for n in range(len(words)))

    statement = _NAMES.format(
        seen=seen_sql(level),
        area=where,
        person=own("p.first_name || ' ' || p.last_name"),
        site=own("e.name"),
        most=NAMES,
    )
    # Lexemes are letters and digits: they hold no wildcard.
    patterns = {f"word{n}": [f"%{lexeme}%" for lexeme in sorted(word)] for n, word in enumerate(words)}
    rows = await session.execute(text(statement), {"names": tsquery(words), **patterns, **values})
    return [NameHit(kind, key, number) for kind, key, number in rows]
