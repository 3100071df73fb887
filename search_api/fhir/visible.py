"""Which rows of the directory a caller may read in the feed: level and zone, decided in the query.

Offers are those that a search may find. The registers are public, but what they say must not betray a hidden offer:
a role is shown with its offer only, and a practitioner whose offers are all hidden is left out.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    column,
    exists,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.orm import join, outerjoin

from accounts.api import Caller
from directory.api import (
    PROFESSIONAL,
    FeedChange,
    FeedState,
    LegalEntity,
    Offer,
    OfferSearch,
    Practitioner,
    Role,
    Site,
    searchable,
)
from maps.api import Place, PlaceContainment
from search_api.fhir.kinds import LEDGER, MODELS, Kind
from search_api.fhir.positions import change_of, level_of


class Scope(NamedTuple):
    """What a caller may read, as a query takes it; without `zone`, everywhere."""

    level: int
    zone: Select[Any] | None


def zone_places(kinds: ColumnElement[Any], codes: ColumnElement[Any]) -> Select[Any]:
    """Select the places of a zone and all that lies in them, from two arrays: the kinds and the codes of its places.

    A reference `commune:75112` also names a municipal arrondissement.
    """
    wanted = func.unnest(kinds, codes).table_valued(column("kind", Text), column("code", Text)).render_derived("wanted")
    named = and_(
        Place.code == wanted.c.code,
        or_(Place.kind == wanted.c.kind, and_(wanted.c.kind == "commune", Place.kind == "arrondissement")),
    )
    asked = select(Place.id).join(wanted, named)
    inside = (
        select(PlaceContainment.place_id).join(Place, Place.id == PlaceContainment.container_id).join(wanted, named)
    )
    return select(asked.union(inside).subquery("zone").c[0])


def zone_arrays(zone: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the kinds and the codes of the places of a zone."""
    pairs = [ref.partition(":") for ref in zone]
    return [kind for kind, _, _ in pairs], [code for _, _, code in pairs]


def scope_of(caller: Caller) -> Scope:
    """Return what a caller may read."""
    if not caller.zone:
        return Scope(caller.level, None)
    kinds, codes = zone_arrays(caller.zone)
    return Scope(caller.level, zone_places(literal(kinds, ARRAY(Text)), literal(codes, ARRAY(Text))))


def _placed(scope: Scope) -> ColumnElement[bool]:
    return true() if scope.zone is None else Site.commune_id.in_(scope.zone)


def _not_hidden(scope: Scope) -> ColumnElement[bool]:
    """Tell whether an offer may be named: a sensitive one does not exist for the public, even closed."""
    return true() if scope.level >= PROFESSIONAL else Offer.sensitive.is_(False)


def source(kind: Kind) -> FromClause:
    """Return the rows of a kind, beside the parents that the resource names."""
    if kind == "legal_entity":
        return LegalEntity.__table__
    if kind == "site":
        return outerjoin(Site, LegalEntity, LegalEntity.id == Site.legal_entity_id)
    if kind == "location":
        return Site.__table__
    if kind == "practitioner":
        return Practitioner.__table__
    if kind == "role":
        roles = join(Role, Practitioner, Practitioner.id == Role.practitioner_id)
        return join(join(roles, Offer, Offer.role_id == Role.id), Site, Site.id == Offer.site_id)
    placed = join(Offer, Site, Site.id == Offer.site_id)
    people = outerjoin(
        outerjoin(placed, Role, Role.id == Offer.role_id), Practitioner, Practitioner.id == Role.practitioner_id
    )
    return outerjoin(people, LegalEntity, LegalEntity.id == Site.legal_entity_id)


