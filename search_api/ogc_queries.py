"""Selects of the OGC collections; of offers and sites, only what the caller may find exists here.

Pages follow one another by internal id (by code, for communes), which never changes: a feature that comes or goes
while a caller reads moves no other from one page to the next.
"""

import uuid
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select

from directory.api import PUBLIC, ConceptIndex, Offer, OfferSearch, Practitioner, Role, Site, searchable
from maps.api import Place, resolve_ref
from search_api.engine import EngineQuery
from search_api.ogc_collections import COMMUNES, OFFERS, SITES, Collection
from search_api.ogc_params import Asked, commune_code
from search_api.predicates import area, base, inside, latitude, longitude, seen
from search_api.schemas import BBox

_SYSTEMS = {"profession": "G15", "category": "R66"}


def code_of(name: str, value: str) -> str:
    """Return the `system|code` of a filter's value, given with or without its system."""
    return value if "|" in value else f"{_SYSTEMS[name]}|{value}"


def unknown_values(collection: Collection, asked: Asked, concepts: ConceptIndex) -> list[str]:
    """Say, in French, which values of the filters name nothing that exists: why a collection is empty."""
    found = []
    for name, value in asked.values:
        if name in ("commune", "code") and resolve_ref("commune", value) is None:
            found.append(f"Aucune commune ne porte le code {value}.")
        elif name == "departement" and resolve_ref("departement", value) is None:
            found.append(f"Aucun département ne porte le numéro {value}.")
        elif name in _SYSTEMS and concepts.id(code_of(name, value)) is None:
            found.append(f"Aucune nomenclature chargée ne contient le code {code_of(name, value)}.")
    return found


def _dated(column: Any, asked: Asked) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if asked.since is not None:
        found.append(column >= asked.since)
    if asked.before is not None:
        found.append(column < asked.before)
    return found


def match_set(collection: Collection, asked: Asked, concepts: ConceptIndex) -> EngineQuery | None:
    """Return what is asked of sites or offers as a search, whose engine counts faster; None when it is not one."""
    names = {name for name, _ in asked.values}
    searched = names <= {"commune", "departement", *_SYSTEMS} and not {"commune", "departement"} <= names
    if collection is COMMUNES or not searched or len(asked.boxes) > 1 or asked.since or asked.before:
        return None
    boundaries: set[int] = set()
    codes: list[frozenset[int]] = []
    for name, value in asked.values:
        hit = resolve_ref(name, value) if name in ("commune", "departement") else None
        concept = concepts.id(code_of(name, value)) if name in _SYSTEMS else None
        if hit is not None:
            boundaries.add(hit.id)
        elif concept is not None:
            codes.append(frozenset([concept]))
        else:
            return None
    box = asked.boxes[0] if asked.boxes else None
    limits = frozenset(boundaries)
    return EngineQuery(level=asked.level, zone=asked.zone, boundaries=limits, codes=tuple(codes), bbox=box)


def _offers(collection: Collection, asked: Asked, concepts: ConceptIndex) -> list[ColumnElement[bool]]:
    """Conditions on the rows of the projection."""
    boundaries: list[frozenset[int]] = []
    codes: list[frozenset[int]] = []
    found: list[ColumnElement[bool]] = []
    for name, value in asked.values:
        if name in ("commune", "departement"):
            hit = resolve_ref(name, value)
            boundaries.append(frozenset([hit.id] if hit else []))
        elif name in _SYSTEMS:
            concept = concepts.id(code_of(name, value))
            codes.append(frozenset([concept] if concept is not None else []))
        elif collection is SITES:
            found.append(OfferSearch.site_id.in_(select(Site.id).where(Site.kind == value)))
        else:
            found.append(OfferSearch.kind == value)
    for ids in boundaries:
        found += area(EngineQuery(boundaries=ids)) if ids else [false()]
    found += base(EngineQuery(level=asked.level, zone=asked.zone, codes=tuple(codes)))
    if asked.boxes:
        found.append(or_(*map(inside, asked.boxes)))
    if collection is OFFERS:
        found += _dated(OfferSearch.updated_at, asked)
    elif asked.since is not None or asked.before is not None:
        found.append(OfferSearch.site_id.in_(select(Site.id).where(*_dated(Site.updated_at, asked))))
    return found


def _communes(asked: Asked) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        Place.kind == "commune",
        Place.retired_at.is_(None),
        Place.contour.is_not(None),
    ]
    for name, value in asked.values:
        if name == "code":
            hit = resolve_ref("commune", value)
            found.append(Place.code == (hit.code if hit else value))
        else:
            found.append(Place.departement_code == value)
    if asked.boxes:
        found.append(or_(*map(_touches, asked.boxes)))
    return found


def _touches(box: BBox) -> ColumnElement[bool]:
    touched: ColumnElement[bool] = func.ST_Intersects(
        Place.contour, func.ST_MakeEnvelope(box.west, box.south, box.east, box.north, 4326)
    )
    return touched


def count(collection: Collection, asked: Asked, concepts: ConceptIndex) -> Select[Any]:
    """Select how many features answer in all."""
    if collection is COMMUNES:
        return select(func.count()).select_from(Place).where(*_communes(asked))
    rows = select(OfferSearch.site_id).where(*_offers(collection, asked, concepts))
    if collection is SITES:
        rows = rows.group_by(OfferSearch.site_id)
    return select(func.count()).select_from(rows.subquery())


