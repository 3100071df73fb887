"""States of an export and the passages that are allowed."""

from datetime import datetime, timedelta
from typing import Final, Literal

from core.errors import Conflict
from search_api.models_export import Export

State = Literal["asked", "running", "ready", "failed", "cancelled", "expired"]

TRANSITIONS: Final[dict[str, frozenset[State]]] = {
    "asked": frozenset({"running", "failed", "cancelled"}),
    # A work whose process died is taken up again.
    "running": frozenset({"running", "ready", "failed", "cancelled"}),
    "ready": frozenset({"cancelled", "expired"}),
    "failed": frozenset({"cancelled", "expired"}),
    "cancelled": frozenset(),
    "expired": frozenset(),
}
OPEN: Final[tuple[State, ...]] = ("asked", "running")
WAITED: Final = timedelta(minutes=1)
"""An export that no one took up after this: its message was lost, or the others come first."""
SILENT: Final = timedelta(minutes=5)
"""A work that said nothing for so long: its process is probably dead."""


def pass_to(export: Export, state: State, now: datetime, why: str) -> None:
    """Change the state of an export and write it in its history.

    Raises:
        Conflict: the passage is not allowed.
    """
    if state not in TRANSITIONS[export.state]:
        raise Conflict(f"Cette extraction ne peut plus changer d’état ({export.state} → {state}).")
    export.history = [*export.history, {"from": export.state, "to": state, "at": now.isoformat(), "why": why}]
    export.state = state
    export.touched_at = now


def stalled(export: Export, now: datetime) -> bool:
    """Tell whether a work that was taken up says nothing any more."""
    return export.state == "running" and now - export.touched_at > SILENT
