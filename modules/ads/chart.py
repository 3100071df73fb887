"""A chart of a year, drawn by the server: two bars one on the other for each month."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.ui.filters import MONTHS
from modules.ads.schemas_moderation import Month

WIDTH: Final = 360
HEIGHT: Final = 150
_TOP: Final = 14
_FLOOR: Final = 128
_LEFT: Final = 24
_GAP: Final = 6


@dataclass(frozen=True, slots=True)
class Bar:
    """A month: where it stands, how high each part is, in units of the drawing."""

    x: float
    width: float
    accepted_y: float
    accepted_height: float
    refused_y: float
    refused_height: float
    letter: str
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """What the template draws. `lines`: heights of the rulings and the number that each stands for."""

    width: int
    height: int
    left: int
    floor: int
    bars: Sequence[Bar]
    lines: Sequence[tuple[float, int]]


def chart(months: Sequence[Month]) -> Chart | None:
    """Return the chart of some months; None when nothing was decided in any."""
    most = max((month.decided for month in months), default=0)
    if not most:
        return None
    top = _rounded(most)
    scale = (_FLOOR - _TOP) / top
    step = (WIDTH - _LEFT) / len(months)
    bars = []
    for rank, month in enumerate(months):
        accepted, refused = month.accepted * scale, month.refused * scale
        bars.append(
            Bar(
                x=round(_LEFT + rank * step + _GAP / 2, 1),
                width=round(step - _GAP, 1),
                accepted_y=round(_FLOOR - accepted, 1),
                accepted_height=round(accepted, 1),
                refused_y=round(_FLOOR - accepted - refused, 1),
                refused_height=round(refused, 1),
                letter=MONTHS[month.month.month - 1][0].upper(),
                title=f"{MONTHS[month.month.month - 1]} {month.month.year}",
            )
        )
    lines = [(round(_FLOOR - value * scale, 1), value) for value in sorted({0, top // 2, top})]
    return Chart(WIDTH, HEIGHT, _LEFT, _FLOOR, bars, lines)


def _rounded(most: int) -> int:
    """Return the height of the chart: an even number, with one or two figures that are not zero."""
    unit: int = 10 ** max(0, len(str(most)) - 2)
    return max(2, -(-most // (2 * unit)) * 2 * unit)
