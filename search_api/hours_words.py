"""Hours of a special period in words, the same on the page and on paper."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from core.ui.filters import lower_first, upper_first, weekday
from directory.api import Slot, SpecialPeriod

CLOSED: Final = "R252|08"


def special_lines(period: SpecialPeriod) -> list[str]:
    """Return a line for each run of days that are alike: « Lundi à vendredi : fermé »."""
    days = [(day.weekday, _slots(day.slots)) for day in period.days if day.slots]
    lines = []
    # Days that follow each other without a hole share rank minus number.
    for (_, words), found in groupby(enumerate(days), key=lambda item: (item[1][0] - item[0], item[1][1])):
        numbers = [number for _, (number, _) in found]
        names = upper_first(weekday(numbers[0]))
        if len(numbers) == 7:
            names = "Tous les jours"
        elif len(numbers) > 1:
            names += f" à {weekday(numbers[-1])}"
        lines.append(f"{names} : {words}")
    return lines


def _slots(slots: Sequence[Slot]) -> str:
    return ", ".join(_slot(slot) for slot in slots)


def _slot(slot: Slot) -> str:
    if slot.kind.code == CLOSED:
        return "fermé" if slot.opens == slot.closes else f"fermé {slot.label}"
    return f"{lower_first(slot.kind.label)} {slot.label}"
