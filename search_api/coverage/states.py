"""States of a report, the passages that are allowed, and their French names."""

from datetime import datetime, timedelta
from typing import Final

from core.errors import Conflict
from search_api.coverage.schemas import State
from search_api.models_coverage import CoverageReport

TRANSITIONS: Final[dict[State, frozenset[State]]] = {
    "asked": frozenset({"running", "failed"}),
    # A work whose process died is taken up again.
    "running": frozenset({"running", "ready", "failed"}),
    "failed": frozenset({"asked"}),
    # Its files are gone, as after a database restored without them.
    "ready": frozenset({"asked"}),
}
LABELS: Final[dict[State, str]] = {"asked": "Demandé", "running": "En cours", "ready": "Prêt", "failed": "Échoué"}
WAITED: Final = timedelta(minutes=1)
"""A report that no one took up after this: the worker is probably down."""
SILENT: Final = timedelta(minutes=5)
"""A work that said nothing for so long: its process is probably dead."""


def pass_to(report: CoverageReport, state: State, now: datetime, why: str) -> None:
    """Change the state of a report and write it in its history.

    Raises:
        Conflict: the passage is not allowed.
    """
    if state not in TRANSITIONS[_state(report)]:
        raise Conflict(f"Ce rapport est « {LABELS[_state(report)].lower()} » : il ne peut pas devenir « {state} ».")
    report.history = [
        *report.history,
        {"from": report.state, "to": state, "at": now.isoformat(), "why": why},
    ]
    report.state = state
    report.touched_at = now


def _state(report: CoverageReport) -> State:
    for state in TRANSITIONS:
        if state == report.state:
            return state
    raise ValueError(report.state)


def stalled(report: CoverageReport, now: datetime) -> bool:
    """Tell whether nothing moves any more: never taken up, or silent for too long."""
    quiet = now - report.touched_at
    return (report.state == "asked" and quiet > WAITED) or (report.state == "running" and quiet > SILENT)
