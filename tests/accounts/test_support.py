"""Support: asking with or without an account, the queue, answers, what two operators do at once."""

import asyncio
import re
import uuid
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, text, update

from accounts import registry
from accounts.api import Reference, ask_support
from accounts.models_support import SupportEntry, SupportLink, SupportPassage, SupportRequest
from accounts.person import known
from core.db import unit_of_work
from core.errors import InvalidInput, TooMany
from core.models_mail import Mail
from tests.accounts.helpers import form_token, make_account, sign_in, signed_in, submit

ASKED = {"objet": "offer", "texte": "Où écrire mes horaires ?", "email": "ines@example.org", "nom": "Inès"}
QUEUE = "/assistance/demandes"


async def _ask(client: httpx.AsyncClient, **changes: str) -> httpx.Response:
    opened = (await client.get("/assistance")).text
    key = opened.split('name="cle" value="')[1].split('"')[0]
    return await submit(client, "/assistance", "/assistance", {**ASKED, "cle": key, **changes})


async def _mails() -> list[Mail]:
    async with unit_of_work() as session:
        return list(await session.scalars(select(Mail).order_by(Mail.id)))


def _link(mail: Mail) -> str:
    found = re.search(r"https?://\S+?(/assistance/\S+)", mail.text or "")
    assert found, mail.text
    return found[1]


async def _operator(client: httpx.AsyncClient, role: str = "agent") -> Any:
    account = await make_account((role, "region:11" if role == "agent" else ""), name=("Nadia", "Benali"))
    await sign_in(client, account)
    return account


async def _act(client: httpx.AsyncClient, number: int, version: int, **values: str) -> httpx.Response:
    return await submit(client, QUEUE, f"{QUEUE}/{number}", {"version": str(version), **values})


async def test_somebody_without_account_asks_is_answered_and_replies(client: httpx.AsyncClient) -> None:
    sent = await _ask(client)
    assert sent.headers["location"] == "/assistance/envoyee?numero=1001"
    assert "A-1001" in (await client.get(sent.headers["location"])).text
    received = (await _mails())[0]
    assert (received.kind, received.recipient, received.secret) == (
        "accounts.support_received",
        "ines@example.org",
        True,
    )
    assert "Où écrire" not in (received.text or "")
    operator = await _operator(client)
    answered = await _act(client, 1001, 1, action="answer", reponse="Dans « Mon offre ».\r\nPuis « Horaires ».")
    assert answered.status_code == 303
    client.cookies.clear()
    mail = (await _mails())[1]
    assert "Dans « Mon offre ».\nPuis « Horaires »." in (mail.text or "")
    thread = await client.get(_link(mail))
    assert "Répondue" in thread.text
    assert thread.headers["cache-control"] == "private, no-store"
    replied = await submit(client, _link(mail), _link(mail), {"reponse": "Merci, mais où est-ce ?"})
    assert replied.status_code == 303
    assert "Rouverte" in (await client.get(_link(received))).text
    async with unit_of_work() as session:
        passages = (
            await session.execute(
                select(SupportPassage.action, SupportPassage.from_state, SupportPassage.to_state).order_by(
                    SupportPassage.id
                )
            )
        ).all()
        assert [tuple(row) for row in passages] == [
            ("open", None, "new"),
            ("answer", "new", "answered"),
            ("reply", "answered", "reopened"),
        ]
        assert await session.scalar(select(SupportRequest.handler_id)) == operator.id
        kept = (await session.scalars(select(SupportLink.token))).all()
    assert all(len(token) == 32 for token in kept)
    assert (await client.get("/assistance/suivi/" + "x" * 43)).status_code == 404
    async with unit_of_work() as session:
        await session.execute(update(SupportLink).values(expires_at=func.core.now()))
    assert (await client.get(_link(mail))).status_code == 404


async def test_a_signed_in_person_follows_their_requests_and_no_others(client: httpx.AsyncClient) -> None:
    account = await make_account(email="anne@example.org")
    await sign_in(client, account)
    assert 'value="anne@example.org"' in (await client.get("/assistance")).text
    sent = await _ask(client, email="anne@example.org")
    path = "/assistance/mes-demandes/1001"
    assert sent.headers["location"] == f"{path}?envoyee=1"
    assert "A-1001" in (await client.get("/assistance/mes-demandes")).text
    await _operator(client)
    assert "A-1001" not in (await client.get("/assistance/mes-demandes")).text
    assert (await client.get(path)).status_code == 404
    assert (await submit(client, "/accueil", path, {"reponse": "x"})).status_code == 404
    await _act(client, 1001, 1, action="note", note="secret de cuisine")
    await _act(client, 1001, 1, action="answer", reponse="Voici.")
    await sign_in(client, account)
    home = (await client.get("/accueil")).text
    assert "Réponse à votre demande A-1001" in home
    thread = (await client.get(path)).text
    assert "Voici." in thread
    assert "secret de cuisine" not in thread
    assert "Mes services</a>" in (await client.get("/accueil")).text
    answered = (await _mails())[-1]
    assert answered.recipient == "anne@example.org"
    assert _link(answered) == path


