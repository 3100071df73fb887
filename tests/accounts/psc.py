"""A browser that goes to the identity provider and comes back."""

from urllib.parse import urlsplit

import httpx
from sqlalchemy import update

from accounts.models import Account
from core.db import unit_of_work
from tests.accounts.helpers import make_account
from tests.accounts.provider import show_card

ANNE, MARC = "10101010101", "10202020202"


async def card_holder(rpps: str = ANNE) -> Account:
    account = await make_account(("professional", f"rpps:{rpps}"), rpps=rpps)
    async with unit_of_work() as session:
        await session.execute(update(Account).where(Account.id == account.id).values(psc_subject=f"8{rpps}"))
    return account


async def leave(client: httpx.AsyncClient, address: str = "/connexion/psc") -> str:
    asked = await client.get(address)
    assert asked.status_code == 303, asked.text
    return asked.headers["location"]


async def come_back(client: httpx.AsyncClient, address: str) -> httpx.Response:
    parts = urlsplit(address)
    return await client.get(f"{parts.path}?{parts.query}", headers={"Accept": "text/html"})


async def present(
    client: httpx.AsyncClient, outside: httpx.AsyncClient, card: str | None, address: str = "/connexion/psc"
) -> httpx.Response:
    return await come_back(client, await show_card(outside, await leave(client, address), card))
