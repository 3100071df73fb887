"""Tables of signing in by Pro Santé Connect: attempts under way, and identities that wait for an account."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Index, LargeBinary, Text, Uuid, func, text
from sqlalchemy.orm import Mapped, mapped_column

from accounts.models import SCHEMA
from core.db import Base


class PscAttempt(Base):
    """A browser that was sent to Pro Santé Connect and is awaited back, once.

    `state` and `browser` are digests of what went along and of what the cookie holds. `account_id` is set when a
    person who is signed in links a card to their account.
    """

    __tablename__ = "psc_attempt"
    __table_args__ = (Index("ix_psc_attempt_expires_at", "expires_at"), {"schema": SCHEMA})

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    state: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    browser: Mapped[bytes] = mapped_column(LargeBinary)
    nonce: Mapped[str] = mapped_column(Text)
    verifier: Mapped[str] = mapped_column(Text)
    target: Mapped[str] = mapped_column(Text)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.account.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class PscCard(Base):
    """An identity that Pro Santé Connect proved and that no account holds yet; it waits for its holder's choice.

    Only the browser that presented the card may use it (`browser` is the digest of its cookie), once and for a short
    time.
    """

    __tablename__ = "psc_card"
    __table_args__ = (Index("ix_psc_card_expires_at", "expires_at"), {"schema": SCHEMA})

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(Uuid, server_default=text("gen_random_uuid()"), unique=True)
    browser: Mapped[bytes] = mapped_column(LargeBinary)
    subject: Mapped[str] = mapped_column(Text)
    rpps: Mapped[str] = mapped_column(Text)
    title: Mapped[str | None] = mapped_column(Text)
    last_name: Mapped[str] = mapped_column(Text)
    first_name: Mapped[str] = mapped_column(Text)
    profession: Mapped[str | None] = mapped_column(Text)
    specialty: Mapped[str | None] = mapped_column(Text)
    id_token: Mapped[str] = mapped_column(Text)
    target: Mapped[str] = mapped_column(Text)
    shown_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
