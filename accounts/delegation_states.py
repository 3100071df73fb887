"""The passages that a delegation may make, and who makes them."""

from typing import Final

from core.errors import Conflict

PROFESSIONAL, DELEGATE, CLOCK = "professional", "delegate", "clock"

PASSAGES: Final = {
    ("invited", "accept"): ("accepted", (DELEGATE,)),
    ("invited", "refuse"): ("refused", (DELEGATE,)),
    ("invited", "cancel"): ("ended", (PROFESSIONAL,)),
    ("invited", "expire"): ("expired", (CLOCK,)),
    ("requested", "accept"): ("accepted", (PROFESSIONAL,)),
    ("requested", "refuse"): ("refused", (PROFESSIONAL,)),
    ("requested", "cancel"): ("ended", (DELEGATE,)),
    ("requested", "expire"): ("expired", (CLOCK,)),
    ("accepted", "end"): ("ended", (PROFESSIONAL, DELEGATE)),
}
"""(state, action) → next state, and who may do it. What is not here is refused."""


def next_state(state: str, action: str) -> str:
    """Return the state after an action.

    Raises:
        Conflict: this state does not allow it.
    """
    found = PASSAGES.get((state, action))
    if found is None:
        raise Conflict("Cette délégation a changé entre-temps : rien n’a été modifié. Relisez la page.")
    return found[0]


def may(state: str, action: str, who: str) -> bool:
    """Tell whether one side may do something in a state."""
    found = PASSAGES.get((state, action))
    return found is not None and who in found[1]
