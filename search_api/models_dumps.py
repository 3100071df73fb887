"""Table of the files that people download: what each holds, and which content is its present one."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Identity, Index, SmallInteger, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from search_api.models import SCHEMA


class Dump(Base):
    """A file made of the whole directory: which rows (`dataset`), for which level, in which format.

    All the files of a making (`made_at`) show one instant, and `position` is where to follow the changes from. The
    newest making is the one that addresses lead to; older ones stay some days, for downloads under way.
    """

    __tablename__ = "dump"
    __table_args__ = (
        Index("uq_dump_file", "made_at", "level", "dataset", "format", unique=True),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    dataset: Mapped[str] = mapped_column(Text)
    format: Mapped[str] = mapped_column(Text)
    level: Mapped[int] = mapped_column(SmallInteger)
    made_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    position: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(BigInteger)
    size: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(Text)
