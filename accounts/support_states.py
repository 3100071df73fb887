"""The passages that a request for help may make, and who makes them."""

from typing import Final

from core.errors import Conflict

OPERATOR, PERSON = "operator", "person"

PASSAGES: Final = {
    ("new", "take"): "in_progress",
    ("new", "answer"): "answered",
    ("new", "close"): "closed",
    ("new", "reply"): "new",
    ("in_progress", "answer"): "answered",
    ("in_progress", "close"): "closed",
    ("in_progress", "reply"): "in_progress",
    ("in_progress", "take"): "in_progress",
    ("answered", "answer"): "answered",
    ("answered", "close"): "closed",
    ("answered", "reply"): "reopened",
    ("reopened", "take"): "in_progress",
    ("reopened", "answer"): "answered",
    ("reopened", "close"): "closed",
    ("reopened", "reply"): "reopened",
    ("closed", "reply"): "reopened",
    ("closed", "reopen"): "reopened",
}
"""(state, action) → next state. What is not here is refused."""

WHO: Final = {"take": OPERATOR, "answer": OPERATOR, "close": OPERATOR, "reopen": OPERATOR, "reply": PERSON}


def next_state(state: str, action: str) -> str:
    """Return the state after an action.

    Raises:
        Conflict: this state does not allow it.
    """
    found = PASSAGES.get((state, action))
    if found is None:
        raise Conflict(
            "Cette demande a changé d’état entre-temps : rien n’a été modifié. Relisez-la, puis recommencez."
        )
    return found


def actions(state: str, who: str) -> set[str]:
    """Return what somebody may do to a request in a state."""
    return {action for known, action in PASSAGES if known == state and WHO[action] == who}
