"""One delivery: what is said, the request, and what the answer means."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

import httpx
import orjson

from core import internet
from core.errors import InvalidInput
from core.internet import Unreachable
from core.settings import core_settings
from search_api.models_webhooks import WebhookDelivery, WebhookSubscription
from search_api.webhooks import signing
from search_api.webhooks.settings import webhook_settings

CHANGED: Final = "directory.changed"
PING: Final = "ping"
AGENT: Final = "Repere-Webhooks/1.0"
GONE: Final = 410
SECONDS: Final = 10.0
"""For a whole delivery: a receiver takes the notice, and does its work afterwards."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt: the status of the answer when there was one, why it failed when it did."""

    status: int | None = None
    reason: str | None = None

    @property
    def received(self) -> bool:
        """Tell whether the receiver took the message."""
        return self.reason is None


def message_id(delivery: WebhookDelivery) -> str:
    """Return the identifier by which a receiver knows a repetition."""
    return f"msg_{delivery.uid.hex}"


def body_of(delivery: WebhookDelivery, subscription: WebhookSubscription) -> bytes:
    """Return what is sent: the same at each attempt."""
    data: dict[str, object] = {}
    if delivery.kind == CHANGED:
        asked = {"since": delivery.since or ""} | (
            {"_type": ",".join(subscription.types)} if subscription.types else {}
        )
        base = core_settings().public_url.rstrip("/")
        data = {
            "since": delivery.since,
            "position": delivery.position,
            "changes_url": f"{base}/fhir/$changes?{urlencode(asked, safe=',', quote_via=quote)}",
        }
    return orjson.dumps(
        {"id": message_id(delivery), "type": delivery.kind, "timestamp": delivery.created_at, "data": data}
    )


async def send(delivery: WebhookDelivery, subscription: WebhookSubscription, now: datetime) -> Outcome:
    """Send a delivery once; what goes wrong is told, never raised."""
    body = body_of(delivery, subscription)
    try:
        async with asyncio.timeout(SECONDS):
            local = webhook_settings().local
            target = internet.read(subscription.url, local=local)
            address = await internet.resolve(target, local=local)
            return await _post(target, address, body, signing.headers(subscription, message_id(delivery), body, now))
    except InvalidInput as error:
        return Outcome(reason=error.detail)
    except Unreachable as error:
        return Outcome(reason=error.reason)
    except (TimeoutError, httpx.TimeoutException):
        return Outcome(reason="Pas de réponse à temps (10 secondes au plus).")
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        # The words of the error may hold the address: its kind is enough.
        return Outcome(reason=f"La connexion n’a pas abouti ({type(error).__name__}).")


async def _post(target: internet.Target, address: str, body: bytes, signed: dict[str, str]) -> Outcome:
    headers = {"Content-Type": "application/json", "User-Agent": AGENT, **signed}
    async with internet.call("POST", target, address, headers, body) as answer:
        # What the receiver says is not read: its status is all that we want of it.
        status = answer.status_code
    if 200 <= status < 300:
        return Outcome(status=status)
    if 300 <= status < 400:
        return Outcome(status, f"Réponse {status} : les redirections ne sont pas suivies.")
    return Outcome(status, f"Réponse {status}.")
