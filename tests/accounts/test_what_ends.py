"""What must end: delegates with their professional, links with an address, forms that are too long."""

import httpx
import pytest
from sqlalchemy import select

from accounts import psc_service
from accounts.models import Account, Grant
from accounts.models_delegation import Delegation
from accounts.service import give, take_back
from core.db import unit_of_work
from tests.accounts.doors import PASSWORD, link_in, mailed, member, post
from tests.accounts.helpers import form_token, make_account, sign_in, signed_in, submit
from tests.smtp import SmtpSink

RPPS = "10101010101"
EMAIL, NEW = "anne.durand@exemple.fr", "nouvelle@exemple.fr"


async def rights(account_id: int) -> list[tuple[str, str]]:
    async with unit_of_work() as session:
        rows = await session.execute(
            select(Grant.role, Grant.scope).where(Grant.account_id == account_id, Grant.ended_at.is_(None))
        )
        return [(role, scope) for role, scope in rows]


async def test_delegates_end_with_the_card_of_their_professional(client: httpx.AsyncClient) -> None:
    secretary = await make_account(("delegate", f"rpps:{RPPS}"))
    async with unit_of_work() as session:
        owner = await session.get_one(Account, (await make_account(rpps=RPPS)).id)
        owner.psc_subject, owner.password_hash, owner.email = f"8{RPPS}", "x", EMAIL
        await psc_service.prove(session, owner)
        accepted = {"state": "accepted", "version": 1, "expires_at": owner.created_at}
        session.add(Delegation(rpps=RPPS, professional_id=owner.id, delegate_id=secretary.id, **accepted))
        await session.flush()
        owner.email_confirmed_at = owner.created_at
    assert await rights(owner.id) == [("professional", f"rpps:{RPPS}")]
    async with unit_of_work() as session:
        assert await psc_service.unlink(session, owner.id, 0)
    assert await rights(owner.id) == []
    assert await rights(secretary.id) == []


@pytest.mark.parametrize(("who", "again"), [("account:admin", False), ("own", True)], ids=["withdrawn", "own doing"])
async def test_a_withdrawn_right_is_not_had_again_by_presenting_the_card(
    client: httpx.AsyncClient, who: str, again: bool
) -> None:
    account = await make_account(rpps=RPPS)
    async with unit_of_work() as session:
        await give(session, account.id, "professional", f"rpps:{RPPS}", origin="rule", by="Pro Santé Connect")
        by = f"account:{account.uid}" if who == "own" else who
        await take_back(session, account.id, "professional", f"rpps:{RPPS}", by=by)
    async with unit_of_work() as session:
        await psc_service.prove(session, await session.get_one(Account, account.id))
    assert bool(await rights(account.id)) is again


async def test_a_new_address_closes_what_the_former_one_could_open(
    client: httpx.AsyncClient, smtp_sink: SmtpSink
) -> None:
    key = await member(email=EMAIL)
    await post(client, "/mot-de-passe-oublie", "/mot-de-passe-oublie", email=EMAIL)
    reset = link_in((await mailed(smtp_sink, EMAIL))[-1])
    async with unit_of_work() as session:
        account = await session.get_one(Account, key)
    await sign_in(client, account)

    async def wish(address: str) -> None:
        page = (await client.get("/compte/adresse")).text
        version = page.split('name="version" value="')[1].split('"')[0]
        values = {"version": version, "email": address, "email_again": address, "current": PASSWORD}
        answer = await submit(client, "/compte/adresse", "/compte/adresse", values)
        assert answer.status_code == 303, answer.text

    await wish("faute@exemple.fr")
    mistyped = link_in((await mailed(smtp_sink, "faute@exemple.fr"))[-1])
    await wish(NEW)
    assert (await client.get(mistyped)).status_code == 410
    proof = link_in((await mailed(smtp_sink, NEW))[-1])
    path, _, token = proof.partition("?jeton=")
    assert (await post(client, proof, path, jeton=token)).status_code in (200, 303)
    assert (await client.get(reset)).status_code == 410


async def test_the_last_administrator_stays(client: httpx.AsyncClient) -> None:
    key = await member(email=EMAIL)
    async with unit_of_work() as session:
        await give(session, key, "administrator", "", origin="operator", by="exploitant")
        account = await session.get_one(Account, key)
        version = str(account.version)
    await sign_in(client, account)
    leave = {"version": version, "current": PASSWORD, "sure": "oui"}
    refused = await submit(client, "/compte/suppression", "/compte/suppression", leave)
    assert refused.status_code == 422
    await make_account(("administrator", ""))
    assert (await submit(client, "/compte/suppression", "/compte/suppression", leave)).status_code == 303


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded", "multipart"]
)
async def test_a_form_without_end_is_cut(client: httpx.AsyncClient, kind: str) -> None:
    await signed_in(client)
    token = form_token((await client.get("/accueil")).text)
    if kind == "multipart":
        answer = await client.post("/deconnexion", files={"_csrf": (None, token), "x": (None, "a" * 400_000)})
    else:
        body = f"_csrf={token}&x={'a' * 400_000}"
        answer = await client.post("/deconnexion", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 413
    assert (await client.get("/accueil")).status_code == 200


async def test_what_the_database_cannot_hold_is_refused_in_words(client: httpx.AsyncClient) -> None:
    await signed_in(client, ("administrator", ""))
    for address in ("/completude?territoire=departement:78&profession=%00", "/mon-offre?q=%00"):
        answer = await client.get(address)
        assert answer.status_code in (200, 422), address
        assert answer.headers["x-content-type-options"] == "nosniff"