def rank(collection: Collection, after: str) -> Select[Any]:
    """Select the internal id after which a page begins; a site or an offer that left the directory keeps it."""
    model = Site if collection is SITES else Offer
    return select(model.id).where(model.uid == uuid.UUID(after))


def page(collection: Collection, asked: Asked, concepts: ConceptIndex, start: int | None = None) -> Select[Any]:
    """Select the features of a page, and one more when there is a next page.

    Args:
        collection: which one.
        asked: filters, size of the page, code after which a page of communes begins.
        concepts: the codes of the directory.
        start: internal id after which a page of sites or offers begins.
    """
    if collection is COMMUNES:
        conditions = _communes(asked)
        if asked.after is not None:
            conditions.append(Place.code > asked.after)
        return commune_rows().where(*conditions).order_by(Place.code, Place.id).limit(asked.limit + 1)
    key = OfferSearch.site_id if collection is SITES else OfferSearch.offer_id
    conditions = _offers(collection, asked, concepts)
    if start is not None:
        conditions.append(key > start)
    ids = select(key.label("id")).where(*conditions).group_by(key).order_by(key).limit(asked.limit + 1)
    return site_rows(ids, asked) if collection is SITES else offer_rows(ids)


def one(collection: Collection, feature_id: str, asked: Asked) -> Select[Any] | None:
    """Select a feature by its public id; None when the id has not the right form."""
    if collection is COMMUNES:
        code = commune_code(feature_id)
        return None if code is None else commune_rows().where(*_communes(Asked()), Place.code == code)
    try:
        uid = uuid.UUID(feature_id)
    except ValueError:
        return None
    if collection is SITES:
        found = select(Site.id.label("id")).where(Site.uid == uid, exists().where(_at_site(Site.id, asked)))
        return site_rows(found, asked)
    return offer_rows(
        select(OfferSearch.offer_id.label("id"))
        .join(Offer, Offer.id == OfferSearch.offer_id)
        .where(*seen(asked.level, asked.zone), Offer.uid == uid)
    )


def _at_site(site_id: Any, asked: Asked) -> ColumnElement[bool]:
    return and_(OfferSearch.site_id == site_id, *seen(asked.level, asked.zone))


def site_rows(ids: Select[Any], asked: Asked) -> Select[Any]:
    """Select what a feature of `sites` shows, for the internal ids selected as `id`."""
    wanted = ids.cte("wanted").prefix_with("MATERIALIZED", dialect="postgresql")
    shown = (
        select(
            OfferSearch.site_id,
            func.count().label("offers"),
            func.bool_or(OfferSearch.exact).label("exact"),
            func.min(longitude()).label("lon"),
            func.min(latitude()).label("lat"),
        )
        .join_from(wanted, OfferSearch, _at_site(wanted.c.id, asked))
        .group_by(OfferSearch.site_id)
        .subquery("shown")
    )
    return (
        select(
            Site.uid,
            Site.name,
            Site.kind,
            Site.category,
            Site.finess,
            Site.street,
            Site.postal_code,
            Site.commune_id,
            Site.updated_at,
            shown.c.offers,
            shown.c.exact,
            shown.c.lon,
            shown.c.lat,
        )
        .join_from(shown, Site, Site.id == shown.c.site_id)
        .order_by(Site.id)
    )


def offer_rows(ids: Select[Any]) -> Select[Any]:
    """Select what a feature of `offers` shows, for the internal ids selected as `id`."""
    wanted = ids.cte("wanted").prefix_with("MATERIALIZED", dialect="postgresql")
    columns: list[Any] = [
        Offer.uid,
        Offer.name,
        Offer.kind,
        Offer.type_id,
        Role.profession,
        Practitioner.title,
        Practitioner.first_name,
        Practitioner.last_name,
        Site.uid.label("site_uid"),
        Site.name.label("site_name"),
        Site.category,
        Site.postal_code,
        OfferSearch.commune_id,
        OfferSearch.exact,
        OfferSearch.age_min,
        OfferSearch.age_max,
        OfferSearch.accepts_new,
        OfferSearch.described,
        OfferSearch.updated_at,
        longitude().label("lon"),
        latitude().label("lat"),
    ]
    return (
        select(*columns)
        .select_from(wanted)
        .join(OfferSearch, OfferSearch.offer_id == wanted.c.id)
        .join(Offer, Offer.id == OfferSearch.offer_id)
        .join(Site, Site.id == OfferSearch.site_id)
        .outerjoin(Role, Role.id == OfferSearch.role_id)
        .outerjoin(Practitioner, Practitioner.id == Role.practitioner_id)
        .order_by(OfferSearch.offer_id)
    )


def commune_rows() -> Select[Any]:
    """Select what a feature of `communes` shows."""
    return select(
        Place.code,
        Place.name,
        Place.population,
        Place.departement_code,
        Place.postal_codes,
        func.ST_AsGeoJSON(Place.contour, 6).label("shape"),
    )


def offers_extent() -> Select[Any]:
    """Select the bounds of the public offers' positions."""
    lon: Any = longitude()
    lat: Any = latitude()
    return select(func.min(lon), func.min(lat), func.max(lon), func.max(lat)).where(searchable(PUBLIC))


def communes_extent() -> Select[Any]:
    """Select the bounds of the communes' contours."""
    box = Place.contour
    return select(
        func.min(func.ST_XMin(box)),
        func.min(func.ST_YMin(box)),
        func.max(func.ST_XMax(box)),
        func.max(func.ST_YMax(box)),
    ).where(*_communes(Asked()))
