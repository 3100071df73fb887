"""Tables of the referential: register entities. Offers and what professionals write are in `models_offer.py`."""

import uuid
from datetime import date, datetime
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
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base

SCHEMA = "directory"


class Concept(Base):
    """A code of a nomenclature, written `system|code` (J17|195). Ids are never reused nor deleted."""

    __tablename__ = "concept"
    __table_args__ = (UniqueConstraint("system", "code"), {"schema": SCHEMA})

    id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    system: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(Boolean, server_default="true")
    replaced_by: Mapped[str | None] = mapped_column(Text)


class ConceptVersion(Base):
    """Every label and status that a concept has had, by version of its nomenclature."""

    __tablename__ = "concept_version"
    __table_args__ = {"schema": SCHEMA}

    concept_id: Mapped[int] = mapped_column(ForeignKey("directory.concept.id"), primary_key=True)
    version: Mapped[str] = mapped_column(Text, primary_key=True)
    label: Mapped[str] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(Boolean)
    loaded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class Nomenclature(Base):
    """The version of a system (J17, R38 …) that is in force, and when and from where it was loaded."""

    __tablename__ = "nomenclature"
    __table_args__ = {"schema": SCHEMA}

    system: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    loaded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


def folded(column: str) -> Any:
    """The text of a column in lower case without accents: what names are looked up by.

    Migrations give such indexes the collation "C", which lets a beginning be looked up; nothing that reads indexes
    back from the database tells it.
    """
    return text(f"core.fold({column})")


class RegisterMixin:
    """What every register entity carries: keys, the hash of its register line, its life span."""

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(Uuid, server_default=text("gen_random_uuid()"), unique=True)
    register_hash: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    closed_on: Mapped[date | None] = mapped_column(Date)


class Alias(Base):
    """Natural keys of an entity other than its present `key`; a register key that changed re-attaches through them.

    `entity`: legal_entity, site, practitioner, role. `value` forms: `finess:780000287`, `siret:…`,
    `struct:410547039064…` (RPPS structure id), `adeli:…`, or a key that the entity had before.
    """

    __tablename__ = "alias"
    __table_args__ = (Index("ix_alias_target", "entity", "target_id"), {"schema": SCHEMA})

    entity: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[str] = mapped_column(Text, primary_key=True)
    target_id: Mapped[int] = mapped_column(BigInteger)


class LegalEntity(RegisterMixin, Base):
    """Entité juridique (FINESS EJ)."""

    __tablename__ = "legal_entity"
    __table_args__ = (
        Index("ix_legal_entity_updated", "updated_at", "id"),
        Index("ix_legal_entity_siren", "siren"),
        Index("ix_legal_entity_name", folded("name"), "id"),
        {"schema": SCHEMA},
    )

    key: Mapped[str] = mapped_column(Text, unique=True)
    finess: Mapped[str | None] = mapped_column(Text, index=True)
    siren: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    long_name: Mapped[str | None] = mapped_column(Text)
    legal_status: Mapped[str | None] = mapped_column(Text)
    street: Mapped[str | None] = mapped_column(Text)
    postal_code: Mapped[str | None] = mapped_column(Text)
    town: Mapped[str | None] = mapped_column(Text)
    commune_code: Mapped[str | None] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text)
    opened_on: Mapped[date | None] = mapped_column(Date)


class Site(RegisterMixin, Base):
    """Entité géographique or practice: where offers are carried out.

    `key` is the register's own (`finess:…`, `siret:…`, `struct:…`); `kind`: practice (known by the RPPS only)
    or establishment (FINESS). `position_level`: number, street,
    place (FINESS point), commune, none; the position is exact down to `place`. `position_score` 0–100.
    Columns `pin_*` belong to people: a pin placed by the professional wins over the register's position.
    """

    __tablename__ = "site"
    __table_args__ = (
        Index("ix_site_commune", "commune_id", "id"),
        Index("ix_site_place", text("COALESCE(pin, position)"), postgresql_using="gist"),
        Index("ix_site_updated", "updated_at", "id"),
        Index("ix_site_commune_code", "commune_code", "id"),
        Index("ix_site_siret", "siret"),
        Index("ix_site_structure", "structure_id"),
        Index("ix_site_name", folded("name"), "id"),
        Index("ix_site_town", folded("town"), "id"),
        Index("ix_site_postal_code", folded("postal_code"), "id"),
        {"schema": SCHEMA},
    )

    key: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(Text)
    finess: Mapped[str | None] = mapped_column(Text, index=True)
    siret: Mapped[str | None] = mapped_column(Text)
    structure_id: Mapped[str | None] = mapped_column(Text)
    legal_entity_id: Mapped[int | None] = mapped_column(ForeignKey("directory.legal_entity.id"), index=True)
    name: Mapped[str] = mapped_column(Text)
    long_name: Mapped[str | None] = mapped_column(Text)
    category: Mapped[str | None] = mapped_column(Text)
    sector: Mapped[str | None] = mapped_column(Text)
    complement: Mapped[str | None] = mapped_column(Text)
    street: Mapped[str | None] = mapped_column(Text)
    postal_code: Mapped[str | None] = mapped_column(Text)
    town: Mapped[str | None] = mapped_column(Text)
    commune_id: Mapped[int | None] = mapped_column(Integer)
    commune_code: Mapped[str | None] = mapped_column(Text)
    commune_how: Mapped[str | None] = mapped_column(Text)
    commune_score: Mapped[int | None] = mapped_column(SmallInteger)
    position: Mapped[Any | None] = mapped_column(Geography("POINT", srid=4326, spatial_index=False))
    position_source: Mapped[str | None] = mapped_column(Text)
    position_level: Mapped[str] = mapped_column(Text, server_default="none")
    position_score: Mapped[int | None] = mapped_column(SmallInteger)
    pin: Mapped[Any | None] = mapped_column(Geography("POINT", srid=4326, spatial_index=False))
    phone: Mapped[str | None] = mapped_column(Text)
    phone2: Mapped[str | None] = mapped_column(Text)
    fax: Mapped[str | None] = mapped_column(Text)
    email: Mapped[str | None] = mapped_column(Text)
    accessibility: Mapped[str | None] = mapped_column(Text)
    opened_on: Mapped[date | None] = mapped_column(Date)
    version: Mapped[int] = mapped_column(Integer, server_default="1")


