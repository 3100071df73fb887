"""Webhooks: what is announced, to whom, and how it is proved."""

import base64
import html
import json
import uuid

from sqlalchemy import func, update

from accounts.models_clients import Client
from core.db import unit_of_work
from search_api.models_webhooks import WebhookSubscription
from search_api.webhooks import delivery, news
from tests.accounts.clients import make_client
from tests.directory.conftest import Registers
from tests.search_api.fhir.town import flip
from tests.search_api.webhooks.desk import (
    SCOPES,
    SECRET_SHOWN,
    Administrator,
    all_offers,
    deliveries,
    edit_one,
    subscription,
    tell,
    verify,
)
from tests.search_api.webhooks.receiver import Receiver


async def test_a_change_is_announced_signed_and_thin(
    someone: Administrator, registers: Registers, receiver: Receiver
) -> None:
    shown, secret = await someone.add(receiver.url)
    assert shown.headers["cache-control"] == "private, no-store"
    await tell()
    assert receiver.taken == []
    await edit_one(registers)
    await tell()
    (taken,) = receiver.taken
    assert taken.path == "/notices?a=b"
    assert verify(taken, secret)
    assert not verify(taken, "whsec_" + base64.b64encode(b"other").decode())
    told = json.loads(taken.body)
    assert told["type"] == "directory.changed"
    assert told["id"] == taken.headers["webhook-id"]
    assert set(told["data"]) == {"since", "position", "changes_url"}
    # The address leads to what changed, under the client's own key.
    _, key = await make_client()
    read = await someone.browser.get(told["data"]["changes_url"], headers={"X-API-Key": key})
    assert read.status_code == 200, read.text
    assert read.json()["entry"]
    await tell()
    assert len(receiver.taken) == 1
    assert secret not in (await someone.browser.get(someone.page)).text


async def test_what_a_client_may_not_read_is_not_announced(
    someone: Administrator, registers: Registers, receiver: Receiver
) -> None:
    await someone.add(receiver.url)
    offers = all_offers(registers)
    await flip(registers, offers[1]["id"], True)
    await tell()
    # The public saw it go; what happens to it afterwards is nothing to them.
    assert len(receiver.taken) == 1
    await edit_one(registers, 1)
    await tell()
    assert len(receiver.taken) == 1
    async with unit_of_work() as session:
        await session.execute(update(Client).values(scopes=["directory.read.professional", "webhooks"]))
    await tell()
    assert len(receiver.taken) == 2


async def test_a_zone_and_types_keep_to_what_is_followed(
    someone: Administrator, registers: Registers, receiver: Receiver
) -> None:
    async with unit_of_work() as session:
        await session.execute(update(Client).values(zone=["departement:2A"]))
    await someone.add(receiver.url)
    await edit_one(registers)
    await tell()
    assert receiver.taken == []
    async with unit_of_work() as session:
        await session.execute(update(Client).values(zone=[]))
        await session.execute(update(WebhookSubscription).values(types=["Organization"]))
    await edit_one(registers)
    await tell()
    assert receiver.taken == []
    async with unit_of_work() as session:
        await session.execute(update(WebhookSubscription).values(types=["HealthcareService"]))
    await edit_one(registers)
    await tell()
    (taken,) = receiver.taken
    assert "_type=HealthcareService" in json.loads(taken.body)["data"]["changes_url"]


async def test_several_changes_are_one_notice_and_no_program_is_told_without_its_scope(
    someone: Administrator, registers: Registers, receiver: Receiver
) -> None:
    await someone.add(receiver.url)
    for _ in range(3):
        await edit_one(registers)
    await news.look()
    await news.look()
    assert len(await deliveries()) == 1
    await delivery.deliver()
    assert len(receiver.taken) == 1
    for change in ({"scopes": ["directory.read"]}, {"scopes": list(SCOPES), "status": "suspended"}):
        async with unit_of_work() as session:
            await session.execute(update(Client).values(**change))
        await edit_one(registers)
        await tell()
        assert len(receiver.taken) == 1
    async with unit_of_work() as session:
        await session.execute(update(Client).values(status="active"))
    await tell()
    assert len(receiver.taken) == 2


async def test_a_new_secret_signs_beside_the_former_one_for_a_while(
    someone: Administrator, registers: Registers, receiver: Receiver
) -> None:
    _, first = await someone.add(receiver.url)
    found = await subscription()
    rotated = await someone.press(f"{found.uid}/secret", version=str(found.version))
    shown = SECRET_SHOWN.search(rotated.text)
    assert shown
    second = html.unescape(shown[1])
    assert second != first
    assert (await someone.press(f"{found.uid}/secret", version=str(found.version))).status_code == 409
    await edit_one(registers)
    await tell()
    assert verify(receiver.taken[0], first)
    assert verify(receiver.taken[0], second)
    async with unit_of_work() as session:
        await session.execute(update(WebhookSubscription).values(former_until=func.core.now()))
    await edit_one(registers)
    await tell()
    assert not verify(receiver.taken[1], first)
    assert verify(receiver.taken[1], second)


async def test_paused_and_deleted_addresses_are_told_nothing(
    someone: Administrator, registers: Registers, receiver: Receiver
) -> None:
    await someone.add(receiver.url)
    found = await subscription()
    await someone.press(f"{found.uid}/etat", version="1", etat="paused")
    await edit_one(registers)
    await tell()
    assert receiver.taken == []
    assert (await someone.press(f"{found.uid}/etat", version="1", etat="active")).status_code == 409
    await someone.press(f"{found.uid}/etat", version="2", etat="active")
    receiver.statuses = [500]
    await tell()
    assert len(receiver.taken) == 1
    await someone.press(f"{found.uid}/etat", version="3", etat="closed")
    assert [one.state for one in await deliveries()] == ["dropped"]
    await tell()
    assert len(receiver.taken) == 1
    assert receiver.url not in (await someone.browser.get(someone.page)).text.partition("Envois")[0]
    for action in ("secret", "etat", "essai"):
        assert (await someone.press(f"{uuid.uuid4()}/{action}", version="1", etat="paused")).status_code == 404
