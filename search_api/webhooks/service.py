"""Use cases of administrators on the webhooks of a client. Nothing here commits."""

import uuid
from collections.abc import Collection
from datetime import timedelta
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import WEBHOOKS, Program, note_client, program
from core import clock, internet
from core.errors import Conflict, InvalidInput, NotFound
from search_api.fhir import positions
from search_api.fhir.kinds import KINDS_OF_TYPE
from search_api.models_webhooks import WebhookDelivery, WebhookSubscription
from search_api.webhooks import signing
from search_api.webhooks.sending import PING
from search_api.webhooks.settings import webhook_settings
from search_api.webhooks.states import pass_delivery, pass_subscription

MOST: Final = 10
"""Addresses of a client."""
GRACE: Final = timedelta(days=7)
"""How long deliveries bear the signature of the former secret too."""
PINGS: Final = timedelta(seconds=5)
"""Between two trials of an address."""
STALE: Final = "Cette adresse a changé pendant que vous la regardiez : rien n’a été modifié. Rechargez la page."
ACTIONS: Final = {
    "webhook_added": "Adresse de webhook ajoutée",
    "webhook_rotated": "Secret de webhook changé",
    "webhook_paused": "Webhook mis en pause",
    "webhook_active": "Webhook repris",
    "webhook_closed": "Webhook supprimé",
    "webhook_failed": "Webhook arrêté après des échecs",
    "webhook_replayed": "Notification renvoyée",
}


async def add(
    session: AsyncSession, owner: Program, url: str, types: Collection[str], reference: uuid.UUID, actor: str
) -> tuple[WebhookSubscription, str]:
    """Add an address to a client, told of what changes from now on; return it with its secret.

    Raises:
        InvalidInput: the address is refused, or there are too many.
        Conflict: the client may not be told of anything, or the form was sent already.
    """
    caller = await program(session, owner.id)
    if caller is None or WEBHOOKS not in caller.scopes:
        raise Conflict("Cette application n’a pas la portée « webhooks », ou son accès n’est pas en cours.")
    known = await session.scalar(select(WebhookSubscription.id).where(WebhookSubscription.uid == reference))
    if known is not None:
        raise Conflict(
            "Ce formulaire avait déjà été envoyé : l’adresse est ajoutée. Changez son secret s’il est perdu."
        )
    internet.read(url, local=webhook_settings().local)
    unknown = [name for name in types if name not in KINDS_OF_TYPE]
    if unknown:
        raise InvalidInput(
            "Choisissez parmi les types proposés.", fields={"type": "Choisissez parmi les types proposés."}
        )
    number = await session.scalar(
        select(func.count())
        .select_from(WebhookSubscription)
        .where(WebhookSubscription.client_id == owner.id, WebhookSubscription.state != "closed")
    )
    if (number or 0) >= MOST:
        message = f"Cette application a déjà {MOST} adresses : supprimez-en une d’abord."
        raise InvalidInput(message, fields={"adresse": message})
    made = WebhookSubscription(
        uid=reference,
        client_id=owner.id,
        url=url.strip(),
        types=[name for name in KINDS_OF_TYPE if name in types] if len(set(types)) < len(KINDS_OF_TYPE) else [],
        position=str(await positions.head(session, caller.level)),
    )
    session.add(made)
    await session.flush()
    await session.refresh(made)
    note_client(session, owner.id, actor, "webhook_added", {"url": made.url})
    return made, signing.secret_of(made)


async def rotate(
    session: AsyncSession, owner: Program, uid: uuid.UUID, version: int, actor: str
) -> tuple[WebhookSubscription, str]:
    """Give an address a new secret; for a week, messages are signed with the former one too.

    Raises:
        NotFound: the client has no such address.
        Conflict: it changed meanwhile, or is deleted.
    """
    found = await _lock(session, owner, uid, version)
    found.generation += 1
    found.former_until = await clock.now(session) + GRACE
    found.version += 1
    note_client(session, owner.id, actor, "webhook_rotated", {"url": found.url})
    return found, signing.secret_of(found)