async def test_what_is_refused_is_said_at_its_field_and_nothing_typed_is_lost(client: httpx.AsyncClient) -> None:
    refused = await _ask(client, objet="left_place", email="pas une adresse", telephone="12", texte=" \x00 ")
    assert refused.status_code == 422
    for shown in (
        "Choisissez l’objet",
        "n’a pas la forme d’une adresse",
        "numéro de téléphone",
        "Écrivez votre demande",
    ):
        assert shown in refused.text, shown
    assert 'value="pas une adresse"' in refused.text
    assert 'href="#email"' in refused.text
    kept = await _ask(client, texte="é" * 5001)
    assert kept.status_code == 422
    assert "é" * 5001 in kept.text
    hostile = await _ask(
        client, texte="<script>alert(1)</script>\x00\x08", nom="O’Neil <b>", telephone="06 39 98 12 34"
    )
    assert hostile.status_code == 303
    await _operator(client)
    shown = (await client.get(f"{QUEUE}/1001")).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "tel:+33639981234" in shown


async def test_a_double_click_makes_one_request_and_one_reply(client: httpx.AsyncClient) -> None:
    await signed_in(client)
    opened = (await client.get("/assistance")).text
    values = {**ASKED, "_csrf": form_token(opened), "cle": "abc"}
    first, second = [await client.post("/assistance", data=values) for _ in range(2)]
    assert first.headers["location"] == second.headers["location"]
    path = "/assistance/mes-demandes/1001"
    for _ in range(2):
        assert (await submit(client, path, path, {"reponse": "Encore moi"})).status_code == 303
    async with unit_of_work() as session:
        assert await session.scalar(select(func.count()).select_from(SupportRequest)) == 1
        assert await session.scalar(select(func.count()).select_from(SupportEntry)) == 2


async def test_what_is_sent_too_often_is_refused_and_kept_on_the_page(client: httpx.AsyncClient) -> None:
    for turn in range(5):
        assert (await _ask(client, email=f"a{turn}@example.org")).status_code == 303
    refused = await _ask(client, email="other@example.org", texte="Sixième demande")
    assert refused.status_code == 429
    assert "Sixième demande" in refused.text
    async with unit_of_work() as session:
        await session.execute(text("UPDATE accounts.support_request SET opened_at = opened_at - interval '25 hours'"))
    assert (await _ask(client, email="other@example.org")).status_code == 303
    async with unit_of_work() as session:
        sources = (await session.scalars(select(SupportRequest.source).order_by(SupportRequest.id))).all()
    assert [source is None for source in sources] == [True] * 5 + [False]


async def test_two_operators_at_once_one_answers_the_other_keeps_their_text(client: httpx.AsyncClient) -> None:
    await _ask(client)
    await _operator(client)
    opened = (await client.get(f"{QUEUE}/1001")).text
    assert 'name="version" value="1"' in opened
    assert (await _act(client, 1001, 1, action="answer", reponse="Première réponse")).status_code == 303
    await _operator(client, "administrator")
    late = await _act(client, 1001, 1, action="answer", reponse="Réponse en retard")
    assert late.status_code == 409
    assert ">\nRéponse en retard</textarea>" in late.text
    assert "Première réponse" in late.text
    assert 'name="version" value="2"' in late.text
    assert (await _act(client, 1001, 1, action="close")).status_code == 409
    assert len([mail for mail in await _mails() if mail.kind == "accounts.support_answered"]) == 1


async def test_two_answers_in_the_same_instant_are_one(client: httpx.AsyncClient) -> None:
    await _ask(client)
    await _operator(client)
    token = form_token((await client.get(QUEUE)).text)

    async def send(words: str) -> int:
        values = {"_csrf": token, "version": "1", "action": "answer", "reponse": words}
        return (await client.post(f"{QUEUE}/1001", data=values)).status_code

    assert sorted(await asyncio.gather(send("Une"), send("Deux"))) == [303, 409]


