"""Hours of an offer: the typical week, what replaces it, closures, public holidays."""

from collections.abc import Sequence
from datetime import date, time
from functools import lru_cache
from typing import Any, Final

from directory.api import (
    HOLIDAY_WORDS,
    SLOT_KINDS,
    ExceptionLine,
    exception_label,
    holiday_rule,
    replacement_words,
    span_label,
)
from search_api.fhir.codes import Codes, Json
from search_api.fhir.rows import Batch
from search_api.fhir.systems import ROR

_DAYS: Final = ("", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOSING: Final = "Période de fermeture et de réouverture prévisionnelle"
_CLOSING_ID: Final = "closingRepoeningDate"
"""As the guide spells it."""
_SPECIAL: Final = "special"


def hours(batch: Batch, row: Any, codes: Codes) -> Json:
    """Return the elements that tell the hours of an offer; nothing where nothing is known.

    One `availableTime` for a day and a slot. Special hours are `availableTime` too, with the period in which they
    replace the week, which `availabilityExceptions` says in words.
    """
    slots = batch.of("slots").get(row.id, ())
    if not (slots or row.public_holidays or row.closing_on or row.reopening_on or row.id in batch.of("exceptions")):
        return {}
    special = batch.of("special").get(row.id, ())
    exceptions = [_exception(one, special) for one in batch.of("exceptions").get(row.id, ())]
    times = [_slot(codes, one.kind, one.opens, one.closes, one.weekday, one.valid_from, one.valid_to) for one in slots]
    closed: list[Json] = []
    words: list[str] = []
    for one in exceptions:
        if one.kind == _SPECIAL:
            times += [
                _slot(codes, span.kind, span.opens, span.closes, None, one.starts_on, one.ends_on) for span in one.spans
            ]
            words.append(f"{exception_label(one)} : {_spans(one.spans)}.")
        else:
            said = ", ".join(filter(None, (exception_label(one), replacement_words(one))))
            closed.append({"description": said, "during": _period(one.starts_on, one.ends_on)})
    if row.closing_on or row.reopening_on:
        during = _period(row.closing_on, row.reopening_on)
        closed.insert(0, {"id": _CLOSING_ID, "description": _CLOSING, "during": during})
    if slots or row.public_holidays:
        rule = holiday_rule(row.public_holidays, row.kind)
        own = [span for span in special if span.exception_id is None] if rule == "hours" else []
        words.insert(0, HOLIDAY_WORDS[rule] + (f" : {_spans(own)}." if own else "."))
    return {"availableTime": times, "notAvailable": closed, "availabilityExceptions": " ".join(words)}


def _exception(line: Any, special: Sequence[Any]) -> ExceptionLine:
    spans = tuple(span for span in special if span.exception_id == line.id)
    return ExceptionLine(
        line.kind, line.starts_on, line.ends_on, spans, line.replacement, line.replacement_phone, line.id
    )


def _spans(spans: Sequence[Any]) -> str:
    return ", ".join(span_label(span.opens, span.closes) for span in spans)


def _period(start: date | None, end: date | None) -> Json:
    found = {}
    if start:
        found["start"] = start.isoformat()
    # A leave without an end is stored until the last day that there is.
    if end and end != date.max:
        found["end"] = end.isoformat()
    return found


@lru_cache(maxsize=65_536)
def _slot(
    codes: Codes, code: str, opens: time, closes: time, weekday: int | None, start: date | None, end: date | None
) -> Json:
    """Return a slot; offers share theirs: few are worked out again."""
    kind = SLOT_KINDS.get(code)
    found = [codes.extension("ror-available-time-type-of-time", "R252", kind.r252 if kind else code)]
    if weekday is not None:
        found.append({"url": ROR + "ror-available-time-number-days-of-week", "valueInteger": weekday})
    if start or end:
        effective = {"url": ROR + "ror-available-time-effective-opening-closing-date"}
        found.append(effective | {"valuePeriod": _period(start, end)})
    made: Json = {"extension": found}
    if weekday is not None:
        made["daysOfWeek"] = [_DAYS[weekday]]
    if opens == closes == time(0):
        return made | {"allDay": True}
    return made | {"availableStartTime": opens.isoformat(), "availableEndTime": closes.isoformat()}
