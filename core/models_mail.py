"""Table of the outbox: the mails to send, and what became of each."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, Boolean, DateTime, Identity, Index, SmallInteger, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from core.models import SCHEMA


class Mail(Base):
    """A mail, written in the transaction of what it announces; one for each (kind, key), whoever asks again.

    `state` is one of `core.mail.states`; `history` only grows. `give_up_at` is the instant after which it is no
    longer sent, and the content of a `secret` one no longer kept. `reply_to` is who is answered, the contact of the
    service otherwise; `unsubscribe`, the path of ours that stops such mails at one press (RFC 8058). Contents and
    recipients are erased with time; the row stays, so that a transition is never announced twice.
    """

    __tablename__ = "mail"
    __table_args__ = (
        UniqueConstraint("kind", "key"),
        # What is to be sent, the most pressing first.
        Index("ix_mail_waiting", "give_up_at", "id", postgresql_where=text("state IN ('queued', 'sending')")),
        Index("ix_mail_state", "state", "id"),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True)
    kind: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    message_id: Mapped[str] = mapped_column(Text)
    recipient: Mapped[str] = mapped_column(Text)
    recipient_name: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    reply_to: Mapped[str | None] = mapped_column(Text)
    unsubscribe: Mapped[str | None] = mapped_column(Text)
    text: Mapped[str | None] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Text)
    secret: Mapped[bool] = mapped_column(Boolean)
    state: Mapped[str] = mapped_column(Text, server_default="queued")
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    reason: Mapped[str | None] = mapped_column(Text)
    history: Mapped[list[dict[str, str]]] = mapped_column(JSONB, server_default="[]")
    queued_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    touched_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    next_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    give_up_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
