"""Selects of the pages of clients."""

from datetime import date
from typing import Any, Final

from sqlalchemy import Select, func, select

from accounts.clients.states import LABELS
from accounts.models_clients import Client, ClientHistory, ClientKeys, ClientSecret, ClientUsage
from core.ui.tables import PAGE_SIZE, Column, View

COLUMNS: Final = (
    Column("nom", "Application"),
    Column("lecture", "Peut lire", sortable=False),
    Column("zone", "Zone", sortable=False),
    Column("jour", "Aujourd’hui", sortable=False),
    Column("usage", "Dernier usage", descending=True),
    Column("fin", "Fin"),
    Column("statut", "Statut"),
)
FILTERS: Final = {"texte": None, "statut": (*LABELS, "tous")}
HISTORY: Final = (Column("date", "Date", descending=True),)
_ORDER: Final[dict[str, Any]] = {
    "nom": func.core.fold(Client.name),
    "usage": Client.used_at,
    "fin": Client.expires_at,
    "statut": Client.status,
}


def _matching(view: View) -> Select[Client]:
    wanted = select(Client)
    status = view.filters.get("statut", "")
    if status == "":
        wanted = wanted.where(Client.status != "closed")
    elif status != "tous":
        wanted = wanted.where(Client.status == status)
    who = func.core.fold(func.concat_ws(" ", Client.name, Client.contact, Client.public_id))
    for word in view.filters.get("texte", "").split():
        escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        wanted = wanted.where(who.like(func.core.fold(f"%{escaped}%")))
    return wanted


def clients_count(view: View) -> Select[int]:
    """Count the clients that a view holds."""
    return select(func.count()).select_from(_matching(view).subquery())


def clients_page(view: View) -> Select[Client]:
    """Select a page of clients."""
    key = _ORDER[view.sort]
    order = (key.desc() if view.descending else key.asc()).nulls_last()
    return _matching(view).order_by(order, Client.id).limit(PAGE_SIZE).offset(view.offset)


def requests_of(client_ids: list[int], day: date) -> Select[int, int]:
    """Select how many requests some clients made on a day."""
    return (
        select(ClientUsage.client_id, func.sum(ClientUsage.requests))
        .where(ClientUsage.client_id.in_(client_ids), ClientUsage.day == day)
        .group_by(ClientUsage.client_id)
        .order_by(ClientUsage.client_id)
    )


def secrets_of(client_id: int) -> Select[ClientSecret]:
    """Select the secrets of a client, the latest first."""
    return select(ClientSecret).where(ClientSecret.client_id == client_id).order_by(ClientSecret.id.desc()).limit(30)


def keys_of(client_id: int) -> Select[ClientKeys]:
    """Select the public keys of a client, the latest first."""
    return (
        select(ClientKeys)
        .join(ClientSecret, ClientSecret.id == ClientKeys.secret_id)
        .where(ClientSecret.client_id == client_id)
        .order_by(ClientKeys.secret_id.desc())
        .limit(30)
    )


def usage_since(client_id: int, day: date) -> Select[ClientUsage]:
    """Select what a client asked since a day."""
    return (
        select(ClientUsage)
        .where(ClientUsage.client_id == client_id, ClientUsage.day >= day)
        .order_by(ClientUsage.day.desc(), ClientUsage.family)
    )


def history(client_id: int, view: View) -> Select[ClientHistory]:
    """Select a page of a client's history."""
    key = ClientHistory.id.desc() if view.descending else ClientHistory.id.asc()
    return (
        select(ClientHistory)
        .where(ClientHistory.client_id == client_id)
        .order_by(key)
        .limit(PAGE_SIZE)
        .offset(view.offset)
    )


def history_count(client_id: int) -> Select[int]:
    """Count the lines of a client's history."""
    return select(func.count()).select_from(ClientHistory).where(ClientHistory.client_id == client_id)
