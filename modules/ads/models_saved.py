"""What readers leave: searches that they keep, what these were told of, reports of ads."""

import uuid
from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from modules.ads.models import SCHEMA


class SavedSearch(Base):
    """A search that somebody keeps. `query` is its address, in canonical form; `frequency`: now, daily or none.

    `digest_on` is the last day of which its daily mail was made, whether or not there was anything to say.
    """

    __tablename__ = "saved_search"
    __table_args__ = (
        CheckConstraint("frequency IN ('now', 'daily', 'none')", name="frequency"),
        Index("ix_saved_search_account", "account_id", "id"),
        Index("ix_saved_search_told", "id", postgresql_where=text("frequency <> 'none'")),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(Uuid, server_default=text("gen_random_uuid()"), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.account.id"))
    name: Mapped[str] = mapped_column(Text)
    query: Mapped[str] = mapped_column(Text)
    frequency: Mapped[str] = mapped_column(Text)
    digest_on: Mapped[date | None] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    version: Mapped[int] = mapped_column(Integer, server_default="1")


class SearchAlert(Base):
    """A publication that a saved search was told of, or waits to be (`told_at` is empty); once for each."""

    __tablename__ = "search_alert"
    __table_args__ = (
        Index("ix_search_alert_publication", "publication_id"),
        Index("ix_search_alert_waiting", "search_id", "publication_id", postgresql_where=text("told_at IS NULL")),
        {"schema": SCHEMA},
    )

    search_id: Mapped[int] = mapped_column(ForeignKey("ads.saved_search.id", ondelete="CASCADE"), primary_key=True)
    publication_id: Mapped[int] = mapped_column(
        ForeignKey("ads.ad_publication.id", ondelete="CASCADE"), primary_key=True
    )
    told_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class AdReport(Base):
    """An ad that a reader reports to its council.

    `closed_by` is who dealt with it: a moderator, or the author or the clock that deleted the ad.
    """

    __tablename__ = "ad_report"
    __table_args__ = (
        Index("ix_ad_report_open", "ad_id", "id", postgresql_where=text("closed_at IS NULL")),
        Index("uq_ad_report_once", "ad_id", "account_id", unique=True, postgresql_where=text("closed_at IS NULL")),
        Index("ix_ad_report_account", "account_id", "id"),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(Uuid, server_default=text("gen_random_uuid()"), unique=True)
    ad_id: Mapped[int] = mapped_column(ForeignKey("ads.ad.id", ondelete="CASCADE"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.account.id"))
    reason: Mapped[str] = mapped_column(Text)
    reported_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    closed_by: Mapped[str | None] = mapped_column(Text)
