"""Tables of what people are still writing: drafts of offers, forms that were sent when the sign-in had ended."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Index, Integer, LargeBinary, SmallInteger, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from directory.models import SCHEMA


class OfferDraft(Base):
    """What is written of an offer and not yet published; one draft per offer, shared by those who may edit it.

    `account_id` began it. `data` holds, by step, the values as typed. `base` is what was published when it began,
    and `base_version`, `base_site_version` say of which versions: they tell what others published meanwhile.
    `reached` is the furthest step that was passed. `tab` names the page that wrote last, so that the requests of
    one page are never taken for those of a second tab.
    """

    __tablename__ = "offer_draft"
    __table_args__ = {"schema": SCHEMA}

    offer_id: Mapped[int] = mapped_column(ForeignKey("directory.offer.id"), primary_key=True, autoincrement=False)
    account_id: Mapped[int] = mapped_column(BigInteger)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    base: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    base_version: Mapped[int] = mapped_column(Integer)
    base_site_version: Mapped[int] = mapped_column(Integer)
    reached: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    tab: Mapped[str] = mapped_column(Text, server_default="")
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    updated_by: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer, server_default="1")


class HeldForm(Base):
    """A form that arrived after its sign-in had ended: kept for the browser that sent it, shown again afterwards.

    `holder` is the digest of the browser's form cookie. Rows live for an hour.
    """

    __tablename__ = "held_form"
    __table_args__ = (Index("uq_held_form", "holder", "address", unique=True), {"schema": SCHEMA})

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    holder: Mapped[bytes] = mapped_column(LargeBinary)
    address: Mapped[str] = mapped_column(Text)
    fields: Mapped[list[list[str]]] = mapped_column(JSONB)
    held_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now(), index=True)
