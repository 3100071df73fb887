"""Signing in by Pro Santé Connect, against the demonstration’s provider: attempts, refusals, signing out."""

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import func, select, update

from accounts.models import Account, SignIn
from accounts.models_psc import PscAttempt, PscCard
from accounts.person import cookie_name
from core.db import unit_of_work
from tests.accounts.helpers import submit
from tests.accounts.provider import show_card
from tests.accounts.psc import card_holder, come_back, leave, present


async def test_the_request_carries_what_pro_sante_connect_asks(client: httpx.AsyncClient, known: int) -> None:
    address = await leave(client)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert asked["response_type"] == "code"
    assert asked["scope"] == "openid scope_all"
    assert asked["acr_values"] == "eidas1"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == "http://repere.test/connexion/psc/retour"
    assert len(asked["state"]) >= 43
    assert len(asked["nonce"]) >= 43
    assert "prompt" not in asked
    assert "prompt=login" in await leave(client, "/connexion/psc?autre=1")


async def test_a_known_card_signs_in_and_comes_back_where_it_was_asked(
    client: httpx.AsyncClient, outside: httpx.AsyncClient
) -> None:
    account = await card_holder()
    page = (await client.get("/connexion?suite=/recherche%3Fq%3Dkine")).text
    assert "S’identifier avec Pro Santé Connect" in page
    answer = await present(client, outside, "anne", "/connexion/psc?suite=/recherche%3Fq%3Dkine")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/recherche?q=kine"
    assert "Bienvenue, Anne Durand" in (await client.get("/accueil")).text
    async with unit_of_work() as session:
        signed = (await session.scalars(select(SignIn))).one()
    assert (signed.account_id, signed.method) == (account.id, "psc")
    assert signed.id_token


async def test_giving_up_says_so_and_lets_begin_again(client: httpx.AsyncClient, outside: httpx.AsyncClient) -> None:
    answer = await present(client, outside, "")
    assert answer.status_code == 400
    assert "Connexion annulée" in answer.text
    assert 'href="/connexion/psc"' in answer.text
    await card_holder()
    assert (await present(client, outside, "anne")).headers["location"] == "/accueil"


async def test_two_tabs_sign_in_each_with_their_own_attempt(
    client: httpx.AsyncClient, outside: httpx.AsyncClient
) -> None:
    await card_holder()
    first = await leave(client, "/connexion/psc?suite=/couverture")
    second = await leave(client, "/connexion/psc?suite=/aide")
    back_second = await show_card(outside, second, "anne")
    back_first = await show_card(outside, first, None)
    assert (await come_back(client, back_first)).headers["location"] == "/couverture"
    assert (await come_back(client, back_second)).headers["location"] == "/aide"
    async with unit_of_work() as session:
        live = await session.scalar(select(func.count()).select_from(SignIn).where(SignIn.ended_at.is_(None)))
    assert live == 1


async def test_the_back_button_of_somebody_signed_in_goes_on_and_a_replay_elsewhere_does_not(
    client: httpx.AsyncClient, outside: httpx.AsyncClient
) -> None:
    await card_holder()
    back = await show_card(outside, await leave(client), "anne")
    assert (await come_back(client, back)).status_code == 303
    assert (await come_back(client, back)).headers["location"] == "/accueil"
    client.cookies.delete(cookie_name())
    replayed = await come_back(client, back)
    assert replayed.status_code == 400
    assert "Cette étape ne peut plus servir" in replayed.text
    client.cookies.clear()
    assert (await come_back(client, back)).status_code == 400
    async with unit_of_work() as session:
        assert await session.scalar(select(func.count()).select_from(SignIn)) == 1


