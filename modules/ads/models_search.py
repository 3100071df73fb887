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

    `places` answers « contains », « lies in » and « is » with one index: each place of the ad under its own key, and
    again under the opposite of its key with everything that contains it. So 78 (the département) is found by `-78`
    when the ad lies in it, by `78` when the ad asks for the whole of it. `tags`: category, side and specialty, in the
    same index. `towns`: its places that are a point. `periods`: when; an open end has no bound.
    """

    __tablename__ = "ad_search"
    __table_args__ = (
        Index("ix_ad_search_found", "places", "tags", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
        Index("ix_ad_search_words", "words", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
        Index("ix_ad_search_periods", "periods", postgresql_using="gist"),
        Index("ix_ad_search_recent", text("published_at DESC"), text("ad_id DESC"), postgresql_include=["ends_on"]),
        {"schema": SCHEMA},
    )

    ad_id: Mapped[int] = mapped_column(ForeignKey("ads.ad.id", ondelete="CASCADE"), primary_key=True)
    published_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_on: Mapped[date] = mapped_column(Date)
    urgent: Mapped[bool] = mapped_column(Boolean)
    places: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text(collation="C")))
    towns: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    periods: Mapped[list[Range[date]]] = mapped_column(DATEMULTIRANGE)
    words: Mapped[Any] = mapped_column(TSVECTOR)


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
