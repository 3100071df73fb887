"""Webhooks: the addresses that administrators write, tried and refused."""

import json
import re

import pytest
from sqlalchemy import func, select, update

from accounts.models_clients import Client
from core.db import unit_of_work
from core.settings import load
from search_api.models_webhooks import WebhookSubscription
from tests.accounts.helpers import form_token, signed_in
from tests.search_api.webhooks.desk import Administrator, deliveries, subscription, verify
from tests.search_api.webhooks.receiver import Receiver


async def test_a_trial_tells_at_once_how_it_went(someone: Administrator, receiver: Receiver) -> None:
    _, secret = await someone.add(receiver.url)
    found = await subscription()
    assert (await someone.press(f"{found.uid}/essai")).status_code == 303
    (taken,) = receiver.taken
    assert json.loads(taken.body)["type"] == "ping"
    assert verify(taken, secret)
    assert "Reçue" in (await someone.browser.get(someone.page)).text
    # Two clicks in a row are one trial.
    assert (await someone.press(f"{found.uid}/essai")).status_code == 409
    assert len(receiver.taken) == 1


async def test_a_name_that_leads_behind_us_is_refused_when_it_is_used(
    someone: Administrator, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """« localhost » is a name that was good when it was written, and is not any more."""
    await someone.add(f"http://localhost:{receiver.port}/")
    monkeypatch.setenv("REPERE_WEBHOOKS_LOCAL", "false")
    load.cache_clear()
    async with unit_of_work() as session:
        await session.execute(update(WebhookSubscription).values(url=f"https://localhost.localdomain:{receiver.port}/"))
    found = await subscription()
    await someone.press(f"{found.uid}/essai")
    (refused,) = await deliveries()
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
