"""Signing in with a password: the code by mail, known browsers, limits that keep strangers out and owners in."""

import asyncio
import html
import re

import httpx
import pytest
from sqlalchemy import select

from accounts import limits
from accounts.models import Account, SignIn
from accounts.models_password import KnownDevice
from accounts.person import cookie_name
from core.db import unit_of_work
from tests.accounts.doors import PASSWORD, code_in, follow, give_password, link_in, mailed, member, post
from tests.accounts.helpers import form_token, make_account, sign_in, submit
from tests.conftest import Later
from tests.smtp import SmtpSink

EMAIL = "anne.durand@exemple.fr"
WRONG = "ne vont pas ensemble"


async def give_code(client: httpx.AsyncClient, code: str, **more: str) -> httpx.Response:
    return await post(client, "/connexion/code", "/connexion/code", code=code, **more)


async def test_a_password_then_a_code_sign_in_and_lead_on(client: httpx.AsyncClient, smtp_sink: SmtpSink) -> None:
    await member()
    asked = await give_password(client, email=EMAIL.upper(), suite="/compte/journal")
    assert asked.headers["location"] == "/connexion/code?suite=%2Fcompte%2Fjournal"
    assert (await client.get("/compte")).status_code == 401, "a password alone opens nothing"
    (text,) = await mailed(smtp_sink, EMAIL)
    code = code_in(text)
    done = await give_code(client, f" {code[:3]} {code[3:]} ", suite="/compte/journal")
    assert (done.status_code, done.headers["location"]) == (303, "/compte/journal")
    assert "Connexion (adresse mail et mot de passe)" in (await client.get("/compte/journal")).text
    # The code opened one sign-in, and opens no other.
    client.cookies.delete(cookie_name())
    assert (await client.get("/connexion/code")).status_code == 303


async def test_help_to_sign_in_is_one_step_away_and_leads_to_every_way_out(client: httpx.AsyncClient) -> None:
    for page in ("/connexion", "/mot-de-passe-oublie", "/aide"):
        assert 'href="/connexion/aide"' in (await client.get(page)).text, page
    text = (await client.get("/connexion/aide")).text
    targets = set(re.findall(r'href="(/[^"#]+)', text.partition("<main")[2].partition("</main")[0]))
    assert {"/connexion", "/inscription", "/mot-de-passe-oublie", "/assistance?objet=sign_in"} <= targets
    for target in targets:
        assert (await client.get(html.unescape(target))).status_code == 200, target
    anchors = set(re.findall(r'href="#([^"]+)', text.partition("<main")[2]))
    assert anchors <= set(re.findall(r' id="([^"]+)"', text))
    assert "Pro Santé Connect" not in text, "no provider is set up here: nothing is said of cards"


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (EMAIL, "faux"),
        (EMAIL, PASSWORD + "\0"),
        (EMAIL, "x" * 5000),
        ("inconnue@exemple.fr", PASSWORD),
        ("sans-mot-de-passe@exemple.fr", PASSWORD),
        ("sans-mot-de-passe@exemple.fr", "personne n’a ce mot de passe"),
        ("en-attente@exemple.fr", PASSWORD),
        ("' OR 1=1 --\0", PASSWORD),
        ("x" * 5000, PASSWORD),
    ],
)
async def test_whoever_fails_reads_the_same_answer(
    client: httpx.AsyncClient, smtp_sink: SmtpSink, email: str, password: str
) -> None:
    await member()
    await member(email="sans-mot-de-passe@exemple.fr", password=None)
    async with unit_of_work() as session:
        session.add(Account(status="pending", email_wanted="en-attente@exemple.fr", password_hash="x"))
    answer = await give_password(client, email=email, password=password)
    assert answer.status_code == 422
    assert WRONG in answer.text
    assert "Déconnecter" not in answer.text
    assert await mailed(smtp_sink, EMAIL) == []


async def test_accents_are_the_same_whatever_keyboard_typed_them(
    client: httpx.AsyncClient, smtp_sink: SmtpSink
) -> None:
    await member(password="été à la forêt noire")
    assert (await give_password(client, password="e\u0301te\u0301 a\u0300 la fore\u0302t noire")).status_code == 303


async def test_a_code_is_tried_five_times(client: httpx.AsyncClient, smtp_sink: SmtpSink) -> None:
    await member()
    await give_password(client)
    (text,) = await mailed(smtp_sink, EMAIL)
    right = code_in(text)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    assert (await give_code(client, "12a")).status_code == 422
    for left in (4, 3, 2, 1):
        answer = await give_code(client, wrong)
        assert answer.status_code == 422
        assert f"Il vous reste {left} essai" in answer.text
    page = form_token((await client.get("/connexion/code")).text)
    last = await client.post("/connexion/code", data={"_csrf": page, "code": wrong})
    assert last.headers["location"] == "/connexion?info=code-use"
    late = await client.post("/connexion/code", data={"_csrf": page, "code": right})
    assert late.status_code == 303
    assert (await client.get("/compte")).status_code == 401


