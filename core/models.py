"""Tables of the foundations."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Identity, Index, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base

SCHEMA = "core"


class Event(Base):
    """One change that followers (indexes, feeds, screens) must hear of: ids only, in commit order."""

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_entity", "entity", "entity_id", "position"), {"schema": SCHEMA})

    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    entity: Mapped[str] = mapped_column(Text)
    entity_id: Mapped[int | None] = mapped_column(BigInteger)
    load_id: Mapped[int | None] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
