"""Table of the portals: a search of its own address, zone, colours and words, that any site may show."""

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, DateTime, Identity, Integer, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from search_api.models import SCHEMA


class Portal(Base):
    """A portal at `/maillage/<slug>`.

    `places` are references (`departement:78`) outside which it shows nothing. `colour` is that of actions, `band`
    that of the top of the page, both `#rrggbb`. `filters` are pairs of the search that the first page begins with.
    `hosts` are the origins (`https://exemple.fr`) that may show the widget. `state` is one of `portals.states`;
    `history` only grows: when, who, what.
    """

    __tablename__ = "portal"
    __table_args__ = {"schema": SCHEMA}

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    slug: Mapped[str] = mapped_column(Text, unique=True)
    title: Mapped[str] = mapped_column(Text)
    logo: Mapped[str] = mapped_column(Text)
    intro: Mapped[str] = mapped_column(Text, server_default="")
    places: Mapped[list[str]] = mapped_column(ARRAY(Text))
    colour: Mapped[str] = mapped_column(Text)
    band: Mapped[str] = mapped_column(Text)
    filters: Mapped[list[list[str]]] = mapped_column(JSONB, server_default="[]")
    hosts: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    state: Mapped[str] = mapped_column(Text, server_default="active")
    history: Mapped[list[dict[str, str]]] = mapped_column(JSONB, server_default="[]")
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
