"""Selects of the support queue."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import aliased

from accounts.models import Account
from accounts.models_support import SupportEntry, SupportLink, SupportRequest
from accounts.support_states import PASSAGES
from core.ui.tables import Column, View

COLUMNS: Final = (
    Column("numero", "Numéro", descending=True),
    Column("demandeur", "Demandeur"),
    Column("objet", "Objet"),
    Column("etat", "État"),
    Column("suivi", "Suivie par", sortable=False),
    Column("recue", "Reçue le", descending=True),
    Column("activite", "Dernière activité"),
)
STATES: Final = sorted({state for state, _ in PASSAGES})
WAITING: Final = ("new", "in_progress", "reopened")
"""States that wait for an operator."""
FILTERS: Final = {"etat": ("toutes", *STATES), "objet": None, "texte": None}

_ORDER: Final[dict[str, Any]] = {
    "numero": SupportRequest.id,
    "demandeur": func.core.fold(SupportRequest.name),
    "objet": SupportRequest.kind,
    "etat": SupportRequest.state,
    "recue": SupportRequest.opened_at,
    "activite": SupportRequest.touched_at,
}


def _like(text: str) -> ColumnElement[str]:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return func.core.fold(f"%{escaped}%")


def _matching(view: View) -> Select[Any]:
    wanted = select(SupportRequest)
    state = view.filters.get("etat", "")
    if state == "":
        wanted = wanted.where(SupportRequest.state.in_(WAITING))
    elif state != "toutes":
        wanted = wanted.where(SupportRequest.state == state)
    if view.filters.get("objet"):
        wanted = wanted.where(SupportRequest.kind == view.filters["objet"])
    text = view.filters.get("texte", "")
    if text:
        said = select(SupportEntry.id).where(
            SupportEntry.request_id == SupportRequest.id, func.core.fold(SupportEntry.text).like(_like(text))
        )
        who = func.core.fold(func.concat_ws(" ", SupportRequest.name, SupportRequest.email))
        conditions = [who.like(_like(text)), said.exists()]
        number = text.upper().removeprefix("A").lstrip("-– ")
        if number.isascii() and number.isdigit() and len(number) < 16:
            conditions.append(SupportRequest.id == int(number))
        wanted = wanted.where(or_(*conditions))
    return wanted


def queue_count(view: View) -> Select[int]:
    """Count the requests that a view of the queue holds."""
    return select(func.count()).select_from(_matching(view).subquery())


def queue_page(view: View) -> Select[Any]:
    """Select a page of the queue: each request with the names of who follows it."""
    key = _ORDER[view.sort]
    handler = aliased(Account)
    return (
        _matching(view)
        .outerjoin(handler, handler.id == SupportRequest.handler_id)
        .add_columns(handler.first_name.label("handler_first"), handler.last_name.label("handler_last"))
        .order_by(key.desc() if view.descending else key.asc(), SupportRequest.id)
        .limit(30)
        .offset(view.offset)
    )


def thread(request_id: int, *, notes: bool) -> Select[SupportEntry]:
    """Select the latest lines of a request's thread, in order; the operators' notes only when asked."""
    wanted = select(SupportEntry).where(SupportEntry.request_id == request_id)
    if not notes:
        wanted = wanted.where(SupportEntry.side != "note")
    latest = wanted.order_by(SupportEntry.id.desc()).limit(500).subquery()
    entry = aliased(SupportEntry, latest)
    return select(entry).order_by(entry.id)


def of_account(account_id: int) -> Select[SupportRequest]:
    """Select the requests of an account."""
    return select(SupportRequest).where(SupportRequest.account_id == account_id)


def of_link(token: bytes) -> Select[SupportRequest]:
    """Select the request that the digest of a mail's link leads to, while the link lives."""
    return (
        select(SupportRequest)
        .join(SupportLink, SupportLink.request_id == SupportRequest.id)
        .where(SupportLink.token == token, SupportLink.expires_at > func.core.now())
    )
