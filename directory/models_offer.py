"""Tables of the operational offer and of its search projection."""

import uuid
from datetime import date, datetime, time
from typing import Any

from geoalchemy2 import Geography
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Text,
    Time,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import INT4MULTIRANGE, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from directory.models import SCHEMA, folded


def _concepts() -> Any:
    # Arrays of concept ids instead of link tables: concepts are never deleted, so no key can dangle,
    # and a country's load writes one row per offer instead of ten.
    return mapped_column(ARRAY(Integer), server_default="{}")


class Offer(Base):
    """Offre opérationnelle (UO). Concept columns hold `directory.concept.id`.

    `kind`: liberal (generated from a role) or establishment. `described` is False while only registers speak.
    `status`: published, unpublished, or left (its professional says that they no longer work there). `origin`
    tells which rule generated an establishment's offer, so that the next load finds it again; a liberal offer is
    found by its role. `languages` are ISO 639-1 codes.
    `public_holidays`: closed, open or hours; when nobody chose, a liberal offer is closed, an establishment's open.
    Operational columns belong to the professional; a load never writes them once the offer is described.
    """

    __tablename__ = "offer"
    __table_args__ = (
        Index("ix_offer_site", "site_id", "id"),
        Index("ix_offer_updated", "updated_at", "id"),
        Index("ix_offer_name", folded("name"), "id"),
        Index("uq_offer_role", "role_id", unique=True),
        Index("uq_offer_origin", "site_id", "origin", unique=True, postgresql_where=text("origin IS NOT NULL")),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(Uuid, server_default=text("gen_random_uuid()"), unique=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("directory.site.id"))
    role_id: Mapped[int | None] = mapped_column(ForeignKey("directory.role.id"))
    kind: Mapped[str] = mapped_column(Text)
    origin: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    field_id: Mapped[int | None] = mapped_column(Integer)
    type_id: Mapped[int | None] = mapped_column(Integer)
    mode_id: Mapped[int | None] = mapped_column(Integer)
    activities: Mapped[list[int]] = _concepts()
    acts: Mapped[list[int]] = _concepts()
    outside_acts: Mapped[list[int]] = _concepts()
    skills: Mapped[list[int]] = _concepts()
    specialisations: Mapped[list[int]] = _concepts()
    publics: Mapped[list[int]] = _concepts()
    reception: Mapped[list[int]] = _concepts()
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    age_min: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    age_max: Mapped[int] = mapped_column(SmallInteger, server_default="150")
    accepts_new: Mapped[bool | None] = mapped_column(Boolean)
    accepts_new_on: Mapped[date | None] = mapped_column(Date)
    comment: Mapped[str | None] = mapped_column(Text)
    described: Mapped[bool] = mapped_column(Boolean, server_default="false")
    sensitive: Mapped[bool] = mapped_column(Boolean, server_default="false")
    status: Mapped[str] = mapped_column(Text, server_default="published")
    public_holidays: Mapped[str | None] = mapped_column(Text)
    closing_on: Mapped[date | None] = mapped_column(Date)
    reopening_on: Mapped[date | None] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    closed_on: Mapped[date | None] = mapped_column(Date)
    version: Mapped[int] = mapped_column(Integer, server_default="1")


class SiteEquipment(Base):
    """Equipment (J18) of a place; `limit` qualifies it (weight, size) where the nomenclature asks."""

    __tablename__ = "site_equipment"
    __table_args__ = (Index("ix_site_equipment_concept", "concept_id", "site_id"), {"schema": SCHEMA})

    site_id: Mapped[int] = mapped_column(ForeignKey("directory.site.id"), primary_key=True)
    concept_id: Mapped[int] = mapped_column(ForeignKey("directory.concept.id"), primary_key=True)
    limit: Mapped[str | None] = mapped_column(Text)


class ContactPoint(Base):
    """Coordonnées of an offer or a site, each with its own confidentiality (R283: 1 public, 2 professionals).

    `nature` R287 and `channel` R200 codes; `purpose` is our field name (booking_phone, pro_phone, …).
    """

    __tablename__ = "contact_point"
    __table_args__ = (
        Index("ix_contact_point_offer", "offer_id", "id"),
        Index("ix_contact_point_site", "site_id", "id"),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    offer_id: Mapped[int | None] = mapped_column(ForeignKey("directory.offer.id"))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("directory.site.id"))
    purpose: Mapped[str] = mapped_column(Text)
    nature: Mapped[str | None] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    value: Mapped[str] = mapped_column(Text)
    confidentiality: Mapped[int] = mapped_column(SmallInteger)


class OpeningSlot(Base):
    """Plage horaire of the typical week: kind (R252, or `indisponible`), ISO weekday, local times, optional period."""

    __tablename__ = "opening_slot"
    __table_args__ = (
        Index("ix_opening_slot_offer", "offer_id", "weekday", "opens", "id"),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("directory.offer.id"))
    kind: Mapped[str] = mapped_column(Text)
    weekday: Mapped[int] = mapped_column(SmallInteger)
    opens: Mapped[time] = mapped_column(Time)
    closes: Mapped[time] = mapped_column(Time)
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)


