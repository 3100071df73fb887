"""Tables of ads: the ad, its places, periods and files, and the history that only grows."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Sequence,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base

SCHEMA = "ads"

NUMBERS = Sequence("ad_number", schema=SCHEMA, metadata=Base.metadata)


TOLD = "state IN ('pending', 'published', 'unpublished', 'refused')"
TOLD_ORDERS = {
    "updated": ("updated_at",),
    "number": ("number",),
    # Its migration gives it the collation "C", which nothing that reads indexes back tells.
    "title": (text("core.fold(title)"),),
    "category": ("category",),
}
"""Orders of the moderators' table that must not read every ad of the country."""


def told_index(name: str, *keys: Any) -> Index:
    """Return an index that orders the ads that councils see, and answers which of them a table holds by itself."""
    held = ["state", "ends_on", "submitted_at", "council"]
    return Index(f"ix_ad_told_{name}", *keys, "id", postgresql_where=text(TOLD), postgresql_include=held)


class Ad(Base):
    """An ad. `number` is what people say of it: short, and never given twice, since rows are never deleted.

    `state`: see `states`. `side`: seeks (the author seeks somebody) or offers (themselves). `specialty`: of R38,
    written `system|code` as accounts do (`R38|SM54`). `council`: code of the département whose council moderates it,
    that of the author at the last submission. `ends_on`: last day on which it is shown, inclusive, in Paris.
    `content`: digest of what is moderated; `accepted`: that of what a council last accepted, so that the same content
    may be shown again at once.
    `refusals`: how often it was refused. `anonymous`: readers write through a form and never see an address.
    `escalated_at`: it waited too long, and the national level is told.
    """

    __tablename__ = "ad"
    __table_args__ = (
        Index("ix_ad_author", "account_id", "id"),
        Index("ix_ad_council", "council", "state", "updated_at", "id"),
        Index("ix_ad_shown", "published_at", "id", postgresql_where=text("state = 'published'")),
        Index("ix_ad_ends", "ends_on", "id", postgresql_where=text("state IN ('published', 'pending')")),
        Index("ix_ad_state", "state", "updated_at", "id"),
        *(told_index(name, *keys) for name, keys in TOLD_ORDERS.items()),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(Uuid, server_default=text("gen_random_uuid()"), unique=True)
    number: Mapped[int] = mapped_column(Integer, NUMBERS, server_default=NUMBERS.next_value(), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.account.id"))
    state: Mapped[str] = mapped_column(Text, server_default="draft")
    category: Mapped[str | None] = mapped_column(Text)
    side: Mapped[str | None] = mapped_column(Text)
    specialty: Mapped[str | None] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text, server_default="")
    description: Mapped[str] = mapped_column(Text, server_default="")
    conditions: Mapped[str] = mapped_column(Text, server_default="")
    urgent: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    anonymous: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    ends_on: Mapped[date | None] = mapped_column(Date)
    council: Mapped[str | None] = mapped_column(Text)
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    accepted: Mapped[bytes | None] = mapped_column(LargeBinary)
    refusals: Mapped[int] = mapped_column(Integer, server_default="0")
    unpublish_reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    submitted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    published_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    warned_for: Mapped[date | None] = mapped_column(Date)
    escalated_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    version: Mapped[int] = mapped_column(Integer, server_default="1")


class AdPlace(Base):
    """A place of an ad, of the location index: a commune, a département, a région or France."""

    __tablename__ = "ad_place"
    __table_args__ = (Index("ix_ad_place_place", "place_id", "ad_id"), {"schema": SCHEMA})

    ad_id: Mapped[int] = mapped_column(ForeignKey("ads.ad.id", ondelete="CASCADE"), primary_key=True)
    place_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger)


class AdPeriod(Base):
    """A period of an ad; without an end, it reads « à partir du »."""

    __tablename__ = "ad_period"
    __table_args__ = {"schema": SCHEMA}

    ad_id: Mapped[int] = mapped_column(ForeignKey("ads.ad.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    starts_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)


class AdFile(Base):
    """A photo or a PDF of an ad: contents lie in `core.files` under `digest`, and `thumb` for a photo.

    `kind`: image or pdf. `size` in bytes, `width` and `height` in pixels. `name`: as its author called it.
    """

    __tablename__ = "ad_file"
    __table_args__ = (
        UniqueConstraint("ad_id", "position", deferrable=True, initially="DEFERRED"),
        Index("ix_ad_file_digest", "digest"),
        Index("ix_ad_file_thumb", "thumb"),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(Uuid, server_default=text("gen_random_uuid()"), unique=True)
    ad_id: Mapped[int] = mapped_column(ForeignKey("ads.ad.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(SmallInteger)
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(Text)
    thumb: Mapped[str | None] = mapped_column(Text)
    size: Mapped[int] = mapped_column(Integer)
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())


class AdHistory(Base):
    """What happened to an ad, when, by whom and why; it only grows (erasure alone empties `reason` and `detail`).

    `author_side`: whether the author did it; `council` is that of the moderator (`CD78`), or « national ».
    `detail`: of a submission, the content that was sent, so that a moderator sees what changed since.
    """

    __tablename__ = "ad_history"
    __table_args__ = (
        Index("ix_ad_history_ad", "ad_id", "id"),
        Index(
            "ix_ad_history_decided",
            "at",
            "id",
            postgresql_where=text("action IN ('submit', 'revise', 'accept', 'refuse')"),
        ),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    ad_id: Mapped[int] = mapped_column(ForeignKey("ads.ad.id"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    actor: Mapped[str] = mapped_column(Text)
    council: Mapped[str | None] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    from_state: Mapped[str | None] = mapped_column(Text)
    to_state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[Any | None] = mapped_column(JSONB)
