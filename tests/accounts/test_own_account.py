"""« Mon compte »: what a person changes, sees and erases; two tabs, other people's keys, what remains."""

import json
import uuid

import httpx
import pytest
from sqlalchemy import func, select

from accounts.models import Account, AccountHistory, Grant
from accounts.service import note
from core import personal
from core.db import unit_of_work
from core.models_mail import Mail
from tests.accounts.doors import PASSWORD, follow, give_password, link_in, mailed, member, post
from tests.accounts.helpers import form_token, make_account, sign_in, submit
from tests.smtp import SmtpSink

EMAIL = "anne.durand@exemple.fr"
NEW = "anne.neuve@exemple.fr"
OTHER_PASSWORD = "lampe verte tambour"


async def load(key: int) -> Account:
    async with unit_of_work() as session:
        account = await session.get(Account, key)
        assert account is not None
        return account


@pytest.fixture
async def key(client: httpx.AsyncClient) -> int:
    """Somebody who is signed in with a password."""
    made = await member(("coordinator", "departement:78"))
    await sign_in(client, await load(made))
    return made


async def test_the_account_says_who_what_and_where(client: httpx.AsyncClient, key: int) -> None:
    page = (await client.get("/compte")).text
    for expected in ("Anne Durand", EMAIL, "Coordinateur de territoire (département\u00a078)", "cet appareil"):
        assert expected in page
    assert 'href="/compte"' in (await client.get("/aide")).text


