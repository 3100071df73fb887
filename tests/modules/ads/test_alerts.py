"""Saved searches: kept, changed, told once of each publication, stopped in one click; relayed messages."""

import re
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import text

from accounts.models import Account
from core.db import unit_of_work
from core.mail.delivery import deliver
from modules.ads import alerts, life, saved
from modules.ads.models import Ad
from tests.accounts.helpers import form_token, sign_in
from tests.modules.ads.makers import as_reader, make_ad, make_person
from tests.smtp import SmtpSink, html_of, text_of

HTML = {"accept": "text/html"}


async def keep(client: httpx.AsyncClient, query: str = "place=commune:78361", frequency: str = "now") -> str:
    """Save a search through the API; return its id."""
    answer = await client.post(
        "/api/v1/ads/searches", json={"name": "Autour de Mantes", "frequency": frequency, "query": query}
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def told(smtp_sink: SmtpSink, address: str) -> list[str]:
    await alerts.run()
    await deliver()
    return [text_of(mail) for mail in smtp_sink.to(address) if "recherche" in text_of(mail)]


@pytest.fixture
async def subscriber(places: None, client: httpx.AsyncClient) -> Account:
    account = await make_person("intern", name=("Ines", "Interne"), email="ines@exemple.test")
    await sign_in(client, account)
    return account


async def test_a_publication_is_told_once(subscriber: Account, client: httpx.AsyncClient, smtp_sink: SmtpSink) -> None:
    await keep(client)
    author = await make_person()
    waiting = await make_ad(author, "pending", title="Pas encore publiée")
    await make_ad(author, title="Loin de là", places=("commune:13055",))
    ad = await make_ad(author, title="Près de Mantes", places=("commune:78118",))
    [mail] = await told(smtp_sink, "ines@exemple.test")
    assert "Près de Mantes" in mail
    assert "Loin de là" not in mail
    assert f"/annonces/{ad.number}" in mail
    for _ in range(2):
        assert len(await told(smtp_sink, "ines@exemple.test")) == 1
    writer = await as_reader(author)
    async with unit_of_work() as session:
        await life.extend(session, writer, await life.own(session, writer, ad.number), ad.ends_on)
    assert len(await told(smtp_sink, "ines@exemple.test")) == 1
    # Published again: it is a publication of its own.
    async with unit_of_work() as session:
        await session.execute(text("SET LOCAL repere.clock_shift = '1 hour'"))
        own = await life.own(session, writer, ad.number)
        await life.unpublish(session, writer, own, None)
        await life.republish(session, writer, own, ad.ends_on)
    assert len(await told(smtp_sink, "ines@exemple.test")) == 2
    assert waiting.state == "pending"


async def test_nobody_is_told_of_their_own_ads(places: None, client: httpx.AsyncClient, smtp_sink: SmtpSink) -> None:
    author = await make_person(email="autrice@exemple.test")
    await sign_in(client, author)
    await keep(client)
    await make_ad(author)
    assert await told(smtp_sink, "autrice@exemple.test") == []


async def test_somebody_whose_standing_ended_is_told_nothing(
    subscriber: Account, client: httpx.AsyncClient, smtp_sink: SmtpSink
) -> None:
    await keep(client)
    async with unit_of_work() as session:
        await session.execute(text("UPDATE accounts.standing SET ended_at = core.now()"))
        await session.execute(text("UPDATE directory.practitioner SET closed_on = current_date WHERE category = 'E'"))
    await make_ad(await make_person())
    assert await told(smtp_sink, "ines@exemple.test") == []


async def test_a_daily_search_is_told_the_next_day_at_seven(
    subscriber: Account, client: httpx.AsyncClient, smtp_sink: SmtpSink
) -> None:
    await keep(client, frequency="daily")
    author = await make_person()
    gone = await make_ad(author, title="Retirée entre-temps")
    for title in ("Première", "Seconde"):
        await make_ad(author, title=title)
    assert await told(smtp_sink, "ines@exemple.test") == []
    writer = await as_reader(author)
    async with unit_of_work() as session:
        await life.unpublish(session, writer, await life.own(session, writer, gone.number), None)
        # As if the last day that was told were yesterday.
        await session.execute(text("UPDATE ads.saved_search SET digest_on = digest_on - 1"))
    async with unit_of_work() as session:
        local = "(core.now() AT TIME ZONE 'Europe/Paris')"
        shift = f"SELECT (date_trunc('day', {local}) + interval '6 hours 59 minutes') - {local}"
        before = await session.scalar(text(shift))
        [search_id] = (await session.scalars(text("SELECT id FROM ads.saved_search"))).all()
    assert await _due_at(before) == []
    assert await _due_at(before, minutes=1) == [search_id]
    async with unit_of_work() as session:
        assert await alerts.tell(session, search_id) == 1
        assert await alerts.tell(session, search_id) == 0
    await deliver()
    [mail] = [text_of(mail) for mail in smtp_sink.to("ines@exemple.test")]
    assert "Première" in mail
    assert "Seconde" in mail
    assert "Retirée" not in mail
    assert "2\u00a0annonces répondent" in mail


async def _due_at(shift: object, minutes: int = 0) -> list[int]:
    async with unit_of_work() as session:
        await session.execute(
            text(
                "SELECT set_config('repere.clock_shift',"
                " CAST(CAST(:s AS interval) + make_interval(mins => :m) AS text), true)"
            ),
            {"s": shift, "m": minutes},
        )
        return list(await alerts.due(session))


async def test_mails_stop_in_one_click_without_signing_in(
    subscriber: Account, client: httpx.AsyncClient, smtp_sink: SmtpSink
) -> None:
    uid = await keep(client)
    author = await make_person()
    await make_ad(author)
    assert len(await told(smtp_sink, "ines@exemple.test")) == 1
    [mail] = smtp_sink.to("ines@exemple.test")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = urlsplit(str(mail["List-Unsubscribe"]).strip("<>"))
    path = f"{link.path}?{link.query}"
    assert path in html_of(mail).replace("&amp;", "&")
    client.cookies.clear()
    # A program that opens the link stops nothing.
    assert "Arrêter les mails" in (await client.get(path)).text
    assert (await client.get(path.replace("s=", "s=0"))).status_code == 404
    assert (await client.post(path.replace("s=", "s=0"))).status_code == 404
    async with unit_of_work() as session:
        assert [one.frequency for one in await saved.mine(session, subscriber.id)] == ["now"]
    stopped = await client.post(path, data={"List-Unsubscribe": "One-Click"})
    assert stopped.status_code == 200
    await make_ad(author)
    assert len(await told(smtp_sink, "ines@exemple.test")) == 1
    assert uid in path


async def test_searches_are_kept_from_the_results(subscriber: Account, client: httpx.AsyncClient) -> None:
    question = "category=remplacement&place=commune:78361&period=2030-07-01/.."
    assert (
        f"/annonces/recherches/enregistrer?{question}".replace("&", "&amp;")
        in (await client.get(f"/annonces?{question}")).text
    )
    page = await client.get(f"/annonces/recherches/enregistrer?{question}")
    assert "Remplacement · Mantes-la-Jolie" in page.text
    token = {"_csrf": form_token(page.text)}
    address = f"/annonces/recherches/enregistrer?{question}"
    refused = await client.post(address, data=token | {"name": "", "frequency": "daily"})
    assert refused.status_code == 422
    assert 'href="#name"' in refused.text
    for name in ("Été", "Été à Mantes"):
        assert (await client.post(address, data=token | {"name": name, "frequency": "daily"})).status_code == 303
    listed = await client.get("/annonces/recherches")
    assert len(re.findall('class="saved"', listed.text)) == 1
    assert "Été à Mantes" in listed.text
    assert "Une fois par jour" in listed.text
    [one] = (await client.get("/api/v1/ads/searches")).json()
    stale = {"version": "99", "name": "Autre", "frequency": "now"}
    changed = await client.post(f"/annonces/recherches/{one['id']}", data=token | stale)
    assert changed.status_code == 409
    assert 'value="Autre"' in changed.text
    now = {"version": str(one["version"]), "name": "Autre", "frequency": "none"}
    assert (await client.post(f"/annonces/recherches/{one['id']}", data=token | now)).status_code == 303
    assert (await client.get("/api/v1/ads/searches")).json()[0]["frequency"] == "none"
    other = await make_person()
    await sign_in(client, other)
    assert "Autre" not in (await client.get("/annonces/recherches")).text
    assert (await client.delete(f"/api/v1/ads/searches/{one['id']}")).status_code == 404
    await sign_in(client, subscriber)
    assert (await client.delete(f"/api/v1/ads/searches/{one['id']}")).status_code == 204
    assert (await client.get("/api/v1/ads/searches")).json() == []


async def test_an_account_keeps_twenty_searches(subscriber: Account, client: httpx.AsyncClient) -> None:
    for number in range(saved.LIMIT):
        await keep(client, f"q=mot{number}")
    answer = await client.post("/api/v1/ads/searches", json={"name": "Une de trop", "query": "q=trop"})
    assert answer.status_code == 422
    assert "Vous gardez déjà 20 recherches" in answer.json()["detail"]


async def test_a_message_reaches_an_anonymous_author_and_shows_no_address(
    subscriber: Account, client: httpx.AsyncClient, smtp_sink: SmtpSink
) -> None:
    author = await make_person(email="cachee@exemple.test", shown_email="aussi-cachee@exemple.test")
    ad: Ad = await make_ad(author, anonymous=True)
    address = f"/annonces/{ad.number}"
    page = (await client.get(address)).text
    assert "ines@exemple.test" in page
    form = {
        "_csrf": form_token(page),
        "token": re.findall(r'name="token" value="([^"]+)"', page)[0],
        "message": "Bonjour,\nje suis libre en juillet.",
    }
    refused = await client.post(f"{address}/message", data=form)
    assert refused.status_code == 422
    assert 'href="#agreed"' in refused.text
    assert "je suis libre en juillet." in refused.text
    for _ in range(2):
        sent = await client.post(f"{address}/message", data=form | {"agreed": "1"})
        assert sent.status_code == 303
    assert "Votre message est parti" in (await client.get(sent.headers["location"])).text
    await deliver()
    [mail] = [mail for mail in smtp_sink.to("cachee@exemple.test") if "libre en juillet" in text_of(mail)]
    assert "ines@exemple.test" in str(mail["Reply-To"])
    assert "Ines Interne" in text_of(mail)
    assert not smtp_sink.to("aussi-cachee@exemple.test")
    assert not smtp_sink.to("ines@exemple.test")
    plain = await make_ad(author)
    assert (await client.post(f"/annonces/{plain.number}/message", data=form | {"agreed": "1"})).status_code == 409
