"""Tables of the webhooks: who is told that the directory changed, and what was sent."""

import uuid
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base
from search_api.models import SCHEMA


class WebhookSubscription(Base):
    """An address of a client that is told when what the client may read changed.

    `types` are the FHIR resource types followed, none meaning all. `position` is how far the client was told. The
    secret is drawn from that of the service, the `uid` and `generation`: nothing of it is kept; until `former_until`
    deliveries bear the signature of the former generation too. `failing_since` is the first failure since a success.
    """

    __tablename__ = "webhook_subscription"
    __table_args__ = (Index("ix_webhook_subscription_client", "client_id", "id"), {"schema": SCHEMA})

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("accounts.client.id"))
    url: Mapped[str] = mapped_column(Text)
    types: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    state: Mapped[str] = mapped_column(Text, server_default="active")
    position: Mapped[str] = mapped_column(Text)
    generation: Mapped[int] = mapped_column(Integer, server_default="1")
    former_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    told_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    succeeded_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    failing_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    version: Mapped[int] = mapped_column(Integer, server_default="1")


class WebhookDelivery(Base):
    """A notice to a subscription: one for each position, under an identifier that its repetitions keep.

    `state` is one of `search_api.webhooks.states`; `history` only grows. A notice names no resource: it says from
    where to read, and the feed tells what its reader may know.
    """

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("subscription_id", "position"),
        Index("ix_webhook_delivery_due", "next_at", "id", postgresql_where=text("state IN ('queued', 'sending')")),
        Index("ix_webhook_delivery_subscription", "subscription_id", "id"),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True)
    subscription_id: Mapped[int] = mapped_column(ForeignKey("search_api.webhook_subscription.id"))
    kind: Mapped[str] = mapped_column(Text)
    since: Mapped[str | None] = mapped_column(Text)
    position: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default="queued")
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    status: Mapped[int | None] = mapped_column(SmallInteger)
    reason: Mapped[str | None] = mapped_column(Text)
    history: Mapped[list[dict[str, str]]] = mapped_column(JSONB, server_default="[]")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    touched_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    next_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
