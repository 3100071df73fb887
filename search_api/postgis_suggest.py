"""Counts and names behind « Qui, quoi ? » suggestions, in SQL."""

from typing import Any

from sqlalchemy import ColumnElement, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from directory.api import OfferSearch, Practitioner, Role, Site, searchable
from search_api.engine import NameHit, SuggestArea, Suggested, Term
from search_api.predicates import has_codes, has_names, within

NAMES = 30
"""Practitioners, and sites, read for the ten suggestions that will be shown."""


def _area(area: SuggestArea) -> list[ColumnElement[bool]]:
    if area.boundaries:
        return [OfferSearch.places.op("&&", is_comparison=True)(sorted(area.boundaries))]
    if area.centre is not None:
        return [within([area.centre], area.radius_m)]
    return []


async def suggest(
    session: AsyncSession, codes: frozenset[int], names: tuple[Term, ...], area: SuggestArea, level: int
) -> Suggested:
    """Count the offers of each code in the area; find the roles and sites whose names meet every term."""
    counts: dict[int, int] = {}
    if codes:
        each = (
            select(func.unnest(OfferSearch.codes).label("code"))
            .where(searchable(level), has_codes(codes), *_area(area))
            .subquery()
        )
        rows = await session.execute(
            select(each.c.code, func.count()).where(each.c.code.in_(sorted(codes))).group_by(each.c.code)
        )
        counts = {row[0]: row[1] for row in rows}
    hits: list[NameHit] = []
    if names and all(term.lexemes for term in names):
        near = _area(area)
        hits = await _names(session, names, [searchable(level), *near])
        if near and len(hits) < NAMES:
            known = {(hit.kind, hit.id) for hit in hits}
            far = await _names(session, names, [searchable(level)])
            hits += [NameHit(hit.kind, hit.id, 0) for hit in far if (hit.kind, hit.id) not in known]
    return Suggested(counts, tuple(hits))


async def _names(
    session: AsyncSession, names: tuple[Term, ...], conditions: list[ColumnElement[bool]]
) -> list[NameHit]:
    """Read practitioners and sites whose own names hold every word, with their offers that meet the conditions."""
    words = [word for term in names for word in term.lexemes]
    conditions = [*conditions, *(has_names([word]) for word in words)]

    def own(name: Any) -> list[ColumnElement[bool]]:
        # The lexemes of a row mix the site's name with the practitioner's: only the entity's own name counts.
        folded = func.core.fold(name)
        return [or_(*(folded.contains(lexeme, autoescape=True) for lexeme in sorted(word))) for word in words]

    people = (
        select(literal("practitioner").label("kind"), Practitioner.id.label("id"), func.count().label("n"))
        .select_from(OfferSearch)
        .join(Role, Role.id == OfferSearch.role_id)
        .join(Practitioner, Practitioner.id == Role.practitioner_id)
        .where(*conditions, *own(Practitioner.first_name + " " + Practitioner.last_name))
        .group_by(Practitioner.id)
        .order_by(func.count().desc(), Practitioner.id)
        .limit(NAMES)
    )
    sites = (
        select(literal("site").label("kind"), Site.id.label("id"), func.count().label("n"))
        .select_from(OfferSearch)
        .join(Site, Site.id == OfferSearch.site_id)
        .where(*conditions, *own(Site.name))
        .group_by(Site.id)
        .order_by(func.count().desc(), Site.id)
        .limit(NAMES)
    )
    rows = [row for statement in (people, sites) for row in await session.execute(statement)]
    return [NameHit(row.kind, row.id, row.n) for row in rows]
