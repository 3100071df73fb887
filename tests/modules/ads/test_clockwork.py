"""What the clock does: ends at midnight in Paris, warnings, digests, escalation, retention; twice changes nothing."""

import asyncio
import json
import subprocess
import sys
from datetime import date, timedelta

import httpx
import pytest
from sqlalchemy import select, text, update
from typer.testing import CliRunner

from accounts.service import take_back
from cli import assemble
from core.db import unit_of_work
from core.mail.delivery import deliver
from core.tasks import app
from modules.ads import clockwork, digest, life
from modules.ads import tasks as ads_tasks  # noqa: F401 - importing it adds what is scheduled
from modules.ads.models import Ad, AdHistory
from tests.accounts.helpers import sign_in
from tests.conftest import ROOT
from tests.modules.ads.conftest import At, paris
from tests.modules.ads.makers import as_reader, make_ad, make_moderator, make_person, reread
from tests.smtp import SmtpSink, text_of


async def end(ad: Ad, on: date) -> None:
    async with unit_of_work() as session:
        await session.execute(update(Ad).where(Ad.id == ad.id).values(ends_on=on))


async def count_of(ad: Ad, action: str) -> int:
    async with unit_of_work() as session:
        rows = await session.scalars(select(AdHistory.id).where(AdHistory.ad_id == ad.id, AdHistory.action == action))
        return len(rows.all())


@pytest.mark.parametrize("day", [date(2029, 3, 24), date(2029, 3, 25), date(2029, 10, 27), date(2029, 10, 28)])
async def test_an_ad_is_seen_to_the_end_of_its_last_day_in_paris(places: None, at: At, day: date) -> None:
    """The clocks change on 25 March and 28 October 2029: midnight of Paris is at 22:00 or 23:00 UTC."""
    await at(paris(day.year, day.month, day.day, 9))
    author = await make_person()
    published, pending = await make_ad(author), await make_ad(author, "pending")
    for ad in (published, pending):
        await end(ad, day)
    await at(paris(day.year, day.month, day.day, 23, 58))
    assert await clockwork.expire() == 0
    assert (await reread(published)).state == "published"
    following = day + timedelta(days=1)
    await at(paris(following.year, following.month, following.day, 0, 1))
    assert await clockwork.expire() == 2
    assert await clockwork.expire() == 0
    for ad in (published, pending):
        assert (await reread(ad)).state == "unpublished"
        assert await count_of(ad, "expire") == 1


async def test_two_workers_share_what_ends(places: None, smtp_sink: SmtpSink) -> None:
    author = await make_person()
    ads = [await make_ad(author) for _ in range(7)]
    async with unit_of_work() as session:
        await session.execute(update(Ad).values(ends_on=date(2020, 1, 1)))
    assert sum(await asyncio.gather(clockwork.expire(), clockwork.expire())) == 7
    await deliver()
    ended = [mail for mail in smtp_sink.to(author.email or "") if mail["Subject"].endswith("dépubliée")]
    assert len(ended) == 7
    assert [await count_of(ad, "expire") for ad in ads] == [1] * 7


async def test_a_worker_that_dies_leaves_the_ad_to_the_next(places: None) -> None:
    ad = await make_ad(await make_person())
    await end(ad, date(2020, 1, 1))
    with pytest.raises(RuntimeError):
        await _expire_and_die(ad)
    assert (await reread(ad)).state == "published"
    assert await clockwork.expire() == 1


async def _expire_and_die(ad: Ad) -> None:
    async with unit_of_work() as session:
        await life.expire(session, await session.get_one(Ad, ad.id))
        raise RuntimeError


async def test_an_author_is_warned_a_week_before_once_for_each_end(places: None, at: At, smtp_sink: SmtpSink) -> None:
    await at(paris(2029, 5, 1))
    author = await make_person()
    ad = await make_ad(author, ends_in=30)
    await at(paris(2029, 5, 23, 23, 50))
    assert await clockwork.warn() == 0
    await at(paris(2029, 5, 24, 0, 10))
    assert await clockwork.warn() == 1
    assert await clockwork.warn() == 0
    await deliver()
    (told,) = [mail for mail in smtp_sink.to(author.email or "") if "bientôt" in mail["Subject"]]
    assert "31\u00a0mai 2029" in text_of(told)
    writer = await as_reader(author)
    async with unit_of_work() as session:
        await life.extend(session, writer, await life.own(session, writer, ad.number), date(2029, 6, 30))
    await at(paris(2029, 6, 22))
    assert await clockwork.warn() == 0
    await at(paris(2029, 6, 23))
    assert await clockwork.warn() == 1
    assert (await reread(ad)).warned_for == date(2029, 6, 30)


async def test_an_end_chosen_within_the_week_is_not_warned_of(places: None, at: At) -> None:
    await at(paris(2029, 5, 1))
    await make_ad(await make_person(), ends_in=3)
    assert await clockwork.warn() == 0


