"""The typical week of the guided path: lines as typed, checked, and laid out by day."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, time
from typing import Any, Final

from starlette.datastructures import FormData

from directory import describe_rules as rules
from directory.concepts import ConceptIndex
from directory.labels import WEEKDAYS
from directory.models_offer import OpeningSlot
from directory.schemas import SlotIn

KINDS: Final = {
    "07": "Consultation sur rendez-vous",
    "06": "Consultation sans rendez-vous",
    "05": "Visite à domicile",
    "01": "Horaire d’ouverture",
    "04": "Secrétariat",
    "03": "Garde",
    "08": "Fermé",
}
"""Kinds of slots that the path offers (R252), in the order of its lists."""
LINES: Final = 3
"""Lines that a day shows at least."""


def slot_values(slot: OpeningSlot) -> dict[str, Any]:
    """Return a stored slot as the path types it."""
    return {
        "kind": slot.kind,
        "weekday": slot.weekday,
        "opens": slot.opens.strftime("%H:%M"),
        "closes": slot.closes.strftime("%H:%M"),
        "valid_from": slot.valid_from.isoformat() if slot.valid_from else "",
        "valid_to": slot.valid_to.isoformat() if slot.valid_to else "",
    }


def from_form(form: FormData, former: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines that were typed; slots of a period, which the table does not show, stay as they were."""
    lines: list[dict[str, Any]] = [dict(slot) for slot in former if slot.get("valid_from") or slot.get("valid_to")]
    for weekday in range(1, 8):
        columns = (form.getlist(f"{name}.{weekday}") for name in ("kind", "opens", "closes"))
        for kind, opens, closes in zip(*columns, strict=False):
            if opens or closes:
                lines.append({"kind": str(kind), "weekday": weekday, "opens": str(opens), "closes": str(closes)})
    return lines


def week(lines: Sequence[Mapping[str, Any]]) -> list[tuple[int, list[Mapping[str, Any]]]]:
    """Return the lines of each day, filled up with empty ones."""
    days = []
    for weekday in range(1, 8):
        mine = [s for s in lines if s["weekday"] == weekday and not s.get("valid_from") and not s.get("valid_to")]
        blank = {"kind": "07", "weekday": weekday, "opens": "", "closes": ""}
        days.append((weekday, [*mine, *[blank] * max(LINES - len(mine), 1 if mine else LINES)]))
    return days


_TIME = re.compile(r"(\d{1,2})\s*(?:[h:]\s*(\d{2})?)?", re.IGNORECASE)


def read_time(text: str) -> time | None:
    """Return a time of day as people type it (9, 9h30, 09:30); None when it is none."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    return time(hour % 24, minute) if hour <= 24 and minute <= 59 and (hour < 24 or minute == 0) else None


def check_week(lines: Sequence[Mapping[str, Any]], index: ConceptIndex, problems: rules.Problems) -> list[SlotIn]:
    """Return the slots of a week; what is wrong is said at the day."""
    slots: list[SlotIn] = []
    for line in lines:
        opens, closes = read_time(line["opens"]), read_time(line["closes"])
        day = WEEKDAYS[line["weekday"]].capitalize()
        if opens is None or closes is None:
            problems.add(
                f"hours.{line['weekday']}", f"{day} : une heure de début et une heure de fin, par exemple 09:30."
            )
            continue
        try:
            valid_from = date.fromisoformat(line["valid_from"]) if line.get("valid_from") else None
            valid_to = date.fromisoformat(line["valid_to"]) if line.get("valid_to") else None
        except ValueError:
            problems.add("hours", "Une période d’horaires a une date illisible.")
            continue
        slots.append(
            SlotIn(kind=line["kind"], weekday=line["weekday"], opens=opens, closes=closes, valid_from=valid_from,
                   valid_to=valid_to)
        )  # fmt: skip
    for weekday in range(1, 8):
        found = rules.Problems()
        rules.hours([slot for slot in slots if slot.weekday == weekday], index, found)
        for message in found.fields.values():
            problems.add(f"hours.{weekday}", message)
    return slots
