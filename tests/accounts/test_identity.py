"""Who is behind a request: sign-ins, their end, forms of other sites, what a level lets see."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select, update

from accounts.models import Account, Grant, SignIn
from accounts.person import cookie_name
from accounts.service import end_all, take_back
from core.db import unit_of_work
from core.security import digest
from tests.accounts.helpers import form_token, make_account, sign_in, signed_in, submit


async def test_a_page_of_signed_in_people_sends_others_to_sign_in_and_back(client: httpx.AsyncClient) -> None:
    asked = await client.get("/accueil?a=b", headers={"Accept": "text/html"})
    assert asked.status_code == 303
    assert asked.headers["location"] == "/connexion?suite=%2Faccueil%3Fa%3Db"
    program = await client.get("/accueil", headers={"Accept": "application/json"})
    assert program.status_code == 401
    assert program.headers["content-type"] == "application/problem+json"


async def test_a_sign_in_is_kept_as_a_digest_and_its_answers_by_nobody(client: httpx.AsyncClient) -> None:
    account = await make_account(("professional", "rpps:10101010101"))
    token = await sign_in(client, account)
    shown = await client.get("/accueil")
    assert shown.status_code == 200
    assert "Anne Durand" in shown.text
    assert shown.headers["cache-control"] == "private, no-store"
    async with unit_of_work() as session:
        kept = (await session.scalars(select(SignIn.token))).all()
    assert kept == [digest(token)]


@pytest.mark.parametrize(
    "change",
    [
        {"ended_at": SignIn.opened_at},
        {"expires_at": SignIn.opened_at - timedelta(hours=13)},
        {"seen_at": SignIn.seen_at - timedelta(hours=3)},
    ],
    ids=["ended", "too old", "at rest too long"],
)
async def test_a_sign_in_that_ended_is_nobody(client: httpx.AsyncClient, change: dict[str, object]) -> None:
    await signed_in(client)
    async with unit_of_work() as session:
        await session.execute(update(SignIn).values(**change))
    assert (await client.get("/accueil")).status_code == 401


async def test_a_closed_account_and_a_foreign_token_are_nobody(client: httpx.AsyncClient) -> None:
    account = await signed_in(client)
    async with unit_of_work() as session:
        await session.execute(update(Account).where(Account.id == account.id).values(status="closed"))
    assert (await client.get("/accueil")).status_code == 401
    for hostile in ("", "x" * 5000, "é", "' OR 1=1 --"):
        answer = await client.get("/accueil", headers={b"Cookie": f"{cookie_name()}={hostile}".encode()})
        assert answer.status_code == 401


async def test_signing_out_ends_this_browser_only(client: httpx.AsyncClient) -> None:
    account = await make_account()
    other = await sign_in(client, account)
    await sign_in(client, account)
    out = await submit(client, "/accueil", "/deconnexion", {})
    assert out.status_code == 303
    assert "Max-Age=0" in out.headers["set-cookie"]
    client.cookies.set(cookie_name(), other)
    assert (await client.get("/accueil")).status_code == 200
    async with unit_of_work() as session:
        assert await end_all(session, account.id) == 1
    assert (await client.get("/accueil")).status_code == 401


async def test_a_form_that_our_page_did_not_make_is_refused(client: httpx.AsyncClient) -> None:
    await signed_in(client)
    token = form_token((await client.get("/accueil")).text)
    for data, headers in (
        ({}, {}),
        ({"_csrf": "0" * 64}, {}),
        ({"_csrf": token}, {"Origin": "https://evil.example"}),
        ({"_csrf": token}, {"Sec-Fetch-Site": "cross-site"}),
    ):
        answer = await client.post("/deconnexion", data=data, headers=headers)
        assert answer.status_code == 403, (data, headers)
    assert (await client.get("/accueil")).status_code == 200


async def test_only_a_demonstration_has_personas(client: httpx.AsyncClient) -> None:
    assert "Essayer en un clic" not in (await client.get("/connexion")).text
    await signed_in(client)
    answer = await submit(client, "/accueil", "/demo/connexion", {"persona": "kine"})
    assert answer.status_code == 404


async def test_grants_end_and_are_never_deleted(client: httpx.AsyncClient) -> None:
    account = await make_account(("moderator", "council:78"), ("moderator", "council:2A"))
    async with unit_of_work() as session:
        await take_back(session, account.id, "moderator", "council:78", by="essai")
        await take_back(session, account.id, "moderator", "council:78", by="essai")
    async with unit_of_work() as session:
        rows = (await session.execute(select(Grant.scope, Grant.ended_at.is_(None)).order_by(Grant.scope))).all()
    assert [tuple(row) for row in rows] == [("council:2A", True), ("council:78", False)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("/mon-offre?x=1", "/mon-offre?x=1"),
        ("", "/accueil"),
        ("https://evil.example/", "/accueil"),
        ("//evil.example", "/accueil"),
        ("/\\evil.example", "/accueil"),
        ("/a\r\nSet-Cookie: x=1", "/accueil"),
        ("/connexion?suite=/connexion", "/accueil"),
        ("/" + "a" * 3000, "/accueil"),
    ],
)
async def test_the_address_to_come_back_to_is_always_ours(client: httpx.AsyncClient, given: str, expected: str) -> None:
    await signed_in(client)
    answer = await client.get("/connexion", params={"suite": given})
    assert answer.status_code == 303
    assert answer.headers["location"] == expected
