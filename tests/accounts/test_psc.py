"""Signing in by card at the real provider: the way there and back, first times, linking, signing out."""

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import func, select, update

from accounts.models import Account, Grant, SignIn
from accounts.models_psc import PscAttempt, PscCard
from accounts.person import cookie_name
from core.db import unit_of_work
from tests.accounts.helpers import form_token, make_account, sign_in, submit
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


async def test_an_unknown_card_offers_two_choices_to_its_browser_only(
    client: httpx.AsyncClient, outside: httpx.AsyncClient
) -> None:
    answer = await present(client, outside, "marc", "/connexion/psc?suite=/aide")
    place = answer.headers["location"]
    assert place.startswith("/carte/")
    page = await client.get(place)
    assert "J’ai déjà un compte" in page.text
    assert "Je n’ai pas de compte" in page.text
    assert "Marc O’BRIEN" in page.text
    assert MARC in page.text
    assert (await client.get("/accueil")).status_code == 401
    client.cookies.clear()
    assert "Marc" not in (foreign := await client.get(place)).text
    assert foreign.status_code == 400


async def test_a_card_is_linked_to_the_account_that_signs_in_and_gives_its_right(
    client: httpx.AsyncClient, outside: httpx.AsyncClient
) -> None:
    account = await make_account(email="marc@example.org")
    place = (await present(client, outside, "marc", "/connexion/psc?suite=/aide")).headers["location"]
    await sign_in(client, account)
    confirm = (await client.get(place)).headers["location"]
    assert confirm == f"{place}/lier"
    assert "marc@example.org" in (await client.get(confirm)).text
    linked = await submit(client, confirm, confirm, {})
    assert linked.headers["location"] == "/aide"
    twice = await client.post(confirm, data={"_csrf": form_token((await client.get("/accueil")).text)})
    assert twice.status_code == 400
    async with unit_of_work() as session:
        kept = await session.get_one(Account, account.id)
        grants = (await session.execute(select(Grant.role, Grant.scope, Grant.origin))).all()
    assert (kept.rpps, kept.psc_subject) == (MARC, f"8{MARC}")
    assert [tuple(row) for row in grants] == [("professional", f"rpps:{MARC}", "rule")]
    client.cookies.delete(cookie_name())
    assert (await present(client, outside, None)).headers["location"] == "/accueil"


async def test_a_link_needs_our_own_form(client: httpx.AsyncClient, outside: httpx.AsyncClient) -> None:
    account = await make_account()
    await sign_in(client, account)
    place = (await present(client, outside, "marc", "/connexion/psc?lier=1")).headers["location"]
    assert place.endswith("/lier")
    assert (await client.post(place, data={})).status_code == 403
    async with unit_of_work() as session:
        assert (await session.get_one(Account, account.id)).psc_subject is None


async def test_a_number_proven_on_another_account_is_said_with_a_way_out(
    client: httpx.AsyncClient, outside: httpx.AsyncClient
) -> None:
    owner = await make_account(("professional", f"rpps:{MARC}"), rpps=MARC, email="marc@example.org")
    stranger = await make_account(email="autre@example.org")
    place = (await present(client, outside, "marc")).headers["location"]
    page = (await client.get(place)).text
    assert "semble déjà exister à partir de vos informations (même numéro RPPS)" in page
    assert "nouveau-compte" not in page
    await sign_in(client, stranger)
    refused = await submit(client, f"{place}/lier", f"{place}/lier", {})
    assert refused.status_code == 409
    assert "même numéro RPPS" in refused.text
    await sign_in(client, owner)
    assert (await submit(client, f"{place}/lier", f"{place}/lier", {})).status_code == 303
    async with unit_of_work() as session:
        assert (await session.get_one(Account, owner.id)).psc_subject == f"8{MARC}"
        assert (await session.get_one(Account, stranger.id)).rpps is None