def _found(scope: Scope, link: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists(select(literal(1)).select_from(OfferSearch).where(link, searchable(scope.level)))


def _of_practitioner(scope: Scope, what: ColumnElement[Any]) -> Select[Any]:
    """Select something of the offers of a practitioner that may be found, wherever they are."""
    return (
        select(what)
        .select_from(Role)
        .join(Offer, Offer.role_id == Role.id)
        .join(OfferSearch, and_(OfferSearch.offer_id == Offer.id, searchable(scope.level)))
        .where(Role.practitioner_id == Practitioner.id)
        .correlate(Practitioner)
    )


def moment(kind: Kind, scope: Scope) -> ColumnElement[Any]:
    """Return when what a level is shown of a resource last changed, over `source(kind)`.

    It is the ledger that says so, a parent's change included: the dates of the rows also move with what this level
    may not read. What never changed since it came is as old as its row.
    """
    model = MODELS[kind]
    told = (
        select(FeedChange.at)
        .join(FeedState, change_of(level_of(scope.level)) == FeedChange.id)
        .where(FeedState.kind == LEDGER[kind], FeedState.entity_id == model.id)
        .correlate(model)
        .scalar_subquery()
    )
    return func.coalesce(told, model.created_at)


def readable(kind: Kind, scope: Scope) -> ColumnElement[bool]:
    """Return the predicate of what may be read now, over `source(kind)`."""
    if kind == "offer":
        return and_(_found(scope, OfferSearch.offer_id == Offer.id), _placed(scope))
    if kind == "role":
        return and_(Role.closed_on.is_(None), _found(scope, OfferSearch.offer_id == Offer.id), _placed(scope))
    return and_(MODELS[kind].closed_on.is_(None), _register(kind, scope))


def ended(kind: Kind, scope: Scope) -> ColumnElement[bool]:
    """Return the predicate of what could be read and no longer can: closed, unpublished, left."""
    found = exists(select(literal(1)).select_from(OfferSearch).where(OfferSearch.offer_id == Offer.id))
    if kind == "offer":
        return and_(~found, _not_hidden(scope), _placed(scope))
    if kind == "role":
        return and_(or_(Role.closed_on.is_not(None), ~found), _not_hidden(scope), _placed(scope))
    return and_(MODELS[kind].closed_on.is_not(None), _register(kind, scope))


def _register(kind: Kind, scope: Scope) -> ColumnElement[bool]:
    if kind in ("site", "location"):
        return _placed(scope)
    if kind == "legal_entity":
        if scope.zone is None:
            return true()
        sites = select(literal(1)).select_from(Site).where(Site.legal_entity_id == LegalEntity.id, _placed(scope))
        return exists(sites.correlate(LegalEntity))
    near: ColumnElement[bool] = true()
    if scope.zone is not None:
        places = select(literal(1)).select_from(Role).join(Site, Site.id == Role.site_id)
        places = places.where(Role.practitioner_id == Practitioner.id, Role.closed_on.is_(None), _placed(scope))
        near = exists(places.correlate(Practitioner))
    return near if scope.level >= PROFESSIONAL else and_(near, _named(scope))


def _named(scope: Scope) -> ColumnElement[bool]:
    """Tell whether the public may know of a practitioner: one of their offers may be found, or none is sensitive.

    An aggregate, which the database works out for each practitioner: as EXISTS, it would read every offer first.
    """
    found = func.bool_or(OfferSearch.offer_id.is_not(None))
    told = (
        select(or_(found, ~func.bool_or(Offer.sensitive)))
        .select_from(Role)
        .join(Offer, Offer.role_id == Role.id)
        .outerjoin(OfferSearch, and_(OfferSearch.offer_id == Offer.id, searchable(scope.level)))
        .where(Role.practitioner_id == Practitioner.id)
        .correlate(Practitioner)
    )
    return func.coalesce(told.scalar_subquery(), true())


def _rows(kind: Kind, predicate: ColumnElement[bool], *more: ColumnElement[Any]) -> Select[Any]:
    model = MODELS[kind]
    return select(model.id.label("id"), model.uid.label("uid"), *more).select_from(source(kind)).where(predicate)


def visible(kind: Kind, caller: Caller) -> Select[Any]:
    """Select `id` and `uid` of what a caller may read of a kind."""
    return _rows(kind, readable(kind, scope_of(caller)))


def dated(kind: Kind, caller: Caller) -> Select[Any]:
    """Select `id`, `uid` and `updated_at` (what `meta.lastUpdated` says) of what a caller may read of a kind."""
    scope = scope_of(caller)
    return _rows(kind, readable(kind, scope), moment(kind, scope).label("updated_at"))


def gone(kind: Kind, caller: Caller) -> Select[Any]:
    """Select `id`, `uid` and `updated_at` of what a caller could read of a kind and no longer can."""
    scope = scope_of(caller)
    return _rows(kind, ended(kind, scope), moment(kind, scope).label("updated_at"))
