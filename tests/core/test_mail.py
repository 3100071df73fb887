"""Mails through a real SMTP server: written with what they announce, sent once, refused, put off, given up."""

import asyncio
import re
from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import unit_of_work
from core.errors import InvalidInput
from core.mail import delivery, smtp, waking
from core.mail.delivery import deliver
from core.settings import load
from tests.core.mails import ZOE, later, rows, write, write_and_commit
from tests.smtp import SmtpSink, html_of, text_of

pytestmark = pytest.mark.usefixtures("clean_database")


async def test_a_mail_has_its_text_its_html_and_its_headers(
    smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPERE_CONTACT_EMAIL", "aide@repere.test")
    monkeypatch.setenv("REPERE_PUBLIC_URL", "https://repere.test/")
    load.cache_clear()
    await write_and_commit(name="Zoé <b>Œillet</b> & Lévêque", to=f" {ZOE} ")
    assert await deliver() == {"sent": 1}
    [message] = smtp_sink.messages
    assert smtp_sink.recipients == [[ZOE]]
    assert smtp_sink.senders == ["ne-pas-repondre@repere.test"]
    assert message["Subject"] == "Un lien pour Zoé <b>Œillet</b> & Lévêque"
    assert message["From"] == "Repère <ne-pas-repondre@repere.test>"
    assert message["To"].addresses[0].display_name == "Zoé <b>Œillet</b> & Lévêque"
    assert message["Reply-To"] == "aide@repere.test"
    assert message["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"<[0-9a-f-]{36}@repere\.test>", message["Message-ID"])
    assert parsedate_to_datetime(message["Date"]).tzinfo is not None
    assert message.get_content_type() == "multipart/alternative"
    assert "Bonjour Zoé <b>Œillet</b> & Lévêque," in text_of(message)
    assert "\nhttps://repere.test/ouvrir/jeton\n" in text_of(message)
    assert "Zoé &lt;b&gt;Œillet&lt;/b&gt; &amp; Lévêque" in html_of(message)
    assert 'href="https://repere.test/ouvrir/jeton"' in html_of(message)
    assert "<script" not in html_of(message) and "http://" not in html_of(message)
    assert [part.get_content_charset() for part in message.iter_parts()] == ["utf-8", "utf-8"]


async def test_the_same_transition_is_one_mail(smtp_sink: SmtpSink) -> None:
    async with unit_of_work() as session:
        assert await write(session)
        assert not await write(session, name="Autre")

    async def again() -> bool:
        async with unit_of_work() as session:
            return await write(session, "2")

    assert sorted(await asyncio.gather(*(again() for _ in range(4)))) == [False, False, False, True]
    assert await deliver() == {"sent": 2}
    async with unit_of_work() as session:
        assert not await write(session)
    assert await deliver() == {}
    assert len(smtp_sink.messages) == 2


async def test_a_change_that_is_undone_announces_nothing(smtp_sink: SmtpSink) -> None:
    with pytest.raises(RuntimeError):
        async with unit_of_work() as session:
            await write(session)
            raise RuntimeError
    async with unit_of_work() as session:
        await write(session, "kept")
        nested = await session.begin_nested()
        await write(session, "undone")
        await nested.rollback()
    assert await deliver() == {"sent": 1}
    assert [row.key for row in await rows()] == ["kept"]


async def test_what_is_not_committed_does_not_leave(session: AsyncSession, smtp_sink: SmtpSink) -> None:
    await write(session)
    assert await deliver() == {}
    await session.commit()
    assert await deliver() == {"sent": 1}


@pytest.mark.parametrize("verb", ["RCPT", "DATA", "MAIL"])
async def test_a_mail_put_off_is_tried_again_with_the_same_identifier(smtp_sink: SmtpSink, verb: str) -> None:
    smtp_sink.refuse(verb, "451 4.7.1 Greylisted, come back later", times=2)
    await write_and_commit()
    assert await deliver() == {"queued": 1}
    # Not before its pause.
    assert await deliver() == {}
    [row] = await rows()
    assert row.state == "queued" and row.attempts == 1 and "451 4.7.1 Greylisted" in row.reason
    await later("6 seconds")
    assert await deliver() == {"queued": 1}
    await later("6 seconds")
    assert await deliver() == {}
    await later("30 seconds")
    assert await deliver() == {"sent": 1}
    [row] = await rows()
    assert [passage["to"] for passage in row.history] == [
        "queued", "sending", "queued", "sending", "queued", "sending", "sent"
    ]  # fmt: skip
    assert row.reason is None and row.sent_at is not None
    assert [message["Message-ID"] for message in smtp_sink.messages] == [row.message_id]


@pytest.mark.parametrize("verb", ["RCPT", "DATA"])
async def test_a_mail_refused_for_good_fails_and_the_next_one_leaves(smtp_sink: SmtpSink, verb: str) -> None:
    smtp_sink.refuse(verb, "550 5.1.1 No such person here")
    await write_and_commit("refused", to="parti@exemple.fr")
    await write_and_commit("taken")
    assert await deliver() == {"failed": 1, "sent": 1}
    await later("1 day")
    assert await deliver() == {}
    refused, _ = await rows()
    assert refused.state == "failed" and "550 5.1.1 No such person here" in refused.reason
    assert [message["To"].addresses[0].addr_spec for message in smtp_sink.messages] == [ZOE]


async def test_a_sender_that_the_server_refuses_is_not_the_mail_s_fault(smtp_sink: SmtpSink) -> None:
    smtp_sink.refuse("MAIL", "550 5.7.1 Sender not allowed")
    await write_and_commit()
    assert await deliver() == {"queued": 1}
    await later("6 seconds")
    assert await deliver() == {"sent": 1}


async def test_a_server_that_is_down_then_up(smtp_sink: SmtpSink) -> None:
    smtp_sink.stop()
    for number in range(3):
        await write_and_commit(str(number))
    # One mail meets the trouble, the others are spared the wait.
    assert await deliver() == {"queued": 1}
    assert [row.attempts for row in await rows()] == [1, 0, 0]
    assert await deliver() == {}
    assert "ne répond pas" in (await rows())[0].reason
    smtp_sink.start()
    await later("6 seconds")
    assert await deliver() == {"sent": 3}
    assert len(smtp_sink.messages) == 3
    # A server that fell between two mails is found again.
    smtp_sink.stop()
    smtp_sink.start()
    await write_and_commit("after")
    assert await deliver() == {"sent": 1}


async def test_several_senders_send_once(smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(12):
        await write_and_commit(str(number))
    with smtp_sink.hold():
        senders = [asyncio.create_task(deliver()) for _ in range(4)]
        assert await asyncio.to_thread(smtp_sink.asked.wait, 10)
        # Even those who would take up at once what seems left behind: the mails being sent are locked.
        monkeypatch.setattr(delivery, "SILENT", timedelta(0))
        senders.append(asyncio.create_task(deliver()))
        await asyncio.sleep(0.2)
    fates = await asyncio.gather(*senders)
    assert sum(fate.get("sent", 0) for fate in fates) == 12
    assert len({message["Message-ID"] for message in smtp_sink.messages}) == len(smtp_sink.messages) == 12


async def test_a_sender_that_died_is_replaced(smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    # Before it ends it says goodbye to a server that does not answer.
    monkeypatch.setattr(smtp, "ANSWER_SECONDS", 0.5)
    await write_and_commit()
    with smtp_sink.hold():
        dying = asyncio.create_task(deliver())
        assert await asyncio.to_thread(smtp_sink.asked.wait, 10)
        dying.cancel()
        await asyncio.wait([dying])
    assert [row.state for row in await rows()] == ["sending"]
    assert await deliver() == {}
    await later("61 seconds")
    assert await deliver() == {"sent": 1}
    # The server may have taken what the dead one was saying: it is then the same mail to every reader.
    assert {message["Message-ID"] for message in smtp_sink.messages} == {(await rows())[0].message_id}


async def test_it_leaves_by_itself_once_committed_where_people_are_served(smtp_sink: SmtpSink) -> None:
    waking.start(deliver)
    try:
        async with unit_of_work() as session:
            await write(session)
            async with session.begin_nested():
                await write(session, "2")
            await asyncio.sleep(0.2)
            assert smtp_sink.messages == []
        for _ in range(200):
            if len(smtp_sink.messages) == 2:
                break
            await asyncio.sleep(0.05)
    finally:
        await waking.stop()
    assert len(smtp_sink.messages) == 2
    assert [row.state for row in await rows()] == ["sent", "sent"]


async def test_a_secret_is_erased_once_sent_and_logged_nowhere(
    smtp_sink: SmtpSink, capsys: pytest.CaptureFixture[str]
) -> None:
    smtp_sink.refuse("RCPT", f"450 <{ZOE}> not now")
    await write_and_commit(token="s3cr3t", secret=True)
    assert await deliver() == {"queued": 1}
    [row] = await rows()
    assert "s3cr3t" in row.text and "s3cr3t" in row.html
    await later("6 seconds")
    assert await deliver() == {"sent": 1}
    assert "s3cr3t" in text_of(smtp_sink.messages[0])
    [row] = await rows()
    assert (row.text, row.html) == (None, None)
    assert row.subject == "Un lien pour Zoé Lévêque" and row.sent_at is not None
    # The index of keys does not hold a text that long: the statement fails with its parameters in hand.
    async with unit_of_work() as session:
        with pytest.raises(DBAPIError) as caught:
            await write(session, "".join(chr(0x4E00 + n * 7 % 20000) for n in range(9000)), token="s3cr3t")
        await session.rollback()
    printed = capsys.readouterr()
    for told in (printed.out, printed.err, str(caught.value)):
        assert "s3cr3t" not in told
        assert ZOE not in told
    assert "mail_sent" in printed.out + printed.err


async def test_a_secret_that_expired_is_given_up_and_erased(smtp_sink: SmtpSink) -> None:
    smtp_sink.stop()
    await write_and_commit("secret", secret=True)
    await write_and_commit("ordinary")
    assert await deliver() == {"queued": 1}
    await later("25 hours")
    async with unit_of_work() as session:
        assert await delivery.tidy(session) == 1
    smtp_sink.start()
    secret, _ = await rows()
    assert secret.state == "failed" and secret.text is None and "ne répond pas" in secret.reason
    assert await deliver() == {"sent": 1}
    await write_and_commit("unlucky")
    smtp_sink.refuse("RCPT", "450 no", times=50)
    for _ in range(50):
        await later("4 hours")
        await deliver()
        async with unit_of_work() as session:
            await delivery.tidy(session)
    assert (await rows())[2].state == "failed"
    assert (await rows())[2].attempts < 20


async def test_old_mails_lose_their_personal_values_and_stay_announced(smtp_sink: SmtpSink) -> None:
    await write_and_commit("old")
    await deliver()
    await later("91 days")
    await write_and_commit("new")
    await deliver()
    async with unit_of_work() as session:
        assert await delivery.erase_old(session) == 1
        assert await delivery.erase_old(session) == 0
    old, new = await rows()
    assert (old.recipient, old.recipient_name, old.subject, old.text, old.html) == ("", "", "", None, None)
    assert new.recipient == ZOE
    async with unit_of_work() as session:
        assert not await write(session, "old")


async def test_without_a_server_mails_wait(clean_database: object) -> None:
    await write_and_commit()
    assert await deliver() == {}
    await later("4 days")
    async with unit_of_work() as session:
        assert await delivery.tidy(session) == 1
    [row] = await rows()
    assert row.state == "failed" and "REPERE_SMTP_URL" in row.reason and row.attempts == 0


@pytest.mark.parametrize(
    "address",
    [
        "", "zoe", "zoe@", "@exemple.fr", "zoe@exemple", "zoe@@exemple.fr", "zo e@exemple.fr", "zoe@exem ple.fr",
        "zoe@exemple.fr\r\nBcc: autre@exemple.fr", "zoe@exemple.fr,autre@exemple.fr", "<zoe@exemple.fr>",
        "Zoé <zoe@exemple.fr>", "zoé@exemple.fr", ".zoe@exemple.fr", "zoe..l@exemple.fr", "zoe@-exemple.fr",
        "zoe@exemple..fr", "zoe@127.0.0.1", "zoe@[127.0.0.1]", '"zoe"@exemple.fr', "zoe\0@exemple.fr",
        "a" * 65 + "@exemple.fr", "zoe@" + "a." * 130 + "fr", "zoe@exemple.fr\n.autre.fr",
    ],
)  # fmt: skip
async def test_addresses_that_cannot_be_written_to_are_refused(session: AsyncSession, address: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await write(session, to=address)
    assert list(refused.value.fields) == ["to"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Zoé Œillet-Lévêque", "Zoé Œillet-Lévêque"),
        ("Marie-Antoinette de la Rochefoucauld-Montbéliard-Saint-Exupéry", ""),
        ("Marie-Antoinette de la Rochefoucauld-Montbeliard-Saint-Exupery", None),
        ("é" * 22, "é" * 22),
        ("", ""),
    ],
)
async def test_names_and_long_subjects_are_read_as_they_were_written(
    smtp_sink: SmtpSink, name: str, shown: str | None
) -> None:
    await write_and_commit(name=name)
    assert await deliver() == {"sent": 1}
    [message] = smtp_sink.messages
    assert message["To"].addresses[0].display_name == (name if shown is None else shown)
    assert message["Subject"] == f"Un lien pour {name}".strip()


async def test_domains_with_accents_and_hostile_names(smtp_sink: SmtpSink) -> None:
    hostile = "Zoé\r\nBcc: autre@exemple.fr\0\u202e\ud800" + "é" * 300
    await write_and_commit("hostile", to="Zoe@Hôpital.FR", name=hostile)
    await write_and_commit("quoted", name='Lévêque, "Zoé" <autre@exemple.fr>')
    assert await deliver() == {"sent": 2}
    first, second = smtp_sink.messages
    assert smtp_sink.recipients == [["Zoe@xn--hpital-ixa.fr"], [ZOE]]
    assert first["Bcc"] is None and second["Bcc"] is None
    assert first["Subject"].startswith("Un lien pour Zoé Bcc: autre@exemple.fr ééé")
    assert len(first["Subject"]) <= 200
    assert "Bcc: autre@exemple.fr" in text_of(first)
    [to] = second["To"].addresses
    assert (to.display_name, to.addr_spec) == ('Lévêque, "Zoé" <autre@exemple.fr>', ZOE)


@pytest.mark.parametrize(
    "url",
    [
        "moi:m0tdepasse",
        "http://moi:m0tdepasse@hôte",
        "smtp://",
        "smtp://moi:m0tdepasse@hôte:port",
        "smtp://h/m0tdepasse",
    ],
)
async def test_a_server_address_that_cannot_be_read_sends_nothing_and_repeats_no_password(
    smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    from core.mail.settings import mail_settings
    from core.mail.smtp import NotConfigured, server_of

    monkeypatch.setenv("REPERE_SMTP_URL", url)
    load.cache_clear()
    await write_and_commit()
    assert await deliver() == {}
    with pytest.raises(NotConfigured) as told:
        server_of(mail_settings())
    assert "m0tdepasse" not in told.value.detail


def test_a_password_never_travels_in_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.mail.settings import MailSettings
    from core.mail.smtp import server_of

    def tls(url: str) -> tuple[object, ...]:
        monkeypatch.setenv("REPERE_SMTP_URL", url)
        server = server_of(MailSettings())
        assert "p@ss" not in repr(server) and "p%40ss" not in repr(MailSettings())
        return (server.port, server.password, *server.tls.values())

    assert tls("smtps://moi:p%40ss@mail.exemple.fr") == (465, "p@ss", True, False, True)
    assert tls("starttls://moi:p%40ss@mail.exemple.fr") == (587, "p@ss", False, True, True)
    assert tls("smtp://moi:p%40ss@mail.exemple.fr:2525") == (2525, "p@ss", False, True, True)
    assert tls("smtp://relais.exemple.fr") == (25, None, False, None, False)
    assert tls("smtp://127.0.0.1:1025") == (1025, None, False, False, True)


def test_links_lead_to_our_own_pages() -> None:
    from core.mail.rendering import link

    for path in ("https://ailleurs.fr/", "//ailleurs.fr", "javascript:alert(1)", ""):
        with pytest.raises(ValueError):
            link(path)
