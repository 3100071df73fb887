"""The hours of the guided path: the draft of the editor of hours, as a value among the others."""

from collections.abc import Mapping
from typing import Any, Final

from directory.days import read_day
from directory.describe_rules import Problems
from directory.hours_draft import HoursDraft, SlotDraft, draft_to_description, errors_of
from directory.hours_kinds import label
from directory.hours_words import HOLIDAY_WORDS
from directory.labels import NBSP, WEEKDAYS, french_date

PREFIX: Final = "hours:"
"""Before the name of an input of the editor, among the messages of the path."""

_EXCEPTIONS: Final = {"leave": "Congés", "absence": "Absence", "closed": "Fermé", "special": "Horaires particuliers"}


def typed(value: Any) -> dict[str, Any]:
    """Return hours as the path keeps them, whatever was given."""
    if isinstance(value, HoursDraft):
        return value.model_dump()
    return HoursDraft.model_validate(value if isinstance(value, Mapping) else {}).model_dump()


def check(value: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """Return what the hours describe; what is wrong is said at the editor's inputs."""
    draft = HoursDraft.model_validate(value)
    errors = errors_of(draft)
    for name, message in errors.items():
        problems.add(f"{PREFIX}{name}", message)
    return {} if errors else draft_to_description(draft).model_dump(exclude_unset=True)


def _time(text: str) -> str:
    hours, colon, minutes = text.partition(":")
    if not (colon and hours.isdecimal() and minutes.isdecimal()):
        return text or "?"
    return f"{int(hours)}{NBSP}h" + (f"{NBSP}{minutes}" if minutes != "00" else "")


def _day(text: str) -> str:
    try:
        return french_date(read_day(text))
    except ValueError:
        return text


def _slot(slot: SlotDraft) -> str:
    text = f"{WEEKDAYS[slot.day].capitalize()} {_time(slot.opens)} – {_time(slot.closes)} : {label(slot.kind).lower()}"
    bounds = [_day(day) for day in (slot.valid_from, slot.valid_to) if day]
    return f"{text} ({' – '.join(bounds)})" if bounds else text


def _ordered(draft: HoursDraft) -> list[SlotDraft]:
    filled = [slot for slot in draft.week if not slot.blank]
    return sorted(filled, key=lambda s: (s.day, s.opens, s.closes, s.kind, s.valid_from, s.valid_to))


def readable(value: Mapping[str, Any]) -> list[str]:
    """Return hours in words: the week, public holidays, exceptions; nothing where there are none."""
    draft = HoursDraft.model_validate(value)
    lines = [_slot(slot) for slot in _ordered(draft)]
    if lines or draft.public_holidays != "closed":
        lines.append(HOLIDAY_WORDS[draft.public_holidays])
    for one in draft.exceptions:
        if not one.blank:
            days = [_day(day) for day in dict.fromkeys((one.starts_on, one.ends_on or one.starts_on))]
            lines.append(f"{_EXCEPTIONS.get(one.kind, one.kind)} : {' – '.join(days)}")
    return lines


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two hours say the same, whatever the order of their rows."""

    def key(value: Mapping[str, Any]) -> Any:
        draft = HoursDraft.model_validate(value)
        exceptions = [each.model_dump() for each in draft.exceptions if not each.blank]
        spans = [span.model_dump() for span in draft.public_holiday_hours if not span.blank]
        week = [slot.model_dump() for slot in _ordered(draft)]
        return week, draft.public_holidays, spans, sorted(exceptions, key=lambda each: str(each))

    return bool(key(one) == key(other))