@pytest.mark.parametrize(
    "path",
    ["/compte", "/compte/identite", "/compte/adresse", "/compte/mot-de-passe", "/compte/journal",
     "/compte/donnees.json", "/compte/suppression"],
)  # fmt: skip
async def test_strangers_are_sent_to_sign_in(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"].startswith("/connexion?suite=")) == (303, True)


async def test_identity_is_changed_and_a_stale_form_keeps_what_was_typed(client: httpx.AsyncClient, key: int) -> None:
    base = {"title": "Madame", "last_name": "Durand", "first_name": "Anne", "phone": "", "phone_fixed": ""}
    two_tabs = {"version": "1", "specialty": "", "profession": "Sage-femme"}
    first = await submit(client, "/compte/identite", "/compte/identite", base | two_tabs)
    assert first.headers["location"] == "/compte?info=identite"
    stale = await submit(client, "/compte/identite", "/compte/identite", base | two_tabs | {"first_name": "Zoé"})
    assert stale.status_code == 409
    assert 'value="Zoé"' in stale.text
    assert (await load(key)).first_name == "Anne"
    wrong = await submit(client, "/compte/identite", "/compte/identite", base | {"version": "2", "phone": "12"})
    assert (wrong.status_code, 'href="#phone"' in wrong.text) == (422, True)


async def test_a_proven_name_is_not_ones_own_to_change(client: httpx.AsyncClient) -> None:
    account = await make_account(email=EMAIL, rpps="10100112228")
    await sign_in(client, account)
    values = {"version": "1", "title": "Docteur", "last_name": "Autre", "first_name": "Autre"}
    assert (await submit(client, "/compte/identite", "/compte/identite", values)).status_code == 303
    kept = await load(account.id)
    assert (kept.last_name, kept.title) == ("Durand", "Docteur")


async def wish(
    client: httpx.AsyncClient, email: str = NEW, version: str = "1", current: str = PASSWORD
) -> httpx.Response:
    values = {"version": version, "email": email, "email_again": email, "current": current}
    return await submit(client, "/compte/adresse", "/compte/adresse", values)


async def test_a_new_address_counts_once_confirmed_there(
    client: httpx.AsyncClient, smtp_sink: SmtpSink, key: int
) -> None:
    assert (await wish(client)).status_code == 303
    assert (await load(key)).email == EMAIL
    assert "à valider" in (await client.get("/compte")).text
    link = link_in((await mailed(smtp_sink, NEW))[0])
    assert (await follow(client, link)).status_code == 200
    account = await load(key)
    assert (account.email, account.email_wanted) == (NEW, None)
    assert "vient de changer" in (await mailed(smtp_sink, EMAIL))[-1]
    assert "déjà validée" in (await client.get(link)).text


@pytest.mark.parametrize(
    ("values", "status", "message"),
    [
        ({"current": "faux"}, 422, "mot de passe actuel"),
        ({"email": EMAIL}, 422, "déjà l’adresse de votre compte"),
        ({"email": "rien"}, 422, "forme d’une adresse"),
        ({"version": "0"}, 409, "modifié entre-temps"),
        ({"version": "' OR 1"}, 409, "modifié entre-temps"),
    ],
)
async def test_a_refused_address_changes_nothing(
    client: httpx.AsyncClient, key: int, values: dict[str, str], status: int, message: str
) -> None:
    answer = await wish(client, **values)
    assert (answer.status_code, message in answer.text) == (status, True)
    assert (await load(key)).email_wanted is None


async def test_the_address_of_another_is_not_told_and_not_taken(
    client: httpx.AsyncClient, smtp_sink: SmtpSink, key: int
) -> None:
    await member(email=NEW)
    assert (await wish(client)).headers["location"] == "/compte?info=adresse"
    (told,) = await mailed(smtp_sink, NEW)
    assert "jeton" not in told
    again = await submit(client, "/compte", "/compte/adresse/renvoyer", {})
    assert again.headers["location"] == "/compte?info=renvoye"
    kept = await submit(client, "/compte", "/compte/adresse/garder", {"version": "2"})
    assert kept.status_code == 303
    assert (await load(key)).email_wanted is None


async def test_an_abandoned_address_cannot_be_confirmed(
    client: httpx.AsyncClient, smtp_sink: SmtpSink, key: int
) -> None:
    await wish(client)
    link = link_in((await mailed(smtp_sink, NEW))[0])
    await submit(client, "/compte", "/compte/adresse/garder", {"version": "2"})
    assert (await client.get(link)).status_code == 410
    assert (await load(key)).email == EMAIL


async def change(client: httpx.AsyncClient, **values: str) -> httpx.Response:
    given = {"version": "1", "current": PASSWORD, "password": OTHER_PASSWORD, "password_again": OTHER_PASSWORD}
    return await submit(client, "/compte/mot-de-passe", "/compte/mot-de-passe", given | values)


async def test_a_changed_password_ends_other_browsers_and_renews_this_one(
    client: httpx.AsyncClient, smtp_sink: SmtpSink, key: int
) -> None:
    here = client.cookies.get("repere_session")
    other = await sign_in(client, await load(key))
    assert here is not None
    client.cookies.set("repere_session", here)
    assert (await change(client)).headers["location"] == "/compte?info=mot-de-passe"
    assert (await client.get("/compte")).status_code == 200
    for old in (here, other):
        stranger = httpx.AsyncClient(transport=client._transport, base_url=client.base_url)
        assert (await stranger.get("/compte", headers={"Cookie": f"repere_session={old}"})).status_code == 401
    assert "vient de changer" in (await mailed(smtp_sink, EMAIL))[-1]


@pytest.mark.parametrize(
    ("values", "status", "field"),
    [
        ({"current": "faux"}, 422, "current"),
        ({"password": "court"}, 422, "password"),
        ({"password_again": "autre"}, 422, "password_again"),
        ({"version": "0"}, 409, None),
    ],
)
async def test_a_refused_password_changes_nothing(
    client: httpx.AsyncClient, key: int, values: dict[str, str], status: int, field: str | None
) -> None:
    before = (await load(key)).password_hash
    answer = await change(client, **values)
    assert answer.status_code == status
    assert field is None or f'href="#{field}"' in answer.text
    assert (await load(key)).password_hash == before


async def test_the_old_password_cannot_be_guessed_from_a_stolen_browser(client: httpx.AsyncClient, key: int) -> None:
    answers = [await change(client, current=f"faux {n}") for n in range(9)]
    assert "Trop d’essais" in answers[-1].text
    assert "Trop d’essais" in (await change(client)).text


async def test_browsers_are_signed_out_one_by_one_or_all(client: httpx.AsyncClient, key: int) -> None:
    account = await load(key)
    first = await sign_in(client, account)
    await sign_in(client, account)
    stranger = await make_account()
    await sign_in(client, stranger)
    foreign = (await client.get("/compte")).text.partition('name="appareil" value="')[2][:36]
    client.cookies.set("repere_session", first)
    assert (await client.get("/compte")).text.count("Déconnecter<span") == 3
    await submit(client, "/compte", "/compte/appareils", {"appareil": foreign})
    await submit(client, "/compte", "/compte/appareils", {"appareil": str(uuid.uuid4())})
    assert (await client.get("/compte")).text.count("Déconnecter<span") == 3
    assert (await submit(client, "/compte", "/compte/appareils", {"appareil": "x"})).status_code == 422
    await submit(client, "/compte", "/compte/appareils/autres", {})
    page = (await client.get("/compte")).text
    assert page.count("Déconnecter<span") == 1
    here = page.partition('name="appareil" value="')[2][:36]
    out = await submit(client, "/compte", "/compte/appareils", {"appareil": here})
    assert (out.headers["location"], (await client.get("/compte")).status_code) == ("/", 401)


async def test_the_journal_is_paged_and_bounded(client: httpx.AsyncClient, key: int) -> None:
    async with unit_of_work() as session:
        for number in range(61):
            note(session, key, "essai", f"acte {number}")
        await session.flush()
        total = await session.scalar(
            select(func.count()).select_from(AccountHistory).where(AccountHistory.account_id == key)
        )
    seen = [(await client.get(f"/compte/journal?page={n}")).text.count("<tr><td") for n in (1, 2, 3)]
    assert (seen[:2], sum(seen)) == ([30, 30], total)
    assert total is not None and total > 61
    for wrong in ("0", "4", "99999999999999999999", "-1"):
        assert (await client.get(f"/compte/journal?page={wrong}")).status_code == 404
    assert (await client.get("/compte/journal?page=x")).status_code == 422


async def test_my_data_are_mine_and_hold_no_secret(client: httpx.AsyncClient, key: int) -> None:
    await member(email=NEW)
    answer = await client.get("/compte/donnees.json")
    assert "attachment" in answer.headers["content-disposition"]
    told = json.loads(answer.text)
    assert told["compte"]["email"] == EMAIL
    assert told["droits"][0]["scope"] == "departement:78"
    assert {"favoris", "messages", "assistance", "delegations", "historique", "connexions"} <= told.keys()
    assert NEW not in answer.text
    assert "argon2" not in answer.text and "token" not in answer.text


async def test_a_deleted_account_leaves_no_name(client: httpx.AsyncClient, smtp_sink: SmtpSink, key: int) -> None:
    erased: list[personal.Subject] = []

    async def eraser(_session: object, subject: personal.Subject) -> None:
        erased.append(subject)

    personal.register("essai", erase=eraser)
    try:
        await wish(client)
        await mailed(smtp_sink, NEW)
        leave = {"version": "2", "current": PASSWORD, "sure": "oui"}
        for wrong, field in (({"sure": ""}, "sure"), ({"current": "faux"}, "current")):
            answer = await submit(client, "/compte/suppression", "/compte/suppression", leave | wrong)
            assert (answer.status_code, f'href="#{field}"' in answer.text) == (422, True)
        stale = await submit(client, "/compte/suppression", "/compte/suppression", leave | {"version": "1"})
        assert stale.status_code == 409
        assert erased == []
        done = await submit(client, "/compte/suppression", "/compte/suppression", leave)
        assert done.headers["location"] == "/connexion?info=supprime"
    finally:
        personal._erasers.pop("essai")
    account = await load(key)
    assert account.status == "closed"
    assert (account.email, account.email_wanted, account.last_name, account.password_hash) == (None, None, "", None)
    assert [(s.account_id, s.emails) for s in erased] == [(key, (EMAIL, NEW))]
    async with unit_of_work() as session:
        assert (await session.scalars(select(Grant.id).where(Grant.ended_at.is_(None)))).all() == []
        assert (await session.scalars(select(Mail.recipient).where(Mail.recipient == NEW))).all() == []
        lines = select(AccountHistory.action).where(AccountHistory.account_id == key).order_by(AccountHistory.id)
        actions = (await session.scalars(lines)).all()
    assert actions[-1] == "closed"
    assert (await client.get("/compte")).status_code == 401
    assert "supprimé" in (await mailed(smtp_sink, EMAIL))[-1]
    assert (await give_password(client)).status_code == 422
    # The address is free again, and the former account is not found behind it.
    again = await member(email=EMAIL)
    assert again != key


async def test_a_link_of_a_deleted_account_leads_nowhere(
    client: httpx.AsyncClient, smtp_sink: SmtpSink, key: int
) -> None:
    await post(client, "/mot-de-passe-oublie", "/mot-de-passe-oublie", email=EMAIL)
    link = link_in((await mailed(smtp_sink, EMAIL))[0])
    leave = {"version": "1", "current": PASSWORD, "sure": "oui"}
    await submit(client, "/compte/suppression", "/compte/suppression", leave)
    assert (await client.get(link)).status_code == 410


async def test_forms_of_the_account_are_protected(client: httpx.AsyncClient, key: int) -> None:
    token = form_token((await client.get("/compte")).text)
    for path in ("identite", "adresse", "adresse/garder", "mot-de-passe", "appareils/autres", "suppression"):
        assert (await client.post(f"/compte/{path}", data={"sure": "oui"})).status_code == 403
        headers = {"Origin": "https://evil.example"}
        assert (await client.post(f"/compte/{path}", data={"_csrf": token}, headers=headers)).status_code == 403
