"""Signing people in, as a browser would hold them."""

import re
from collections.abc import Sequence

import httpx

from accounts.models import Account
from accounts.person import cookie_name
from accounts.service import give, open_sign_in
from core.db import unit_of_work

_FIELD = re.compile(r'name="_csrf" value="([0-9a-f]{64})"')


async def make_account(
    *grants: tuple[str, str],
    name: tuple[str, str] = ("Anne", "Durand"),
    email: str | None = None,
    rpps: str | None = None,
) -> Account:
    """Make an active account with these grants, and commit it."""
    async with unit_of_work() as session:
        account = Account(status="active", first_name=name[0], last_name=name[1], email=email, rpps=rpps)
        session.add(account)
        await session.flush()
        for role, scope in grants:
            await give(session, account.id, role, scope, origin="administrator", by="essai")
        await session.refresh(account)
    return account


async def sign_in(client: httpx.AsyncClient, account: Account, method: str = "password") -> str:
    """Sign a client in as an account; return the token of its cookie."""
    async with unit_of_work() as session:
        token = await open_sign_in(session, account, method, "essai")
    client.cookies.set(cookie_name(), token)
    return token


async def signed_in(client: httpx.AsyncClient, *grants: tuple[str, str], rpps: str | None = None) -> Account:
    """Make an account with these grants and sign a client in."""
    account = await make_account(*grants, rpps=rpps)
    await sign_in(client, account)
    return account


def form_token(page: str) -> str:
    """Return the CSRF token that a page's form carries."""
    found = _FIELD.search(page)
    assert found, "the page has no protected form"
    return found[1]


async def submit(
    client: httpx.AsyncClient, page: str, action: str, values: Sequence[tuple[str, str]] | dict[str, str]
) -> httpx.Response:
    """Open a page, then send one of its forms as a browser would."""
    opened = await client.get(page)
    assert opened.status_code == 200, opened.text
    pairs = list(values.items()) if isinstance(values, dict) else list(values)
    data: dict[str, list[str]] = {"_csrf": [form_token(opened.text)]}
    for key, value in pairs:
        data.setdefault(key, []).append(value)
    return await client.post(action, data=data)
