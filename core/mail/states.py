"""States of a mail, the passages that are allowed, and their French names."""

from datetime import datetime
from typing import Final, Literal

from core.errors import Conflict
from core.models_mail import Mail

State = Literal["queued", "sending", "sent", "failed"]

TRANSITIONS: Final[dict[State, frozenset[State]]] = {
    "queued": frozenset({"sending", "failed"}),
    # A sending whose process died is taken up again; one that the server puts off goes back in the queue.
    "sending": frozenset({"sending", "queued", "sent", "failed"}),
    # On an operator's order.
    "failed": frozenset({"queued"}),
    "sent": frozenset(),
}
LABELS: Final[dict[State, str]] = {
    "queued": "En attente",
    "sending": "En cours d’envoi",
    "sent": "Envoyé",
    "failed": "Échoué",
}


def pass_to(mail: Mail, state: State, now: datetime, *, who: str, why: str = "") -> None:
    """Change the state of a mail and write it in its history.

    Raises:
        Conflict: the passage is not allowed.
    """
    former = state_of(mail)
    if state not in TRANSITIONS[former]:
        raise Conflict(
            f"Ce mail est « {LABELS[former].lower()} » : il ne peut pas devenir « {LABELS[state].lower()} »."
        )
    entry = {"from": former, "to": state, "at": now.isoformat(), "who": who}
    mail.history = [*mail.history, entry | ({"why": why} if why else {})]
    mail.state = state
    mail.touched_at = now


def state_of(mail: Mail) -> State:
    """Return the state of a row, as one of those that we know."""
    for state in TRANSITIONS:
        if state == mail.state:
            return state
    raise ValueError(mail.state)
