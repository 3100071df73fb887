"""Mails of ads, as the SMTP server takes them: one for each event, worded by the council, where the Order writes."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from accounts.models import Account
from accounts.models_coordinates import Coordinate, CoordinateUse
from accounts.models_home import Message
from core import clock
from core.db import unit_of_work
from core.mail.delivery import deliver
from core.models_mail import Mail
from modules.ads import life, notices, wording
from modules.ads.councils import NATIONAL
from modules.ads.models import Ad, AdHistory
from modules.ads.wording_texts import EVENTS, STANDARD, Wording
from tests.accounts.helpers import form_token, sign_in
from tests.modules.ads.makers import as_reader, make_ad, make_moderator, make_person, reread
from tests.smtp import SmtpSink, html_of, text_of

PAGE = "/annonces/moderation/messages"


async def sent(sink: SmtpSink, address: str | None) -> list[Any]:
    await deliver()
    assert address
    return sink.to(address)


async def act(ad: Ad, author: Account, what: Callable[..., Awaitable[Any]], *more: Any) -> None:
    writer = await as_reader(author)
    async with unit_of_work() as session:
        await what(session, writer, await life.own(session, writer, ad.number), *more)


async def judge(ad: Ad, moderator: Account, what: Callable[..., Awaitable[Any]], *more: Any) -> None:
    reader = await as_reader(moderator)
    async with unit_of_work() as session:
        mine = await life.moderated(session, reader, ad.number, (await reread(ad)).version)
        await what(session, reader, mine, *more)


async def test_each_event_is_told_once_at_the_order_address(smtp_sink: SmtpSink, places: None) -> None:
    author, moderator = await make_person(shown_email="affiche@exemple.test"), await make_moderator()
    ad = await make_ad(author, "draft", title="Remplaçant de juin à septembre")
    await act(ad, author, life.submit)
    await judge(ad, moderator, life.refuse, "Retirez votre téléphone.\nMerci.")
    await act(ad, author, life.submit)
    await judge(ad, moderator, life.accept)
    await act(ad, author, life.unpublish, "filled")
    mails = await sent(smtp_sink, author.email)
    assert [mail["Subject"].rpartition(" : ")[2].rpartition("\u00a0: ")[2] for mail in mails] == [
        "transmise",
        "refusée",
        "transmise",
        "publiée",
        "dépubliée",
    ]
    assert smtp_sink.to("affiche@exemple.test") == []
    refused = text_of(mails[1])
    assert f"n°\u00a0{ad.number} – Remplaçant de juin à septembre" in refused
    assert "Motif\u00a0: Retirez votre téléphone.\nMerci." in refused
    assert f"/annonces/{ad.number}/modifier" in refused
    assert "a été transmise au Conseil départemental des Yvelines" in text_of(mails[0])
    assert "vous l’avez dépubliée (pourvue)" in text_of(mails[4])
    for mail in mails:
        assert "Bonjour," in html_of(mail)
        assert "{" not in text_of(mail)
    async with unit_of_work() as session:
        told = (await session.scalars(select(Message).where(Message.account_id == author.id))).all()
    assert len(told) == 5
    # The same lines asked for again, as by a process that died before it knew: nothing new leaves.
    async with unit_of_work() as session:
        for line in (await session.scalars(select(AdHistory).where(AdHistory.ad_id == ad.id))).all():
            await notices.announce(session, ad, line)
    assert len(await sent(smtp_sink, author.email)) == 5


async def test_a_refusal_without_reason_says_no_reason(smtp_sink: SmtpSink, places: None) -> None:
    author = await make_person()
    await make_ad(author, "refused")
    mails = await sent(smtp_sink, author.email)
    assert "Motif" not in text_of(mails[-1])


async def test_the_order_address_comes_before_the_account_s(smtp_sink: SmtpSink, places: None) -> None:
    author = await make_person()
    async with unit_of_work() as session:
        held = Coordinate(
            account_id=author.id, kind="email", value="ordre@exemple.test", confirmed_at=await clock.now(session)
        )
        session.add(held)
        await session.flush()
        session.add(CoordinateUse(account_id=author.id, use="ordre", kind="email", coordinate_id=held.id))
    await make_ad(author, "pending")
    assert len(await sent(smtp_sink, "ordre@exemple.test")) == 1
    assert smtp_sink.to(author.email or "") == []


@pytest.mark.parametrize(
    "title",
    ["Ligne 1\r\nBcc: autre@exemple.test", "{motif} {numero} {inconnu} {{ 7*7 }} {% raw %}", "<b>Gras</b> & co"],
)
async def test_titles_do_no_harm(smtp_sink: SmtpSink, places: None, title: str) -> None:
    author = await make_person()
    await make_ad(author, "pending", title=title)
    (mail,) = await sent(smtp_sink, author.email)
    assert mail["Bcc"] is None
    assert " ".join(title.split()) in text_of(mail)
    assert "49" not in mail["Subject"]
    assert "<b>Gras" not in html_of(mail)
    assert smtp_sink.recipients == [[author.email]]


async def test_a_passage_that_is_undone_is_not_told(smtp_sink: SmtpSink, places: None) -> None:
    author = await make_person()
    ad = await make_ad(author, "draft")
    with pytest.raises(RuntimeError):
        await _submit_and_die(ad, author)
    assert await sent(smtp_sink, author.email) == []
    assert (await reread(ad)).state == "draft"


async def _submit_and_die(ad: Ad, author: Account) -> None:
    writer = await as_reader(author)
    async with unit_of_work() as session:
        await life.submit(session, writer, await life.own(session, writer, ad.number))
        raise RuntimeError


async def test_an_account_without_address_reads_it_in_its_messages(smtp_sink: SmtpSink, places: None) -> None:
    author = await make_person(email=None)
    await make_ad(author, "pending")
    await deliver()
    assert smtp_sink.messages == []
    async with unit_of_work() as session:
        assert await session.scalar(select(Message.kind).where(Message.account_id == author.id)) == "ads.submitted"


async def form(client: httpx.AsyncClient, event: str, council: str, **typed: str) -> httpx.Response:
    page = (await client.get(f"{PAGE}/{event}", params={"conseil": council})).text
    version = page.split('name="version" value="')[1].split('"')[0]
    data = {"_csrf": form_token(page), "council": council, "version": version} | typed
    return await client.post(f"{PAGE}/{event}", data=data)


async def test_a_council_words_its_mails(client: httpx.AsyncClient, smtp_sink: SmtpSink, places: None) -> None:
    author, other = await make_person(council="78"), await make_person(council="75")
    await sign_in(client, await make_moderator("78", name=("Paule", "Conseil")))
    body = (
        "Cher confrère,\n\nVotre annonce {numero} « {titre} » ({categorie}) nous est parvenue au {conseil}, fin {fin}."
    )
    kept = await form(client, "submitted", "78", subject="Annonce {numero} reçue", body=body)
    assert kept.status_code == 303
    page = (await client.get(f"{PAGE}/submitted", params={"conseil": "78"})).text
    assert "Annonce 84 reçue" in page
    assert "Paule Conseil" in page
    ad = await make_ad(author, "pending", title="Mon {motif}")
    elsewhere = await make_ad(other, "pending")
    (mine,) = await sent(smtp_sink, author.email)
    assert mine["Subject"] == f"Annonce {ad.number} reçue"
    assert f"Votre annonce {ad.number} « Mon {{motif}} » (Remplacement) nous est parvenue" in text_of(mine)
    (theirs,) = await sent(smtp_sink, other.email)
    assert theirs["Subject"] == f"Ordre des médecins – Annonce n°\u00a0{elsewhere.number}\u00a0: transmise"
    back = await form(client, "submitted", "78", subject="x", body="y", action="usual")
    assert back.status_code == 303
    await make_ad(author, "pending")
    assert (await sent(smtp_sink, author.email))[-1]["Subject"].endswith("transmise")


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"subject": "Annonce {nom}", "body": "Bonjour"}, "subject", "Repère inconnu\u00a0: {nom}"),
        ({"subject": "Annonce", "body": "Votre {titre et fin}"}, "body", "Repère inconnu"),
        ({"subject": "Annonce", "body": "Une accolade { seule"}, "body", "Une accolade est seule"),
        ({"subject": "", "body": "{numero}"}, "subject", "Donnez un objet"),
        ({"subject": "a" * 151, "body": "b" * 3001}, "body", "trop long"),
        ({"subject": "{{ 7*7 }}", "body": "{% if 1 %}"}, "subject", "Repère inconnu"),
    ],
)
async def test_a_wording_that_cannot_be_sent_is_refused_at_its_field(
    client: httpx.AsyncClient, places: None, typed: dict[str, str], field: str, said: str
) -> None:
    await sign_in(client, await make_moderator())
    for action in ("save", "preview"):
        answer = await form(client, "refused", "78", action=action, **typed)
        assert answer.status_code == 422
        assert f'href="#{field}"' in answer.text
        assert said in answer.text
        assert typed["body"] in answer.text.replace("&#39;", "'")
    async with unit_of_work() as session:
        assert await wording.wording_of(session, "78", "refused") == STANDARD["refused"]


async def test_a_preview_keeps_nothing(client: httpx.AsyncClient, places: None) -> None:
    await sign_in(client, await make_moderator())
    answer = await form(client, "refused", "78", action="preview", subject="Essai {numero}", body="{motif}")
    assert answer.status_code == 200
    assert "Essai 84" in answer.text
    assert "pas encore enregistré" in answer.text
    async with unit_of_work() as session:
        assert await wording.history(session, "78", "refused") == []


async def test_two_tabs_of_a_wording(client: httpx.AsyncClient, places: None) -> None:
    await sign_in(client, await make_moderator())
    page = (await client.get(f"{PAGE}/refused", params={"conseil": "78"})).text
    stale = {"_csrf": form_token(page), "council": "78", "version": "0"}
    assert (await form(client, "refused", "78", subject="Un", body="Un")).status_code == 303
    second = await client.post(f"{PAGE}/refused", data=stale | {"subject": "Deux", "body": "Deux mots"})
    assert second.status_code == 409
    assert "Deux mots" in second.text
    assert "Texte en place" in second.text


async def test_who_words_for_whom(client: httpx.AsyncClient, places: None) -> None:
    await sign_in(client, await make_moderator("78"))
    for council in ("75", NATIONAL):
        assert (await client.get(f"{PAGE}/refused", params={"conseil": council})).status_code == 403
        page = (await client.get(f"{PAGE}/refused")).text
        data = {"_csrf": form_token(page), "council": council, "version": "0", "subject": "a", "body": "b"}
        assert (await client.post(f"{PAGE}/refused", data=data)).status_code == 403
    assert (await client.get(f"{PAGE}/inconnu")).status_code == 404
    # The national wording serves the councils that have none.
    client.cookies.clear()
    await sign_in(client, await make_person(None, None, grants=(("administrator", ""),)))
    assert (await form(client, "refused", NATIONAL, subject="National", body="Texte")).status_code == 303
    async with unit_of_work() as session:
        assert await wording.wording_of(session, "75", "refused") == Wording("National", "Texte")


def test_every_event_has_a_text_of_known_names() -> None:
    for event in EVENTS:
        assert wording.checked(STANDARD[event].subject, STANDARD[event].body) == STANDARD[event]


async def test_the_outbox_names_each_event_once(smtp_sink: SmtpSink, places: None) -> None:
    author = await make_person()
    ad = await make_ad(author, "published")
    async with unit_of_work() as session:
        lines = (
            await session.scalars(
                select(AdHistory.id)
                .where(AdHistory.ad_id == ad.id, AdHistory.action.in_(("submit", "accept")))
                .order_by(AdHistory.id)
            )
        ).all()
        mails = await session.execute(select(Mail.kind, Mail.key).order_by(Mail.id))
        assert [tuple(row) for row in mails] == [
            ("ads.submitted", str(lines[0])),
            ("ads.published", str(lines[1])),
        ]
