"""Secrets and signatures of webhooks, as Standard Webhooks (https://www.standardwebhooks.com) has them."""

import base64
import hashlib
import hmac
from datetime import datetime

from core.security import signature
from search_api.models_webhooks import WebhookSubscription

PREFIX = "whsec_"


def secret_of(subscription: WebhookSubscription, generation: int | None = None) -> str:
    """Return the secret of a subscription, drawn from that of the service: none is kept."""
    return PREFIX + base64.b64encode(_key(subscription, generation or subscription.generation)).decode()


def _key(subscription: WebhookSubscription, generation: int) -> bytes:
    return bytes.fromhex(signature("webhook", f"{subscription.uid}\0{generation}"))


def headers(subscription: WebhookSubscription, message_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """Return the headers that prove a message; two signatures while the former secret is still good."""
    stamp = str(int(now.timestamp()))
    generations = [subscription.generation]
    if subscription.generation > 1 and subscription.former_until is not None and subscription.former_until > now:
        generations.append(subscription.generation - 1)
    signed = f"{message_id}.{stamp}.".encode() + body
    digests = [hmac.new(_key(subscription, one), signed, hashlib.sha256).digest() for one in generations]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests),
    }
