"""Who is to be told: subscriptions whose client may read something new, at most one notice under way for each.

What is new is asked of the feed itself, at the client's level and in its zone, so that a notice tells nothing more
than the feed does.
"""

import uuid
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Select, exists, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import WEBHOOKS, Caller, program
from core import clock
from core.db import unit_of_work
from search_api.fhir import changes, positions
from search_api.fhir.kinds import KINDS, KINDS_OF_TYPE, Kind
from search_api.fhir.outcome import FhirError
from search_api.fhir.positions import Position
from search_api.models_webhooks import WebhookDelivery, WebhookSubscription
from search_api.webhooks.sending import CHANGED
from search_api.webhooks.settings import webhook_settings

PAGES: Final = 20
"""Pages of the feed looked at for a subscription at once: a zone may be told of few changes."""


def kinds_of(types: list[str]) -> tuple[Kind, ...]:
    """Return the kinds that some resource types are made of; all without any."""
    return tuple(kind for name in types for kind in KINDS_OF_TYPE[name]) if types else KINDS


async def look() -> int:
    """Write a notice for each subscription that has something new to read; return how many."""
    async with unit_of_work() as session:
        ids = (await session.scalars(_waiting(await clock.now(session)))).all()
    written = 0
    for one in ids:
        async with unit_of_work() as session:
            written += await _tell(session, one)
    return written


def _waiting(now: datetime) -> Select[int]:
    under_way = exists().where(
        WebhookDelivery.subscription_id == WebhookSubscription.id,
        WebhookDelivery.kind == CHANGED,
        WebhookDelivery.state.in_(("queued", "sending")),
    )
    lately = now - timedelta(seconds=webhook_settings().every_seconds)
    return (
        select(WebhookSubscription.id)
        .where(
            WebhookSubscription.state == "active",
            or_(WebhookSubscription.told_at.is_(None), WebhookSubscription.told_at <= lately),
            ~under_way,
        )
        .order_by(WebhookSubscription.id)
        .limit(10_000)
    )


async def _tell(session: AsyncSession, subscription_id: int) -> bool:
    now = await clock.now(session)
    # Two schedulers may look at once: the second one finds that it was told.
    subscription = await session.scalar(
        select(WebhookSubscription)
        .where(WebhookSubscription.id.in_(_waiting(now)), WebhookSubscription.id == subscription_id)
        .with_for_update(skip_locked=True)
    )
    if subscription is None:
        return False
    caller = await program(session, subscription.client_id)
    if caller is None or WEBHOOKS not in caller.scopes:
        return False
    since = positions.parse(subscription.position)
    head = await positions.head(session, caller.level)
    if head <= since.event:
        return False
    found, seen = await _new(session, caller, since, kinds_of(subscription.types))
    if not found:
        subscription.position = str(seen)
        return False
    uid = uuid.uuid4()
    made = await session.scalar(
        insert(WebhookDelivery)
        .values(
            uid=uid,
            subscription_id=subscription.id,
            kind=CHANGED,
            since=str(since),
            position=str(head),
            history=[{"to": "queued", "at": now.isoformat(), "who": "annuaire"}],
            created_at=now,
            touched_at=now,
            next_at=now,
        )
        .on_conflict_do_nothing(index_elements=["subscription_id", "position"])
        .returning(WebhookDelivery.id)
    )
    subscription.position = str(head)
    subscription.told_at = now
    return made is not None


async def _new(
    session: AsyncSession, caller: Caller, since: Position, kinds: tuple[Kind, ...]
) -> tuple[bool, Position]:
    """Tell whether a client has something to read since a position, and how far that was looked at."""
    for _ in range(PAGES):
        try:
            page = await changes.read(session, caller, since, kinds, 1, "")
        except FhirError:
            # Its position is no longer kept: the feed will tell it to read everything again.
            return True, since
        if page.entries:
            return True, page.position
        since = page.position
        if not page.more:
            break
    return False, since
