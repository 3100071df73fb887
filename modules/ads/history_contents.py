"""Contents that histories remember: what was transmitted, what a council last accepted."""

from collections.abc import Sequence

from pydantic import ValidationError

from modules.ads.models import AdHistory
from modules.ads.schemas import AdContent

_SENT = ("submit", "revise")


def transmitted(lines: Sequence[AdHistory], before: int | None = None) -> AdContent | None:
    """Return what an author last transmitted, before a line when one is named; None when nothing remembers it.

    Args:
        lines: the history of an ad, newest first.
        before: key of a line.
    """
    for line in lines:
        if line.action in _SENT and line.detail is not None and (before is None or line.id < before):
            try:
                return AdContent.model_validate(line.detail)
            except ValidationError:
                return None
    return None


def judged(state: str, now: AdContent, lines: Sequence[AdHistory]) -> tuple[AdContent, bool]:
    """Return what moderators may read of an ad, and whether its author corrects it since.

    Until it is transmitted again, what an author corrects is theirs alone: moderators read what was sent.
    """
    sent = None if state in ("pending", "published") else transmitted(lines)
    if sent is None or sent.digest() == now.digest():
        return now, False
    return sent, True


def accepted(lines: Sequence[AdHistory]) -> AdContent | None:
    """Return what a council last accepted of an ad; None when none ever did."""
    last = next((line for line in lines if line.action == "accept"), None)
    return None if last is None else transmitted(lines, last.id)
