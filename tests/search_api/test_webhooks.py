"""Webhooks: what is announced and to whom, how it is proved, repeated, given up, and where it is never sent."""

import asyncio
import base64
import hashlib
import hmac
import html
import json
import os
import re
import sys
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update

from accounts.models_clients import Client
from core import internet
from core.db import unit_of_work
from core.errors import InvalidInput
from core.mail.delivery import deliver as deliver_mails
from core.settings import load
from search_api.models_webhooks import WebhookDelivery, WebhookSubscription
from search_api.webhooks import delivery, news
from tests.accounts.clients import make_client
from tests.accounts.helpers import form_token, signed_in, submit
from tests.conftest import ROOT
from tests.directory import conftest as directory_tests
from tests.directory.conftest import Registers
from tests.search_api.fhir.test_changes import _describe, _flip, town
from tests.search_api.receiver import Receiver, Taken, listening
from tests.smtp import SmtpSink, text_of

registers = directory_tests.registers

_SECRET = re.compile(r'id="valeur" value="(whsec_[^"]+)"')
SCOPES = ("directory.read", "webhooks")


@pytest.fixture(autouse=True)
def local(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine may be written to, and notices may follow one another."""
    monkeypatch.setenv("REPERE_WEBHOOKS_LOCAL", "true")
    monkeypatch.setenv("REPERE_PUBLIC_URL", "http://repere.test")
    load.cache_clear()
    yield
    monkeypatch.undo()
    load.cache_clear()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as found:
        yield found


class Administrator:
    """Who looks after the webhooks of a client, with a browser."""

    def __init__(self, browser: httpx.AsyncClient, owner: Client) -> None:
        self.browser = browser
        self.page = f"/administration/applications/{owner.uid}/webhooks"

    async def add(self, url: str, *types: str) -> tuple[httpx.Response, str]:
        """Fill the form of a new address; return the answer and the secret shown."""
        opened = await self.browser.get(self.page)
        reference = re.search(r'name="demande" value="([^"]+)"', opened.text)
        assert reference, opened.text
        data: dict[str, Any] = {
            "_csrf": form_token(opened.text),
            "demande": reference[1],
            "adresse": url,
            "type": list(types),
        }
        answer = await self.browser.post(self.page, data=data)
        found = _SECRET.search(answer.text)
        return answer, html.unescape(found[1]) if found else ""

    async def press(self, action: str, **values: str) -> httpx.Response:
        return await submit(self.browser, self.page, f"{self.page}/{action}", values)


@pytest.fixture
async def someone(client: httpx.AsyncClient, registers: Registers) -> Administrator:
    """An administrator, a client that may be told, and a small directory."""
    town(registers)
    await signed_in(client, ("administrator", ""))
    owner, _ = await make_client(*SCOPES)
    return Administrator(client, owner)


async def _owner() -> Client:
    async with unit_of_work() as session:
        found = await session.scalar(select(Client).order_by(Client.id))
    assert found is not None
    return found


async def _subscription() -> WebhookSubscription:
    async with unit_of_work() as session:
        found = await session.scalar(select(WebhookSubscription).order_by(WebhookSubscription.id.desc()))
    assert found is not None
    return found


async def _deliveries() -> list[WebhookDelivery]:
    async with unit_of_work() as session:
        return list((await session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id))).all())


def _offers(registers: Registers) -> list[dict[str, Any]]:
    return registers.all("SELECT id, uid, version, accepts_new FROM directory.offer ORDER BY id")


async def _change(registers: Registers, at: int = 0) -> None:
    """Change an offer."""
    offer = _offers(registers)[at]
    await _describe(offer, accepts_new=not offer["accepts_new"])


async def _tell() -> None:
    """What the workers do every few seconds, once the least time between two notices has passed."""
    async with unit_of_work() as session:
        await session.execute(
            update(WebhookSubscription).values(told_at=WebhookSubscription.told_at - timedelta(hours=1))
        )
        await session.execute(
            update(WebhookDelivery).where(WebhookDelivery.state == "queued").values(next_at=WebhookDelivery.created_at)
        )
    await news.look()
    await delivery.deliver()


def _verify(taken: Taken, secret: str) -> bool:
    """Check a signature as the specification of Standard Webhooks says, with nothing of ours."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{taken.headers['webhook-id']}.{taken.headers['webhook-timestamp']}.".encode() + taken.body
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return f"v1,{wanted}" in taken.headers["webhook-signature"].split(" ")


async def test_a_change_is_announced_signed_and_thin(
    someone: Administrator, registers: Registers, receiver: Receiver
) -> None:
    shown, secret = await someone.add(receiver.url)
    assert shown.headers["cache-control"] == "private, no-store"
    await _tell()
    assert receiver.taken == []
    await _change(registers)
    await _tell()
    (taken,) = receiver.taken
    assert taken.path == "/notices?a=b"
    assert _verify(taken, secret)
    assert not _verify(taken, "whsec_" + base64.b64encode(b"other").decode())
    told = json.loads(taken.body)
    assert told["type"] == "directory.changed"
    assert told["id"] == taken.headers["webhook-id"]
    assert set(told["data"]) == {"since", "position", "changes_url"}
    # The address leads to what changed, under the client's own key.
    _, key = await make_client()
    read = await someone.browser.get(told["data"]["changes_url"], headers={"X-API-Key": key})
    assert read.status_code == 200, read.text
    assert read.json()["entry"]
    await _tell()
    assert len(receiver.taken) == 1
    assert secret not in (await someone.browser.get(someone.page)).text


async def test_what_a_client_may_not_read_is_not_announced(
    someone: Administrator, registers: Registers, receiver: Receiver
) -> None:
    await someone.add(receiver.url)
    offers = _offers(registers)
    await _flip(registers, offers[1]["id"], True)
    await _tell()
    # The public saw it go; what happens to it afterwards is nothing to them.
    assert len(receiver.taken) == 1
    await _change(registers, 1)
    await _tell()
    assert len(receiver.taken) == 1
    async with unit_of_work() as session:
        await session.execute(update(Client).values(scopes=["directory.read.professional", "webhooks"]))
    await _tell()
    assert len(receiver.taken) == 2


async def test_a_zone_and_types_keep_to_what_is_followed(
    someone: Administrator, registers: Registers, receiver: Receiver
) -> None:
    async with unit_of_work() as session:
        await session.execute(update(Client).values(zone=["departement:2A"]))
    await someone.add(receiver.url)
    await _change(registers)
    await _tell()
    assert receiver.taken == []
    async with unit_of_work() as session:
        await session.execute(update(Client).values(zone=[]))
        await session.execute(update(WebhookSubscription).values(types=["Organization"]))
    await _change(registers)
    await _tell()
    assert receiver.taken == []
    async with unit_of_work() as session:
        await session.execute(update(WebhookSubscription).values(types=["HealthcareService"]))
    await _change(registers)
    await _tell()
    (taken,) = receiver.taken
    assert "_type=HealthcareService" in json.loads(taken.body)["data"]["changes_url"]


async def test_several_changes_are_one_notice_and_no_program_is_told_without_its_scope(
    someone: Administrator, registers: Registers, receiver: Receiver
) -> None:
    await someone.add(receiver.url)
    for _ in range(3):
        await _change(registers)
    await news.look()
    await news.look()
    assert len(await _deliveries()) == 1
    await delivery.deliver()
    assert len(receiver.taken) == 1
    for change in ({"scopes": ["directory.read"]}, {"scopes": list(SCOPES), "status": "suspended"}):
        async with unit_of_work() as session:
            await session.execute(update(Client).values(**change))
        await _change(registers)
        await _tell()
        assert len(receiver.taken) == 1
    async with unit_of_work() as session:
        await session.execute(update(Client).values(status="active"))
    await _tell()
    assert len(receiver.taken) == 2


async def test_a_failure_is_tried_again_under_the_same_identifier(
    someone: Administrator, registers: Registers, receiver: Receiver
) -> None:
    _, secret = await someone.add(receiver.url)
    receiver.statuses = [500, 302, 204]
    receiver.headers = {"Location": f"http://127.0.0.1:{receiver.port}/elsewhere"}
    await _change(registers)
    await _tell()
    (waiting,) = await _deliveries()
    assert (waiting.state, waiting.attempts, waiting.status) == ("queued", 1, 500)
    assert 3 < (waiting.next_at - waiting.touched_at).total_seconds() < 7
    await delivery.deliver()
    assert len(receiver.taken) == 1
    await _tell()
    await _tell()
    (sent,) = await _deliveries()
    assert (sent.state, sent.attempts) == ("sent", 3)
    assert len(receiver.taken) == 3
    assert len({taken.headers["webhook-id"] for taken in receiver.taken}) == 1
    assert len({taken.body for taken in receiver.taken}) == 1
    assert all(_verify(taken, secret) for taken in receiver.taken)
    assert "/elsewhere" not in {taken.path for taken in receiver.taken}


async def test_a_dead_delivery_is_shown_replayed_and_taken(
    someone: Administrator, registers: Registers, receiver: Receiver
) -> None:
    await someone.add(receiver.url)
    receiver.statuses = [503]
    await _change(registers)
    for _ in range(12):
        await _tell()
    (dead,) = await _deliveries()
    assert (dead.state, dead.attempts) == ("dead", 8)
    assert len(receiver.taken) == 8
    page = await someone.browser.get(f"{someone.page}?etat=dead")
    assert "Réponse 503." in page.text
    receiver.statuses = [200]
    assert (await someone.press("renvoyer", envoi=str(dead.uid))).status_code == 303
    (sent,) = await _deliveries()
    assert sent.state == "sent"
    assert receiver.taken[-1].headers["webhook-id"] == receiver.taken[0].headers["webhook-id"]
    # Twice is once: the second click finds that it was taken.
    assert (await someone.press("renvoyer", envoi=str(dead.uid))).status_code == 409
    assert (await someone.press("renvoyer", envoi=str(uuid.uuid4()))).status_code == 404
    # What came after the dead one is announced by itself.
    await _change(registers)
    assert "Aucun envoi dans ce cas" in (await someone.browser.get(f"{someone.page}?etat=dead")).text


async def test_after_long_failing_an_address_is_set_aside_and_its_contact_told(
    someone: Administrator, registers: Registers, receiver: Receiver, smtp_sink: SmtpSink
) -> None:
    await someone.add(receiver.url)
    receiver.statuses = [500]
    await _change(registers)
    await _tell()
    async with unit_of_work() as session:
        await session.execute(update(WebhookSubscription).values(failing_since=func.core.now() - timedelta(days=4)))
    for _ in range(8):
        await _tell()
    assert (await _subscription()).state == "failed"
    await deliver_mails()
    (told,) = smtp_sink.to("portail@exemple.fr")
    assert receiver.url in text_of(told)
    await _change(registers)
    await _tell()
    assert len(receiver.taken) == 8
    # Taken up again, it is told of what it missed.
    found = await _subscription()
    receiver.statuses = [204]
    back = await someone.press(f"{found.uid}/etat", version=str(found.version), etat="active")
    assert back.status_code == 303
    await _tell()
    assert len(receiver.taken) == 9


async def test_an_address_that_says_it_is_gone_is_set_aside_at_once(
    someone: Administrator, registers: Registers, receiver: Receiver, smtp_sink: SmtpSink
) -> None:
    await someone.add(receiver.url)
    receiver.statuses = [410]
    await _change(registers)
    await _tell()
    assert (await _subscription()).state == "failed"


async def test_a_trial_tells_at_once_how_it_went(someone: Administrator, receiver: Receiver) -> None:
    _, secret = await someone.add(receiver.url)
    found = await _subscription()
    assert (await someone.press(f"{found.uid}/essai")).status_code == 303
    (taken,) = receiver.taken
    assert json.loads(taken.body)["type"] == "ping"
    assert _verify(taken, secret)
    assert "Reçue" in (await someone.browser.get(someone.page)).text
    # Two clicks in a row are one trial.
    assert (await someone.press(f"{found.uid}/essai")).status_code == 409
    assert len(receiver.taken) == 1


async def test_a_receiver_that_is_slow_or_endless_holds_nobody(
    someone: Administrator, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search_api.webhooks.sending.SECONDS", 1.0)
    monkeypatch.setattr("search_api.webhooks.service.PINGS", timedelta())
    await someone.add(receiver.url)
    found = await _subscription()
    receiver.slow = 3.0
    await someone.press(f"{found.uid}/essai")
    receiver.slow, receiver.endless = 0.0, True
    await someone.press(f"{found.uid}/essai")
    slow, endless = await _deliveries()
    assert (slow.state, slow.status) == ("dead", None)
    assert "Pas de réponse à temps" in (slow.reason or "")
    assert (endless.state, endless.status) == ("sent", 204)


async def test_a_new_secret_signs_beside_the_former_one_for_a_while(
    someone: Administrator, registers: Registers, receiver: Receiver
) -> None:
    _, first = await someone.add(receiver.url)
    found = await _subscription()
    rotated = await someone.press(f"{found.uid}/secret", version=str(found.version))
    shown = _SECRET.search(rotated.text)
    assert shown
    second = html.unescape(shown[1])
    assert second != first
    assert (await someone.press(f"{found.uid}/secret", version=str(found.version))).status_code == 409
    await _change(registers)
    await _tell()
    assert _verify(receiver.taken[0], first)
    assert _verify(receiver.taken[0], second)
    async with unit_of_work() as session:
        await session.execute(update(WebhookSubscription).values(former_until=func.core.now()))
    await _change(registers)
    await _tell()
    assert not _verify(receiver.taken[1], first)
    assert _verify(receiver.taken[1], second)


async def test_paused_and_deleted_addresses_are_told_nothing(
    someone: Administrator, registers: Registers, receiver: Receiver
) -> None:
    await someone.add(receiver.url)
    found = await _subscription()
    await someone.press(f"{found.uid}/etat", version="1", etat="paused")
    await _change(registers)
    await _tell()
    assert receiver.taken == []
    assert (await someone.press(f"{found.uid}/etat", version="1", etat="active")).status_code == 409
    await someone.press(f"{found.uid}/etat", version="2", etat="active")
    receiver.statuses = [500]
    await _tell()
    assert len(receiver.taken) == 1
    await someone.press(f"{found.uid}/etat", version="3", etat="closed")
    assert [one.state for one in await _deliveries()] == ["dropped"]
    await _tell()
    assert len(receiver.taken) == 1
    assert receiver.url not in (await someone.browser.get(someone.page)).text.partition("Envois")[0]
    for action in ("secret", "etat", "essai"):
        assert (await someone.press(f"{uuid.uuid4()}/{action}", version="1", etat="paused")).status_code == 404


_WORKER = """
import asyncio
from core import db
from search_api.webhooks import delivery

async def work():
    await delivery.deliver()
    await db.dispose()

input()
asyncio.run(work())
"""


async def test_a_worker_that_dies_after_sending_leaves_the_message_to_another(
    someone: Administrator, registers: Registers, receiver: Receiver
) -> None:
    await someone.add(receiver.url)
    await _change(registers)
    await news.look()
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WORKER, cwd=ROOT, env=os.environ.copy(), stdin=asyncio.subprocess.PIPE
    )
    receiver.kill = worker.pid
    await worker.communicate(b"\n")
    assert worker.returncode == -9
    (left,) = await _deliveries()
    assert (left.state, left.attempts) == ("sending", 1)
    await delivery.deliver()
    assert len(receiver.taken) == 1
    async with unit_of_work() as session:
        await session.execute(update(WebhookDelivery).values(touched_at=func.core.now() - timedelta(minutes=2)))
    await asyncio.gather(delivery.deliver(), delivery.deliver())
    (sent,) = await _deliveries()
    assert sent.state == "sent"
    assert len(receiver.taken) == 2
    assert len({taken.headers["webhook-id"] for taken in receiver.taken}) == 1


FORBIDDEN = [
    "",
    "portail.exemple.fr",
    "ftp://portail.exemple.fr/",
    "http://portail.exemple.fr/",
    "https://user:password@portail.exemple.fr/",
    "https://portail.exemple.fr/#fin",
    "https://portail.exemple.fr:22/",
    "https://portail.exemple.fr:99999/",
    "https:///sans-nom",
    "https://intranet/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.0.0.1/",
    "https://0.0.0.0/",
    "https://10.1.2.3/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[64:ff9b::a00:1]/",
    "https://[2002:a00:1::]/",
    "https://[fe80::1]/",
    "https://[fd00::1]/",
    "https://[ff02::1]/",
    "https://localhost/",
    "https://portail.exemple.fr/" + "x" * 500,
    "https://portail.exemple.fr/\r\nHost: autre",
]


@pytest.mark.parametrize("url", FORBIDDEN)
async def test_nothing_is_sent_to_networks_behind_us(url: str) -> None:
    with pytest.raises((InvalidInput, internet.Unreachable)):
        await internet.resolve(internet.read(url))


async def test_addresses_of_the_internet_are_permitted() -> None:
    for host in ("9.9.9.9", "[2620:fe::fe]"):
        target = internet.read(f"https://{host}:8443/chemin?a=b")
        assert (target.port, target.path) == (8443, "/chemin?a=b")
        assert await internet.resolve(target) == host.strip("[]")
    assert internet.read("https://hôpital.exemple.fr/").host == "hôpital.exemple.fr".encode("idna").decode()


async def test_a_name_that_leads_behind_us_is_refused_when_it_is_used(
    someone: Administrator, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """« localhost » is a name that was good when it was written, and is not any more."""
    await someone.add(f"http://localhost:{receiver.port}/")
    monkeypatch.setenv("REPERE_WEBHOOKS_LOCAL", "false")
    load.cache_clear()
    async with unit_of_work() as session:
        await session.execute(update(WebhookSubscription).values(url=f"https://localhost.localdomain:{receiver.port}/"))
    found = await _subscription()
    await someone.press(f"{found.uid}/essai")
    (refused,) = await _deliveries()
    assert refused.state == "dead"
    assert refused.status is None
    assert receiver.taken == []


async def test_forms_tell_what_is_wrong_and_keep_it(someone: Administrator, receiver: Receiver) -> None:
    refused, _ = await someone.add("ftp://x")
    assert refused.status_code == 422
    assert 'value="ftp://x"' in refused.text
    unknown, _ = await someone.add(receiver.url, "Patient")
    assert unknown.status_code == 422
    opened = await someone.browser.get(someone.page)
    reference = re.search(r'name="demande" value="([^"]+)"', opened.text)
    assert reference
    data = {"_csrf": form_token(opened.text), "demande": reference[1], "adresse": receiver.url}
    assert (await someone.browser.post(someone.page, data=data)).status_code == 200
    again = await someone.browser.post(someone.page, data=data)
    assert again.status_code == 409
    async with unit_of_work() as session:
        assert await session.scalar(select(func.count()).select_from(WebhookSubscription)) == 1
        await session.execute(update(Client).values(scopes=["directory.read"]))
    assert "n’a pas la portée" in (await someone.browser.get(someone.page)).text
    await signed_in(someone.browser, ("coordinator", "departement:78"))
    assert (await someone.browser.get(someone.page)).status_code == 403