async def change_state(
    session: AsyncSession, owner: Program, uid: uuid.UUID, version: int, state: str, actor: str
) -> None:
    """Pause an address, take it up again, or delete it; what waits for a deleted one is dropped.

    Raises:
        NotFound: the client has no such address, or the state is not one of ours.
        Conflict: it changed meanwhile, or the passage is not allowed.
    """
    if state not in ("active", "paused", "closed"):
        raise NotFound("Cette action est inconnue.")
    found = await _lock(session, owner, uid, version)
    pass_subscription(found, state)
    if state == "active":
        found.failing_since = found.told_at = None
    note_client(session, owner.id, actor, f"webhook_{state}", {"url": found.url})
    if state == "closed":
        now = await clock.now(session)
        waiting = await session.scalars(
            select(WebhookDelivery)
            .where(WebhookDelivery.subscription_id == found.id, WebhookDelivery.state.in_(("queued", "dead")))
            .order_by(WebhookDelivery.id)
            .with_for_update()
        )
        for delivery in waiting:
            pass_delivery(delivery, "dropped", now, who=actor, why="closed")


async def ping(session: AsyncSession, owner: Program, uid: uuid.UUID) -> int:
    """Write a message of trial for an address; return its key, for it to be sent at once.

    Raises:
        NotFound: the client has no such address.
        Conflict: it is deleted, or was just tried.
    """
    found = await _find(session, owner, uid)
    if found.state == "closed":
        raise Conflict("Cette adresse est supprimée.")
    now = await clock.now(session)
    # Two clicks at once wait for each other here.
    await session.execute(
        update(WebhookSubscription).where(WebhookSubscription.id == found.id).values(url=WebhookSubscription.url)
    )
    lately = await session.scalar(
        select(WebhookDelivery.id)
        .where(
            WebhookDelivery.subscription_id == found.id,
            WebhookDelivery.kind == PING,
            WebhookDelivery.created_at > now - PINGS,
        )
        .limit(1)
    )
    if lately is not None:
        raise Conflict("Cette adresse vient d’être essayée : attendez quelques secondes.")
    made = WebhookDelivery(
        uid=uuid.uuid4(),
        subscription_id=found.id,
        kind=PING,
        history=[{"to": "queued", "at": now.isoformat(), "who": "essai"}],
        created_at=now,
        touched_at=now,
        next_at=now,
    )
    session.add(made)
    await session.flush()
    return made.id


async def replay(session: AsyncSession, owner: Program, delivery_uid: uuid.UUID, actor: str) -> int:
    """Put a dead delivery back in the queue, under the same identifier; return its key.

    Raises:
        NotFound: the client has no such delivery.
        Conflict: it is not dead, or its address is not active.
    """
    row = (
        await session.execute(
            select(WebhookDelivery, WebhookSubscription)
            .join(WebhookSubscription, WebhookSubscription.id == WebhookDelivery.subscription_id)
            .where(WebhookDelivery.uid == delivery_uid, WebhookSubscription.client_id == owner.id)
            .with_for_update(of=WebhookDelivery)
        )
    ).one_or_none()
    if row is None:
        raise NotFound("Cet envoi n’existe pas.")
    delivery, subscription = row
    if subscription.state != "active":
        raise Conflict("Cette adresse n’est pas active : reprenez-la d’abord.")
    now = await clock.now(session)
    pass_delivery(delivery, "queued", now, who=actor)
    delivery.attempts, delivery.next_at = 0, now
    note_client(session, owner.id, actor, "webhook_replayed", {"url": subscription.url})
    key: int = delivery.id
    return key


async def _find(session: AsyncSession, owner: Program, uid: uuid.UUID) -> WebhookSubscription:
    found = await session.scalar(
        select(WebhookSubscription).where(WebhookSubscription.uid == uid, WebhookSubscription.client_id == owner.id)
    )
    if found is None:
        raise NotFound("Cette adresse n’existe pas.")
    return found


async def _lock(session: AsyncSession, owner: Program, uid: uuid.UUID, version: int) -> WebhookSubscription:
    await _find(session, owner, uid)
    found = await session.scalar(
        select(WebhookSubscription)
        .where(WebhookSubscription.uid == uid)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    assert found is not None  # noqa: S101 - rows are never deleted
    if found.version != version:
        raise Conflict(STALE)
    return found
