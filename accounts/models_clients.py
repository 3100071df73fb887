"""Tables of the programs that read the API: what each may read, its secrets, its tokens, what it read."""

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
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from accounts.models import SCHEMA
from core.db import Base


class Client(Base):
    """A program that reads the API, and what it may read.

    `public_id` is the OAuth2 `client_id`. `status` is one of `accounts.clients.states`. `scopes` are those of
    `accounts.clients.scopes`; `zone` holds references of places (`departement:78`), none meaning the whole country.
    `request_id` is that of the form that made it: sent twice, it makes one client. `demo` names a client of the
    demonstration, whose secrets are known to all: it exists only there.
    """

    __tablename__ = "client"
    __table_args__ = (
        Index("ix_client_expires_at", "expires_at", "id", postgresql_where=text("expires_at IS NOT NULL")),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(Uuid, server_default=text("gen_random_uuid()"), unique=True)
    public_id: Mapped[str] = mapped_column(Text, unique=True)
    request_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True)
    name: Mapped[str] = mapped_column(Text)
    purpose: Mapped[str] = mapped_column(Text, server_default="")
    contact: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="active")
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    zone: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    per_minute: Mapped[int] = mapped_column(Integer)
    per_day: Mapped[int] = mapped_column(Integer)
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    demo: Mapped[str | None] = mapped_column(Text, unique=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    version: Mapped[int] = mapped_column(Integer, server_default="1")


class ClientSecret(Base):
    """A secret of a client, of which only a keyed digest is kept, and the beginning by which people tell it.

    `kind`: secret (OAuth2), key (sent with each request) or jwks (public keys that check what the client signs, in
    `ClientKeys`, without digest since nothing of them is secret). A rotation lets the former one live for a while:
    `expires_at` is then its end. `ended_at` is set when an administrator ends it at once.
    """

    __tablename__ = "client_secret"
    __table_args__ = (Index("ix_client_secret_client", "client_id", "id"), {"schema": SCHEMA})

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("accounts.client.id"))
    kind: Mapped[str] = mapped_column(Text)
    hint: Mapped[str] = mapped_column(Text)
    digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ClientKeys(Base):
    """Public keys of a client (JWK): pasted, or read at an address and kept for a while.

    `read_at` is when the address last gave `keys`, `tried_at` when it was last asked: at most once a minute, whoever
    calls.
    """

    __tablename__ = "client_keys"
    __table_args__ = ({"schema": SCHEMA},)

    secret_id: Mapped[int] = mapped_column(
        ForeignKey("accounts.client_secret.id", ondelete="CASCADE"), primary_key=True
    )
    url: Mapped[str | None] = mapped_column(Text)
    keys: Mapped[list[dict[str, str]]] = mapped_column(JSONB)
    read_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    tried_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())


class ClientAssertion(Base):
    """A signed request for a token that was used (its `jti`): it serves once, and is kept until it is over anyway."""

    __tablename__ = "client_assertion"
    __table_args__ = (Index("ix_client_assertion_expires_at", "expires_at"), {"schema": SCHEMA})

    client_id: Mapped[int] = mapped_column(ForeignKey("accounts.client.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ClientToken(Base):
    """An access token: an opaque text that the client holds, of which only a keyed digest is kept."""

    __tablename__ = "client_token"
    __table_args__ = (
        Index("ix_client_token_secret", "secret_id", "id"),
        Index("ix_client_token_expires_at", "expires_at", "id"),
        {"schema": SCHEMA},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    secret_id: Mapped[int] = mapped_column(ForeignKey("accounts.client_secret.id", ondelete="CASCADE"))
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    issued_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ClientHistory(Base):
    """What was done to a client, when and by whom; it only grows, and holds no secret."""

    __tablename__ = "client_history"
    __table_args__ = (Index("ix_client_history_client", "client_id", "id"), {"schema": SCHEMA})

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("accounts.client.id"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.core.now())
    actor: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    detail: Mapped[Any | None] = mapped_column(JSONB)


class ClientUsage(Base):
    """Requests of a client on one day of Paris, by family of addresses."""

    __tablename__ = "client_usage"
    __table_args__ = ({"schema": SCHEMA},)

    client_id: Mapped[int] = mapped_column(ForeignKey("accounts.client.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    family: Mapped[str] = mapped_column(Text, primary_key=True)
    requests: Mapped[int] = mapped_column(BigInteger, server_default="0")
    errors: Mapped[int] = mapped_column(BigInteger, server_default="0")
    refused: Mapped[int] = mapped_column(BigInteger, server_default="0")


class CallWindow(Base):
    """Requests taken by the processes out of what a caller may ask in a minute or a day.

    Processes take some at a time (`accounts.clients.quota`). Nothing here is worth writing twice to the disk: after a
    crash of the server, the present minute and day begin again.
    """

    __tablename__ = "call_window"
    __table_args__ = (
        Index("ix_call_window_ends_at", "ends_at"),
        {"schema": SCHEMA, "prefixes": ["UNLOGGED"]},
    )

    subject: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    daily: Mapped[bool] = mapped_column(Boolean, primary_key=True)
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    taken: Mapped[int] = mapped_column(BigInteger)
