"""Table of the coverage reports: what was asked, how far the work is, which files hold the answer."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Identity, Index, Integer, SmallInteger, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from search_api.models import SCHEMA


class CoverageReport(Base):
    """A report that someone asked for, kept for some weeks, then purged with its files.

    `fingerprint` is the hash of the question and of the state of the data: the same question on the same data
    is one report, whoever asks in the same `zone` (places to which all figures are limited; none, everywhere).
    `question` holds the canonical parameters as pairs. `state` is one of
    `coverage.states`; `history` only grows: each passage with its instant and reason. `progress` goes from 0 to
    100, `touched_at` is renewed at each step, so that a work whose process died is known by its silence.
    `files` names contents of `core.files` by kind.
    """

    __tablename__ = "coverage_report"
    __table_args__ = (
        Index("ix_coverage_report_state", "state", "id"),
        Index("ix_coverage_report_asked", "asked_at", "id"),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(Uuid, server_default=text("gen_random_uuid()"), unique=True)
    fingerprint: Mapped[str] = mapped_column(Text, unique=True)
    question: Mapped[list[list[str]]] = mapped_column(JSONB)
    zone: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    title: Mapped[str] = mapped_column(Text)
    communes: Mapped[int] = mapped_column(Integer)
    state: Mapped[str] = mapped_column(Text, server_default="asked")
    progress: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    reason: Mapped[str | None] = mapped_column(Text)
    summary: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    files: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    history: Mapped[list[dict[str, str]]] = mapped_column(JSONB, server_default="[]")
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    touched_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    ready_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
