"""Hours in words: those of a special period, the same on the page and on paper, and those of a card."""

from collections.abc import Sequence
from datetime import time
from itertools import groupby
from typing import Final

from core.ui.filters import hour, lower_first, upper_first, weekday
from directory.api import Slot, SpecialPeriod, span_label

CLOSED: Final = "R252|08"
DAY: Final = 1440
"""Minutes of a day."""


def opening(
    open_now: bool | None, minute: int, upcoming: int | None, asked: int | None, span: Sequence[int] | None
) -> str | None:
    """Return what a card says of hours; None when none are known.

    Args:
        open_now: whether it is open at `minute`, None when no hours are known.
        minute: the present minute of the week, Monday 0:00 = 0, where the offer is.
        upcoming: the minute of the week at which it opens next.
        asked: the minute of the week that the search asks for.
        span: when it opens and closes around `asked`; None when it is closed then.
    """
    if open_now is None:
        return None
    # A search for « maintenant » may be read a minute before its answer.
    if asked is not None and span is not None and not (open_now and abs(asked - minute) < 2):
        opens, closes = span
        words = "en continu" if closes - opens >= DAY else span_label(_time(opens), _time(closes))
        return f"ouvert {weekday(asked // DAY + 1)} à {hour(_time(asked))} ({words})"
    if open_now:
        return "ouvert maintenant"
    # What is past today does not tell the same day of the coming week.
    if upcoming is None or (upcoming < minute and upcoming // DAY == minute // DAY):
        return "fermé pour l’instant"
    ahead = (upcoming // DAY - minute // DAY) % 7
    day = ("", "demain ")[ahead] if ahead < 2 else f"{weekday(upcoming // DAY + 1)} "
    return f"fermé, ouvre {day}à {hour(_time(upcoming))}"


def _time(minute: int) -> time:
    return time(minute % DAY // 60, minute % 60)


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
