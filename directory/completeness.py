"""How complete the description of an offer is: a score from 0 to 100, and what is missing.

Each kind of offer has its items; an item is held or not, there is no half. The weights of a kind add up to 100.
They follow what decides whether a patient or a colleague can use the sheet: how to reach the offer comes first,
then what is done there and when, then what helps to choose. The score is an expression of SQL over `Offer`
(and `Site`, joined), so that a page reads it for one offer and a dashboard averages it over a territory:

    select(func.avg(completeness.score())).join(Site, Site.id == Offer.site_id)
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from sqlalchemy import Boolean, ColumnElement, Integer, and_, case, cast, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from directory.models import Concept, Site
from directory.models_offer import ContactPoint, Offer, OfferTerritory, OpeningSlot, SiteEquipment
from directory.offer_steps import HOME_VISITS

KINDS: Final = ("liberal", "establishment")


@dataclass(frozen=True)
class Item:
    """Something that a complete description has: weights by kind of offer, its step, the field where it is written."""

    key: str
    label: str
    step: str
    field: str
    liberal: int
    establishment: int
    held: Callable[[], ColumnElement[bool]]

    def weight(self, kind: str) -> int:
        """Return what the item counts for in a kind of offer."""
        return self.liberal if kind == "liberal" else self.establishment


def _contact(*purposes: str) -> Callable[[], ColumnElement[bool]]:
    return lambda: (
        select(literal(1))
        .where(ContactPoint.offer_id == Offer.id, ContactPoint.purpose.in_(purposes))
        .correlate(Offer)
        .exists()
    )


def _some(column: Any) -> ColumnElement[bool]:
    return func.cardinality(column) > 0


def _hours() -> ColumnElement[bool]:
    return select(literal(1)).where(OpeningSlot.offer_id == Offer.id).correlate(Offer).exists()


def _territory() -> ColumnElement[bool]:
    homes = select(func.array_agg(Concept.id)).where((Concept.system + "|" + Concept.code).in_(HOME_VISITS))
    visits = Offer.reception.op("&&", return_type=Boolean())(homes.scalar_subquery())
    named = select(literal(1)).where(OfferTerritory.offer_id == Offer.id).correlate(Offer).exists()
    # Who visits nobody has no territory to name.
    return and_(_some(Offer.reception), or_(named, func.coalesce(visits, False).is_(False)))


def _equipment() -> ColumnElement[bool]:
    return select(literal(1)).where(SiteEquipment.site_id == Offer.site_id).correlate(Offer).exists()


def _exact() -> ColumnElement[bool]:
    return or_(Site.pin.is_not(None), Site.position_level.in_(("number", "street", "place")))


ITEMS: Final = (
    Item("booking", "Un moyen public de prendre rendez-vous (téléphone, lien ou adresse)", "contacts", "booking_phone",
         20, 20, _contact("booking_phone", "booking_url", "booking_email")),
    Item("activities", "Les activités opérationnelles, confirmées", "mon-offre-1", "activities", 10, 15,
         lambda: and_(Offer.described, _some(Offer.activities))),
    Item("acts", "Les actes spécifiques, en cabinet ou hors cabinet", "mon-offre-1", "acts", 15, 15,
         lambda: or_(_some(Offer.acts), _some(Offer.outside_acts))),
    Item("hours", "Les horaires de la semaine", "horaires", "hours", 15, 10, _hours),
    Item("mssante", "La messagerie sécurisée de santé (MSSanté)", "contacts", "mssante", 8, 5, _contact("mssante")),
    Item("accepts_new", "Si vous acceptez de nouveaux patients", "mon-offre-1", "accepts_new", 7, 5,
         lambda: or_(Offer.accepts_new.is_not(None), Offer.accepts_new_on.is_not(None))),
    Item("pro_phone", "Un téléphone pour les professionnels", "contacts", "pro_phone", 5, 10,
         _contact("pro_phone", "emergency_phone")),
    Item("reception", "Les modalités d’accueil, et où se font les visites", "mon-offre-2", "reception", 8, 5,
         _territory),
    Item("accessibility", "L’accessibilité du lieu", "mon-offre-2", "accessibility", 5, 5,
         lambda: Site.accessibility.is_not(None)),
    Item("equipment", "Les équipements du lieu", "mon-offre-2", "equipment", 2, 5, _equipment),
    Item("position", "La position précise du lieu sur la carte", "position", "position", 5, 5, _exact),
)  # fmt: skip
"""What counts, most useful first."""


@cache
def _held() -> dict[str, ColumnElement[bool]]:
    return {item.key: item.held() for item in ITEMS}


def score() -> ColumnElement[int]:
    """Return the score, 0 to 100, as an expression over `Offer`, with `Site` joined in the statement."""

    def total(kind: str) -> ColumnElement[int]:
        parts = [cast(_held()[item.key], Integer) * item.weight(kind) for item in ITEMS]
        added = parts[0]
        for part in parts[1:]:
            added = added + part
        return added

    return case((Offer.kind == "liberal", total("liberal")), else_=total("establishment"))


@dataclass(frozen=True, slots=True)
class Completeness:
    """The score of an offer, and the items it lacks, heaviest first."""

    score: int
    missing: list[Item]


async def completeness(session: AsyncSession, offer_id: int) -> Completeness:
    """Return how complete the description of an offer is, as published."""
    columns = [held.label(key) for key, held in _held().items()]
    row = (
        await session.execute(
            select(Offer.kind, score().label("score"), *columns)
            .join(Site, Site.id == Offer.site_id)
            .where(Offer.id == offer_id)
        )
    ).one()
    missing = [item for item in ITEMS if not getattr(row, item.key)]
    return Completeness(row.score, sorted(missing, key=lambda item: -item.weight(row.kind)))