async def test_a_code_expires_and_another_is_sent_not_too_often(
    client: httpx.AsyncClient, smtp_sink: SmtpSink, later: Later
) -> None:
    await member()
    await give_password(client)
    first = code_in((await mailed(smtp_sink, EMAIL))[0])
    again = await post(client, "/connexion/code", "/connexion/code/renvoyer")
    assert (again.status_code, "attendez" in again.text) == (429, True)
    await later("11 minutes")
    expired = await give_code(client, first)
    assert (expired.status_code, "a expiré" in expired.text) == (422, True)
    assert (await post(client, "/connexion/code", "/connexion/code/renvoyer")).status_code == 303
    second = code_in((await mailed(smtp_sink, EMAIL))[-1])
    if first != second:
        assert (await give_code(client, first)).status_code == 422
    assert (await give_code(client, second)).status_code == 303
    assert (await client.get("/compte")).status_code == 200


async def test_one_code_opens_one_sign_in_whoever_hurries(client: httpx.AsyncClient, smtp_sink: SmtpSink) -> None:
    await member()
    await give_password(client)
    code = code_in((await mailed(smtp_sink, EMAIL))[0])
    token = form_token((await client.get("/connexion/code")).text)
    data = {"_csrf": token, "code": code}
    answers = await asyncio.gather(*(client.post("/connexion/code", data=data) for _ in range(3)))
    assert sorted(answer.headers["location"] for answer in answers)[0] == "/accueil"
    async with unit_of_work() as session:
        assert len((await session.scalars(select(SignIn.id))).all()) == 1


async def test_a_known_browser_asks_for_no_code_until_it_is_forgotten(
    client: httpx.AsyncClient, smtp_sink: SmtpSink, later: Later
) -> None:
    await member()
    await member(email="autre@exemple.fr")
    await give_password(client)
    await give_code(client, code_in((await mailed(smtp_sink, EMAIL))[0]), remember="oui")
    await submit(client, "/compte", "/deconnexion", {})
    assert (await give_password(client)).headers["location"] == "/accueil"
    page = (await client.get("/compte")).text
    assert "Appareils reconnus" in page
    await submit(client, "/compte", "/deconnexion", {})
    other = await give_password(client, email="autre@exemple.fr")
    assert other.headers["location"].startswith("/connexion/code"), "known for one account only"
    await later("31 days")
    assert (await give_password(client)).headers["location"].startswith("/connexion/code")


async def test_forgetting_a_browser_asks_for_a_code_again(client: httpx.AsyncClient, smtp_sink: SmtpSink) -> None:
    await member()
    await give_password(client)
    await give_code(client, code_in((await mailed(smtp_sink, EMAIL))[0]), remember="oui")
    async with unit_of_work() as session:
        uid = await session.scalar(select(KnownDevice.uid))
    await submit(client, "/compte", "/compte/appareils/oublier", {"appareil": str(uid)})
    await submit(client, "/compte", "/deconnexion", {})
    assert (await give_password(client)).headers["location"].startswith("/connexion/code")


async def test_tries_are_limited_and_come_back(client: httpx.AsyncClient, smtp_sink: SmtpSink, later: Later) -> None:
    await member()
    for email in (EMAIL, "inconnue@exemple.fr"):
        answers = [await give_password(client, email=email, password="faux") for _ in range(7)]
        assert [answer.status_code for answer in answers] == [422] * 6 + [429]
        assert "attendez" in answers[-1].text
    assert (await give_password(client)).status_code == 429, "not even with the right one"
    await later("4 minutes")
    assert (await give_password(client)).status_code == 303