async def test_the_digest_leaves_at_eight_once_and_only_if_something_waits(
    places: None, at: At, smtp_sink: SmtpSink
) -> None:
    await at(paris(2029, 5, 1, 7, 30))
    author = await make_person(council="78")
    of_both = await make_person(None, None, grants=(("moderator", "council:78"), ("moderator", "council:75")))
    moderator, other, gone = await make_moderator("78"), await make_moderator("75"), await make_moderator("78")
    async with unit_of_work() as session:
        await take_back(session, gone.id, "moderator", "council:78", by="essai")
    ad = await make_ad(author, "pending")
    assert await digest.send() == 0
    await at(paris(2029, 5, 1, 8, 1))
    assert sum(await asyncio.gather(digest.send(), digest.send())) == 2
    assert await digest.send() == 0
    # What comes later waits for the next day's.
    await make_ad(author, "pending")
    assert await digest.send() == 0
    await deliver()
    assert len(smtp_sink.to(moderator.email or "")) == 1
    assert len(smtp_sink.to(of_both.email or "")) == 1
    assert smtp_sink.to(other.email or "") == smtp_sink.to(gone.email or "") == []
    said = text_of(smtp_sink.to(moderator.email or "")[0])
    assert "1\u00a0annonce attend" in said
    assert "Conseil départemental des Yvelines" in said
    assert "transmise le 1er\u00a0mai 2029 à 7\u00a0h 30" in said.replace("7\u00a0h\u00a030", "7\u00a0h 30")
    reader = await as_reader(moderator)
    async with unit_of_work() as session:
        for one in (await session.scalars(select(Ad).where(Ad.state == "pending"))).all():
            await life.accept(session, reader, one)
    await at(paris(2029, 5, 2, 8, 1))
    assert await digest.send() == 0
    assert (await reread(ad)).state == "published"


async def test_what_nobody_reads_goes_up_to_the_national_level(
    client: httpx.AsyncClient, places: None, at: At, smtp_sink: SmtpSink
) -> None:
    await at(paris(2029, 5, 1, 10))
    national = await make_person(None, None, grants=(("administrator", ""),))
    author = await make_person(council="75")
    ad = await make_ad(author, "pending")
    before = ad.version
    await at(paris(2029, 5, 6, 9))
    assert await digest.send() == 0
    await at(paris(2029, 5, 6, 10, 1))
    assert await clockwork.escalate() == 1
    assert await clockwork.escalate() == 0
    found = await reread(ad)
    assert found.escalated_at is not None
    assert found.version == before
    assert await digest.send() == 1
    await deliver()
    (mail,) = smtp_sink.to(national.email or "")
    assert "Conseil départemental de Paris\u00a0: 1" in text_of(mail)
    await sign_in(client, national)
    page = (await client.get("/annonces/moderation", params={"remontees": "oui", "statut": "pending"})).text
    assert f"/annonces/moderation/{ad.number}" in page
    # Sent again, it begins to wait anew.
    reader, writer = await as_reader(national), await as_reader(author)
    async with unit_of_work() as session:
        await life.refuse(session, reader, await life.moderated(session, reader, ad.number, before), "")
        await life.submit(session, writer, await life.own(session, writer, ad.number))
    assert (await reread(ad)).escalated_at is None


async def test_old_ads_are_deleted_and_say_nothing_more(places: None, at: At) -> None:
    await at(paris(2029, 5, 1))
    author = await make_person()
    draft, refused = await make_ad(author, "draft"), await make_ad(author, "refused", reason="motif-canari")
    kept = [await make_ad(author, "unpublished"), await make_ad(author, "pending"), await make_ad(author)]
    await at(paris(2030, 4, 20))
    assert await clockwork.purge() == 0
    await at(paris(2030, 5, 2))
    assert await clockwork.purge() == 1
    assert (await reread(draft)).state == "deleted"
    writer = await as_reader(author)
    async with unit_of_work() as session:
        # Somebody still works on it: it is kept.
        mine = await life.own(session, writer, kept[0].number)
        await life.extend(session, writer, mine, date(2031, 1, 1))
    await at(paris(2031, 5, 2))
    assert await clockwork.purge() == 1
    gone = await reread(refused)
    assert (gone.state, gone.title, gone.description, gone.content) == ("deleted", "", "", None)
    assert (await reread(kept[0])).state == "unpublished"
    async with unit_of_work() as session:
        rows = await session.execute(text("SELECT h::text FROM ads.ad_history h WHERE ad_id = :id"), {"id": refused.id})
        told = " ".join(row[0] for row in rows)
    assert "motif-canari" not in told
    assert str(author.uid) in told


async def test_commands_do_what_the_scheduler_does(places: None) -> None:
    ad = await make_ad(await make_person())
    await make_ad(await make_person(), "pending")
    await make_moderator()
    await end(ad, date(2020, 1, 1))

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "cli.py", "ads", *words], cwd=ROOT, capture_output=True, text=True, check=False
        )

    for words, said in (
        (("expire", "--json"), {"expired": 1, "warned": 0}),
        (("expire", "--json"), {"expired": 0, "warned": 0}),
        (("suspend", "--json"), {"suspended": 0}),
        (("digest", "--json"), {"mails": 1}),
        (("purge", "--json"), {"purged": 0, "files": 0}),
    ):
        done = run(*words)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == said
    assert "à lancer souvent" in CliRunner().invoke(assemble("ads"), ["ads", "expire", "--help"]).stdout


def test_the_scheduler_knows_the_tasks() -> None:
    mine = {name: entry for name, entry in app.conf.beat_schedule.items() if name.startswith("ads-")}
    assert mine
    assert all(entry["task"] in app.tasks for entry in mine.values())
    assert app.conf.timezone == "Europe/Paris"
