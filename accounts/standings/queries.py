"""Selects of « Internes et docteurs juniors »: who is seen is decided here."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true

from accounts.models import Account, AccountHistory
from accounts.models_coordinates import GivenStanding, OrdinalFile
from accounts.person import Person
from accounts.standings.councils import CODES
from core.ui.tables import PAGE_SIZE, Column, View

COLUMNS: Final = (
    Column("nom", "Nom"),
    Column("rpps", "RPPS"),
    Column("situation", "Situation", sortable=False),
    Column("licence", "Licence jusqu’au"),
    Column("conseil", "Conseil"),
)
FILTERS: Final = {
    "texte": None,
    "situation": ("aucune", "intern", "licensed", "junior"),
    "conseil": CODES,
}
ACTIONS: Final = ("standing_given", "standing_ended", "council_confirmed", "council_changed", "council_refused")
"""Lines of an account's history that concern councils."""
_ORDER: Final[dict[str, tuple[Any, ...]]] = {
    "nom": (func.core.fold(Account.last_name), func.core.fold(Account.first_name)),
    "rpps": (Account.rpps,),
    "licence": (GivenStanding.licence_until,),
    "conseil": (OrdinalFile.council,),
}


def seen_by(person: Person) -> ColumnElement[bool]:
    """Return the accounts that somebody may see here: every one, or those of the councils that they moderate."""
    if person.has("administrator"):
        return true()
    councils = [scope.removeprefix("council:") for scope in person.scopes("moderator")]
    return OrdinalFile.council.in_(councils) if councils else false()


def _joined(*what: Any) -> Select[*tuple[Any, ...]]:
    return (
        select(*what)
        .select_from(Account)
        .outerjoin(OrdinalFile, OrdinalFile.account_id == Account.id)
        .outerjoin(GivenStanding, and_(GivenStanding.account_id == Account.id, GivenStanding.ended_at.is_(None)))
        .where(Account.status == "active")
    )


def one(person: Person, uid: object) -> Select[*tuple[Any, ...]]:
    """Select an account that somebody may see, with what it was given and its council."""
    return _joined(Account, GivenStanding, OrdinalFile).where(Account.uid == uid, seen_by(person))


def _matching(person: Person, view: View, *what: Any) -> Select[*tuple[Any, ...]]:
    # An administrator reaches the others from their page.
    wanted = _joined(*what).where(
        seen_by(person), or_(OrdinalFile.council.is_not(None), GivenStanding.account_id.is_not(None))
    )
    situation, council = view.filters.get("situation", ""), view.filters.get("conseil", "")
    if situation:
        wanted = wanted.where(
            GivenStanding.account_id.is_(None) if situation == "aucune" else GivenStanding.kind == situation
        )
    if council:
        wanted = wanted.where(OrdinalFile.council == council)
    who = func.core.fold(func.concat_ws(" ", Account.first_name, Account.last_name, Account.rpps))
    for word in view.filters.get("texte", "").split():
        escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        wanted = wanted.where(who.like(func.core.fold(f"%{escaped}%")))
    return wanted


def count(person: Person, view: View) -> Select[int]:
    """Count the accounts that a view holds."""
    return select(func.count()).select_from(_matching(person, view, Account.id).subquery())


def page(person: Person, view: View) -> Select[*tuple[Any, ...]]:
    """Select a page of accounts, with what each was given and its council."""
    order = [(key.desc() if view.descending else key.asc()).nulls_last() for key in _ORDER[view.sort]]
    return (
        _matching(person, view, Account, GivenStanding, OrdinalFile)
        .order_by(*order, Account.id)
        .limit(PAGE_SIZE)
        .offset(view.offset)
    )


def history(account_id: int, actions: Sequence[str] = ACTIONS) -> Select[AccountHistory]:
    """Select what councils and administrators did of an account, the latest first."""
    return (
        select(AccountHistory)
        .where(AccountHistory.account_id == account_id, AccountHistory.action.in_(actions))
        .order_by(AccountHistory.id.desc())
        .limit(30)
    )