async def test_linking_a_card_of_another_account_changes_nothing(
    client: httpx.AsyncClient, outside: httpx.AsyncClient
) -> None:
    await card_holder(MARC)
    account = await make_account()
    await sign_in(client, account)
    answer = await present(client, outside, "marc", "/connexion/psc?lier=1")
    assert answer.status_code == 409
    assert "liée à un autre compte" in answer.text
    assert "Bienvenue, Anne Durand" in (await client.get("/accueil")).text


async def test_an_account_bears_one_number(client: httpx.AsyncClient, outside: httpx.AsyncClient) -> None:
    account = await card_holder(ANNE)
    await sign_in(client, account)
    place = (await present(client, outside, "marc", "/connexion/psc?lier=1")).headers["location"]
    answer = await submit(client, place, place, {})
    assert answer.status_code == 409
    assert "déjà lié à une autre carte" in answer.text


async def test_two_accounts_that_take_one_card_at_once(client: httpx.AsyncClient, outside: httpx.AsyncClient) -> None:
    first, second = await make_account(), await make_account()
    await sign_in(client, first)
    one = (await present(client, outside, "marc", "/connexion/psc?lier=1")).headers["location"]
    await sign_in(client, second)
    two = (await present(client, outside, None, "/connexion/psc?lier=1")).headers["location"]
    token = form_token((await client.get("/accueil")).text)
    cookies = dict(client.cookies)
    mine = {**cookies, cookie_name(): await sign_in(client, first)}
    theirs = {**cookies, cookie_name(): await sign_in(client, second)}
    client.cookies.clear()

    def header(jar: dict[str, str]) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())}

    answers = await asyncio.gather(
        client.post(one, data={"_csrf": token}, headers=header(mine)),
        client.post(two, data={"_csrf": token}, headers=header(theirs)),
    )
    assert sorted(answer.status_code for answer in answers) == [303, 409]


async def test_unlinking_takes_the_right_back_and_needs_another_way_in(
    client: httpx.AsyncClient, outside: httpx.AsyncClient
) -> None:
    account = await make_account(email="marc@example.org")
    await sign_in(client, account)
    place = (await present(client, outside, "marc", "/connexion/psc?lier=1")).headers["location"]
    await submit(client, place, place, {})
    refused = await submit(client, "/accueil", "/compte/psc/delier", {})
    assert refused.status_code == 409
    async with unit_of_work() as session:
        await session.execute(
            update(Account)
            .where(Account.id == account.id)
            .values(password_hash="x", email_confirmed_at=func.core.now())
        )
    for _ in range(2):
        done = await submit(client, "/accueil", "/compte/psc/delier", {})
        assert done.status_code == 303
    async with unit_of_work() as session:
        kept = await session.get_one(Account, account.id)
        live = await session.scalar(select(func.count()).select_from(Grant).where(Grant.ended_at.is_(None)))
    assert (kept.psc_subject, kept.rpps, kept.rpps_claimed, live) == (None, None, MARC, 0)
    client.cookies.delete(cookie_name())
    assert (await present(client, outside, None)).headers["location"].startswith("/carte/")


FORM = {
    "title": "Monsieur",
    "email": "marc@example.org",
    "email_again": "Marc@example.org",
    "profession": "sage-femme",
    "terms": "oui",
    "last_name": "QUELQU’UN D’AUTRE",
    "identifier": ANNE,
}


