"""Cards and accounts: linked, unlinked, opened by a card, one number for one account."""

import asyncio

import httpx
import pytest
from sqlalchemy import func, select, update

from accounts.models import Account, Grant
from accounts.models_psc import PscCard
from accounts.person import cookie_name
from core.db import unit_of_work
from tests.accounts.helpers import form_token, make_account, sign_in, submit
from tests.accounts.psc import ANNE, MARC, card_holder, present


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


async def test_linking_is_for_people_who_are_signed_in(client: httpx.AsyncClient, known: int) -> None:
    asked = await client.get("/connexion/psc?lier=1", headers={"Accept": "text/html"})
    assert asked.headers["location"].startswith("/connexion?suite=")


@pytest.mark.parametrize("place", ["/carte/x", "/carte/00000000-0000-0000-0000-000000000000"])
async def test_a_card_that_never_was(client: httpx.AsyncClient, known: int, place: str) -> None:
    assert (await client.get(place)).status_code in (400, 422)
