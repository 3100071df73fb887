"""Tables of the search: the words that names are made of, for typing errors, and what they were built from."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Index, Integer, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base

SCHEMA = "search_api"


class Token(Base):
    """A lexeme of the names of the directory (configuration directory.simple_fr) and how many offers hold it.

    Rebuilt as a whole after each publication; between two, a new name is found by its exact spelling.
    """

    __tablename__ = "token"
    __table_args__ = (
        Index("ix_token_trigram", "token", postgresql_using="gin", postgresql_ops={"token": "gin_trgm_ops"}),
        Index("ix_token_prefix", "token", postgresql_ops={"token": "text_pattern_ops"}),
        {"schema": SCHEMA},
    )

    token: Mapped[str] = mapped_column(Text, primary_key=True)
    offers: Mapped[int] = mapped_column(Integer)


class IndexState(Base):
    """Up to which event an index was built; one row per index."""

    __tablename__ = "index_state"
    __table_args__ = {"schema": SCHEMA}

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger)
    built_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
