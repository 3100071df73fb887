"""The passages that an ad may make, and who makes them."""

from typing import Final, Literal

from core.errors import Conflict

State = Literal["draft", "pending", "published", "unpublished", "refused", "deleted"]
Action = Literal[
    "create",
    "submit",
    "revise",
    "accept",
    "refuse",
    "extend",
    "unpublish",
    "republish",
    "expire",
    "suspend",
    "delete",
    "purge",
]

AUTHOR, MODERATOR, CLOCK = "author", "moderator", "clock"

PASSAGES: Final[dict[tuple[State, Action], State]] = {
    ("draft", "submit"): "pending",
    ("draft", "delete"): "deleted",
    ("draft", "purge"): "deleted",
    ("pending", "accept"): "published",
    ("pending", "refuse"): "refused",
    ("pending", "expire"): "unpublished",
    ("pending", "suspend"): "unpublished",
    ("pending", "delete"): "deleted",
    ("published", "revise"): "pending",
    ("published", "extend"): "published",
    ("published", "unpublish"): "unpublished",
    ("published", "expire"): "unpublished",
    ("published", "suspend"): "unpublished",
    ("published", "refuse"): "refused",
    ("published", "delete"): "deleted",
    ("unpublished", "extend"): "unpublished",
    ("unpublished", "republish"): "published",
    ("unpublished", "submit"): "pending",
    ("unpublished", "delete"): "deleted",
    ("unpublished", "purge"): "deleted",
    ("refused", "submit"): "pending",
    ("refused", "delete"): "deleted",
    ("refused", "purge"): "deleted",
}
"""(state, action) → next state. What is not here is refused; a deleted ad keeps its number and nothing else."""

WHO: Final[dict[Action, str]] = {
    "create": AUTHOR,
    "submit": AUTHOR,
    "revise": AUTHOR,
    "accept": MODERATOR,
    "refuse": MODERATOR,
    "extend": AUTHOR,
    "unpublish": AUTHOR,
    "republish": AUTHOR,
    "expire": CLOCK,
    "suspend": CLOCK,
    "delete": AUTHOR,
    "purge": CLOCK,
}

WRITABLE: Final[frozenset[State]] = frozenset({"draft", "published", "unpublished", "refused"})
"""States in which the author may change the content; that of a published ad goes through moderation again."""

_REFUSALS: Final[dict[State, str]] = {
    "draft": "Cette annonce est un brouillon : transmettez-la d’abord au conseil.",
    "pending": "Cette annonce est en attente de vérification par le conseil : elle ne peut pas être modifiée.",
    "published": "Cette annonce est publiée : cette action n’est pas possible.",
    "unpublished": "Cette annonce n’est plus publiée : cette action n’est pas possible.",
    "refused": "Cette annonce a été refusée : corrigez-la, puis proposez-la de nouveau.",
    "deleted": "Cette annonce a été supprimée.",
}


def next_state(state: State, action: Action) -> State:
    """Return the state after an action.

    Raises:
        Conflict: this state does not allow it.
    """
    found = PASSAGES.get((state, action))
    if found is None:
        raise refusal(state)
    return found


def refusal(state: State) -> Conflict:
    """Return the error that says why a state does not allow what was asked."""
    return Conflict(f"{_REFUSALS[state]} Rien n’a été modifié.")


def actions(state: State, who: str) -> set[Action]:
    """Return what somebody may do to an ad in a state."""
    return {action for known, action in PASSAGES if known == state and WHO[action] == who}