async def test_an_answer_loaded_twice_at_once_signs_in_once(
    client: httpx.AsyncClient, outside: httpx.AsyncClient
) -> None:
    await card_holder()
    back = await show_card(outside, await leave(client), "anne")
    answers = await asyncio.gather(*(come_back(client, back) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [303, 400, 400, 400]
    async with unit_of_work() as session:
        assert await session.scalar(select(func.count()).select_from(SignIn)) == 1


async def test_an_attempt_serves_its_browser_for_a_while(client: httpx.AsyncClient, outside: httpx.AsyncClient) -> None:
    await card_holder()
    for change in ("state", "none", "browser", "late", "huge"):
        answer = await spoilt(client, outside, change)
        assert answer.status_code == 400, change
        assert "Rien n’a été modifié" in answer.text
    assert (await client.get("/accueil")).status_code == 401


async def spoilt(client: httpx.AsyncClient, outside: httpx.AsyncClient, change: str) -> httpx.Response:
    back = httpx.URL(await show_card(outside, await leave(client, "/connexion/psc?autre=1"), "anne"))
    if change == "state":
        back = back.copy_set_param("state", str(back.params["state"])[::-1])
    elif change == "none":
        back = back.copy_remove_param("state")
    elif change == "huge":
        back = back.copy_set_param("state", "é\x00" * 5000)
    elif change == "browser":
        client.cookies.clear()
        await leave(client)
    else:
        async with unit_of_work() as session:
            await session.execute(update(PscAttempt).values(expires_at=func.core.now() - timedelta(seconds=1)))
    return await come_back(client, str(back))


@pytest.mark.parametrize(("card", "sentence"), [("lea", "en formation"), ("paul", "ne porte pas de numéro RPPS")])
async def test_a_card_that_proves_no_professional_is_refused_with_a_way_out(
    client: httpx.AsyncClient, outside: httpx.AsyncClient, card: str, sentence: str
) -> None:
    answer = await present(client, outside, card)
    assert answer.status_code == 403
    assert sentence in answer.text
    assert "/connexion/psc?autre=1" in answer.text
    async with unit_of_work() as session:
        assert await session.scalar(select(func.count()).select_from(PscCard)) == 0
    # The session at the provider is still that card's: another one must be asked for.
    await card_holder()
    again = await present(client, outside, "anne", "/connexion/psc?autre=1")
    assert again.headers["location"] == "/accueil"


async def test_a_closed_account_is_told_so(client: httpx.AsyncClient, outside: httpx.AsyncClient) -> None:
    account = await card_holder()
    async with unit_of_work() as session:
        await session.execute(update(Account).where(Account.id == account.id).values(status="closed"))
    answer = await present(client, outside, "anne")
    assert answer.status_code == 403
    assert "Ce compte est fermé" in answer.text
    assert (await client.get("/accueil")).status_code == 401


async def test_signing_out_ends_the_session_at_the_provider_too(
    client: httpx.AsyncClient, outside: httpx.AsyncClient
) -> None:
    await card_holder()
    await present(client, outside, "anne")
    out = await submit(client, "/accueil", "/deconnexion", {})
    assert out.status_code == 200
    assert "Max-Age=0" in out.headers["set-cookie"]
    assert "Mes services" not in out.text
    address = out.headers["refresh"].removeprefix("0; url=")
    asked = parse_qs(urlsplit(address).query)
    assert asked["post_logout_redirect_uri"] == ["http://repere.test/deconnexion/psc"]
    there = await outside.get(address)
    assert "Me déconnecter" in there.text
    token = there.text.partition('name="xsrf" value="')[2].partition('"')[0]
    ended = await outside.post(
        f"{urlsplit(address).scheme}://{urlsplit(address).netloc}/session/end/confirm",
        data={"xsrf": token, "logout": "yes"},
    )
    assert ended.headers["location"] == "http://repere.test/deconnexion/psc"
    assert "Vous êtes déconnecté" in (await client.get("/deconnexion/psc")).text
    assert (await client.get("/accueil")).status_code == 401
    async with unit_of_work() as session:
        assert (await session.scalars(select(SignIn.id_token))).all() == [None]
    with pytest.raises(AssertionError, match="asks for a card"):
        await present(client, outside, None)


async def test_a_site_that_names_no_provider_offers_none(client: httpx.AsyncClient) -> None:
    assert "Pro Santé Connect" not in (await client.get("/connexion")).text
    assert (await client.get("/connexion/psc", headers={"Accept": "text/html"})).status_code == 404
