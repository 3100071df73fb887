"""Table of the bulk exports of the feed: who asked for what, how far the work is, which files hold it."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, DateTime, Identity, Index, Integer, SmallInteger, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from search_api.models import SCHEMA


class Export(Base):
    """An extraction that a program asked for, kept for a day once it is ready.

    `owner` is who may follow it: `client:…`, `account:…`, or NULL for an export of what everybody may read, which
    whoever knows its address may follow. `asker` counts exports together: the owner, or a digest of the network.
    `level` and `zone` are what the caller could read when it asked. `question` holds types, filters and `since`.

    `attempt` grows each time that the work is taken up, so that a process that was believed dead writes nothing more.
    `output` and `deleted` list files: type, name, digest of `core.files`, lines, bytes. Everything in them is of one
    instant: `position` is the last event that they take into account, and what changed after `transaction_time` is
    not in them. `state` is one of `fhir.export_states`; `history` only grows.
    """

    __tablename__ = "export"
    __table_args__ = (
        Index("ix_export_state", "state", "id"),
        Index("ix_export_asker", "asker", "id"),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(Uuid, server_default=text("gen_random_uuid()"), unique=True)
    owner: Mapped[str | None] = mapped_column(Text)
    asker: Mapped[str] = mapped_column(Text)
    level: Mapped[int] = mapped_column(SmallInteger)
    zone: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    request: Mapped[str] = mapped_column(Text)
    question: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(Text, server_default="asked")
    attempt: Mapped[int] = mapped_column(Integer, server_default="0")
    progress: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    written: Mapped[int] = mapped_column(BigInteger, server_default="0")
    reason: Mapped[str | None] = mapped_column(Text)
    position: Mapped[int | None] = mapped_column(BigInteger)
    transaction_time: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    output: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    deleted: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    history: Mapped[list[dict[str, str]]] = mapped_column(JSONB, server_default="[]")
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    touched_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
