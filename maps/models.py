"""Tables of the location index."""

import uuid
from datetime import datetime
from typing import Any

from geoalchemy2 import Geography, Geometry
from sqlalchemy import (
    ARRAY,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base

SCHEMA = "maps"


class Place(Base):
    """A named part of France, of any kind, with its point, contour and population.

    `kind`: commune, commune_deleguee, arrondissement, epci, departement, region, pays, code_postal, territory.
    `code`: INSEE code, EPCI SIREN, département or région number, postal code, "france", operator's code.
    `retired_at`: gone from the source; kept because directory rows may still hold its id, never proposed.
    `source`: where it comes from; of a territory, its type ("CPTS", "Territoire de santé").
    """

    __tablename__ = "place"
    __table_args__ = (
        UniqueConstraint("kind", "code"),
        Index("ix_place_contour", "contour", postgresql_using="gist"),
        Index("ix_place_point", "point", postgresql_using="gist"),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    population: Mapped[int] = mapped_column(Integer, server_default="0")
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("maps.place.id"), index=True)
    departement_code: Mapped[str | None] = mapped_column(Text)
    postal_codes: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    point: Mapped[Any | None] = mapped_column(Geography("POINT", srid=4326, spatial_index=False))
    contour: Mapped[Any | None] = mapped_column(Geometry("MULTIPOLYGON", srid=4326, spatial_index=False), deferred=True)
    source: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    retired_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class PlaceState(Base):
    """One row: the mark that every change of the places renews, so that processes read them again."""

    __tablename__ = "place_state"
    __table_args__ = {"schema": SCHEMA}

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    token: Mapped[uuid.UUID] = mapped_column(server_default=func.gen_random_uuid())
    source: Mapped[str] = mapped_column(Text)
    loaded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class PlaceContainment(Base):
    """Transitive containment: `place_id` (a commune or smaller) lies in `container_id` (anything larger)."""

    __tablename__ = "place_containment"
    __table_args__ = {"schema": SCHEMA}

    container_id: Mapped[int] = mapped_column(ForeignKey("maps.place.id", ondelete="CASCADE"), primary_key=True)
    place_id: Mapped[int] = mapped_column(ForeignKey("maps.place.id", ondelete="CASCADE"), primary_key=True, index=True)


class PlaceFormerCode(Base):
    """A code that a register may still use (merged commune, 9A123) and the commune that it now means."""

    __tablename__ = "place_former_code"
    __table_args__ = {"schema": SCHEMA}

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    place_id: Mapped[int] = mapped_column(ForeignKey("maps.place.id", ondelete="CASCADE"), index=True)


class Street(Base):
    """A street of the BAN: its key, its name, the point of the address nearest its middle, how many addresses."""

    __tablename__ = "street"
    __table_args__ = {"schema": SCHEMA}

    commune_code: Mapped[str] = mapped_column(Text, primary_key=True)
    street_key: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    point: Mapped[Any] = mapped_column(Geography("POINT", srid=4326, spatial_index=False))
    addresses: Mapped[int] = mapped_column(Integer)


class Address(Base):
    """A numbered address of the national address base (BAN); `street_key` is the normalised street name."""

    __tablename__ = "address"
    __table_args__ = (
        Index("ix_address_lookup", "commune_code", "street_key", "number", "repetition"),
        {"schema": SCHEMA},
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    commune_code: Mapped[str] = mapped_column(Text)
    street_key: Mapped[str] = mapped_column(Text)
    number: Mapped[int] = mapped_column(Integer)
    repetition: Mapped[str] = mapped_column(Text, server_default="")
    street: Mapped[str] = mapped_column(Text)
    postal_code: Mapped[str] = mapped_column(Text)
    point: Mapped[Any] = mapped_column(Geography("POINT", srid=4326, spatial_index=False))
    certified: Mapped[int] = mapped_column(SmallInteger, server_default="0")
