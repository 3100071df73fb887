"""Selects of accounts."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Select, Update, func, select, update

from accounts.models import Account, Grant, SignIn
from accounts.settings import account_settings

SEEN_EVERY = timedelta(minutes=5)
"""How precisely a sign-in's last use is kept: more would write at each page."""


def signed_in(token: bytes) -> Select[*tuple[Any, ...]]:
    """Select the account behind the digest of a live sign-in; `stale` says that its last use should be noted."""
    now = func.core.now()
    idle = timedelta(minutes=account_settings().sign_in_idle_minutes)
    return (
        select(
            SignIn.id.label("sign_in_id"),
            SignIn.method,
            (SignIn.seen_at < now - SEEN_EVERY).label("stale"),
            Account.id.label("account_id"),
            Account.uid,
            Account.title,
            Account.last_name,
            Account.first_name,
            Account.email,
            Account.rpps,
        )
        .join(Account, Account.id == SignIn.account_id)
        .where(
            SignIn.token == token,
            SignIn.ended_at.is_(None),
            SignIn.expires_at > now,
            SignIn.seen_at > now - idle,
            Account.status == "active",
        )
    )


def touch(sign_in_id: int) -> Update:
    """Note that a sign-in is used now."""
    return update(SignIn).where(SignIn.id == sign_in_id).values(seen_at=func.core.now())


def live_grants(account_id: int) -> Select[str, str]:
    """Select what an account may do now."""
    return (
        select(Grant.role, Grant.scope)
        .where(Grant.account_id == account_id, Grant.ended_at.is_(None))
        .order_by(Grant.role, Grant.scope, Grant.id)
        .limit(500)
    )