async def test_a_new_account_is_filled_by_the_card_and_needs_no_password(
    client: httpx.AsyncClient, outside: httpx.AsyncClient
) -> None:
    place = (await present(client, outside, "marc", "/connexion/psc?suite=/aide")).headers["location"]
    form = f"{place}/nouveau-compte"
    page = (await client.get(form)).text
    assert MARC in page
    assert "Marc O’BRIEN" in page
    assert 'type="password"' not in page
    refused = await submit(client, form, form, FORM | {"email_again": "autre@example.org", "terms": ""})
    assert refused.status_code == 422
    assert "Les deux adresses ne sont pas les mêmes" in refused.text
    assert "marc@example.org" in refused.text
    done = await submit(client, form, form, FORM)
    assert done.headers["location"] == "/inscription/ouverte?suite=%2Faide"
    opened = await client.get(done.headers["location"])
    assert 'href="/aide"' in opened.text
    async with unit_of_work() as session:
        account = (await session.scalars(select(Account))).one()
        grants = (await session.execute(select(Grant.role, Grant.scope, Grant.origin))).all()
        waiting = await session.scalar(select(func.count()).select_from(PscCard))
    assert (account.status, account.rpps, account.psc_subject) == ("active", MARC, f"8{MARC}")
    assert (account.last_name, account.first_name) == ("O’BRIEN", "Marc")
    assert (account.email, account.email_wanted, account.password_hash) == (None, "marc@example.org", None)
    assert [tuple(row) for row in grants] == [("professional", f"rpps:{MARC}", "rule")]
    assert waiting == 0
    client.cookies.delete(cookie_name())
    assert (await present(client, outside, None)).headers["location"] == "/accueil"


async def test_a_form_sent_twice_at_once_opens_one_account(
    client: httpx.AsyncClient, outside: httpx.AsyncClient
) -> None:
    place = (await present(client, outside, "marc")).headers["location"]
    form = f"{place}/nouveau-compte"
    data = FORM | {"_csrf": form_token((await client.get(form)).text)}
    answers = await asyncio.gather(*(client.post(form, data=data) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [303, 400, 400]
    async with unit_of_work() as session:
        assert await session.scalar(select(func.count()).select_from(Account)) == 1


async def test_two_cards_shown_at_once_open_one_account(client: httpx.AsyncClient, outside: httpx.AsyncClient) -> None:
    places = [(await present(client, outside, card)).headers["location"] for card in ("marc", None)]
    forms = [f"{place}/nouveau-compte" for place in places]
    data = FORM | {"_csrf": form_token((await client.get(forms[0])).text)}
    answers = await asyncio.gather(*(client.post(form, data=data, headers={"Accept": "text/html"}) for form in forms))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 303
    assert statuses[1] in (409, 422)
    assert "même numéro RPPS" in "".join(answer.text for answer in answers)


async def test_a_number_proven_meanwhile_opens_no_second_account(
    client: httpx.AsyncClient, outside: httpx.AsyncClient
) -> None:
    place = (await present(client, outside, "marc")).headers["location"]
    form = f"{place}/nouveau-compte"
    data = FORM | {"_csrf": form_token((await client.get(form)).text)}
    await make_account(rpps=MARC)
    answer = await client.post(form, data=data)
    assert answer.status_code == 409
    assert "même numéro RPPS" in answer.text
    assert "nouveau-compte" not in (await client.get(form)).text


async def test_my_account_shows_the_card(client: httpx.AsyncClient, outside: httpx.AsyncClient) -> None:
    account = await make_account(email="marc@example.org")
    await sign_in(client, account)
    assert "Lier avec Pro Santé Connect" in (await client.get("/compte")).text
    place = (await present(client, outside, "marc", "/connexion/psc?lier=1")).headers["location"]
    done = await submit(client, place, place, {})
    page = (await client.get(done.headers["location"])).text
    assert "elle suffit pour vous connecter" in page
    assert "Délier la carte" not in page
    assert "Carte liée" in (await client.get("/compte/journal")).text


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


async def test_linking_is_for_people_who_are_signed_in(client: httpx.AsyncClient, known: int) -> None:
    asked = await client.get("/connexion/psc?lier=1", headers={"Accept": "text/html"})
    assert asked.headers["location"].startswith("/connexion?suite=")


@pytest.mark.parametrize("place", ["/carte/x", "/carte/00000000-0000-0000-0000-000000000000"])
async def test_a_card_that_never_was(client: httpx.AsyncClient, known: int, place: str) -> None:
    assert (await client.get(place)).status_code in (400, 422)
