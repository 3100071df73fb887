"""Tables of the support queue: requests, their threads, their passages, the links of people without account."""

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
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from accounts.models import SCHEMA
from accounts.models_history import PassageLine
from core.db import Base


class SupportRequest(Base):
    """A request for help. `id` is also the number that people say (« A-1042 »).

    `account_id` is the asker's when they were signed in; `email` is where they are answered. `ref_entity` and
    `ref_uid` name what it is about, opaque here; `page` the address where they were. `source` is a keyed digest of
    the network address of an asker without account, erased after a day: it only bounds how many they send.
    """

    __tablename__ = "support_request"
    __table_args__ = (
        UniqueConstraint("origin_key"),
        Index("ix_support_request_state", "state", "touched_at", "id"),
        Index("ix_support_request_account", "account_id", "id"),
        Index("ix_support_request_source", "source", "opened_at", postgresql_where=text("source IS NOT NULL")),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(start=1001), primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(Uuid, server_default=text("gen_random_uuid()"), unique=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.account.id"))
    name: Mapped[str] = mapped_column(Text, server_default="")
    email: Mapped[str | None] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    page: Mapped[str | None] = mapped_column(Text)
    ref_entity: Mapped[str | None] = mapped_column(Text)
    ref_uid: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    state: Mapped[str] = mapped_column(Text, server_default="new")
    handler_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.account.id"))
    origin_key: Mapped[str | None] = mapped_column(Text)
    source: Mapped[bytes | None] = mapped_column(LargeBinary)
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    touched_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    version: Mapped[int] = mapped_column(Integer, server_default="1")


class SupportEntry(Base):
    """A line of a request's thread; `side`: person, operator, or note (which operators alone read)."""

    __tablename__ = "support_entry"
    __table_args__ = (Index("ix_support_entry_request", "request_id", "id"), {"schema": SCHEMA})

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("accounts.support_request.id"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    actor: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(Text)
    side: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)


class SupportPassage(PassageLine, Base):
    """A passage of a request from one state to another; the table only grows."""

    __tablename__ = "support_passage"
    __table_args__ = (Index("ix_support_passage_request", "request_id", "id"), {"schema": SCHEMA})

    request_id: Mapped[int] = mapped_column(ForeignKey("accounts.support_request.id"))


class SupportLink(Base):
    """A link that a mail gave to an asker without account: the digest of its token. It leads to one request."""

    __tablename__ = "support_link"
    __table_args__ = (Index("ix_support_link_request", "request_id", "id"), {"schema": SCHEMA})

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("accounts.support_request.id"))
    token: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
