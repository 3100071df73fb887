"""Tables of ingestion: loads, their reports, AMELI links and decisions. Staging tables stand outside Alembic."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Identity, Index, Integer, SmallInteger, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base

SCHEMA = "ingest"


class Load(Base):
    """One run of ingestion. `status`: running, published, refused, failed, unchanged."""

    __tablename__ = "load"
    __table_args__ = {"schema": SCHEMA}

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    status: Mapped[str] = mapped_column(Text)
    files: Mapped[Any] = mapped_column(JSONB, server_default="[]")
    report: Mapped[Any | None] = mapped_column(JSONB)
    error: Mapped[str | None] = mapped_column(Text)


class AmeliLink(Base):
    """The present link of an AMELI line (by the fingerprint of its content) to an RPPS activity, or none."""

    __tablename__ = "ameli_link"
    __table_args__ = (Index("ix_ameli_link_decision", "decision", "line"), {"schema": SCHEMA})

    fingerprint: Mapped[str] = mapped_column(Text, primary_key=True)
    line: Mapped[int] = mapped_column(Integer)
    rpps: Mapped[str | None] = mapped_column(Text)
    structure: Mapped[str | None] = mapped_column(Text)
    score: Mapped[int] = mapped_column(SmallInteger)
    decision: Mapped[str] = mapped_column(Text)
    explanation: Mapped[Any | None] = mapped_column(JSONB)
    content: Mapped[Any] = mapped_column(JSONB)


class LinkDecision(Base):
    """An operator's word on a pair (AMELI line content, RPPS activity); it survives reloads."""

    __tablename__ = "link_decision"
    __table_args__ = {"schema": SCHEMA}

    fingerprint: Mapped[str] = mapped_column(Text, primary_key=True)
    rpps: Mapped[str] = mapped_column(Text, primary_key=True)
    structure: Mapped[str] = mapped_column(Text, primary_key=True, server_default="")
    accepted: Mapped[bool]
    decided_by: Mapped[str] = mapped_column(Text)
    decided_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
