"""Selects of delegations."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import aliased

from accounts.models import Account, Grant
from accounts.models_delegation import Delegation, DelegationPassage


def invited(account_id: int) -> Select[Delegation]:
    """Select the invitations that wait for an account's answer, by the address that it has confirmed."""
    return (
        select(Delegation)
        .join(Account, func.lower(Account.email) == func.lower(Delegation.email))
        .where(
            Account.id == account_id,
            Account.email_confirmed_at.is_not(None),
            Delegation.state == "invited",
            Delegation.expires_at > func.core.now(),
        )
    )


def invitations_to(account_id: int) -> Select[*tuple[Any, ...]]:
    """Select the invitations that an account may answer, with the professionals who sent them."""
    professional = aliased(Account)
    return (
        invited(account_id)
        .join(professional, professional.id == Delegation.professional_id)
        .add_columns(professional.first_name, professional.last_name)
        .order_by(Delegation.id)
        .limit(100)
    )


def waiting_of_delegate(account_id: int) -> Select[Delegation]:
    """Select the demands of an account that wait for a professional."""
    return (
        select(Delegation)
        .where(
            Delegation.delegate_id == account_id,
            Delegation.state == "requested",
            Delegation.expires_at > func.core.now(),
        )
        .order_by(Delegation.id)
        .limit(100)
    )


def invitations_of(rpps: Collection[str]) -> Select[Delegation]:
    """Select the invitations of professionals that wait for an answer."""
    return (
        select(Delegation)
        .where(Delegation.rpps.in_(rpps), Delegation.state == "invited", Delegation.expires_at > func.core.now())
        .order_by(Delegation.id)
        .limit(100)
    )


def demands_to(rpps: Collection[str]) -> Select[*tuple[Any, ...]]:
    """Select the demands that professionals may answer, with who made them."""
    return (
        select(Delegation, Account.first_name, Account.last_name, Account.email)
        .join(Account, Account.id == Delegation.delegate_id)
        .where(
            Delegation.rpps.in_(rpps),
            Delegation.state == "requested",
            Delegation.expires_at > func.core.now(),
            Account.status == "active",
        )
        .order_by(Delegation.id)
        .limit(100)
    )


def delegates_of(rpps: Collection[str]) -> Select[*tuple[Any, ...]]:
    """Select the rights to write for professionals, with who holds them."""
    return (
        select(Grant, Account.first_name, Account.last_name, Account.email)
        .join(Account, Account.id == Grant.account_id)
        .where(
            Grant.role == "delegate",
            Grant.scope.in_([f"rpps:{one}" for one in rpps]),
            Grant.ended_at.is_(None),
            Account.status == "active",
        )
        .order_by(Grant.id)
        .limit(500)
    )


def written_for(account_id: int) -> Select[Grant]:
    """Select the rights to write for professionals that an account holds."""
    return (
        select(Grant)
        .where(Grant.account_id == account_id, Grant.role == "delegate", Grant.ended_at.is_(None))
        .order_by(Grant.id)
        .limit(500)
    )


def past(account_id: int, rpps: Collection[str]) -> Select[*tuple[Any, ...]]:
    """Select the latest passages of the delegations of an account, on both sides."""
    return (
        select(DelegationPassage, Delegation.rpps, Delegation.email, Account.first_name, Account.last_name)
        .join(Delegation, Delegation.id == DelegationPassage.delegation_id)
        .outerjoin(Account, Account.id == Delegation.delegate_id)
        .where(or_(Delegation.delegate_id == account_id, Delegation.rpps.in_(rpps)))
        .order_by(DelegationPassage.id.desc())
        .limit(30)
    )
