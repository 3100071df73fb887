"""Tables of what readers of the feed were shown: the ledger behind deltas, versions and dates of resources."""

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, DateTime, Identity, Index, Integer, SmallInteger, func
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from directory.models import SCHEMA

LEGAL_ENTITY, SITE, PRACTITIONER, ROLE, OFFER = 1, 2, 3, 4, 5
"""`FeedState.kind`: parents come before what names them, so that a reader of a page knows them first."""


class FeedChange(Base):
    """A transaction that changed what readers are shown; its `position` is that of its last event.

    The rows of the ledger name the change rather than the position, which is known only under the lock of the events:
    a publication may so write a million of them before, and hold the lock for an instant.
    """

    __tablename__ = "feed_change"
    __table_args__ = (Index("uq_feed_change_position", "position", unique=True), {"schema": SCHEMA})

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    position: Mapped[int | None] = mapped_column(BigInteger)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())


class FeedFloor(Base):
    """The position before which nothing is told: a reader who stopped earlier takes everything again. One row."""

    __tablename__ = "feed_floor"
    __table_args__ = {"schema": SCHEMA}

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigInteger)


class FeedState(Base):
    """What each level of confidentiality (1 public, 2 professionals) was last shown of an entity.

    An entity without row never changed since the first publication. For each level: `change` is the last one that
    this level may tell from the former (0: none), `began` the one since which it is shown without interruption (NULL:
    since the beginning), `at` the communes where it is shown (0 stands for an unknown one; NULL: it is not shown),
    `ever` all those where it ever was (NULL: it never was shown, and nothing of it may be told), `version` grows with
    each change, `digest` is of the content of an offer.
    """

    __tablename__ = "feed_state"
    __table_args__ = (
        Index("ix_feed_state_change_1", "change_1", "kind", "entity_id"),
        Index("ix_feed_state_change_2", "change_2", "kind", "entity_id"),
        {"schema": SCHEMA},
    )

    kind: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    entity_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    change_1: Mapped[int] = mapped_column(BigInteger, server_default="0")
    change_2: Mapped[int] = mapped_column(BigInteger, server_default="0")
    began_1: Mapped[int | None] = mapped_column(BigInteger)
    began_2: Mapped[int | None] = mapped_column(BigInteger)
    at_1: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    at_2: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    ever_1: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    ever_2: Mapped[list[int] | None] = mapped_column(ARRAY(Integer))
    version_1: Mapped[int] = mapped_column(Integer, server_default="1")
    version_2: Mapped[int] = mapped_column(Integer, server_default="1")
    digest_1: Mapped[int | None] = mapped_column(BigInteger)
    digest_2: Mapped[int | None] = mapped_column(BigInteger)
