"""The mailbox of the demonstration, through HTTP; what operators do with the outbox, through the command line."""

import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from core.command_line import run
from core.commands import app
from core.db import unit_of_work
from core.errors import Conflict, NotFound
from core.mail import delivery, service
from core.mail.delivery import deliver
from core.settings import load
from tests.core.mails import ZOE, later, rows, write, write_and_commit
from tests.smtp import SmtpSink

pytestmark = pytest.mark.usefixtures("clean_database")

ROOT = Path(__file__).resolve().parents[2]
PAGE = {"Accept": "text/html"}


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Demonstration mode, with a public address."""
    monkeypatch.setenv("REPERE_DEMO", "true")
    monkeypatch.setenv("REPERE_PUBLIC_URL", "http://localhost:8000")
    load.cache_clear()
    yield
    monkeypatch.undo()
    load.cache_clear()


async def test_there_is_no_mailbox_outside_the_demonstration(client: httpx.AsyncClient) -> None:
    await write_and_commit()
    [row] = await rows()
    for address in ("", f"/{row.uid}", f"/{row.uid}/html"):
        answer = await client.get(f"/demo/messagerie{address}", headers=PAGE)
        assert answer.status_code == 404
        assert ZOE not in answer.text


@pytest.mark.usefixtures("demo")
async def test_whoever_tries_repere_finds_the_link_of_a_mail(client: httpx.AsyncClient) -> None:
    home = (await client.get("/", headers=PAGE)).text
    assert 'href="/demo/messagerie"' in home
    assert "Aucun mail pour l’instant" in (await client.get("/demo/messagerie", headers=PAGE)).text
    await write_and_commit(name="Zoé <script>alert(1)</script>", token="s3cr3t", secret=True)
    assert await deliver() == {"sent": 1}
    shown = await client.get("/demo/messagerie", headers=PAGE)
    assert shown.headers["cache-control"] == "no-store"
    [path] = re.findall(r'href="(/demo/messagerie/[0-9a-f-]{36})"', shown.text)
    page = (await client.get(path, headers=PAGE)).text
    assert "<script>alert" not in page and "Zoé &lt;script&gt;alert(1)&lt;/script&gt;" in page
    # The link leads to the address by which the reader came.
    assert '<a href="http://repere.test/ouvrir/s3cr3t" rel="noopener">' in page
    framed = await client.get(re.findall(r'<iframe[^>]* src="([^"]+)"', page)[0], headers=PAGE)
    policy = framed.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "sandbox allow-popups" in policy and "allow-scripts" not in policy
    assert 'href="http://repere.test/ouvrir/s3cr3t"' in framed.text
    assert "<script>alert" not in framed.text
    # Once what it opens has expired, nobody reads it any more.
    await later("25 hours")
    async with unit_of_work() as session:
        await delivery.tidy(session)
    assert "s3cr3t" not in (await client.get(path, headers=PAGE)).text
    assert (await client.get(f"{path}/html", headers=PAGE)).status_code == 404


@pytest.mark.usefixtures("demo")
async def test_the_mailbox_is_paged_and_filtered(client: httpx.AsyncClient) -> None:
    async with unit_of_work() as session:
        for number in range(65):
            await write(session, str(number), to=f"p{number % 2}_a%b@exemple.fr", name=f"Personne {number:02}")

    async def subjects(**asked: str) -> list[str]:
        shown = await client.get("/demo/messagerie", params=asked, headers=PAGE)
        assert shown.status_code == 200
        return [html.unescape(name) for name in re.findall(r">Un lien pour ([^<]+)</a>", shown.text)]

    everything = [f"Personne {number:02}" for number in reversed(range(65))]
    assert await subjects() == everything[:30]
    assert await subjects(page="2") == everything[30:60]
    assert await subjects(page="3") == await subjects(page="99999") == everything[60:]
    for strange in ("0", "-1", "deux", "9" * 40, "²"):
        assert len(await subjects(page=strange)) in (5, 30)
    assert len(await subjects(destinataire=" P1_a%B@ ", page="2")) == 2
    assert await subjects(destinataire="p_") == []
    assert await subjects(destinataire="\0'\"<script>") == []
    assert await subjects(destinataire="x" * 3000) == []
    unknown = await client.get("/demo/messagerie/00000000-0000-4000-8000-000000000000", headers=PAGE)
    assert unknown.status_code == 404


@pytest.mark.usefixtures("demo")
async def test_a_demonstration_that_has_a_server_sends_to_it_too(
    client: httpx.AsyncClient, smtp_sink: SmtpSink
) -> None:
    await write_and_commit(secret=True)
    assert await deliver() == {"sent": 1}
    assert len(smtp_sink.to(ZOE)) == 1
    shown = (await client.get("/demo/messagerie", headers=PAGE)).text
    assert "Ils partent aussi vers les vraies adresses." in shown
    assert "Un lien pour Zoé Lévêque" in shown


# The whole command line takes long to import: `tests/core/test_command_line.py` looks at it once for everyone.
ALONE = "import sys; from core.command_line import run; from core.commands import app; sys.exit(run(app))"


def command(*arguments: str, **more: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", ALONE, "mail", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | more,
    )
    return done.returncode, (done.stdout + done.stderr).replace("\u00a0", " ")


@pytest.mark.timeout(400)
async def test_an_operator_sees_what_failed_and_tries_again(smtp_sink: SmtpSink) -> None:
    smtp_sink.refuse("RCPT", "550 5.1.1 Inconnu", times=3)
    for key in ("1", "2", "3"):
        await write_and_commit(key, secret=key == "3")
    assert await deliver() == {"failed": 3}
    await later("25 hours")
    async with unit_of_work() as session:
        await delivery.tidy(session)
    code, output = command("list", "--failed")
    assert code == 0
    assert f"Échoué  test.lien  {ZOE}" in output
    assert "1 essai : Le serveur refuse ce mail : 550 5.1.1 Inconnu" in output
    told = json.loads(command("list", "--failed", "--json")[1])
    assert [(one["id"], one["can_retry"]) for one in told] == [(3, False), (2, True), (1, True)]
    # All or nothing: the first one stays where it was.
    refused = (1, "Le contenu du mail n° 3 a été effacé : il ne peut plus partir.\n")
    assert command("retry", "1", "3") == refused
    assert await deliver() == {}
    assert command("retry", "--all") == (0, "2 mails dans la file.\n")
    assert await deliver() == {"sent": 2}
    with pytest.raises(Conflict):
        async with unit_of_work() as session:
            await service.retry(session, 1)
    with pytest.raises(NotFound):
        async with unit_of_work() as session:
            await service.retry(session, 99)


def test_what_to_try_again_must_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["mail", "retry"], ["mail", "retry", "1", "--all"]):
        assert run(app, arguments) == 2
        assert "donnez des numéros de mails" in capsys.readouterr().err


@pytest.mark.timeout(400)
async def test_an_operator_tries_the_server(smtp_sink: SmtpSink) -> None:
    assert command("test", ZOE) == (0, f"Le serveur a pris le mail d’essai pour {ZOE}.\n")
    assert smtp_sink.to(ZOE)[0]["Subject"] == "Essai d’envoi de Repère"
    smtp_sink.refuse("RCPT", "550 Interdit")
    code, output = command("test", ZOE)
    assert (code, output) == (1, "Le mail d’essai n’est pas parti. Le serveur refuse ce mail : 550 Interdit\n")
    smtp_sink.stop()
    code, output = command("status", "--json")
    told = json.loads(output)
    assert "ne répond pas" in told["problem"]
    assert (told["sent"], told["failed"], told["failed_lately"]) == (1, 1, 1)
    code, output = command("test", ZOE, REPERE_MAIL_FROM="Repère")
    assert code == 1 and "REPERE_MAIL_FROM ne contient pas d’adresse" in output
    code, output = command("status", REPERE_SMTP_URL="")
    assert code == 1 and "donnez REPERE_SMTP_URL" in output
