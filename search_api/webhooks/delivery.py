"""Sending of what the outbox holds: claim, send without keeping the database, write what became of it.

A process that dies after the receiver's answer leaves its delivery to be sent again, under the same identifier.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import client_contact, note_client
from core import clock, mail
from core.db import unit_of_work
from search_api.models_webhooks import WebhookDelivery, WebhookSubscription
from search_api.webhooks.sending import GONE, PING, Outcome, send
from search_api.webhooks.states import pass_delivery, pass_subscription

mail.add_templates(Path(__file__).parent.parent / "templates")
log = structlog.get_logger("repere.webhooks")

PAUSES: Final = tuple(timedelta(seconds=s) for s in (5, 60, 300, 1800, 7200, 6 * 3600, 15 * 3600))
"""Between attempts: eight of them in about a day, then the delivery is dead."""
JITTER: Final = 0.2
SILENT: Final = timedelta(minutes=1)
"""A sending that said nothing for so long: its process died."""
LONG: Final = timedelta(days=3)
"""Failing for so long without a success, a subscription is set aside at its next dead delivery."""
AT_ONCE: Final = 10
SECONDS: Final = 20.0
"""After which a call leaves the rest to the next one: other work waits for its process."""
KEPT: Final = timedelta(days=30)
DEAD_KEPT: Final = timedelta(days=90)
_WHO: Final = "envoi"


@dataclass(frozen=True, slots=True)
class _Claim:
    delivery: WebhookDelivery
    subscription: WebhookSubscription
    now: datetime


async def deliver(ids: Sequence[int] | None = None) -> int:
    """Send what is due, or what is due among some deliveries; any number may run at once. Return how many it sent."""
    done = 0
    begun = time.monotonic()
    while time.monotonic() - begun < SECONDS:
        claims = await _claim(ids)
        if not claims:
            break
        await asyncio.gather(*(_carry(claim) for claim in claims))
        done += len(claims)
    return done


async def _claim(ids: Sequence[int] | None) -> list[_Claim]:
    async with unit_of_work() as session:
        now = await clock.now(session)
        free = (WebhookDelivery.state == "queued") & (WebhookDelivery.next_at <= now)
        left = (WebhookDelivery.state == "sending") & (WebhookDelivery.touched_at <= now - SILENT)
        wanted = (
            select(WebhookDelivery, WebhookSubscription)
            .join(WebhookSubscription, WebhookSubscription.id == WebhookDelivery.subscription_id)
            .where(free | left)
            .order_by(WebhookDelivery.next_at, WebhookDelivery.id)
            .limit(AT_ONCE)
            .with_for_update(skip_locked=True, of=WebhookDelivery)
        )
        if ids is not None:
            wanted = wanted.where(WebhookDelivery.id.in_(ids))
        claims = []
        for delivery, subscription in (await session.execute(wanted)).all():
            if subscription.state != "active" and not (delivery.kind == PING and subscription.state != "closed"):
                pass_delivery(delivery, "dropped", now, who=_WHO, why=subscription.state)
                continue
            pass_delivery(delivery, "sending", now, who=_WHO)
            delivery.attempts += 1
            claims.append(_Claim(delivery, subscription, now))
        await session.flush()
        session.expunge_all()
    return claims


async def _carry(claim: _Claim) -> None:
    try:
        outcome = await send(claim.delivery, claim.subscription, claim.now)
    except Exception as error:
        # A delivery that nobody foresaw must not stand in the way of the others.
        log.error("webhook_failed", delivery=claim.delivery.id, error=type(error).__name__)
        outcome = Outcome(reason=f"Erreur inattendue ({type(error).__name__}).")
    async with unit_of_work() as session:
        await _write(session, claim, outcome)


async def _write(session: AsyncSession, claim: _Claim, outcome: Outcome) -> None:
    found = (
        await session.execute(
            select(WebhookDelivery, WebhookSubscription)
            .join(WebhookSubscription, WebhookSubscription.id == WebhookDelivery.subscription_id)
            .where(
                WebhookDelivery.id == claim.delivery.id,
                WebhookDelivery.state == "sending",
                WebhookDelivery.attempts == claim.delivery.attempts,
            )
            .with_for_update()
        )
    ).one_or_none()
    if found is None:
        # Another process took it up meanwhile: it writes what becomes of it.
        return
    delivery, subscription = found
    now = await clock.now(session)
    delivery.status, delivery.reason = outcome.status, outcome.reason
    if outcome.received:
        pass_delivery(delivery, "sent", now, who=_WHO)
        delivery.sent_at = subscription.succeeded_at = now
        subscription.failing_since = None
        return
    log.warning("webhook_not_taken", delivery=delivery.id, attempts=delivery.attempts, status=outcome.status)
    if delivery.kind == PING:
        # Somebody looks at it: it is told at once, and tried no more.
        pass_delivery(delivery, "dead", now, who=_WHO)
        return
    subscription.failing_since = subscription.failing_since or now
    if outcome.status == GONE or delivery.attempts > len(PAUSES):
        pass_delivery(delivery, "dead", now, who=_WHO)
        if subscription.state == "active" and (outcome.status == GONE or subscription.failing_since <= now - LONG):
            await _set_aside(session, subscription, outcome.reason or "")
        return
    pause = PAUSES[delivery.attempts - 1]
    delivery.next_at = now + pause * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads the load
    pass_delivery(delivery, "queued", now, who=_WHO, why=str(outcome.status or ""))


async def _set_aside(session: AsyncSession, subscription: WebhookSubscription, reason: str) -> None:
    """Stop telling an address whose receiver takes nothing, and write so to its contact."""
    pass_subscription(subscription, "failed")
    note_client(session, subscription.client_id, "annuaire", "webhook_failed", {"url": subscription.url})
    name, contact = await client_contact(session, subscription.client_id)
    await mail.queue(
        session,
        kind="search_api.webhook_failed",
        key=f"{subscription.id}:{subscription.version}",
        to=contact,
        template="search/webhook_failed",
        context={"name": name, "url": subscription.url, "reason": reason, "since": subscription.failing_since},
    )


async def tidy(session: AsyncSession) -> int:
    """Erase old deliveries; return how many."""
    now = await clock.now(session)
    over = (WebhookDelivery.state.in_(("sent", "dropped")) & (WebhookDelivery.touched_at < now - KEPT)) | (
        (WebhookDelivery.state == "dead") & (WebhookDelivery.touched_at < now - DEAD_KEPT)
    )
    return len((await session.scalars(delete(WebhookDelivery).where(over).returning(WebhookDelivery.id))).all())
