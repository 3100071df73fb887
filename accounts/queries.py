"""Selects of accounts."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Select, Update, func, select, update

from accounts.models import Account, AccountHistory, Grant, SignIn
from accounts.models_coordinates import GivenStanding
from accounts.models_home import Message
from accounts.settings import account_settings

SEEN_EVERY = timedelta(minutes=5)
"""How precisely a sign-in's last use is kept: more would write at each page."""
UNREAD_MAX = 100
"""Unread messages that each page counts; beyond, it says « 99+ »."""


def signed_in(token: bytes) -> Select[*tuple[Any, ...]]:
    """Select the account behind the digest of a live sign-in; `stale` says that its last use should be noted."""
    now = func.core.now()
    idle = timedelta(minutes=account_settings().sign_in_idle_minutes)
    unread = (
        select(Message.id)
        .where(Message.account_id == Account.id, Message.read_at.is_(None))
        .correlate(Account)
        .limit(UNREAD_MAX)
        .subquery()
    )
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
            select(GivenStanding.account_id)
            .where(GivenStanding.account_id == Account.id, GivenStanding.ended_at.is_(None))
            .correlate(Account)
            .exists()
            .label("given_standing"),
            select(func.count()).select_from(unread).correlate(Account).scalar_subquery().label("unread"),
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


def live_sign_ins(account_id: int) -> Select[SignIn]:
    """Select the browsers where an account is signed in now, the last used first."""
    now = func.core.now()
    idle = timedelta(minutes=account_settings().sign_in_idle_minutes)
    return (
        select(SignIn)
        .where(
            SignIn.account_id == account_id,
            SignIn.ended_at.is_(None),
            SignIn.expires_at > now,
            SignIn.seen_at > now - idle,
        )
        .order_by(SignIn.seen_at.desc(), SignIn.id.desc())
        .limit(100)
    )


def journal(account_id: int) -> Select[AccountHistory]:
    """Select what happened to an account, the latest first."""
    return select(AccountHistory).where(AccountHistory.account_id == account_id).order_by(AccountHistory.id.desc())