class Practitioner(RegisterMixin, Base):
    """Professionnel. `national_id` is the identifier's type followed by the identifier (RPPS layout)."""

    __tablename__ = "practitioner"
    __table_args__ = (
        Index("ix_practitioner_updated", "updated_at", "id"),
        Index("ix_practitioner_family", folded("last_name"), "id"),
        Index("ix_practitioner_given", folded("first_name"), "id"),
        {"schema": SCHEMA},
    )

    national_id: Mapped[str] = mapped_column(Text, unique=True)
    rpps: Mapped[str | None] = mapped_column(Text, index=True)
    adeli: Mapped[str | None] = mapped_column(Text)
    title: Mapped[str | None] = mapped_column(Text)
    civility: Mapped[str | None] = mapped_column(Text)
    last_name: Mapped[str] = mapped_column(Text)
    first_name: Mapped[str] = mapped_column(Text)
    profession: Mapped[str | None] = mapped_column(Text)
    category: Mapped[str | None] = mapped_column(Text)
    specialties: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    qualifications: Mapped[Any | None] = mapped_column(JSONB)


class Role(RegisterMixin, Base):
    """Situation d'exercice: a practitioner at a site (or, rarely, nowhere: students, retired).

    `specialties` are `system|code` strings. Convention fields come from AMELI through the linkage.
    """

    __tablename__ = "role"
    __table_args__ = (
        Index("ix_role_practitioner", "practitioner_id", "id"),
        Index("ix_role_site", "site_id", "id"),
        Index("ix_role_updated", "updated_at", "id"),
        {"schema": SCHEMA},
    )

    practitioner_id: Mapped[int] = mapped_column(ForeignKey("directory.practitioner.id"))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("directory.site.id"))
    key: Mapped[str] = mapped_column(Text, unique=True)
    profession: Mapped[str] = mapped_column(Text)
    category: Mapped[str | None] = mapped_column(Text)
    specialties: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    mode: Mapped[str | None] = mapped_column(Text)
    sector: Mapped[str | None] = mapped_column(Text)
    function: Mapped[str | None] = mapped_column(Text)
    activity_kind: Mapped[str | None] = mapped_column(Text)
    authority: Mapped[str | None] = mapped_column(Text)
    convention: Mapped[str | None] = mapped_column(Text)
    fee_option: Mapped[str | None] = mapped_column(Text)
    carte_vitale: Mapped[bool | None] = mapped_column(Boolean)
    ameli_phone: Mapped[str | None] = mapped_column(Text)
    link_score: Mapped[int | None] = mapped_column(SmallInteger)


class History(Base):
    """What changed, when, by whom and why, for register entities and offers; it only grows."""

    __tablename__ = "history"
    __table_args__ = (Index("ix_history_entity", "entity", "entity_id", "id"), {"schema": SCHEMA})

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    entity: Mapped[str] = mapped_column(Text)
    entity_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    load_id: Mapped[int | None] = mapped_column(BigInteger)
    detail: Mapped[Any | None] = mapped_column(JSONB)


class LoadChange(Base):
    """The change table of one publication: which entity was created, changed, closed or reopened."""

    __tablename__ = "load_change"
    __table_args__ = {"schema": SCHEMA}

    load_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    entity: Mapped[str] = mapped_column(Text, primary_key=True)
    entity_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    change: Mapped[str] = mapped_column(Text)
