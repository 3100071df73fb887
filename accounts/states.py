"""States of an account and the passages that are allowed."""

from typing import Final, Literal

from accounts.models import Account
from core.errors import Conflict

State = Literal["pending", "active", "closed"]

TRANSITIONS: Final[dict[str, frozenset[State]]] = {
    "pending": frozenset({"active", "closed"}),
    "active": frozenset({"closed"}),
    # What was erased does not come back.
    "closed": frozenset(),
}


def pass_to(account: Account, state: State) -> None:
    """Change the state of an account; the caller writes its history.

    Raises:
        Conflict: the passage is not allowed.
    """
    if state not in TRANSITIONS[account.status]:
        raise Conflict("Ce compte a changé entre-temps : rien n’a été modifié. Rechargez la page.")
    account.status = state
