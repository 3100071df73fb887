"""Tables of how a person is reached, of their council, and of what a council says that they are."""

import uuid
from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from accounts.models import SCHEMA
from core.db import Base


class Coordinate(Base):
    """A way to reach a person. `kind`: address, email, mobile or phone (a landline); numbers are kept as E.164.

    `origin`: self (typed) or register (accepted at the first visit). `confirmed_at` is for e-mails: whoever typed one
    opened the link that was sent there; what a register says proves nothing of who reads it.
    """

    __tablename__ = "coordinate"
    __table_args__ = (
        Index("uq_coordinate_value", "account_id", "kind", text("lower(value)"), unique=True),
        UniqueConstraint("id", "account_id", "kind"),
        CheckConstraint("kind IN ('address', 'email', 'mobile', 'phone')", name="kind"),
        CheckConstraint("origin IN ('self', 'register')", name="origin"),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(Uuid, server_default=text("gen_random_uuid()"), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.account.id"))
    kind: Mapped[str] = mapped_column(Text)
    value: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(Text, server_default="self")
    confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    version: Mapped[int] = mapped_column(Integer, server_default="1")


class CoordinateUse(Base):
    """Which coordinate of a kind serves for a use: ordre, rpps, domicile or annonces; one's own, of that very kind."""

    __tablename__ = "coordinate_use"
    __table_args__ = (
        ForeignKeyConstraint(
            ["coordinate_id", "account_id", "kind"],
            ["accounts.coordinate.id", "accounts.coordinate.account_id", "accounts.coordinate.kind"],
        ),
        CheckConstraint("use IN ('ordre', 'rpps', 'domicile', 'annonces')", name="use"),
        Index("ix_coordinate_use_coordinate", "coordinate_id"),
        {"schema": SCHEMA},
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.account.id"), primary_key=True)
    use: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    coordinate_id: Mapped[int] = mapped_column(BigInteger)


class OrdinalFile(Base):
    """What the Ordre's services keep of a person beside their coordinates: council, and the answers of a first visit.

    `council` is the code of a département; its owner confirms it once, then an administrator changes it.
    `ads_consent`: accepted, refused, or nothing when there was nothing to show. `version` also guards the uses.
    """

    __tablename__ = "ordinal_file"
    __table_args__ = (
        CheckConstraint("ads_consent IN ('accepted', 'refused')", name="ads_consent"),
        Index("ix_ordinal_file_council", "council", "account_id"),
        {"schema": SCHEMA},
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.account.id"), primary_key=True)
    council: Mapped[str | None] = mapped_column(Text)
    council_confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ads_consent: Mapped[str | None] = mapped_column(Text)
    ads_consent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    visited_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    version: Mapped[int] = mapped_column(Integer, server_default="1")


class GivenStanding(Base):
    """What a council or an administrator says that somebody is: intern, licensed (to replace) or junior.

    A licence serves until the end of the day `licence_until`, without end when there is none. What ended stays, so
    that its version goes on. `specialty` is written `system|code`, as the directory does.
    """

    __tablename__ = "standing"
    __table_args__ = (
        CheckConstraint("kind IN ('intern', 'licensed', 'junior')", name="kind"),
        {"schema": SCHEMA},
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.account.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    licence_until: Mapped[date | None] = mapped_column(Date)
    specialty: Mapped[str | None] = mapped_column(Text)
    given_by: Mapped[str] = mapped_column(Text)
    given_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    version: Mapped[int] = mapped_column(Integer, server_default="1")
