"""Selects behind the sheets; what a level of confidentiality may see is decided here, in SQL."""

import uuid
from collections.abc import Collection, Sequence
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import ColumnElement, Select, and_, case, cast, func, literal, null, select

from directory.models import LegalEntity, Practitioner, Role, Site
from directory.models_offer import (
    ContactPoint,
    HoursException,
    Offer,
    OfferTerritory,
    OpeningSlot,
    SiteEquipment,
    SpecialSlot,
)
from directory.queries import PROFESSIONAL
from maps.api import Place

OFFERS_SHOWN = 200
PEOPLE_SHOWN = 200


def _latitude(column: Any) -> ColumnElement[float]:
    return func.ST_Y(cast(column, Geometry))


def _longitude(column: Any) -> ColumnElement[float]:
    return func.ST_X(cast(column, Geometry))


def visible(level: int) -> ColumnElement[bool]:
    """Return the predicate of the offers whose sheet a person of this level may read."""
    standing = and_(Offer.closed_on.is_(None), Offer.status == "published")
    return standing if level >= PROFESSIONAL else and_(standing, Offer.sensitive.is_(False))


def site(uid: uuid.UUID) -> Select[Any]:
    """Select a site with its position (the professional's pin wins), town, département and legal entity."""
    position = func.coalesce(Site.pin, Site.position)
    departement = Place.__table__.alias("departement")
    return (
        select(
            Site,
            _latitude(position).label("lat"),
            _longitude(position).label("lon"),
            Site.pin.is_not(None).label("pinned"),
            Place.kind.label("commune_kind"),
            Place.code.label("commune_ref"),
            Place.name.label("commune_name"),
            departement.c.code.label("departement_code"),
            departement.c.name.label("departement_name"),
            LegalEntity.name.label("legal_entity"),
        )
        .outerjoin(Place, Place.id == Site.commune_id)
        .outerjoin(
            departement,
            and_(departement.c.kind == "departement", departement.c.code == Place.departement_code),
        )
        .outerjoin(LegalEntity, LegalEntity.id == Site.legal_entity_id)
        .where(Site.uid == uid)
    )


def offer(uid: uuid.UUID, level: int) -> Select[Any]:
    """Select an offer, its role and practitioner; the free comment only for professionals.

    Closed and unpublished offers are selected too, so that the page can say what became of them; a sensitive
    one only for professionals.
    """
    comment = Offer.comment if level >= PROFESSIONAL else null()
    statement = (
        select(Offer, Role, Practitioner, Site.uid.label("site_uid"), Site.closed_on.label("site_closed_on"))
        .add_columns(comment.label("shown_comment"))
        .join(Site, Site.id == Offer.site_id)
        .outerjoin(Role, Role.id == Offer.role_id)
        .outerjoin(Practitioner, Practitioner.id == Role.practitioner_id)
        .where(Offer.uid == uid)
    )
    return statement if level >= PROFESSIONAL else statement.where(Offer.sensitive.is_(False))


def offers_of_site(
    site_id: int, level: int, limit: int = OFFERS_SHOWN, other_than: int = 0
) -> Select[Offer, Role, Practitioner]:
    """Select the offers of a site with their practitioners: described first, then by name, bounded."""
    return (
        select(Offer, Role, Practitioner)
        .outerjoin(Role, Role.id == Offer.role_id)
        .outerjoin(Practitioner, Practitioner.id == Role.practitioner_id)
        .where(Offer.site_id == site_id, Offer.id != other_than, visible(level))
        .order_by(Offer.described.desc(), func.core.fold(Offer.name), Offer.id)
        .limit(limit)
    )


def count_offers(site_id: int, level: int) -> Select[int]:
    """Count the offers that `offers_of_site` bounds."""
    return select(func.count()).select_from(Offer).where(Offer.site_id == site_id, visible(level))


def _without_offer(site_id: int, level: int) -> ColumnElement[bool]:
    shown = select(literal(1)).where(Offer.role_id == Role.id, visible(level)).exists()
    # A role whose only offer is hidden must not betray that the offer exists: it is left out as well.
    hidden = select(literal(1)).where(Offer.role_id == Role.id, Offer.closed_on.is_(None)).exists()
    return and_(Role.site_id == site_id, Role.closed_on.is_(None), ~shown, ~hidden)


