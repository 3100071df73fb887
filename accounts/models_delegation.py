"""Tables of delegations: who writes for a professional, from the asking to the end."""

import uuid
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from accounts.models import SCHEMA
from accounts.models_history import PassageLine
from core.db import Base


class Delegation(Base):
    """A professional (`rpps`) and who writes for them.

    `state`: invited (by the professional, at `email`, whoever reads it there), requested (by the delegate, whether
    or not anybody has that RPPS), accepted (the grant `delegate rpps:…` is given), refused, expired, ended.
    `token` is the digest of the invitation's link.
    """

    __tablename__ = "delegation"
    __table_args__ = (
        Index(
            "uq_delegation_invited",
            "rpps",
            text("lower(email)"),
            unique=True,
            postgresql_where=text("state = 'invited'"),
        ),
        Index(
            "uq_delegation_live",
            "rpps",
            "delegate_id",
            unique=True,
            postgresql_where=text("state IN ('requested', 'accepted')"),
        ),
        Index("ix_delegation_rpps", "rpps", "id"),
        Index("ix_delegation_delegate", "delegate_id", "id"),
        Index("ix_delegation_email", text("lower(email)"), postgresql_where=text("state = 'invited'")),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(Uuid, server_default=text("gen_random_uuid()"), unique=True)
    rpps: Mapped[str] = mapped_column(Text)
    professional_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.account.id"))
    delegate_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.account.id"))
    email: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    token: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    version: Mapped[int] = mapped_column(Integer, server_default="1")


class DelegationPassage(PassageLine, Base):
    """A passage of a delegation from one state to another; the table only grows."""

    __tablename__ = "delegation_passage"
    __table_args__ = (Index("ix_delegation_passage_delegation", "delegation_id", "id"), {"schema": SCHEMA})

    delegation_id: Mapped[int] = mapped_column(ForeignKey("accounts.delegation.id"))