async def test_states_follow_their_table(client: httpx.AsyncClient) -> None:
    await _ask(client)
    await _operator(client)
    assert (await _act(client, 1001, 1, action="reopen")).status_code == 409
    assert (await _act(client, 1001, 1, action="reply")).status_code == 422
    assert (await _act(client, 1001, 1, action="answer", reponse=" ")).status_code == 422
    assert (await _act(client, 1001, 1, action="take")).status_code == 303
    assert (await _act(client, 1001, 2, action="close")).status_code == 303
    closed = await _act(client, 1001, 3, action="answer", reponse="Trop tard")
    assert closed.status_code == 409
    assert "Trop tard" not in (await client.get(f"{QUEUE}/1001")).text
    assert (await _act(client, 1001, 3, action="reopen")).status_code == 303
    assert "Rouverte" in (await client.get(f"{QUEUE}/1001")).text
    assert (await _act(client, 4004, 1, action="close")).status_code == 404
    for number in ("0", str(10**30), "x"):
        assert (await client.get(f"{QUEUE}/{number}")).status_code == 422


async def test_the_queue_is_filtered_ordered_and_paged_by_its_address(client: httpx.AsyncClient) -> None:
    async with unit_of_work() as session:
        for turn in range(33):
            await ask_support(
                session,
                kind="sheet" if turn % 3 else "register",
                text=f"Erreur {turn} à l’Hôpital",
                name=f"Personne {turn:02d}",
                email=f"p{turn}@example.org",
            )
    await _operator(client)
    first = (await client.get(QUEUE)).text
    assert len(re.findall(r'href="/assistance/demandes/\d+"', first)) == 30
    assert "1 – 30 sur 33" in first.replace("\u00a0", " ")
    second = (await client.get(f"{QUEUE}?page=2")).text
    assert re.findall(r"A-\d+</a>", second) == ["A-1031</a>", "A-1032</a>", "A-1033</a>"]
    kinds = (await client.get(f"{QUEUE}?objet=register")).text
    assert "1 – 11 sur 11" in kinds.replace("\u00a0", " ")
    ordered = (await client.get(f"{QUEUE}?tri=demandeur&sens=desc&objet=register")).text
    assert re.findall(r"Personne \d+", ordered)[0] == "Personne 30"
    assert 'aria-sort="descending"' in ordered
    assert "objet=register&amp;tri=demandeur&amp;sens=asc" in ordered
    for words in ("A-1007", "1007", "personne 06", "P6@EXAMPLE", "erreur 6 a l’hopital"):
        found = (await client.get(QUEUE, params={"texte": words})).text
        assert "A-1007</a>" in found, words
    assert "Aucune demande dans ce cas" in (await client.get(QUEUE, params={"texte": "100%_"})).text
    assert "Aucune demande dans ce cas" in (await client.get(f"{QUEUE}?etat=closed")).text
    for wrong in ("etat=x", "objet=x", "tri=suivi", "sens=x", "page=0", "texte=" + "x" * 201):
        assert (await client.get(f"{QUEUE}?{wrong}")).status_code == 422, wrong


async def test_other_packages_ask_about_what_they_show(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await make_account(name=("Paul", "Petit"))
    person = await known(await sign_in(client, account))
    assert person is not None
    uid = uuid.uuid4()
    async with unit_of_work() as session:
        for _ in range(2):
            number = await ask_support(
                session, kind="left_place", text="Parti", person=person, ref=("cabinet", uid), key="x"
            )
            assert number == "A-1001"
        with pytest.raises(InvalidInput):
            await ask_support(session, kind="sheet", text="", email="a@example.org")
    await _operator(client)
    assert f"cabinet {uid}" in (await client.get(f"{QUEUE}/1001")).text
    levels = []

    async def name(_session: Any, _uid: uuid.UUID, level: int) -> Reference:
        levels.append(level)
        return Reference("Cabinet du Port", f"/sites/{uid}")

    monkeypatch.setitem(registry._referrers, "cabinet", name)
    assert f'<a href="/sites/{uid}">Cabinet du Port</a>' in (await client.get(f"{QUEUE}/1001")).text
    await sign_in(client, account)
    assert "Cabinet du Port" in (await client.get("/assistance/mes-demandes/1001")).text
    assert levels == [2, 1]
    async with unit_of_work() as session:
        for turn in range(9):
            await ask_support(session, kind="other", text=str(turn), person=person)
        with pytest.raises(TooMany):
            await ask_support(session, kind="other", text="encore", person=person)