def people_of_site(site_id: int, level: int) -> Select[Role, Practitioner]:
    """Select practitioners of a site who have no offer of their own there, by name, bounded, each once."""
    first = func.min(Role.id).label("role_id")
    roles = (
        select(Role.practitioner_id, first).where(_without_offer(site_id, level)).group_by(Role.practitioner_id)
    ).subquery()
    return (
        select(Role, Practitioner)
        .join(roles, roles.c.role_id == Role.id)
        .join(Practitioner, Practitioner.id == Role.practitioner_id)
        .order_by(Practitioner.last_name, Practitioner.first_name, Practitioner.id)
        .limit(PEOPLE_SHOWN)
    )


def count_people(site_id: int, level: int) -> Select[int]:
    """Count the practitioners that `people_of_site` bounds."""
    return select(func.count(Role.practitioner_id.distinct())).where(_without_offer(site_id, level))


def contacts(level: int, offer_id: int | None = None, site_id: int | None = None) -> Select[ContactPoint]:
    """Select the contact points of an offer or a site that a level may see."""
    owner = ContactPoint.offer_id == offer_id if offer_id is not None else ContactPoint.site_id == site_id
    return (
        select(ContactPoint)
        .where(owner, ContactPoint.confidentiality <= level)
        .order_by(ContactPoint.confidentiality, ContactPoint.id)
        .limit(50)
    )


def booking_contacts(offer_ids: Collection[int], level: int) -> Select[ContactPoint]:
    """Select how to book offers, as far as a level may see it."""
    return (
        select(ContactPoint)
        .where(
            ContactPoint.offer_id.in_(offer_ids),
            ContactPoint.purpose.in_(("booking_phone", "booking_url", "booking_email")),
            ContactPoint.confidentiality <= level,
        )
        .order_by(ContactPoint.offer_id, ContactPoint.id)
        .limit(5 * OFFERS_SHOWN)
    )


def slots(offer_ids: Collection[int]) -> Select[OpeningSlot]:
    """Select the opening slots of offers."""
    return (
        select(OpeningSlot)
        .where(OpeningSlot.offer_id.in_(offer_ids))
        .order_by(OpeningSlot.offer_id, OpeningSlot.weekday, OpeningSlot.opens, OpeningSlot.id)
    )


def special_slots(offer_ids: Collection[int]) -> Select[SpecialSlot]:
    """Select the hours of exceptions and of public holidays of offers."""
    return (
        select(SpecialSlot)
        .where(SpecialSlot.offer_id.in_(offer_ids))
        .order_by(SpecialSlot.offer_id, SpecialSlot.exception_id, SpecialSlot.opens, SpecialSlot.id)
    )


def exceptions(offer_ids: Collection[int]) -> Select[HoursException]:
    """Select the exceptions to the hours of offers."""
    return (
        select(HoursException)
        .where(HoursException.offer_id.in_(offer_ids))
        .order_by(HoursException.offer_id, HoursException.starts_on, HoursException.id)
    )


def clocks(offer_ids: Collection[int]) -> Select[Any]:
    """Select what decides on which clock, with which public holidays and closings, offers live."""
    columns: list[Any] = [Offer.id, Offer.kind, Offer.public_holidays, Offer.closing_on, Offer.reopening_on]
    return (
        select(*columns, Place.departement_code)
        .join(Site, Site.id == Offer.site_id)
        .outerjoin(Place, Place.id == Site.commune_id)
        .where(Offer.id.in_(offer_ids))
        .order_by(Offer.id)
    )


def visiting(offer_ids: Sequence[int]) -> Select[int]:
    """Select which of the offers have a territory where they visit."""
    return select(OfferTerritory.offer_id).distinct().where(OfferTerritory.offer_id.in_(offer_ids))


def equipment(site_id: int) -> Select[int]:
    """Select the equipment (concept ids) of a site."""
    return (
        select(SiteEquipment.concept_id)
        .where(SiteEquipment.site_id == site_id)
        .order_by(SiteEquipment.concept_id)
        .limit(200)
    )


def territory(offer_id: int) -> Select[Any]:
    """Select the places visited, by name, with point and the box that holds their contour or point."""
    box = func.coalesce(Place.contour, cast(Place.point, Geometry))
    kind = case((Place.kind == "arrondissement", "commune"), else_=Place.kind)
    return (
        select(
            kind.label("kind"),
            Place.code,
            Place.name,
            Place.postal_codes,
            _latitude(Place.point).label("lat"),
            _longitude(Place.point).label("lon"),
            func.ST_XMin(box).label("west"),
            func.ST_YMin(box).label("south"),
            func.ST_XMax(box).label("east"),
            func.ST_YMax(box).label("north"),
        )
        .join(OfferTerritory, OfferTerritory.place_id == Place.id)
        .where(OfferTerritory.offer_id == offer_id)
        .order_by(func.core.fold(Place.name), Place.id)
        .limit(1000)
    )
