"""An administrator at the webhooks of a client, and what the workers do for them."""

import base64
import hashlib
import hmac
import html
import re
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import select, update

from accounts.models_clients import Client
from core.db import unit_of_work
from search_api.models_webhooks import WebhookDelivery, WebhookSubscription
from search_api.webhooks import delivery, news
from tests.accounts.helpers import form_token, submit
from tests.directory.conftest import Registers
from tests.search_api.fhir.town import describe
from tests.search_api.webhooks.receiver import Taken

SECRET_SHOWN = re.compile(r'id="valeur" value="(whsec_[^"]+)"')
SCOPES = ("directory.read", "webhooks")


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
        found = SECRET_SHOWN.search(answer.text)
        return answer, html.unescape(found[1]) if found else ""

    async def press(self, action: str, **values: str) -> httpx.Response:
        return await submit(self.browser, self.page, f"{self.page}/{action}", values)


async def owner_of() -> Client:
    async with unit_of_work() as session:
        found = await session.scalar(select(Client).order_by(Client.id))
    assert found is not None
    return found


async def subscription() -> WebhookSubscription:
    async with unit_of_work() as session:
        found = await session.scalar(select(WebhookSubscription).order_by(WebhookSubscription.id.desc()))
    assert found is not None
    return found


async def deliveries() -> list[WebhookDelivery]:
    async with unit_of_work() as session:
        return list((await session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id))).all())


def all_offers(registers: Registers) -> list[dict[str, Any]]:
    return registers.all("SELECT id, uid, version, accepts_new FROM directory.offer ORDER BY id")


async def edit_one(registers: Registers, at: int = 0) -> None:
    """Change an offer."""
    offer = all_offers(registers)[at]
    await describe(offer, accepts_new=not offer["accepts_new"])


async def tell() -> None:
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


def verify(taken: Taken, secret: str) -> bool:
    """Check a signature as the specification of Standard Webhooks says, with nothing of ours."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{taken.headers['webhook-id']}.{taken.headers['webhook-timestamp']}.".encode() + taken.body
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return f"v1,{wanted}" in taken.headers["webhook-signature"].split(" ")
