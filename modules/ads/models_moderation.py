"""Tables of moderation: models of reasons, and how a council words its mails."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, Identity, Index, Integer, Text, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from modules.ads.models import SCHEMA


class RefusalModel(Base):
    """A reason that moderators choose instead of typing it; what was sent is copied in the history of the ad.

    `council`: code of a département, or « national »: then every council is offered it.
    """

    __tablename__ = "refusal_model"
    __table_args__ = (Index("ix_refusal_model_council", "council", "id"), {"schema": SCHEMA})

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    council: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    updated_by: Mapped[str] = mapped_column(Text)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    version: Mapped[int] = mapped_column(Integer, server_default="1")


class MailWording(Base):
    """How a council words a mail since an instant; rows are only added, and the highest `version` is in use.

    Without `subject` and `body`, the council went back to the national wording, or to the standard one.
    """

    __tablename__ = "mail_wording"
    __table_args__ = (
        UniqueConstraint("council", "event", "version"),
        CheckConstraint("(subject IS NULL) = (body IS NULL)", name="both"),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    council: Mapped[str] = mapped_column(Text)
    event: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer)
    subject: Mapped[str | None] = mapped_column(Text)
    body: Mapped[str | None] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
