"""Reports: the council reads of them in its digest, the reader who makes one is told that it arrived and what came."""

import re

import httpx
from sqlalchemy import select

from accounts.models import Account
from core.db import unit_of_work
from core.mail.delivery import deliver
from core.models_mail import Mail
from modules.ads import digest, life
from modules.ads.models import Ad
from modules.ads.models_saved import AdReport
from tests.accounts.helpers import form_token, sign_in
from tests.modules.ads.conftest import At, paris
from tests.modules.ads.makers import as_reader, make_ad, make_moderator, make_person, reread
from tests.smtp import SmtpSink, html_of, text_of

MODERATION = "/annonces/moderation"


async def report(client: httpx.AsyncClient, reader: Account, ad: Ad, reason: str = "Une publicité.") -> None:
    await sign_in(client, reader)
    page = (await client.get(f"/annonces/{ad.number}")).text
    data = {"_csrf": form_token(page), "reason": reason}
    # A double click is one report.
    for _ in range(2):
        sent = await client.post(f"/annonces/{ad.number}/signaler", data=data)
        assert sent.headers["location"] == f"/annonces/{ad.number}?fait=signalement"


async def close(client: httpx.AsyncClient, moderator: Account, ad: Ad) -> httpx.Response:
    await sign_in(client, moderator)
    token = form_token((await client.get("/annonces/moderation/motifs")).text)
    return await client.post(f"{MODERATION}/{ad.number}/signalements", data={"_csrf": token})


async def mails(sink: SmtpSink, who: Account) -> list[tuple[str, str]]:
    await deliver()
    assert who.email
    return [(str(mail["Subject"]), text_of(mail)) for mail in sink.to(who.email)]


async def test_who_reports_is_told_that_it_arrived_then_what_came_of_it(
    client: httpx.AsyncClient, places: None, smtp_sink: SmtpSink
) -> None:
    author, first, second = await make_person(), await make_person("intern"), await make_person(council="13")
    ad, other = await make_ad(author, title="Cabinet à reprendre"), await make_ad(author)
    moderator, elsewhere = await make_moderator("78"), await make_moderator("13")
    await report(client, first, ad)
    await report(client, second, ad)
    await report(client, second, other)
    (received,) = await mails(smtp_sink, first)
    assert received[0] == f"Ordre des médecins – Annonce n°\u00a0{ad.number}\u00a0: signalement reçu"
    assert "Cabinet à reprendre est transmis au Conseil départemental des Yvelines" in received[1]
    assert len(await mails(smtp_sink, second)) == 2
    # The page says both, and offers to close the reports.
    assert (await close(client, elsewhere, ad)).status_code == 404
    assert (await close(client, moderator, ad)).status_code == 303
    assert (await close(client, moderator, ad)).status_code == 303
    for reader, count in ((first, 2), (second, 3)):
        told = await mails(smtp_sink, reader)
        assert len(told) == count
        assert told[-1][0] == f"Ordre des médecins – Annonce n°\u00a0{ad.number}\u00a0: suite de votre signalement"
        assert "n’a pas retiré l’annonce" in told[-1][1]
    # Reported anew, it is another report; refused, the ad is gone.
    await report(client, first, ad)
    judge = await as_reader(moderator)
    await sign_in(client, moderator)
    page = (await client.get(f"{MODERATION}/{ad.number}")).text
    data = {"_csrf": form_token(page), "version": str((await reread(ad)).version), "reason": "Motif pour l’auteur seul"}
    assert (await client.post(f"{MODERATION}/{ad.number}/refuser", data=data)).status_code == 303
    told = await mails(smtp_sink, first)
    assert len(told) == 4
    assert "le conseil a retiré l’annonce" in told[-1][1]
    assert "Motif pour l’auteur seul" not in told[-1][1]
    assert len(await mails(smtp_sink, second)) == 3
    assert all("signalement" not in subject for subject, _ in await mails(smtp_sink, author))
    async with unit_of_work() as session:
        kinds = (await session.execute(select(Mail.kind, Mail.key).where(Mail.kind.like("ads.report%")))).all()
        uids = {str(uid) for uid in await session.scalars(select(AdReport.uid))}
        closed = await session.scalars(select(AdReport.closed_by).where(AdReport.closed_at.is_not(None)))
    assert len(kinds) == len(set(kinds)) == 7
    assert {key for _, key in kinds} == uids
    assert set(closed) == {judge.person.actor}


async def test_reports_are_seen_in_the_table(client: httpx.AsyncClient, places: None) -> None:
    ad, other = await make_ad(await make_person()), await make_ad(await make_person())
    reporter = await make_person()
    async with unit_of_work() as session:
        session.add(AdReport(ad_id=ad.id, account_id=reporter.id, reason="Publicité"))
    await sign_in(client, await make_moderator())
    page = (await client.get(MODERATION)).text
    assert page.count("Signalée<") == 1
    only = (await client.get(MODERATION, params={"signalees": "oui"})).text
    assert re.findall(r"/annonces/moderation/(\d+)", only) == [str(ad.number)]
    assert other.number != ad.number
    shown = (await client.get(f"{MODERATION}/{ad.number}")).text
    assert "Publicité" in shown
    closed = await client.post(f"{MODERATION}/{ad.number}/signalements", data={"_csrf": form_token(shown)})
    assert closed.status_code == 303
    assert "Publicité" not in (await client.get(f"{MODERATION}/{ad.number}")).text
    assert "Signalée<" not in (await client.get(MODERATION)).text


