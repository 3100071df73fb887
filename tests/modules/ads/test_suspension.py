"""What becomes of ads whose author may no longer publish them: taken off with the reason, told, published again."""

import re
from datetime import date

import httpx
import pytest
from sqlalchemy import select, update

from accounts.models import Account
from accounts.models_coordinates import GivenStanding
from core.db import unit_of_work
from core.errors import InvalidInput
from core.mail.delivery import deliver
from directory.models import Practitioner
from modules.ads import clockwork, life
from modules.ads.models import Ad, AdHistory
from tests.accounts.helpers import form_token, sign_in
from tests.modules.ads.conftest import At, paris
from tests.modules.ads.makers import as_reader, make_ad, make_moderator, make_person, reread
from tests.modules.ads.test_clockwork import count_of
from tests.smtp import SmtpSink, text_of

STANDINGS = "/moderation/internes"


async def licensed_until(account: Account, day: date | None) -> None:
    async with unit_of_work() as session:
        await session.execute(
            update(GivenStanding).where(GivenStanding.account_id == account.id).values(licence_until=day)
        )


async def states(*ads: Ad) -> list[str]:
    return [(await reread(ad)).state for ad in ads]


async def standing(client: httpx.AsyncClient, account: Account, action: str = "", **typed: str) -> httpx.Response:
    """Have whoever is signed in give a standing, or end it (`/fin`)."""
    page = (await client.get(f"{STANDINGS}/{account.uid}")).text
    version = re.search(rf'action="{STANDINGS}/{account.uid}".*?name="version" value="(\d+)"', page, re.S)
    assert version
    data = {"_csrf": form_token(page), "version": version[1]} | typed
    return await client.post(f"{STANDINGS}/{account.uid}{action}", data=data)


async def told(sink: SmtpSink, account: Account) -> list[str]:
    await deliver()
    assert account.email
    mails = [mail for mail in sink.to(account.email) if str(mail["Subject"]).endswith("votre situation a changé")]
    return [text_of(mail) for mail in mails]


@pytest.mark.parametrize("day", [date(2029, 3, 25), date(2029, 10, 28), date(2029, 12, 31)])
async def test_a_licence_serves_its_last_day_in_paris(places: None, at: At, day: date) -> None:
    """The clocks change on 25 March and 28 October 2029."""
    await at(paris(2029, 1, 10))
    author = await make_person("licensed")
    live = [await make_ad(author, ends_in=365), await make_ad(author, "pending", ends_in=365)]
    kept = [await make_ad(author, state, ends_in=365) for state in ("draft", "unpublished", "refused")]
    versions = [(await reread(ad)).version for ad in kept]
    await licensed_until(author, day)
    await at(paris(day.year, day.month, day.day, 23, 58))
    assert await clockwork.suspend() == 0
    after = date.fromordinal(day.toordinal() + 1)
    await at(paris(after.year, after.month, after.day, 0, 2))
    assert await clockwork.suspend() == 2
    assert await clockwork.suspend() == 0
    assert await states(*live) == ["unpublished", "unpublished"]
    assert await states(*kept) == ["draft", "unpublished", "refused"]
    assert [(await reread(ad)).version for ad in kept] == versions
    assert [await count_of(ad, "suspend") for ad in (*live, *kept)] == [1, 1, 0, 0, 0]


async def test_an_author_is_told_why_once_for_each_ad_and_the_council_reads_it(
    client: httpx.AsyncClient,
    places: None,
    at: At,
    smtp_sink: SmtpSink,
) -> None:
    await at(paris(2029, 6, 1))
    author, moderator = await make_person("licensed"), await make_moderator()
    replaced, assists = await make_ad(author), await make_ad(author, category="assistanat")
    await licensed_until(author, date(2029, 6, 30))
    await at(paris(2029, 7, 1, 0, 2))
    # What an intern without a licence may publish stays.
    assert await clockwork.suspend() == 1
    assert await states(replaced, assists) == ["unpublished", "published"]
    (mail,) = await told(smtp_sink, author)
    assert "votre licence de remplacement a pris fin le 30\u00a0juin 2029" in mail
    assert "Conseil départemental des Yvelines" in mail
    assert f"n°\u00a0{replaced.number}" in mail
    await sign_in(client, moderator)
    assert (
        f"/annonces/moderation/{replaced.number}"
        in (await client.get("/annonces/moderation", params={"statut": "unpublished"})).text
    )
    page = (await client.get(f"/annonces/moderation/{replaced.number}", params={"historique": "statuts"})).text
    assert "la situation de son auteur ne la permettant plus" in page
    assert "Licence de remplacement échue" in page
    await sign_in(client, author)
    assert "Licence de remplacement échue" in (await client.get("/annonces/mes-annonces")).text
    line = (await client.get(f"/annonces/{replaced.number}/historique")).text
    assert "la situation de son auteur ne la permet plus" in line
    assert (await client.get(f"/annonces/{replaced.number}")).status_code == 200
    await sign_in(client, await make_person())
    assert (await client.get(f"/annonces/{replaced.number}")).status_code == 410


