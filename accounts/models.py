"""Tables of accounts: who signs in, from where, and what they may do."""

import uuid
from datetime import datetime
from typing import Any

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
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from accounts.models_history import HistoryLine
from core.db import Base

SCHEMA = "accounts"


class Account(Base):
    """A person who may sign in.

    `status`: pending (the e-mail address is not confirmed yet), active, closed (anonymised: names, addresses and
    identifiers are gone). `email` is stored as typed and unique whatever its case; `email_wanted` is a new address
    that its owner has not confirmed: an address is somebody's once a link sent to it was used. `profession` and
    `specialty` are what the person declared at sign-up; `rpps` is proven (Pro Santé Connect, or an administrator),
    `rpps_claimed` and `identifier_claimed` (ADELI, FINESS, staff number) only said. `psc_subject` is the SubjectNameID.
    """

    __tablename__ = "account"
    __table_args__ = (
        Index("uq_account_email", text("lower(email)"), unique=True, postgresql_where=text("email IS NOT NULL")),
        Index(
            "ix_account_email_wanted",
            text("lower(email_wanted)"),
            "id",
            postgresql_where=text("email_wanted IS NOT NULL"),
        ),
        Index(
            "ix_account_name",
            # Its migration gives both the collation "C", which nothing that reads indexes back tells.
            text("core.fold(last_name)"),
            text("core.fold(first_name)"),
            "id",
        ),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(Uuid, server_default=text("gen_random_uuid()"), unique=True)
    status: Mapped[str] = mapped_column(Text, server_default="pending")
    title: Mapped[str | None] = mapped_column(Text)
    last_name: Mapped[str] = mapped_column(Text, server_default="")
    first_name: Mapped[str] = mapped_column(Text, server_default="")
    email: Mapped[str | None] = mapped_column(Text)
    email_confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    email_wanted: Mapped[str | None] = mapped_column(Text)
    password_hash: Mapped[str | None] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text)
    phone_fixed: Mapped[str | None] = mapped_column(Text)
    profession: Mapped[str | None] = mapped_column(Text)
    specialty: Mapped[str | None] = mapped_column(Text)
    psc_subject: Mapped[str | None] = mapped_column(Text, unique=True)
    rpps: Mapped[str | None] = mapped_column(Text, unique=True)
    rpps_claimed: Mapped[str | None] = mapped_column(Text)
    identifier_claimed: Mapped[str | None] = mapped_column(Text)
    comment: Mapped[str | None] = mapped_column(Text)
    demo: Mapped[str | None] = mapped_column(Text, unique=True)
    terms_accepted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    version: Mapped[int] = mapped_column(Integer, server_default="1")


class SignIn(Base):
    """A signed-in browser. The cookie holds the token, the row only its digest.

    `method`: psc, password or demo. `ended_at` is set by signing out, here or everywhere.
    """

    __tablename__ = "sign_in"
    __table_args__ = (Index("ix_sign_in_account", "account_id", "id"), {"schema": SCHEMA})

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(Uuid, server_default=text("gen_random_uuid()"), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.account.id"))
    token: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    method: Mapped[str] = mapped_column(Text)
    device: Mapped[str] = mapped_column(Text, server_default="")
    id_token: Mapped[str | None] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Grant(Base):
    """What an account may do: a role over an opaque scope. Grants end; they are never deleted.

    `role`: professional (`rpps:…`), delegate (`rpps:…`), site_manager (`finess:…`), moderator (`council:78`),
    coordinator (a place such as `departement:78`), agent, administrator (no scope). `origin`: rule,
    administrator, professional (a delegate whom they accepted) or demo.
    """

    __tablename__ = "grant"
    __table_args__ = (
        Index(
            "uq_grant_live",
            "account_id",
            "role",
            "scope",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_grant_scope", "role", "scope", "id"),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.account.id"))
    role: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(Text, server_default="")
    origin: Mapped[str] = mapped_column(Text)
    given_by: Mapped[str] = mapped_column(Text)
    given_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    ended_by: Mapped[str | None] = mapped_column(Text)
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class AccountHistory(HistoryLine, Base):
    """What happened to an account, when and by whom; it only grows, and holds no secret."""

    __tablename__ = "account_history"
    __table_args__ = (Index("ix_account_history_account", "account_id", "id"), {"schema": SCHEMA})

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.account.id"))
    detail: Mapped[Any | None] = mapped_column(JSONB)