async def test_nobody_closes_the_reports_of_their_own_ad(
    client: httpx.AsyncClient, places: None, smtp_sink: SmtpSink
) -> None:
    author = await make_person(grants=(("moderator", "council:78"),))
    ad, reporter = await make_ad(author), await make_person()
    await report(client, reporter, ad)
    assert (await close(client, author, ad)).status_code == 403
    assert len(await mails(smtp_sink, reporter)) == 1
    async with unit_of_work() as session:
        assert await session.scalar(select(AdReport.closed_at)) is None


async def test_who_reported_an_ad_is_told_that_it_is_deleted(
    client: httpx.AsyncClient, places: None, smtp_sink: SmtpSink
) -> None:
    author, reader, leaver = await make_person(), await make_person(), await make_person()
    ad = await make_ad(author, title="Cabinet à reprendre")
    old = await make_ad(leaver, title="Très ancienne")
    await report(client, reader, ad)
    await report(client, reader, old)
    await sign_in(client, author)
    page = await client.get(f"/annonces/{ad.number}/supprimer")
    data = {"_csrf": form_token(page.text), "version": str((await reread(ad)).version)}
    assert (await client.post(f"/annonces/{ad.number}/supprimer", data=data)).status_code == 303
    async with unit_of_work() as session:
        kept = await session.get_one(Ad, old.id, with_for_update=True)
        await life.unpublish(session, await as_reader(leaver), kept, None)
        await life.purge(session, kept)
    told = (await mails(smtp_sink, reader))[2:]
    assert len(told) == 2
    assert all("Suite donnée : l’annonce a été supprimée depuis" in text.replace("\u00a0", " ") for _, text in told)
    # Which one it was is still said, though the ad says nothing any more.
    assert "Cabinet à reprendre" in told[0][1] and "Très ancienne" in told[1][1]
    async with unit_of_work() as session:
        assert await session.scalar(select(AdReport.id).where(AdReport.closed_at.is_(None))) is None


async def test_the_digest_tells_what_is_reported(
    client: httpx.AsyncClient, places: None, at: At, smtp_sink: SmtpSink
) -> None:
    async def morning(day: int) -> None:
        await at(paris(2029, 5, day, 8, 1))

    await at(paris(2029, 5, 1, 7, 0))
    author, readers = await make_person(), [await make_person(), await make_person()]
    moderator, other = await make_moderator("78"), await make_moderator("13")
    national = await make_person(None, None, grants=(("administrator", ""),))
    ad = await make_ad(author)
    for reader in readers:
        await report(client, reader, ad)
    await morning(1)
    assert await digest.send() == 1
    assert await digest.send() == 0
    ((subject, said),) = await mails(smtp_sink, moderator)
    assert subject == "Annonces signalées\u00a0: 1\u00a0annonce"
    assert (
        "1\u00a0annonce est signalée par des lecteurs sur le périmètre du Conseil départemental des Yvelines." in said
    )
    assert "/annonces/moderation?signalees=oui" in said
    assert "attend une vérification" not in said
    assert "0\u00a0annonce" not in said
    assert await mails(smtp_sink, other) == await mails(smtp_sink, national) == []
    # What is reported comes with what waits; what the address shows is what the mail counts.
    waiting = await make_ad(author, "pending")
    await morning(2)
    assert await digest.send() == 1
    subject, said = (await mails(smtp_sink, moderator))[-1]
    assert subject == "Annonces en attente de publication\u00a0: 1\u00a0annonce"
    assert "1\u00a0annonce est signalée par des lecteurs" in said
    assert "Voir les annonces signalées" in html_of(smtp_sink.to(moderator.email or "")[-1])
    await sign_in(client, moderator)
    listed = (await client.get("/annonces/moderation?signalees=oui")).text
    assert f"/annonces/moderation/{ad.number}" in listed
    assert f"/annonces/moderation/{waiting.number}" not in listed
    # Left alone, it goes up to the national level as what waits does.
    judge = await as_reader(moderator)
    async with unit_of_work() as session:
        await life.accept(session, judge, await life.moderated(session, judge, waiting.number, waiting.version))
    await at(paris(2029, 5, 6, 8, 1))
    assert await digest.send() == 2
    ((subject, said),) = await mails(smtp_sink, national)
    assert subject == "Annonces signalées\u00a0: 1\u00a0annonce"
    assert "depuis plus de 5\u00a0jours" in said
    assert "Conseil départemental des Yvelines\u00a0: 1\u00a0signalée" in said
    # Dealt with, nothing is said any more.
    assert (await close(client, moderator, ad)).status_code == 303
    await morning(7)
    assert await digest.send() == 0
