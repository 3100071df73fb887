"""States of a client and the passages that are allowed; each passage is a line of its history."""

from typing import Final, Literal

from core.errors import Conflict

Status = Literal["active", "suspended", "closed"]

TRANSITIONS: Final[dict[Status, frozenset[Status]]] = {
    "active": frozenset({"suspended", "closed"}),
    "suspended": frozenset({"active", "closed"}),
    # Its keys and its history stay, so that nobody takes its name for a new one.
    "closed": frozenset(),
}
LABELS: Final[dict[Status, str]] = {"active": "Active", "suspended": "Suspendue", "closed": "Fermée"}
ACTIONS: Final[dict[Status, str]] = {"active": "resumed", "suspended": "suspended", "closed": "closed"}
"""What the history says of a passage to each state."""


def passage(former: str, wanted: str) -> Status:
    """Return the state to pass to.

    Raises:
        Conflict: the passage is not allowed.
    """
    for status, others in TRANSITIONS.items():
        if status == former:
            for other in others:
                if other == wanted:
                    return other
    shown = LABELS.get(former, former).lower()  # type: ignore[call-overload]
    raise Conflict(f"Cette application est {shown} : cela n’est pas possible. Rechargez la page.")