async def test_a_council_that_withdraws_a_standing_takes_off_its_ads_at_once(
    client: httpx.AsyncClient, places: None, smtp_sink: SmtpSink
) -> None:
    author, other = await make_person("junior"), await make_person("junior")
    ads = [await make_ad(author), await make_ad(author, category="collaboration"), await make_ad(author, "pending")]
    draft, theirs = await make_ad(author, "draft"), await make_ad(other)
    # Nobody but the council knows them.
    async with unit_of_work() as session:
        await session.execute(
            update(Practitioner).where(Practitioner.rpps == author.rpps).values(closed_on=date(2026, 1, 1))
        )
    await sign_in(client, await make_moderator())
    done = await standing(client, author, "/fin")
    assert done.status_code == 303
    assert await states(*ads, draft, theirs) == ["unpublished"] * 3 + ["draft", "published"]
    # The night finds nothing left to do, and a second press of the button neither.
    assert await clockwork.suspend() == 0
    assert (await standing(client, author, "/fin")).status_code == 404
    mails = await told(smtp_sink, author)
    assert len(mails) == 3
    assert all("vous n’êtes plus connu comme médecin, docteur junior ou interne" in mail for mail in mails)
    async with unit_of_work() as session:
        lines = (await session.scalars(select(AdHistory).where(AdHistory.action == "suspend"))).all()
    assert {(line.actor, line.reason, line.to_state) for line in lines} == {("clock", "unknown", "unpublished")}
    # They hold no ad any more: neither theirs nor those of others.
    await sign_in(client, author)
    assert (await client.get("/annonces/mes-annonces")).status_code == 403
    assert all("/assistance" in mail and "/annonces/mes-annonces" not in mail for mail in mails)
    assert (await client.get("/assistance")).status_code == 200


async def test_ads_come_back_by_the_usual_way_once_the_standing_is_given_again(
    client: httpx.AsyncClient, places: None, smtp_sink: SmtpSink
) -> None:
    author = await make_person("licensed")
    published, waiting = await make_ad(author), await make_ad(author, "pending")
    moderator = await make_moderator()
    await sign_in(client, moderator)
    # Less than a licence: the replacement is not for them.
    assert (await standing(client, author, situation="intern")).status_code == 303
    assert await states(published, waiting) == ["unpublished", "unpublished"]
    assert "celle d’aujourd’hui (interne) ne permet pas cette annonce" in (await told(smtp_sink, author))[0]
    writer = await as_reader(author)
    with pytest.raises(InvalidInput):
        async with unit_of_work() as session:
            mine = await life.own(session, writer, published.number)
            await life.republish(session, writer, mine, mine.ends_on)
    assert (await standing(client, author, situation="licensed")).status_code == 303
    assert await states(published, waiting) == ["unpublished", "unpublished"]
    writer = await as_reader(author)
    async with unit_of_work() as session:
        for ad, at_once in ((published, True), (waiting, False)):
            mine = await life.own(session, writer, ad.number)
            assert await life.republish(session, writer, mine, mine.ends_on) is at_once
    assert await states(published, waiting) == ["published", "pending"]
    assert (await reread(published)).unpublish_reason is None
    assert await clockwork.suspend() == 0
    # Withdrawn again, it is another event.
    assert (await standing(client, author, "/fin")).status_code == 303
    assert await states(published, waiting) == ["unpublished", "unpublished"]
    assert len(await told(smtp_sink, author)) == 4


async def test_an_author_who_left_the_register_is_found_at_night(places: None, smtp_sink: SmtpSink) -> None:
    author, other = await make_person(), await make_person()
    ad, theirs = await make_ad(author), await make_ad(other)
    async with unit_of_work() as session:
        await session.execute(
            update(Practitioner).where(Practitioner.rpps == author.rpps).values(closed_on=date(2026, 1, 1))
        )
    assert await clockwork.suspend() == 1
    assert await states(ad, theirs) == ["unpublished", "published"]
    assert len(await told(smtp_sink, author)) == 1


async def test_authors_are_looked_at_by_batches(places: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clockwork, "AUTHORS", 2)
    authors = [await make_person("licensed") for _ in range(5)]
    ads = [await make_ad(author) for author in authors]
    for author in authors[1:]:
        await licensed_until(author, date(2020, 1, 1))
    assert await clockwork.suspend() == 4
    assert await states(*ads) == ["published"] + ["unpublished"] * 4


async def test_a_council_does_not_publish_what_its_author_may_no_longer(
    client: httpx.AsyncClient, places: None
) -> None:
    author = await make_person("licensed")
    ad = await make_ad(author, "pending")
    # Between midnight and the clock's work.
    await licensed_until(author, date(2020, 1, 1))
    await sign_in(client, await make_moderator())
    page = await client.get(f"/annonces/moderation/{ad.number}/accepter")
    data = {"_csrf": form_token(page.text), "version": str(ad.version)}
    refused = await client.post(f"/annonces/moderation/{ad.number}/accepter", data=data)
    assert refused.status_code == 409
    assert "La situation de l’auteur ne permet plus de publier cette annonce" in refused.text
    assert await states(ad) == ["pending"]
    # Who had the page open is told what happened meanwhile.
    assert await clockwork.suspend() == 1
    refused = await client.post(f"/annonces/moderation/{ad.number}/accepter", data=data)
    assert refused.status_code == 409
    assert "elle a été dépubliée le" in refused.text
