"""Hours in French: open until when, why closed, the readable week."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from directory import hours_kinds as kinds
from directory.hours import DAY, DayPlan, ExceptionLine, SlotLine, Span, Timetable, next_opening, open_at
from directory.labels import MONTHS, NBSP, WEEKDAYS, french_date, phone_text
from directory.schemas_base import ConceptRef
from directory.schemas_hours import DatedDay, Hours, HoursDay, HoursException, Slot, SpecialPeriod

HORIZON = 92
"""Days ahead in which the next opening is looked for."""
EXCEPTIONS_SHOWN = 20

_REASONS = {"leave": "pour congés", "absence": "pour absence"}
_NAMES = {"leave": "Congés", "absence": "Absence", "closed": "Fermé", "special": "Horaires particuliers"}
HOLIDAY_WORDS = {
    "closed": "Fermé les jours fériés",
    "open": "Les jours fériés comme les autres jours",
    "hours": "Horaires propres aux jours fériés",
}


def clock(value: time) -> str:
    """Return « 9 h », « 9 h 30 », with non-breaking spaces."""
    minutes = f"{NBSP}{value.minute:02d}" if value.minute else ""
    return f"{value.hour}{NBSP}h{minutes}"


def span_label(opens: time, closes: time) -> str:
    """Return « 9 h – 12 h 30 », « 24 h sur 24 »."""
    if opens == closes:
        return f"24{NBSP}h{NBSP}sur{NBSP}24"
    return f"{clock(opens)}{NBSP}– {clock(closes) if closes != time(0) else 'minuit'}"


def short_date(day: date, today: date) -> str:
    """Return « 16 août », with the year when it is not the present one."""
    text = french_date(day)
    return text.removesuffix(f" {today.year}") if day.year == today.year else text


def day_label(day: date, today: date) -> str:
    """Return « Lundi 10 août »."""
    return f"{WEEKDAYS[day.isoweekday()].capitalize()} {short_date(day, today)}"


def _between(start: date, end: date) -> str:
    if start == end:
        return f"le {french_date(start)}"
    first = french_date(start)
    if end == date.max:
        return f"à partir du {first}"
    if start.year == end.year:
        first = first.removesuffix(f" {start.year}")
        if start.month == end.month:
            first = first.removesuffix(f"{NBSP}{MONTHS[start.month]}")
    return f"du {first} au {french_date(end)}"


def exception_label(exception: ExceptionLine) -> str:
    """Return « Congés du 1er au 16 août 2026 », « Fermé le 11 mai 2026 »."""
    return f"{_NAMES[exception.kind]} {_between(exception.starts_on, exception.ends_on)}"


def replacement_words(exception: ExceptionLine) -> str | None:
    """Return « remplaçant : Dr Petit, 01 99 00 12 34 »; None without one."""
    phone = phone_text(exception.replacement_phone) if exception.replacement_phone else None
    said = ", ".join(filter(None, (exception.replacement, phone)))
    return f"remplaçant : {said}" if said else None


def note(plan: DayPlan) -> str | None:
    """Return why a day is not like the others, in words; None for an ordinary day."""
    exception = plan.exception
    if exception is not None:
        if exception.kind == "special":
            return _NAMES["special"]
        return f"Fermé : {_NAMES[exception.kind].lower()}" if exception.kind in _REASONS else "Fermé"
    if plan.holiday is None:
        return None
    return f"Jour férié : {plan.holiday}" if plan.spans or not plan.by_holiday else f"Fermé : {plan.holiday}"


def status(table: Timetable, instant: datetime) -> str | None:
    """Return « Ouvert jusqu’à 19 h » or « Fermé, ouvre lundi à 9 h »; None when no hours are known."""
    if not table.known:
        return None
    here = table.local(instant)
    today = here.date()
    current = open_at(table, instant)
    if current is not None:
        if current[1] - instant >= timedelta(days=1):
            return "Ouvert en continu"
        return f"Ouvert jusqu’à {clock(table.local(current[1]).time())}"
    upcoming = next_opening(table, instant, HORIZON)
    plan = table.plan(today)
    exception = plan.exception
    if exception is not None and not plan.spans:
        return _closed_by(exception, today, upcoming)
    if plan.by_holiday and not plan.spans:
        return f"Fermé, jour férié ({plan.holiday})" + (f"{NBSP}; ouvre {_when(upcoming, today)}" if upcoming else "")
    return f"Fermé, ouvre {_when(upcoming, today)}" if upcoming else "Fermé"


def _closed_by(exception: ExceptionLine, today: date, upcoming: datetime | None) -> str:
    if exception.ends_on == date.max:
        return "Fermé définitivement"
    reason = f"Fermé {_REASONS[exception.kind]}" if exception.kind in _REASONS else "Fermé"
    said = replacement_words(exception)
    tail = f"{NBSP}; {said}" if said else ""
    if upcoming is not None and (exception.ends_on == today or upcoming.date() <= max(exception.ends_on, today + DAY)):
        return f"{reason}, ouvre {_when(upcoming, today)}{tail}"
    if exception.ends_on == today:
        return f"{reason} aujourd’hui{tail}"
    return f"{reason} jusqu’au {short_date(exception.ends_on, today)}{tail}"


def _when(start: datetime, today: date) -> str:
    ahead = (start.date() - today).days
    at = f"à {clock(start.time())}"
    if ahead < 2:
        return f"{('aujourd’hui', 'demain')[ahead]} {at}"
    if ahead < 7:
        return f"{WEEKDAYS[start.isoweekday()]} {at}"
    return f"le {short_date(start.date(), today)} {at}"


def slot(span: Span | SlotLine, labels: dict[str, ConceptRef], *, liberal: bool = True) -> Slot:
    """Return a slot in words; the code that leaves the directory is always one of R252."""
    known = kinds.KINDS.get(span.kind)
    code = known.r252 if known else span.kind
    own = known is not None and (span.kind == kinds.UNAVAILABLE or (liberal and span.kind == kinds.HOME))
    named = labels.get(code)
    text = kinds.label(span.kind, liberal=liberal) if own or named is None else named.label
    return Slot(
        opens=span.opens,
        closes=span.closes,
        kind=ConceptRef(code=f"R252|{code}", label=text, active=named.active if named else True),
        label=span_label(span.opens, span.closes),
        short=kinds.short(span.kind, liberal=liberal),
        mark=known.mark if known else "opening",
    )


def _days(lines: Iterable[SlotLine], labels: dict[str, ConceptRef], liberal: bool) -> list[HoursDay]:
    by_day: dict[int, list[SlotLine]] = {}
    for line in lines:
        by_day.setdefault(line.weekday, []).append(line)
    return [
        HoursDay(
            weekday=weekday,
            label=WEEKDAYS[weekday].capitalize(),
            slots=[
                slot(line, labels, liberal=liberal)
                for line in sorted(by_day[weekday], key=lambda s: (s.opens, s.closes, s.kind))
            ],
        )
        for weekday in sorted(by_day)
    ]


def _period(valid_from: date | None, valid_to: date | None) -> str:
    if valid_from and valid_to:
        text = _between(valid_from, valid_to)
        return f"{text[0].upper()}{text[1:]}"
    if valid_from:
        return f"À partir du {french_date(valid_from)}"
    assert valid_to is not None  # noqa: S101 - a period has an end or a beginning
    return f"Jusqu’au {french_date(valid_to)}"


def dated_days(table: Timetable, labels: dict[str, ConceptRef], first: date, days: int, today: date) -> list[DatedDay]:
    """Return what really holds on some days, once exceptions, public holidays and masks are applied."""
    pieces = table.pieces(first, days)
    found = []
    for day in (first + DAY * n for n in range(days)):
        plan = table.plan(day)
        own = [piece for piece in pieces if piece.day == day]
        found.append(
            DatedDay(
                day=day,
                weekday=day.isoweekday(),
                label=day_label(day, today),
                slots=[slot(Span(p.kind, p.start.time(), p.end.time()), labels, liberal=table.liberal) for p in own],
                note=note(plan),
                closed=not any(p.kind in kinds.RECEIVING for p in own),
            )
        )
    return found


def _holidays(table: Timetable) -> str:
    if table.holidays == "hours":
        return "Jours fériés : " + ", ".join(span_label(span.opens, span.closes) for span in table.holiday_spans)
    return HOLIDAY_WORDS[table.holidays]


def readable(table: Timetable, labels: dict[str, ConceptRef], instant: datetime) -> Hours:
    """Return the hours of an offer as its sheet shows them.

    Args:
        table: the hours.
        labels: present labels of the R252 codes.
        instant: the present one.
    """
    today = table.local(instant).date()
    periods: dict[tuple[date | None, date | None], list[SlotLine]] = {}
    for line in table.lines:
        if line.valid_from is None and line.valid_to is None:
            continue
        if line.valid_to is None or line.valid_to >= today:
            periods.setdefault((line.valid_from, line.valid_to), []).append(line)
    ordered = sorted(periods.items(), key=lambda item: (item[0][0] or date.min, item[0][1] or date.max))
    coming = sorted((e for e in table.exceptions if e.ends_on >= today), key=lambda e: (e.starts_on, e.ends_on, e.id))
    typical = [s for s in table.lines if s.valid_from is None and s.valid_to is None]
    current = open_at(table, instant)
    return Hours(
        week=_days(typical, labels, table.liberal),
        special=[
            SpecialPeriod(
                valid_from=key[0], valid_to=key[1], label=_period(*key), days=_days(found, labels, table.liberal)
            )
            for key, found in ordered
        ],
        exceptions=[
            HoursException(
                kind=e.kind,
                label=exception_label(e),
                starts_on=e.starts_on,
                ends_on=e.ends_on,
                slots=[slot(span, labels, liberal=table.liberal) for span in e.spans],
                replacement=e.replacement,
                replacement_phone=e.replacement_phone,
            )
            for e in coming[:EXCEPTIONS_SHOWN]
        ],
        public_holidays=_holidays(table) if table.lines else None,
        days=dated_days(table, labels, today, 7, today) if table.lines or table.exceptions else [],
        open_now=(current is not None) if table.known else None,
        status=status(table, instant),
    )
