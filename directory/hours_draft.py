"""Hours as a person is typing them: read from a form, kept as a draft, checked, made a description.

A draft holds texts as they were typed, right or wrong, so that nothing is lost between two pages; it is JSON.
Inputs are named after their rows: `h-3-de` is the beginning of the fourth slot of the week, `f-0-a` the end of the
first slot of public holidays, `e-1-du` the first day of the second exception, `e-1-h-0-de` the beginning of its
first slot. Errors are by input.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, time
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from core.errors import InvalidInput
from directory import hours_rules
from directory.days import EXAMPLE, calendar_day, read_day
from directory.describe_rules import Problems
from directory.hours import Timetable
from directory.labels import WEEKDAYS
from directory.schemas import OfferDescription
from directory.schemas_hours import ExceptionIn, HolidayChoice, SlotIn, SpanIn

TEXT_MAX = 120
ROWS_MAX = 240
"""Rows that a form may send of each sort: more than the rules admit, so that the rules say it."""
HOLIDAYS: Final[tuple[HolidayChoice, ...]] = ("closed", "open", "hours")
EXCEPTIONS = ("leave", "absence", "closed", "special")


class _Typed(BaseModel):
    model_config = ConfigDict(extra="ignore")


class SpanDraft(_Typed):
    """A slot as typed."""

    kind: str = "07"
    opens: str = ""
    closes: str = ""

    @property
    def blank(self) -> bool:
        """Tell whether nothing was typed."""
        return not (self.opens or self.closes)


class SlotDraft(SpanDraft):
    """A slot of the typical week as typed; a period, if any, was given elsewhere and is kept."""

    day: int = Field(ge=1, le=7)
    valid_from: str = ""
    valid_to: str = ""


class ExceptionDraft(_Typed):
    """A closing or special hours as typed."""

    kind: str = "leave"
    starts_on: str = ""
    ends_on: str = ""
    replacement: str = ""
    replacement_phone: str = ""
    slots: list[SpanDraft] = []

    @property
    def blank(self) -> bool:
        """Tell whether nothing was typed."""
        texts = (self.starts_on, self.ends_on, self.replacement, self.replacement_phone)
        return not any(texts) and all(slot.blank for slot in self.slots)


class HoursDraft(_Typed):
    """The hours of an offer as typed."""

    week: list[SlotDraft] = []
    public_holidays: HolidayChoice = "closed"
    public_holiday_hours: list[SpanDraft] = []
    exceptions: list[ExceptionDraft] = []


Pairs = Iterable[tuple[str, Any]]
Errors = dict[str, str]

_NAME = re.compile(r"(?P<list>[hfe])-(?P<row>\d{1,4})-(?:h-(?P<inner>\d{1,4})-)?(?P<field>[a-z]+)")
_SPAN_FIELDS = {"type": "kind", "de": "opens", "a": "closes"}
_FIELDS = {
    "h": _SPAN_FIELDS | {"jour": "day", "du": "valid_from", "au": "valid_to"},
    "f": _SPAN_FIELDS,
    "e": {
        "type": "kind",
        "du": "starts_on",
        "au": "ends_on",
        "remplacant": "replacement",
        "telephone": "replacement_phone",
    },
}
_DAYS = ("valid_from", "valid_to", "starts_on", "ends_on")


def pairs_of(form: Any) -> list[tuple[str, str]]:
    """Return the texts of a form (Starlette's or pairs), files left out."""
    items: Pairs = form.multi_items() if hasattr(form, "multi_items") else form
    return [(name, value) for name, value in items if isinstance(value, str)]


def read_form(form: Any, *, keep_blank: bool) -> HoursDraft:
    """Return what a form holds, rows in order; rows left blank are dropped unless a button added them."""
    rows: dict[str, dict[int, dict[str, Any]]] = {"h": {}, "f": {}, "e": {}}
    holidays: HolidayChoice = "closed"
    for name, value in pairs_of(form):
        text = value.strip()[:TEXT_MAX]
        if name == "feries":
            holidays = next((choice for choice in HOLIDAYS if choice == text), "closed")
        found = _NAME.fullmatch(name)
        if found is None:
            continue
        row = rows[found["list"]].setdefault(int(found["row"]), {})
        if found["inner"] is None and (known := _FIELDS[found["list"]].get(found["field"])):
            row[known] = calendar_day(text) if known in _DAYS else text
        elif found["list"] == "e" and found["inner"] is not None and (known := _SPAN_FIELDS.get(found["field"])):
            row.setdefault("inner", {}).setdefault(int(found["inner"]), {})[known] = text

    def ordered(given: Mapping[int, dict[str, Any]]) -> list[dict[str, Any]]:
        return [given[index] for index in sorted(given)][:ROWS_MAX]

    def spans(given: Mapping[int, dict[str, Any]]) -> list[SpanDraft]:
        found = [SpanDraft(**row) for row in ordered(given)]
        return [one for one in found if keep_blank or not one.blank]

    week = [SlotDraft(**row) for row in ordered(rows["h"]) if row.get("day", "") in set("1234567")]
    exceptions = [ExceptionDraft(**row, slots=spans(row.pop("inner", {}))) for row in ordered(rows["e"])]
    return HoursDraft(
        week=[one for one in week if keep_blank or not one.blank],
        public_holidays=holidays,
        public_holiday_hours=spans(rows["f"]),
        exceptions=[one for one in exceptions if keep_blank or not one.blank],
    )


def parse_hours_form(form: Any) -> tuple[HoursDraft, Errors]:
    """Return the draft that a form holds and the French messages by input; none when it can be published."""
    draft = read_form(form, keep_blank=False)
    return draft, errors_of(draft)


def draft_of(table: Timetable, today: date) -> HoursDraft:
    """Return the hours of an offer as a draft to change; exceptions that are over stay in the history alone."""

    def typed(kind: str, opens: time, closes: time) -> dict[str, str]:
        return {"kind": kind, "opens": f"{opens:%H:%M}", "closes": f"{closes:%H:%M}"}

    return HoursDraft(
        week=[
            SlotDraft(
                **typed(line.kind, line.opens, line.closes),
                day=line.weekday,
                valid_from=line.valid_from.isoformat() if line.valid_from else "",
                valid_to=line.valid_to.isoformat() if line.valid_to else "",
            )
            for line in sorted(table.lines, key=lambda s: (s.weekday, s.opens, s.closes))
            if line.valid_to is None or line.valid_to >= today
        ],
        public_holidays=table.holidays,
        public_holiday_hours=[SpanDraft(**typed(s.kind, s.opens, s.closes)) for s in table.holiday_spans],
        exceptions=[
            ExceptionDraft(
                kind=one.kind,
                starts_on=one.starts_on.isoformat(),
                ends_on=one.ends_on.isoformat(),
                replacement=one.replacement or "",
                replacement_phone=one.replacement_phone or "",
                slots=[SpanDraft(**typed(s.kind, s.opens, s.closes)) for s in one.spans],
            )
            for one in table.exceptions
            if one.ends_on >= today
        ],
    )


class _Reader:
    """Turns texts into values, notes what cannot be read, and remembers which input each value came from."""

    def __init__(self) -> None:
        self.errors: Errors = {}
        self.inputs: dict[str, str] = {}

    def clock(self, text: str, field: str, name: str, which: str) -> time | None:
        try:
            return time.fromisoformat(text) if re.fullmatch(r"\d{2}:\d{2}(:\d{2})?", text) else self._hour(text)
        except ValueError:
            said = f"indiquez l’heure de {which}" if not text else f"« {text[:20]} » n’est pas une heure"
            self.errors[field] = f"{name} : {said}, par exemple 09:30."
            return None

    @staticmethod
    def _hour(text: str) -> time:
        found = re.fullmatch(r"(\d{1,2})\s*(?:h|:|H)?\s*(\d{2})?", text)
        if found is None:
            raise ValueError
        hours, minutes = int(found[1]), int(found[2] or 0)
        return time(0 if (hours, minutes) == (24, 0) else hours, minutes)

    def day(self, text: str, field: str, name: str, which: str) -> date | None:
        try:
            return read_day(text)
        except ValueError:
            said = f"indiquez {which}" if not text else f"« {text[:20]} » n’est pas une date"
            self.errors[field] = f"{name} : {said}, par exemple {EXAMPLE}."
            return None

    def span(self, draft: SpanDraft, row: str, key: str, name: str) -> SpanIn | None:
        opens = self.clock(draft.opens, f"{row}-de", name, "début")
        closes = self.clock(draft.closes, f"{row}-a", name, "fin")
        for ours, typed in (("kind", "type"), ("opens", "de"), ("closes", "a")):
            self.inputs[f"{key}.{ours}"] = f"{row}-{typed}"
        return SpanIn(kind=draft.kind, opens=opens, closes=closes) if opens and closes else None

    def take(self, problems: Problems) -> None:
        for field, message in problems.fields.items():
            self.errors.setdefault(self.inputs.get(field, field), message)


def _week(draft: HoursDraft, reader: _Reader) -> list[SlotIn]:
    found: list[SlotIn] = []
    counts: dict[int, int] = {}
    for index, slot in enumerate(draft.week):
        if slot.blank:
            continue
        counts[slot.day] = counts.get(slot.day, 0) + 1
        row, key = f"h-{index}", f"hours.{len(found)}"
        name = f"{WEEKDAYS[slot.day].capitalize()}, plage {counts[slot.day]}"
        span = reader.span(slot, row, key, name)
        start = reader.day(slot.valid_from, f"{row}-de", name, "le premier jour") if slot.valid_from else None
        end = reader.day(slot.valid_to, f"{row}-de", name, "le dernier jour") if slot.valid_to else None
        reader.inputs |= {f"{key}.valid_from": f"{row}-de", f"{key}.valid_to": f"{row}-de"}
        if span is not None:
            found.append(SlotIn(**span.model_dump(), weekday=slot.day, valid_from=start, valid_to=end))
    return found


def _spans(drafts: list[SpanDraft], prefix: str, key: str, name: str, reader: _Reader) -> list[SpanIn]:
    found: list[SpanIn] = []
    for index, draft in enumerate(drafts):
        if not draft.blank:
            span = reader.span(draft, f"{prefix}-{index}", f"{key}.{len(found)}", f"{name}, plage {len(found) + 1}")
            found += [span] if span else []
    return found


def _exceptions(draft: HoursDraft, reader: _Reader) -> list[ExceptionIn]:
    found: list[ExceptionIn] = []
    for index, one in enumerate(draft.exceptions):
        if one.blank:
            continue
        row, key, name = f"e-{index}", f"exceptions.{len(found)}", f"Exception {len(found) + 1}"
        start = reader.day(one.starts_on, f"{row}-du", name, "le premier jour")
        end = reader.day(one.ends_on, f"{row}-au", name, "le dernier jour") if one.ends_on else start
        if one.kind not in EXCEPTIONS:
            reader.errors[f"{row}-type"] = f"{name} : choisissez un type."
            continue
        special = one.kind == "special"
        slots = _spans(one.slots, f"{row}-h", f"{key}.slots", name, reader) if special else []
        inputs = {"kind": "type", "starts_on": "du", "ends_on": "au", "replacement": "remplacant",
                  "replacement_phone": "telephone"}  # fmt: skip
        reader.inputs |= {f"{key}.{ours}": f"{row}-{typed}" for ours, typed in inputs.items()}
        if start is not None and end is not None:
            found.append(
                ExceptionIn(
                    kind=one.kind,
                    starts_on=start,
                    ends_on=end,
                    slots=slots,
                    replacement=one.replacement or None,
                    replacement_phone=one.replacement_phone or None,
                )
            )
    return found


def _read(draft: HoursDraft) -> tuple[OfferDescription, _Reader]:
    """Return the description of a draft and what is wrong with it; rules follow where everything could be read."""
    reader = _Reader()
    reader.inputs["public_holidays"] = "feries-hours"
    reader.inputs["hours"] = "ajouter-1"
    reader.inputs["exceptions"] = "exception-ajouter"
    problems = Problems()
    week = _week(draft, reader)
    if not reader.errors:
        hours_rules.week(week, problems)
    before = len(reader.errors)
    own = draft.public_holidays == "hours"
    spans = _spans(draft.public_holiday_hours, "f", "public_holiday_hours", "Jours fériés", reader) if own else []
    description = OfferDescription(
        hours=week,
        public_holidays=draft.public_holidays,
        public_holiday_hours=spans,
    )
    if len(reader.errors) == before:
        hours_rules.holidays(description, problems)
    before = len(reader.errors)
    description.exceptions = _exceptions(draft, reader)
    if len(reader.errors) == before:
        hours_rules.exceptions(description.exceptions, problems)
    reader.take(problems)
    return description, reader


def errors_of(draft: HoursDraft) -> Errors:
    """Return what is wrong with a draft, by input."""
    return _read(draft)[1].errors


def draft_to_description(draft: HoursDraft) -> OfferDescription:
    """Return what `describe_offer` writes: hours, exceptions and public holidays, and nothing else.

    Raises:
        InvalidInput: the draft still breaks a rule; messages are by input of the editor.
    """
    description, reader = _read(draft)
    if reader.errors:
        raise InvalidInput("Certains horaires sont à corriger : " + " ".join(reader.errors.values()),
                           fields=reader.errors)  # fmt: skip
    return description
