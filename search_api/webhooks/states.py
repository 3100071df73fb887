"""States of subscriptions and of deliveries, the passages that are allowed, their French names."""

from datetime import datetime
from typing import Final

from core.errors import Conflict
from search_api.models_webhooks import WebhookDelivery, WebhookSubscription

SUBSCRIPTION: Final = {
    "active": frozenset({"paused", "failed", "closed"}),
    "paused": frozenset({"active", "closed"}),
    # Set aside by itself, after its receiver answered nothing good for long.
    "failed": frozenset({"active", "closed"}),
    "closed": frozenset[str](),
}
DELIVERY: Final = {
    "queued": frozenset({"sending", "dropped"}),
    # What a process that died was sending is taken up again.
    "sending": frozenset({"sending", "queued", "sent", "dead", "dropped"}),
    # On an administrator's order.
    "dead": frozenset({"queued", "dropped"}),
    "sent": frozenset[str](),
    "dropped": frozenset[str](),
}
SUBSCRIPTION_LABELS: Final = {
    "active": "Active",
    "paused": "En pause",
    "failed": "Arrêtée après des échecs",
    "closed": "Supprimée",
}
DELIVERY_LABELS: Final = {
    "queued": "En attente",
    "sending": "En cours d’envoi",
    "sent": "Reçue",
    "dead": "Échouée",
    "dropped": "Abandonnée",
}


def pass_subscription(subscription: WebhookSubscription, state: str) -> None:
    """Change the state of a subscription; its history is that of its client.

    Raises:
        Conflict: the passage is not allowed.
    """
    if state not in SUBSCRIPTION[subscription.state]:
        label = SUBSCRIPTION_LABELS[subscription.state].lower()
        raise Conflict(f"Cette adresse est déjà « {label} » : cela n’est pas possible. Rechargez la page.")
    subscription.state = state
    subscription.version += 1


def pass_delivery(delivery: WebhookDelivery, state: str, now: datetime, *, who: str, why: str = "") -> None:
    """Change the state of a delivery and write it in its history.

    Raises:
        Conflict: the passage is not allowed.
    """
    former = delivery.state
    if state not in DELIVERY[former]:
        raise Conflict(f"Cet envoi est « {DELIVERY_LABELS[former].lower()} » : il ne peut pas être refait.")
    entry = {"from": former, "to": state, "at": now.isoformat(), "who": who}
    delivery.history = [*delivery.history, entry | ({"why": why} if why else {})]
    delivery.state = state
    delivery.touched_at = now
