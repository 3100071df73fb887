"""What packages above may know of the programs that read the API, and write in their history."""

import uuid
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.callers import Caller
from accounts.clients import service, views
from accounts.clients.scopes import level
from accounts.models_clients import Client
from core.settings import core_settings


@dataclass(frozen=True, slots=True)
class Program:
    """A client, as the pages of other packages name it."""

    id: int
    uid: uuid.UUID
    name: str
    scopes: tuple[str, ...]
    open: bool


async def find_program(session: AsyncSession, uid: uuid.UUID) -> Program:
    """Return a client, closed ones included.

    Raises:
        NotFound: there is none.
    """
    client = await service.find(session, uid)
    return Program(client.id, client.uid, client.name, tuple(client.scopes), client.status != "closed")


async def program(session: AsyncSession, client_id: int) -> Caller | None:
    """Return what a client may read now, as if it called; None while it may read nothing."""
    found = await session.scalar(
        select(Client).where(
            Client.id == client_id,
            Client.status == "active",
            func.coalesce(Client.expires_at > func.core.now(), True),
        )
    )
    if found is None or (found.demo is not None and not core_settings().demo):
        return None
    scopes = frozenset(found.scopes)
    return Caller(
        level=level(scopes),
        zone=tuple(found.zone),
        client_id=found.id,
        name=found.name,
        uid=found.uid,
        scopes=scopes,
    )


async def client_contact(session: AsyncSession, client_id: int) -> tuple[str, str]:
    """Return the name of a client and the address of its contact."""
    name, contact = (await session.execute(select(Client.name, Client.contact).where(Client.id == client_id))).one()
    return name, contact


def note_client(session: AsyncSession, client_id: int, actor: str, action: str, detail: object = None) -> None:
    """Write a line of a client's history; `url` in the detail is shown with it."""
    service.note(session, client_id, actor, action, detail)


def add_client_actions(actions: dict[str, str]) -> None:
    """Say in French what the lines of histories that a package writes mean."""
    views.ACTIONS.update(actions)
