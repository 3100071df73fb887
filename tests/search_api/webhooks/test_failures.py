"""Webhooks: what becomes of a notice that nobody takes, and of its address."""

import asyncio
import os
import sys
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import func, update

from core.db import unit_of_work
from core.mail.delivery import deliver as deliver_mails
from search_api.models_webhooks import WebhookDelivery, WebhookSubscription
from search_api.webhooks import delivery, news
from tests.conftest import ROOT
from tests.directory.conftest import Registers
from tests.search_api.webhooks.desk import (
    Administrator,
    deliveries,
    edit_one,
    subscription,
    tell,
    verify,
)
from tests.search_api.webhooks.receiver import Receiver
from tests.smtp import SmtpSink, text_of


async def test_a_failure_is_tried_again_under_the_same_identifier(
    someone: Administrator, registers: Registers, receiver: Receiver
) -> None:
    _, secret = await someone.add(receiver.url)
    receiver.statuses = [500, 302, 204]
    receiver.headers = {"Location": f"http://127.0.0.1:{receiver.port}/elsewhere"}
    await edit_one(registers)
    await tell()
    (waiting,) = await deliveries()
    assert (waiting.state, waiting.attempts, waiting.status) == ("queued", 1, 500)
    assert 3 < (waiting.next_at - waiting.touched_at).total_seconds() < 7
    await delivery.deliver()
    assert len(receiver.taken) == 1
    await tell()
    await tell()
    (sent,) = await deliveries()
    assert (sent.state, sent.attempts) == ("sent", 3)
    assert len(receiver.taken) == 3
    assert len({taken.headers["webhook-id"] for taken in receiver.taken}) == 1
    assert len({taken.body for taken in receiver.taken}) == 1
    assert all(verify(taken, secret) for taken in receiver.taken)
    assert "/elsewhere" not in {taken.path for taken in receiver.taken}


async def test_a_dead_delivery_is_shown_replayed_and_taken(
    someone: Administrator, registers: Registers, receiver: Receiver
) -> None:
    await someone.add(receiver.url)
    receiver.statuses = [503]
    await edit_one(registers)
    for _ in range(12):
        await tell()
    (dead,) = await deliveries()
    assert (dead.state, dead.attempts) == ("dead", 8)
    assert len(receiver.taken) == 8
    page = await someone.browser.get(f"{someone.page}?etat=dead")
    assert "Réponse 503." in page.text
    receiver.statuses = [200]
    assert (await someone.press("renvoyer", envoi=str(dead.uid))).status_code == 303
    (sent,) = await deliveries()
    assert sent.state == "sent"
    assert receiver.taken[-1].headers["webhook-id"] == receiver.taken[0].headers["webhook-id"]
    # Twice is once: the second click finds that it was taken.
    assert (await someone.press("renvoyer", envoi=str(dead.uid))).status_code == 409
    assert (await someone.press("renvoyer", envoi=str(uuid.uuid4()))).status_code == 404
    # What came after the dead one is announced by itself.
    await edit_one(registers)
    assert "Aucun envoi dans ce cas" in (await someone.browser.get(f"{someone.page}?etat=dead")).text


async def test_after_long_failing_an_address_is_set_aside_and_its_contact_told(
    someone: Administrator, registers: Registers, receiver: Receiver, smtp_sink: SmtpSink
) -> None:
    await someone.add(receiver.url)
    receiver.statuses = [500]
    await edit_one(registers)
    await tell()
    async with unit_of_work() as session:
        await session.execute(update(WebhookSubscription).values(failing_since=func.core.now() - timedelta(days=4)))
    for _ in range(8):
        await tell()
    assert (await subscription()).state == "failed"
    await deliver_mails()
    (told,) = smtp_sink.to("portail@exemple.fr")
    assert receiver.url in text_of(told)
    await edit_one(registers)
    await tell()
    assert len(receiver.taken) == 8
    # Taken up again, it is told of what it missed.
    found = await subscription()
    receiver.statuses = [204]
    back = await someone.press(f"{found.uid}/etat", version=str(found.version), etat="active")
    assert back.status_code == 303
    await tell()
    assert len(receiver.taken) == 9


async def test_an_address_that_says_it_is_gone_is_set_aside_at_once(
    someone: Administrator, registers: Registers, receiver: Receiver, smtp_sink: SmtpSink
) -> None:
    await someone.add(receiver.url)
    receiver.statuses = [410]
    await edit_one(registers)
    await tell()
    assert (await subscription()).state == "failed"


async def test_a_receiver_that_is_slow_or_endless_holds_nobody(
    someone: Administrator, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search_api.webhooks.sending.SECONDS", 1.0)
    monkeypatch.setattr("search_api.webhooks.service.PINGS", timedelta())
    await someone.add(receiver.url)
    found = await subscription()
    receiver.slow = 3.0
    await someone.press(f"{found.uid}/essai")
    receiver.slow, receiver.endless = 0.0, True
    await someone.press(f"{found.uid}/essai")
    slow, endless = await deliveries()
    assert (slow.state, slow.status) == ("dead", None)
    assert "Pas de réponse à temps" in (slow.reason or "")
    assert (endless.state, endless.status) == ("sent", 204)


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
    await edit_one(registers)
    await news.look()
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _WORKER, cwd=ROOT, env=os.environ.copy(), stdin=asyncio.subprocess.PIPE
    )
    receiver.kill = worker.pid
    await worker.communicate(b"\n")
    assert worker.returncode == -9
    (left,) = await deliveries()
    assert (left.state, left.attempts) == ("sending", 1)
    await delivery.deliver()
    assert len(receiver.taken) == 1
    async with unit_of_work() as session:
        await session.execute(update(WebhookDelivery).values(touched_at=func.core.now() - timedelta(minutes=2)))
    await asyncio.gather(delivery.deliver(), delivery.deliver())
    (sent,) = await deliveries()
    assert sent.state == "sent"
    assert len(receiver.taken) == 2
    assert len({taken.headers["webhook-id"] for taken in receiver.taken}) == 1
