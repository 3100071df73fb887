"""Tables of signing in with an address and a password: links sent, codes, known devices, limits."""

import uuid
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from accounts.models import SCHEMA
from core.db import Base


class MailLink(Base):
    """A link that was sent to an address, and opens once; the mail holds the token, the row only its digest.

    `purpose`: confirm (the address of a new account), address (a new address of an account), coordinate (a
    further one, to be reached at) or reset (a forgotten password). `email` is where it was sent: what it proves is
    worth nothing for another one.
    """

    __tablename__ = "mail_link"
    __table_args__ = (Index("ix_mail_link_account", "account_id", "purpose", "id"), {"schema": SCHEMA})

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.account.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(Text)
    token: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    email: Mapped[str] = mapped_column(Text)
    sent_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    cancelled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SignInCode(Base):
    """The second step of a sign-in: a code sent by mail to who gave the right password.

    The browser holds a token whose digest is here; `code` is a signature, since a digest of six digits hides nothing.
    """

    __tablename__ = "sign_in_code"
    __table_args__ = (Index("ix_sign_in_code_account", "account_id", "id"), {"schema": SCHEMA})

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.account.id", ondelete="CASCADE"))
    token: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    code: Mapped[str] = mapped_column(Text)
    tries: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    sent: Mapped[int] = mapped_column(SmallInteger, server_default="1")
    sent_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class KnownDevice(Base):
    """A browser that its owner asked to recognise: no code is asked there, until it expires or is forgotten."""

    __tablename__ = "known_device"
    __table_args__ = (Index("ix_known_device_account", "account_id", "id"), {"schema": SCHEMA})

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(Uuid, server_default=text("gen_random_uuid()"), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.account.id", ondelete="CASCADE"))
    token: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    device: Mapped[str] = mapped_column(Text, server_default="")
    known_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Rate(Base):
    """How often something was tried: one row for a kind and a subject (a digest of an address, of an account).

    `due_at` is the instant at which what was tried so far is paid off at the allowed pace; a try is refused while that
    lies further ahead than the allowance.
    """

    __tablename__ = "rate"
    __table_args__ = (Index("ix_rate_due_at", "due_at"), {"schema": SCHEMA})

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    subject: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SpentChallenge(Base):
    """A proof of work that was used: it serves once."""

    __tablename__ = "spent_challenge"
    __table_args__ = (Index("ix_spent_challenge_expires_at", "expires_at"), {"schema": SCHEMA})

    challenge: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