async def test_nobody_is_locked_out_by_those_who_fail_in_their_name(
    client: httpx.AsyncClient, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    await member()
    await give_password(client)
    await give_code(client, code_in((await mailed(smtp_sink, EMAIL))[0]), remember="oui")
    await submit(client, "/compte", "/deconnexion", {})
    async with unit_of_work() as session:
        while await limits.take(session, limits.SIGN_IN_ACCOUNT, EMAIL) is None:
            pass
    known = client.cookies.get("repere_device")
    client.cookies.delete("repere_device")
    assert (await give_password(client)).status_code == 429
    assert known is not None
    client.cookies.set("repere_device", known)
    assert (await give_password(client)).headers["location"] == "/accueil"
    # A browser that is not known goes by the mailbox, which others do not have.
    await submit(client, "/compte", "/deconnexion", {})
    client.cookies.delete("repere_device")
    await post(client, "/mot-de-passe-oublie", "/mot-de-passe-oublie", email=EMAIL)
    link = link_in((await mailed(smtp_sink, EMAIL))[-1])
    path, _, token = link.partition("?jeton=")
    await post(client, link, path, jeton=token, password=PASSWORD + " neuf", password_again=PASSWORD + " neuf")
    assert (await give_password(client, password=PASSWORD + " neuf")).headers["location"] == "/accueil"


async def test_a_limit_holds_among_those_who_hurry(client: httpx.AsyncClient) -> None:
    async def one() -> bool:
        async with unit_of_work() as session:
            return await limits.take(session, limits.LINK_MAIL, "x") is None

    assert sum(await asyncio.gather(*(one() for _ in range(12)))) == limits.LINK_MAIL.burst


async def test_signing_in_again_changes_the_token(client: httpx.AsyncClient, smtp_sink: SmtpSink) -> None:
    await member()
    other = await make_account()
    page = form_token((await client.get("/connexion")).text)
    old = await sign_in(client, other)
    asked = await client.post("/connexion", data={"_csrf": page, "email": EMAIL, "password": PASSWORD})
    assert asked.status_code == 303
    await give_code(client, code_in((await mailed(smtp_sink, EMAIL))[0]))
    client.cookies.set(cookie_name(), old)
    assert (await client.get("/compte")).status_code == 401


async def forgotten(client: httpx.AsyncClient, sink: SmtpSink, email: str = EMAIL) -> str:
    asked = await post(client, "/mot-de-passe-oublie", "/mot-de-passe-oublie", email=email)
    assert asked.headers["location"] == "/mot-de-passe-oublie/envoye"
    return (await mailed(sink, email))[-1]


async def choose(client: httpx.AsyncClient, link: str, password: str, again: str | None = None) -> httpx.Response:
    path, _, token = link.partition("?jeton=")
    values = {"jeton": token, "password": password, "password_again": password if again is None else again}
    return await post(client, "/connexion", path, **values)


async def test_a_forgotten_password_is_replaced_once_and_ends_every_sign_in(
    client: httpx.AsyncClient, smtp_sink: SmtpSink
) -> None:
    await member()
    async with unit_of_work() as session:
        account = (await session.scalars(select(Account))).one()
    await sign_in(client, account)
    elsewhere = client.cookies.get(cookie_name())
    client.cookies.clear()
    link = link_in(await forgotten(client, smtp_sink))
    assert "Choisissez un nouveau" in (await client.get(link)).text
    for weak, again in (("court", None), ("durand tournesol guitare", None), ("lampe verte tambour", "autre")):
        assert (await choose(client, link, weak, again)).status_code == 422
    done = await choose(client, link, "lampe verte tambour")
    assert done.headers["location"] == "/connexion?info=mot-de-passe"
    assert (
        "a changé" in (await mailed(smtp_sink, EMAIL))[-1] or "vient de changer" in (await mailed(smtp_sink, EMAIL))[-1]
    )
    twice = await choose(client, link, "autre lampe verte tambour")
    assert (twice.status_code, "déjà servi" in twice.text) == (410, True)
    assert (await give_password(client)).status_code == 422
    assert (await give_password(client, password="lampe verte tambour")).headers["location"] == "/accueil"
    assert elsewhere is not None
    client.cookies.set(cookie_name(), elsewhere)
    assert (await client.get("/compte")).status_code == 401


async def test_a_link_for_a_password_expires_in_an_hour(
    client: httpx.AsyncClient, smtp_sink: SmtpSink, later: Later
) -> None:
    await member()
    link = link_in(await forgotten(client, smtp_sink))
    await later("61 minutes")
    late = await choose(client, link, "lampe verte tambour")
    assert (late.status_code, "a expiré" in late.text) == (410, True)
    assert (await give_password(client)).status_code == 303


async def test_a_mailbox_does_not_open_what_only_a_card_opened(client: httpx.AsyncClient, smtp_sink: SmtpSink) -> None:
    await member(password=None)
    text = await forgotten(client, smtp_sink)
    assert "Pro Santé Connect" in text
    assert "jeton" not in text


async def test_a_confirm_link_is_no_password_link(client: httpx.AsyncClient, smtp_sink: SmtpSink) -> None:
    await member()
    token = link_in(await forgotten(client, smtp_sink)).partition("=")[2]
    assert (await client.get("/inscription/valider", params={"jeton": token})).status_code == 410
    assert (await follow(client, f"/mot-de-passe/nouveau?jeton={token}")).status_code == 422
