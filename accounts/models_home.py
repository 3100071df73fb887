"""Tables of the home of a person: what they keep at hand, what they were told."""

import uuid
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKey,
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


class Favourite(Base):
    """Something that an account keeps at hand: `kind` and `ref` name it, `note` is for its owner alone.

    `kind` belongs to the package that keeps it (`service`, `offer`, …); `position` orders those of one kind.
    """

    __tablename__ = "favourite"
    __table_args__ = (
        UniqueConstraint("account_id", "kind", "ref"),
        Index("ix_favourite_shown", "account_id", "kind", "position", "id"),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.account.id"))
    kind: Mapped[str] = mapped_column(Text)
    ref: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, server_default="")
    position: Mapped[int] = mapped_column(Integer)
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())


class Message(Base):
    """Something that an account is told; `key` says which event told it, so that it is told once."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("account_id", "kind", "key"),
        Index("ix_message_account", "account_id", "id"),
        Index("ix_message_unread", "account_id", postgresql_where=text("read_at IS NULL")),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(Uuid, server_default=text("gen_random_uuid()"), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.account.id"))
    kind: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text, server_default="")
    link: Mapped[str | None] = mapped_column(Text)
    sent_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    read_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
