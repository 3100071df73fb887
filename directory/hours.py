"""Hours of an offer as a model: typical week, public holidays, exceptions, on the clock of its département.

What holds on a date: nothing while the whole offer is closed, else the exception of that date, else the public
holiday, else the typical week. A slot belongs to the day on which it begins; one that closes at or before it opens
ends the next day. « Fermé » and « Indisponible » hide whatever they cover. Slots are written on the wall clock, and
compared as instants: the night that lasts 25 hours closes at the first of its two 2:30.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from directory.hours_kinds import MASK_KINDS, OPEN_KINDS
from directory.hours_zones import public_holiday, timezone_of

HolidayRule = Literal["closed", "open", "hours"]
ExceptionKind = Literal["leave", "absence", "closed", "special"]
Interval = tuple[datetime, datetime]

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """Hours of one day: R252 kind (or « indisponible »), local times."""

    kind: str
    opens: time
    closes: time

    def on(self, day: date) -> Interval:
        """Return the local interval that begins on a day."""
        start = datetime.combine(day, self.opens)
        end = datetime.combine(day, self.closes)
        return start, end if end > start else end + DAY


@dataclass(frozen=True, slots=True)
class SlotLine:
    """A slot of the typical week as stored: ISO weekday, local times, optional inclusive period."""

    kind: str
    weekday: int
    opens: time
    closes: time
    valid_from: date | None = None
    valid_to: date | None = None

    def holds_on(self, day: date) -> bool:
        """Tell whether the slot exists on a day."""
        return (
            day.isoweekday() == self.weekday
            and (self.valid_from is None or self.valid_from <= day)
            and (self.valid_to is None or self.valid_to >= day)
        )

    @property
    def span(self) -> Span:
        """The hours without their day."""
        return Span(self.kind, self.opens, self.closes)


@dataclass(frozen=True, slots=True)
class ExceptionLine:
    """What replaces the week from a day to another, both included; only `special` has hours."""

    kind: ExceptionKind
    starts_on: date
    ends_on: date
    spans: tuple[Span, ...] = ()
    replacement: str | None = None
    replacement_phone: str | None = None
    id: int = 0


@dataclass(frozen=True, slots=True)
class DayPlan:
    """What holds on a date, and why: `exception` or `holiday` rule it, or neither (the week)."""

    day: date
    spans: tuple[Span, ...]
    exception: ExceptionLine | None
    holiday: str | None
    by_holiday: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one kind on the local clock, once what hides it was taken away; `day` is the one it belongs to."""

    day: date
    kind: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Timetable:
    """The hours of one offer."""

    lines: tuple[SlotLine, ...] = ()
    exceptions: tuple[ExceptionLine, ...] = ()
    holidays: HolidayRule = "closed"
    holiday_spans: tuple[Span, ...] = ()
    departement: str | None = None
    liberal: bool = True
    closing_on: date | None = None
    reopening_on: date | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the offer."""
        return timezone_of(self.departement)

    @property
    def known(self) -> bool:
        """Tell whether anybody said when patients are received."""
        spans = (*self.holiday_spans, *(span for e in self.exceptions for span in e.spans))
        kinds = {line.kind for line in self.lines} | {span.kind for span in spans}
        return not OPEN_KINDS.isdisjoint(kinds)

    def local(self, instant: datetime) -> datetime:
        """Return an instant on the offer's wall clock."""
        return instant.astimezone(self.zone)

    def exception_on(self, day: date) -> ExceptionLine | None:
        """Return the exception that rules a day: the shortest one says the most precise thing."""
        found = [e for e in self.exceptions if e.starts_on <= day <= e.ends_on]
        return min(found, key=lambda e: (e.ends_on - e.starts_on, -e.starts_on.toordinal(), e.id), default=None)

    def _closing(self, day: date) -> ExceptionLine | None:
        """Return the closing of the whole offer on a day; nothing opens before it reopens."""
        if self.closing_on is None or day < self.closing_on or (self.reopening_on and day >= self.reopening_on):
            return None
        return ExceptionLine("closed", self.closing_on, self.reopening_on - DAY if self.reopening_on else date.max)

    def plan(self, day: date) -> DayPlan:
        """Return what holds on a day."""
        holiday = public_holiday(self.departement, day)
        exception = self._closing(day) or self.exception_on(day)
        if exception is not None:
            return DayPlan(day, exception.spans, exception, holiday, by_holiday=False)
        if holiday is not None and self.holidays != "open":
            spans = self.holiday_spans if self.holidays == "hours" else ()
            return DayPlan(day, spans, None, holiday, by_holiday=True)
        return DayPlan(day, tuple(s.span for s in self.lines if s.holds_on(day)), None, holiday, by_holiday=False)

    def pieces(self, first: date, days: int) -> list[Piece]:
        """Return what holds from a day on, in order; what a mask hides is cut out, masks are there as well."""
        # What began the day before may hide this morning, what begins the day after may hide the end of the night.
        plans = [self.plan(first + DAY * n) for n in range(-1, days + 1)]
        masks = [(p.day, s.kind, s.on(p.day)) for p in plans for s in p.spans if s.kind in MASK_KINDS]
        shut = [interval for _, _, interval in masks]
        last = first + DAY * (days - 1)
        found = [Piece(day, kind, *interval) for day, kind, interval in masks if first <= day <= last]
        for plan in plans[1:-1]:
            for span in plan.spans:
                if span.kind not in MASK_KINDS:
                    found += [Piece(plan.day, span.kind, *rest) for rest in without([span.on(plan.day)], shut)]
        return sorted(found, key=lambda p: (p.start, p.end, p.kind))

    def openings(self, first: date, days: int) -> list[Interval]:
        """Return the merged instants (UTC) at which patients are received, of openings that begin in these days."""
        zone = self.zone
        found = [
            (_instant(piece.start, zone), _instant(piece.end, zone))
            for piece in self.pieces(first, days)
            if piece.kind in OPEN_KINDS
        ]
        return merged(found)


def _instant(wall: datetime, zone: ZoneInfo) -> datetime:
    return wall.replace(tzinfo=zone).astimezone(UTC)


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """Return the same stretches in order, those that touch or overlap made one; an empty one is dropped."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def without(intervals: Sequence[Interval], shut: Sequence[Interval]) -> list[Interval]:
    """Return what is left of intervals once others are cut out."""
    left = list(intervals)
    for cut_start, cut_end in shut:
        left = [
            piece
            for start, end in left
            for piece in ((start, min(end, cut_start)), (max(start, cut_end), end))
            if piece[0] < piece[1]
        ]
    return left


def open_at(table: Timetable, instant: datetime, days: int = 3) -> Interval | None:
    """Return the opening under way at an instant, as far as it goes in some days; None when closed."""
    today = table.local(instant).date()
    return next((found for found in table.openings(today - DAY, days) if found[0] <= instant < found[1]), None)


def is_open(table: Timetable, instant: datetime) -> bool | None:
    """Tell whether the offer is open at an instant; None when no hours are known."""
    return open_at(table, instant, 2) is not None if table.known else None


def next_opening(table: Timetable, instant: datetime, days: int) -> datetime | None:
    """Return when the offer opens next, on its own clock; None when it does not in so many days."""
    today = table.local(instant).date()
    for ahead in range(days):
        for start, _ in table.openings(today + DAY * ahead, 1):
            if start > instant:
                return table.local(start)
    return None
