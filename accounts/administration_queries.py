"""Selects of the administrator's pages."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Select, func, select

from accounts.models import Account, AccountHistory, Grant, SignIn
from accounts.service import ROLES
from core.ui.tables import PAGE_SIZE, Column, View

COLUMNS: Final = (
    Column("nom", "Nom"),
    Column("email", "Adresse électronique"),
    Column("rpps", "RPPS"),
    Column("droits", "Droits", sortable=False),
    Column("statut", "Statut"),
    Column("cree", "Créé le", descending=True),
)
FILTERS: Final = {"texte": None, "role": ROLES, "statut": ("active", "pending", "closed", "tous")}
HISTORY: Final = (Column("date", "Date", descending=True),)

_ORDER: Final[dict[str, tuple[Any, ...]]] = {
    "nom": (func.core.fold(Account.last_name), func.core.fold(Account.first_name)),
    "email": (func.lower(Account.email),),
    "rpps": (Account.rpps,),
    "statut": (Account.status,),
    "cree": (Account.created_at,),
}


def _matching(view: View) -> Select[Account]:
    wanted = select(Account)
    status = view.filters.get("statut", "")
    if status == "":
        wanted = wanted.where(Account.status != "closed")
    elif status != "tous":
        wanted = wanted.where(Account.status == status)
    role = view.filters.get("role", "")
    if role:
        held = select(Grant.id).where(Grant.account_id == Account.id, Grant.role == role, Grant.ended_at.is_(None))
        wanted = wanted.where(held.exists())
    who = func.core.fold(
        func.concat_ws(" ", Account.first_name, Account.last_name, Account.email, Account.rpps, Account.rpps_claimed)
    )
    for word in view.filters.get("texte", "").split():
        escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        wanted = wanted.where(who.like(func.core.fold(f"%{escaped}%")))
    return wanted


def accounts_count(view: View) -> Select[int]:
    """Count the accounts that a view holds."""
    return select(func.count()).select_from(_matching(view).subquery())


def accounts_page(view: View) -> Select[Account]:
    """Select a page of accounts."""
    order = [(key.desc() if view.descending else key.asc()).nulls_last() for key in _ORDER[view.sort]]
    return _matching(view).order_by(*order, Account.id).limit(PAGE_SIZE).offset(view.offset)


def live_roles(account_ids: Collection[int]) -> Select[int, str]:
    """Select the roles that accounts hold, each once."""
    return (
        select(Grant.account_id, Grant.role)
        .where(Grant.account_id.in_(account_ids), Grant.ended_at.is_(None))
        .distinct()
        .order_by(Grant.account_id, Grant.role)
    )


def grants_of(account_id: int, *, live: bool) -> Select[Grant]:
    """Select the rights of an account: those that it holds, or the latest that ended."""
    wanted = select(Grant).where(Grant.account_id == account_id)
    if live:
        return wanted.where(Grant.ended_at.is_(None)).order_by(Grant.role, Grant.scope, Grant.id).limit(500)
    return wanted.where(Grant.ended_at.is_not(None)).order_by(Grant.ended_at.desc(), Grant.id).limit(30)


def live_sign_ins(account_id: int) -> Select[SignIn]:
    """Select the browsers on which an account is signed in."""
    return (
        select(SignIn)
        .where(SignIn.account_id == account_id, SignIn.ended_at.is_(None), SignIn.expires_at > func.core.now())
        .order_by(SignIn.seen_at.desc(), SignIn.id)
        .limit(30)
    )


def history(account_id: int, view: View) -> Select[AccountHistory]:
    """Select a page of an account's history."""
    key = AccountHistory.id.desc() if view.descending else AccountHistory.id.asc()
    return (
        select(AccountHistory)
        .where(AccountHistory.account_id == account_id)
        .order_by(key)
        .limit(PAGE_SIZE)
        .offset(view.offset)
    )


def history_count(account_id: int) -> Select[int]:
    """Count the lines of an account's history."""
    return select(func.count()).select_from(AccountHistory).where(AccountHistory.account_id == account_id)


def with_email(email: str) -> Select[Account]:
    """Select the account that has an address, whatever its case."""
    return select(Account).where(func.lower(Account.email) == email.lower(), Account.status != "closed")


def administrators(but: int) -> Select[int]:
    """Select another account that may administer."""
    return (
        select(Grant.account_id)
        .join(Account, Account.id == Grant.account_id)
        .where(
            Grant.role == "administrator",
            Grant.ended_at.is_(None),
            Grant.account_id != but,
            Account.status == "active",
        )
        .order_by(Grant.id)
        .limit(1)
    )
