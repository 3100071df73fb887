"""What a person does to sign up and in: forms sent as a browser sends them, mails read where they arrive."""

import base64
import html
import json
import re
from typing import Any

import httpx
from altcha.v1 import solve_challenge

from accounts.passwords import hashed
from core.db import unit_of_work
from core.mail.delivery import deliver
from tests.accounts.helpers import form_token, make_account
from tests.smtp import SmtpSink, text_of

PASSWORD = "tournesol guitare vapeur"
FORM = {
    "title": "Madame",
    "last_name": "Durand",
    "first_name": "Anne-Laure",
    "email": "Anne.Durand@exemple.fr",
    "email_again": "anne.durand@Exemple.fr",
    "profession": "Sage-femme",
    "specialty": "",
    "identifier": "",
    "phone": "06 12 34 56 78",
    "phone_fixed": "",
    "comment": "",
    "password": PASSWORD,
    "password_again": PASSWORD,
    "terms": "oui",
}


def hidden(page: str, name: str) -> str:
    """Return the value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name}"
    return html.unescape(found[1])


def solved(page: str) -> str:
    """Compute the proof of work that a page asks for, as its script does."""
    found = re.search(r'data-challenge="([^"]*)"', page)
    assert found
    asked: dict[str, Any] = json.loads(html.unescape(found[1]))
    solution = solve_challenge(asked["challenge"], asked["salt"], asked["algorithm"], asked["max"])
    assert solution is not None
    kept = {name: asked[name] for name in ("algorithm", "challenge", "salt", "signature")}
    return base64.b64encode(json.dumps(kept | {"number": solution.number}).encode()).decode()


async def open_sign_up(client: httpx.AsyncClient) -> dict[str, str]:
    """Open the sign-up form; return what its hidden fields hold once the browser did the work."""
    page = (await client.get("/inscription")).text
    return {"_csrf": form_token(page), "ticket": hidden(page, "ticket"), "solution": solved(page)}


async def sign_up(client: httpx.AsyncClient, **changes: str) -> httpx.Response:
    """Fill the sign-up form and send it."""
    return await client.post("/inscription", data=await open_sign_up(client) | FORM | changes)


async def mailed(sink: SmtpSink, address: str) -> list[str]:
    """Send what is queued; return the texts of all the mails that an address received, the first one first."""
    await deliver()
    return [text_of(message) for message in sink.to(address)]


def link_in(text: str) -> str:
    """Return the path of the link that a mail holds."""
    found = re.search(r"https?://[^/\s]+(/\S*\?jeton=\S+)", text)
    assert found, text
    return found[1]


def code_in(text: str) -> str:
    """Return the code that a mail holds."""
    found = re.search(r"^\s*(\d{6})\s*$", text, re.M)
    assert found, text
    return found[1]


async def post(client: httpx.AsyncClient, page: str, action: str, **values: str) -> httpx.Response:
    """Open a page, whatever it says, and send one of its forms."""
    opened = await client.get(page)
    return await client.post(action, data={"_csrf": form_token(opened.text)} | values)


async def follow(client: httpx.AsyncClient, link: str) -> httpx.Response:
    """Open the link of a mail and press its button."""
    path, _, token = link.partition("?jeton=")
    return await post(client, link, path, jeton=token)


async def member(
    *grants: tuple[str, str], email: str = "anne.durand@exemple.fr", password: str | None = PASSWORD
) -> int:
    """Make an active account with a password; return its key."""
    account = await make_account(*grants, email=email)
    async with unit_of_work() as session:
        kept = await session.merge(account)
        kept.password_hash = await hashed(password) if password else None
        kept.version = 1
    return account.id


async def give_password(
    client: httpx.AsyncClient, email: str = "anne.durand@exemple.fr", password: str = PASSWORD, **more: str
) -> httpx.Response:
    """Send the sign-in form."""
    return await post(client, "/connexion", "/connexion", email=email, password=password, **more)
