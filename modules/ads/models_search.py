"""What searches read of the ads, and the publications that saved searches are told of."""

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
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, DATEMULTIRANGE, TSVECTOR, Range
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from modules.ads.models import SCHEMA


class AdSearch(Base):
    """A published ad as searches read it; an ad that is not published has no row.

    `tags`: category, side and specialty. `towns`: its places that are a point, `placed`: whether it has one.
    `periods`: when; an open end has no bound.
    """

    __tablename__ = "ad_search"
    __table_args__ = (
        Index("ix_ad_search_tags", "tags", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
        Index("ix_ad_search_words", "words", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
        Index("ix_ad_search_periods", "periods", postgresql_using="gist"),
        # Holds what the count of all the ads reads.
        Index(
            "ix_ad_search_recent",
            text("published_at DESC"),
            text("ad_id DESC"),
            postgresql_include=["ends_on", "placed"],
        ),
        {"schema": SCHEMA},
    )

    ad_id: Mapped[int] = mapped_column(ForeignKey("ads.ad.id", ondelete="CASCADE"), primary_key=True)
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_on: Mapped[date] = mapped_column(Date)
    urgent: Mapped[bool] = mapped_column(Boolean)
    placed: Mapped[bool] = mapped_column(Boolean)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text(collation="C")))
    towns: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    periods: Mapped[list[Range[date]]] = mapped_column(DATEMULTIRANGE)
    words: Mapped[Any] = mapped_column(TSVECTOR)


class AdSpot(Base):
    """Where a published ad is: a line for each of its places, and one for everything that contains it.

    `key` is the key of the place, or the opposite of the key of what contains it, itself included: a département is
    found by `-78` when the ad lies in it, by `78` when the ad asks for the whole of it. Lines carry what narrows a
    search, so that hundreds of towns around one are looked up in one index and no other row is read.
    """

    __tablename__ = "ad_spot"
    __table_args__ = (
        Index(
            "ix_ad_spot_found",
            "key",
            "specialty",
            "category",
            "side",
            postgresql_include=["ad_id", "published_at", "ends_on", "placed", "periods"],
        ),
        {"schema": SCHEMA},
    )

    ad_id: Mapped[int] = mapped_column(ForeignKey("ads.ad_search.ad_id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[int] = mapped_column(Integer, primary_key=True)
    specialty: Mapped[str | None] = mapped_column(Text(collation="C"))
    category: Mapped[str | None] = mapped_column(Text(collation="C"))
    side: Mapped[str | None] = mapped_column(Text(collation="C"))
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_on: Mapped[date] = mapped_column(Date)
    placed: Mapped[bool] = mapped_column(Boolean)
    periods: Mapped[list[Range[date]]] = mapped_column(DATEMULTIRANGE)


class AdPublication(Base):
    """An ad that was published, or published again; what saved searches have not been told of has no `handled_at`."""

    __tablename__ = "ad_publication"
    __table_args__ = (
        UniqueConstraint("ad_id", "published_at"),
        Index("ix_ad_publication_waiting", "id", postgresql_where=text("handled_at IS NULL")),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    ad_id: Mapped[int] = mapped_column(ForeignKey("ads.ad.id", ondelete="CASCADE"))
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    noted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    handled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