class HoursException(Base):
    """What replaces the week of an offer between two dates, both included.

    `kind`: leave, absence, closed or special; only a special one has hours (`SpecialSlot`). The replacement of an
    absent professional is public, name and telephone.
    """

    __tablename__ = "hours_exception"
    __table_args__ = (
        Index("ix_hours_exception_offer", "offer_id", "starts_on", "id"),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("directory.offer.id"))
    kind: Mapped[str] = mapped_column(Text)
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date] = mapped_column(Date)
    replacement: Mapped[str | None] = mapped_column(Text)
    replacement_phone: Mapped[str | None] = mapped_column(Text)


class SpecialSlot(Base):
    """Hours of the days of an exception, or of public holidays when `exception_id` is NULL."""

    __tablename__ = "special_slot"
    __table_args__ = (
        Index("ix_special_slot_offer", "offer_id", "exception_id", "opens", "id"),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    offer_id: Mapped[int] = mapped_column(ForeignKey("directory.offer.id"))
    exception_id: Mapped[int | None] = mapped_column(ForeignKey("directory.hours_exception.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Text)
    opens: Mapped[time] = mapped_column(Time)
    closes: Mapped[time] = mapped_column(Time)


class OfferTerritory(Base):
    """Territoire d'intervention: a place (commune by default) where the offer comes to the patient's home."""

    __tablename__ = "offer_territory"
    __table_args__ = (Index("ix_offer_territory_place", "place_id", "offer_id"), {"schema": SCHEMA})

    offer_id: Mapped[int] = mapped_column(ForeignKey("directory.offer.id"), primary_key=True)
    place_id: Mapped[int] = mapped_column(Integer, primary_key=True)


class OfferSearch(Base):
    """Search projection: one row per offer that may be found, written in the transaction of every change.

    `codes` holds every concept id of the offer (type, mode, activities, acts, skills, equipment of its site,
    ways of receiving, profession, specialties, convention, category, and our own `AGE|enfant`, `AGE|adulte`,
    `KIND|liberal`, `KIND|establishment`), each once; which facet an id feeds follows from its system.
    `places` holds the ids of the commune and of everything that contains it; `territory` the ids of the
    places visited. `open_minutes` are minutes of the week (Monday 0:00 = 0) on the clock of the offer's département:
    what really is open on the seven days that begin today, exceptions and public holidays applied. It is NULL when no
    hours are known, empty when they are and nothing opens.
    `names` is the tsvector of site and practitioner names (configuration directory.simple_fr).
    Restricted contacts, sensitive units and free comments never enter this row.
    """

    __tablename__ = "offer_search"
    __table_args__ = (
        Index("ix_offer_search_codes", "codes", postgresql_using="gin"),
        Index("ix_offer_search_places", "places", postgresql_using="gin"),
        Index("ix_offer_search_territory", "territory", postgresql_using="gin"),
        Index("ix_offer_search_names", "names", postgresql_using="gin"),
        Index("ix_offer_search_position", "position", postgresql_using="gist"),
        Index("ix_offer_search_site", "site_id", "offer_id"),
        {"schema": SCHEMA},
    )

    offer_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    site_id: Mapped[int] = mapped_column(BigInteger)
    role_id: Mapped[int | None] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(Text)
    position: Mapped[Any | None] = mapped_column(Geography("POINT", srid=4326, spatial_index=False))
    exact: Mapped[bool] = mapped_column(Boolean)
    commune_id: Mapped[int | None] = mapped_column(Integer)
    places: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    codes: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    territory: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    age_min: Mapped[int] = mapped_column(SmallInteger)
    age_max: Mapped[int] = mapped_column(SmallInteger)
    accepts_new: Mapped[bool | None] = mapped_column(Boolean)
    open_minutes: Mapped[Any | None] = mapped_column(INT4MULTIRANGE)
    names: Mapped[Any] = mapped_column(TSVECTOR)
    described: Mapped[bool] = mapped_column(Boolean)
    sensitive: Mapped[bool] = mapped_column(Boolean)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SearchCard(Base):
    """What a result shows of an offer and of its site, beside `OfferSearch` and written with it: a page reads one block
    a row instead of one for each of five tables.

    No restricted contact nor comment. Sensitive offers have their row, as there: who finds them is decided before rows
    are read. Contacts stay in their table, where their confidentiality is; `contacts` tells that the offer or its site
    has public ones.
    """

    __tablename__ = "search_card"
    __table_args__ = ({"schema": SCHEMA},)

    offer_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    site_id: Mapped[int] = mapped_column(BigInteger)
    uid: Mapped[uuid.UUID] = mapped_column(Uuid)
    name: Mapped[str] = mapped_column(Text)
    type_id: Mapped[int | None] = mapped_column(Integer)
    title: Mapped[str | None] = mapped_column(Text)
    first_name: Mapped[str | None] = mapped_column(Text)
    last_name: Mapped[str | None] = mapped_column(Text)
    convention: Mapped[str | None] = mapped_column(Text)
    carte_vitale: Mapped[bool | None] = mapped_column(Boolean)
    site_uid: Mapped[uuid.UUID] = mapped_column(Uuid)
    site_name: Mapped[str] = mapped_column(Text)
    site_kind: Mapped[str] = mapped_column(Text)
    category: Mapped[str | None] = mapped_column(Text)
    street: Mapped[str | None] = mapped_column(Text)
    postal_code: Mapped[str | None] = mapped_column(Text)
    town: Mapped[str | None] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text)
    clock: Mapped[str] = mapped_column(Text)
    contacts: Mapped[bool] = mapped_column(Boolean)
