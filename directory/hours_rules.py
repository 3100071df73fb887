"""Rules of hours: each broken one is a French message that names the day and the slot, at its field.

Fields are named after the description: `hours.3.closes` is the end of its fourth slot, `exceptions.0.slots.1.opens`
the beginning of the second slot of its first exception.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from directory import phones
from directory.describe_rules import Problems, cleaned
from directory.hours import DAY
from directory.hours_kinds import KINDS, NIGHT_KINDS
from directory.hours_words import clock
from directory.labels import WEEKDAYS, french_date
from directory.schemas import OfferDescription
from directory.schemas_hours import ExceptionIn, SlotIn, SpanIn

SLOTS_MAX = 200
DAY_MAX = 12
"""Slots of one day, which nobody needs."""
EXCEPTIONS_MAX = 60
NIGHT_HOURS = 12
YEARS_MAX = 2
NAME_MAX = 120
_FIRST, _LAST = date(2000, 1, 1), date(2199, 12, 31)
_MONDAY = date(2001, 1, 1)

Named = tuple[str, str]
"""Where a message goes, and how the slot is called in it."""


@dataclass(frozen=True, slots=True)
class CheckedHours:
    """Hours ready to store; None for what the description left out."""

    week: list[SlotIn] | None
    exceptions: list[ExceptionIn] | None
    holiday_hours: list[SpanIn] | None


def _span(span: SlotIn | SpanIn, named: Named, problems: Problems) -> bool:
    """Refuse an unknown kind, seconds, an empty or an inverted slot; tell whether the times can be compared."""
    field, name = named
    if span.kind not in KINDS:
        problems.add(f"{field}.kind", f"{name} : type de plage horaire inconnu ({span.kind[:10]}).")
    if any(at.second or at.microsecond or at.tzinfo for at in (span.opens, span.closes)):
        problems.add(f"{field}.opens", f"{name} : les heures s’écrivent en heures et minutes, par exemple 09:30.")
        return False
    if span.opens == span.closes and span.opens != time(0):
        problems.add(
            f"{field}.closes",
            f"{name} : la plage commence et finit à la même heure ({clock(span.opens)}). "
            "Pour 24 heures, écrivez de 00:00 à 00:00.",
        )
        return False
    if time(0) != span.closes < span.opens and span.kind in NIGHT_KINDS and _hours(span) > NIGHT_HOURS:
        problems.add(
            f"{field}.closes",
            f"{name} : la fin ({clock(span.closes)}) précède le début ({clock(span.opens)}). "
            f"Une plage qui passe minuit dure {NIGHT_HOURS} heures au plus.",
        )
        return False
    return True


def _hours(span: SlotIn | SpanIn) -> float:
    start, end = _on(span, _MONDAY)
    return (end - start) / timedelta(hours=1)


def _on(span: SlotIn | SpanIn, day: date) -> tuple[datetime, datetime]:
    start, end = datetime.combine(day, span.opens), datetime.combine(day, span.closes)
    return start, end if end > start else end + DAY


def _clash(
    kept: Sequence[tuple[SlotIn | SpanIn, Named, tuple[datetime, datetime]]], what: str, problems: Problems
) -> None:
    """Refuse the second of two slots of the same kind that overlap."""
    before: tuple[SlotIn | SpanIn, Named, tuple[datetime, datetime]] | None = None
    for one in sorted(kept, key=lambda item: item[2]):
        if before is not None and one[2][0] < before[2][1]:
            other = before[0]
            problems.add(
                f"{one[1][0]}.opens",
                f"{one[1][1]} : elle chevauche une autre plage{what} du même type "
                f"({clock(other.opens)} – {clock(other.closes)}).",
            )
        if before is None or one[2][1] > before[2][1]:
            before = one


def _period(start: date | None, end: date | None, field: str, name: str, problems: Problems) -> bool:
    for key, day in (("valid_from", start), ("valid_to", end)):
        if day is not None and not _FIRST <= day <= _LAST:
            problems.add(f"{field}.{key}", f"{name} : cette date est trop lointaine.")
            return False
    if start is not None and end is not None and end < start:
        problems.add(f"{field}.valid_to", f"{name} : la période finit avant de commencer.")
        return False
    return True


def week(given: Sequence[SlotIn], problems: Problems) -> list[SlotIn]:
    """Return the slots of the typical week in order."""
    if len(given) > SLOTS_MAX:
        problems.add("hours", f"Pas plus de {SLOTS_MAX} plages horaires.")
        return []
    numbers: dict[tuple[int, date | None, date | None], int] = {}
    kept: dict[tuple[str, date | None, date | None], list[tuple[SlotIn | SpanIn, Named, tuple[datetime, datetime]]]]
    kept = {}
    for index, slot in enumerate(given):
        group = (slot.weekday, slot.valid_from, slot.valid_to)
        numbers[group] = numbers.get(group, 0) + 1
        name = f"{WEEKDAYS[slot.weekday].capitalize()}, plage {numbers[group]}"
        named = (f"hours.{index}", name)
        if numbers[group] == DAY_MAX + 1:
            problems.add(f"hours.{index}.opens", f"{name} : pas plus de {DAY_MAX} plages par jour.")
        held = _period(slot.valid_from, slot.valid_to, named[0], name, problems)
        if _span(slot, named, problems) and held:
            key = (slot.kind, slot.valid_from, slot.valid_to)
            interval = _on(slot, _MONDAY + DAY * (slot.weekday - 1))
            kept.setdefault(key, []).append((slot, named, interval))
            if interval[1] > datetime.combine(_MONDAY + DAY * 7, time(0)):
                # The night from Sunday to Monday goes on at the beginning of the week.
                back = (interval[0] - DAY * 7, interval[1] - DAY * 7)
                kept[key].append((slot, named, back))
    for slots in kept.values():
        _clash(slots, "", problems)
    return sorted(given, key=lambda s: (s.valid_from or date.min, s.weekday, s.opens, s.closes, s.kind))


def spans(given: Sequence[SpanIn], field: str, name: Callable[[int], str], problems: Problems) -> list[SpanIn]:
    """Return the slots of one day in order."""
    if len(given) > DAY_MAX:
        problems.add(f"{field}.{DAY_MAX}.opens", f"{name(DAY_MAX + 1)} : pas plus de {DAY_MAX} plages par jour.")
        return []
    kept: dict[str, list[tuple[SlotIn | SpanIn, Named, tuple[datetime, datetime]]]] = {}
    for index, span in enumerate(given):
        named = (f"{field}.{index}", name(index + 1))
        if _span(span, named, problems):
            kept.setdefault(span.kind, []).append((span, named, _on(span, _MONDAY)))
    for slots in kept.values():
        _clash(slots, " de ce jour", problems)
    return sorted(given, key=lambda s: (s.opens, s.closes, s.kind))


def holidays(description: OfferDescription, problems: Problems) -> list[SpanIn]:
    """Return the hours of public holidays; only an offer that keeps hours of its own on them has some."""
    if description.public_holidays != "hours":
        return []
    given = description.public_holiday_hours or []
    if not given:
        problems.add(
            "public_holidays",
            "Jours fériés : ajoutez au moins une plage horaire, ou choisissez « Fermé » ou « Ouvert ».",
        )
    return spans(given, "public_holiday_hours", lambda number: f"Jours fériés, plage {number}", problems)


def exceptions(given: Sequence[ExceptionIn], problems: Problems) -> list[ExceptionIn]:
    """Return exceptions ready to store, in order: dates, hours, replacement, and no contradiction between two."""
    if len(given) > EXCEPTIONS_MAX:
        problems.add("exceptions", f"Pas plus de {EXCEPTIONS_MAX} fermetures et horaires particuliers.")
        return []
    checked = [_exception(one, index, problems) for index, one in enumerate(given)]
    for index, one in enumerate(checked):
        other = next((o for o in checked[:index] if _contradict(one, o)), None)
        if other is not None:
            problems.add(
                f"exceptions.{index}.starts_on",
                f"Exception {index + 1} : elle contredit celle du {french_date(other.starts_on)} aux mêmes dates. "
                "Une exception peut tenir tout entière dans une plus longue, et l’emporte alors ; sinon, séparez-les.",
            )
    return sorted(checked, key=lambda e: (e.starts_on, e.ends_on or e.starts_on))


def _exception(one: ExceptionIn, index: int, problems: Problems) -> ExceptionIn:
    field, name = f"exceptions.{index}", f"Exception {index + 1}"
    end = one.ends_on or one.starts_on
    if not (_FIRST <= one.starts_on <= _LAST and _FIRST <= end <= _LAST):
        problems.add(f"{field}.starts_on", f"{name} : cette date est trop lointaine.")
    elif end < one.starts_on:
        problems.add(f"{field}.ends_on", f"{name} : elle finit avant de commencer.")
    elif (end - one.starts_on).days > YEARS_MAX * 366:
        problems.add(
            f"{field}.ends_on",
            f"{name} : elle dure plus de {YEARS_MAX} ans. Une fermeture aussi longue se dit par la date de fermeture.",
        )
    held: list[SpanIn] = []
    if one.kind == "special":
        if not one.slots:
            problems.add(f"{field}.kind", f"{name} : ajoutez au moins une plage, ou choisissez « Fermé ».")
        held = spans(one.slots, f"{field}.slots", lambda number: f"{name}, plage {number}", problems)
    away = one.kind in ("leave", "absence")
    replacement = cleaned(one.replacement) if away else None
    if replacement and len(replacement) > NAME_MAX:
        problems.add(f"{field}.replacement", f"{name} : le nom du remplaçant tient en {NAME_MAX} caractères.")
    typed = cleaned(one.replacement_phone) if away else None
    phone = phones.stored(typed) if typed else None
    if typed and phone is None:
        problems.add(
            f"{field}.replacement_phone",
            f"{name} : le téléphone du remplaçant s’écrit en 10 chiffres, par exemple 01 99 00 12 34.",
        )
    return ExceptionIn(
        kind=one.kind, starts_on=one.starts_on, ends_on=end, slots=held, replacement=replacement,
        replacement_phone=phone,
    )  # fmt: skip


def _contradict(one: ExceptionIn, other: ExceptionIn) -> bool:
    """Two exceptions that overlap without one holding the other, unless both close; the same dates twice."""
    a, b = (one.starts_on, one.ends_on or one.starts_on), (other.starts_on, other.ends_on or other.starts_on)
    if a == b:
        return True
    if a[0] > b[1] or b[0] > a[1] or "special" not in (one.kind, other.kind):
        return False
    return not (a[0] <= b[0] and b[1] <= a[1]) and not (b[0] <= a[0] and a[1] <= b[1])
