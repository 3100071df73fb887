"""Hours as an iCalendar file (RFC 5545): weekly events, dates left out of them, closings, for the coming year.

Events are made of what the model says of each day, hence exceptions, public holidays and masks are in them by
construction: days that look alike are one event that repeats, what it skips is an EXDATE.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from icalendar import Calendar, Event, Timezone

from directory import hours_kinds as kinds
from directory.hours import DAY, Timetable
from directory.hours_words import exception_label, replacement_words

WEEKS = 57
"""Weeks that the file tells, the present one included: a year, and some for who opens it late."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose hours these are."""

    uid: uuid.UUID
    title: str
    address: str
    url: str
    updated_at: datetime
    version: int


def calendar(table: Timetable, subject: Subject, today: date) -> bytes:
    """Return the file, the same bytes as long as nothing changes in the week."""
    first = today - DAY * (today.isoweekday() - 1)
    made = Calendar()
    made.add("prodid", "-//Repère//Horaires//FR")
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", f"Horaires : {subject.title}")
    made.add("x-wr-timezone", table.zone.key)
    last = first + DAY * 7 * WEEKS
    made.add_component(Timezone.from_tzid(table.zone.key, first_date=first - DAY * 366, last_date=last + DAY * 366))
    for event in [*_weekly(table, subject, first), *_closings(table, subject, first, last)]:
        made.add_component(event)
    written: bytes = made.to_ical()
    return written


def _event(subject: Subject, name: str, summary: str) -> Event:
    event = Event()
    event.add("uid", f"{uuid.uuid5(subject.uid, name)}@repere")
    event.add("dtstamp", subject.updated_at.astimezone(UTC).replace(microsecond=0))
    event.add("sequence", subject.version)
    event.add("summary", summary)
    event.add("url", subject.url)
    return event


def _weekly(table: Timetable, subject: Subject, first: date) -> Iterator[Event]:
    found: dict[tuple[int, time, timedelta, str], list[date]] = defaultdict(list)
    for piece in table.pieces(first, WEEKS * 7):
        if piece.kind not in kinds.MASK_KINDS:
            key = (piece.start.isoweekday(), piece.start.time(), piece.end - piece.start, piece.kind)
            found[key].append(piece.start.date())
    for (weekday, start, lasts, kind), days in sorted(found.items()):
        summary = f"{kinds.label(kind, liberal=table.liberal)} · {subject.title}"
        steps = (days[-1] - days[0]).days // 7 + 1
        skipped = sorted({days[0] + DAY * 7 * n for n in range(steps)} - set(days))
        # Days that are mostly skipped are events of their own, an event that repeats would say the contrary.
        runs = [(days[0], days[-1], skipped)] if len(skipped) < len(days) else [(day, day, []) for day in days]
        for begins, ends, left_out in runs:
            event = _event(subject, f"{kind}/{weekday}/{start}/{lasts}/{begins}", summary)
            wall = datetime.combine(begins, start)
            event.add("dtstart", wall.replace(tzinfo=table.zone))
            event.add("dtend", (wall + lasts).replace(tzinfo=table.zone))
            if ends > begins:
                until = datetime.combine(ends, start, table.zone).astimezone(UTC)
                event.add("rrule", {"freq": "weekly", "until": until})
            if left_out:
                event.add("exdate", [datetime.combine(day, start, table.zone) for day in left_out])
            event.add("location", subject.address if kind != kinds.HOME or not table.liberal else "À domicile")
            yield event


def _closings(table: Timetable, subject: Subject, first: date, last: date) -> Iterator[Event]:
    """Draw leave, absences, closings and public holidays as whole days that leave the diary free."""
    told: list[tuple[date, date, str]] = []
    for exception in table.exceptions:
        if exception.kind != "special" and exception.ends_on >= first and exception.starts_on < last:
            said = replacement_words(exception)
            text = exception_label(exception).partition(" ")[0]
            told.append((exception.starts_on, exception.ends_on, f"{text} ({said})" if said else text))
    plans = (table.plan(first + DAY * n) for n in range((last - first).days))
    told += [
        (plan.day, plan.day, f"Fermé : {plan.holiday}")
        for plan in plans
        if plan.by_holiday and not plan.spans and any(line.holds_on(plan.day) for line in table.lines)
    ]
    for start, end, text in sorted(told):
        event = _event(subject, f"closed/{start}/{end}", f"{text} · {subject.title}")
        event.add("dtstart", start)
        event.add("dtend", end + DAY)
        event.add("transp", "TRANSPARENT")
        yield event
