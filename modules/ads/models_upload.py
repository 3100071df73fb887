"""Table of the contents that were sent for ads."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Index, Integer, Text, Uuid, func, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from modules.ads.models import SCHEMA


class AdUpload(Base):
    """A photo or a PDF that somebody sent, on an ad or not yet: what is typed beside it may still be wrong.

    Files of ads take their `uid` and their contents from here. A row outlives its day only while an ad has its
    content, so that whatever a row of an ad no longer names is found and removed.
    """

    __tablename__ = "ad_upload"
    __table_args__ = (
        Index("ix_ad_upload_age", "added_at", "id"),
        Index("ix_ad_upload_digest", "digest"),
        Index("ix_ad_upload_thumb", "thumb"),
        Index("ix_ad_upload_account", "account_id"),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(Uuid, server_default=text("gen_random_uuid()"), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.account.id"))
    kind: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(Text)
    thumb: Mapped[str | None] = mapped_column(Text)
    size: Mapped[int] = mapped_column(Integer)
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
