"""Hours in words: a readable week, special periods, open or not at an instant of Paris."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from directory.labels import NBSP, WEEKDAYS, french_date
from directory.schemas import ConceptRef, Hours, HoursDay, Slot, SpecialPeriod

OPEN_KINDS = frozenset({"01", "02", "06", "07"})
"""R252: opening, functioning, consultations without and with appointment."""
CLOSED_KIND = "08"

Interval = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class SlotLine:
    """A slot as stored: R252 kind, ISO weekday, local times, optional inclusive period."""

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

    def on(self, day: date) -> Interval:
        """Return the interval of that day; a slot that closes at or before it opens ends the next day."""
        start = datetime.combine(day, self.opens)
        end = datetime.combine(day, self.closes)
        return start, end if end > start else end + timedelta(days=1)


def clock(value: time) -> str:
    """Return « 9 h », « 9 h 30 », with non-breaking spaces."""
    minutes = f"{NBSP}{value.minute:02d}" if value.minute else ""
    return f"{value.hour}{NBSP}h{minutes}"


def open_intervals(lines: Sequence[SlotLine], first: date, days: int) -> list[Interval]:
    """Return the merged intervals, local and naive, of openings that begin in `days` days from `first`."""
    opened: list[Interval] = []
    shut: list[Interval] = []
    for day in (first + timedelta(days=n) for n in range(days)):
        for line in lines:
            if line.holds_on(day):
                if line.kind in OPEN_KINDS:
                    opened.append(line.on(day))
                elif line.kind == CLOSED_KIND:
                    shut.append(line.on(day))
    merged: list[Interval] = []
    for start, end in sorted(opened):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    for closing_start, closing_end in shut:
        merged = [
            piece
            for start, end in merged
            for piece in ((start, min(end, closing_start)), (max(start, closing_end), end))
            if piece[0] < piece[1]
        ]
    return sorted(merged)


def is_open(lines: Sequence[SlotLine], now: datetime) -> bool | None:
    """Tell whether the offer is open at a local naive instant; None when no hours are known."""
    if not any(line.kind in OPEN_KINDS for line in lines):
        return None
    return any(start <= now < end for start, end in open_intervals(lines, now.date() - timedelta(days=1), 2))


def status(lines: Sequence[SlotLine], now: datetime) -> str | None:
    """Return « Ouvert jusqu’à 19 h » or « Fermé, ouvre lundi à 9 h »; None when no hours are known."""
    if not any(line.kind in OPEN_KINDS for line in lines):
        return None
    today = now.date()
    for start, end in open_intervals(lines, today - timedelta(days=1), 9):
        if start <= now < end:
            if end - now >= timedelta(days=1):
                return "Ouvert en continu"
            return f"Ouvert jusqu’à {clock(end.time())}"
        if start > now:
            ahead = (start.date() - today).days
            when = ("aujourd’hui", "demain")[ahead] if ahead < 2 else WEEKDAYS[start.isoweekday()]
            return f"Fermé, ouvre {when} à {clock(start.time())}"
    return "Fermé"


def _days(lines: Iterable[SlotLine], kinds: dict[str, ConceptRef]) -> list[HoursDay]:
    by_day: dict[int, list[SlotLine]] = {}
    for line in lines:
        by_day.setdefault(line.weekday, []).append(line)
    return [
        HoursDay(
            weekday=weekday,
            label=WEEKDAYS[weekday].capitalize(),
            slots=[
                Slot(
                    opens=line.opens,
                    closes=line.closes,
                    kind=kinds.get(line.kind) or ConceptRef(code=f"R252|{line.kind}", label=line.kind),
                    label="24 h sur 24".replace(" ", NBSP)
                    if line.opens == line.closes
                    else f"{clock(line.opens)}{NBSP}– {clock(line.closes) if line.closes != time(0) else 'minuit'}",
                )
                for line in sorted(by_day[weekday], key=lambda s: (s.opens, s.closes, s.kind))
            ],
        )
        for weekday in sorted(by_day)
    ]


def _period(valid_from: date | None, valid_to: date | None) -> str:
    if valid_from and valid_to:
        if valid_from == valid_to:
            return f"Le {french_date(valid_from)}"
        return f"Du {french_date(valid_from)} au {french_date(valid_to)}"
    if valid_from:
        return f"À partir du {french_date(valid_from)}"
    assert valid_to is not None  # noqa: S101 - a period has an end or a beginning
    return f"Jusqu’au {french_date(valid_to)}"


def readable(lines: Sequence[SlotLine], kinds: dict[str, ConceptRef], now: datetime) -> Hours:
    """Return the hours of an offer as its sheet shows them.

    Args:
        lines: the slots stored.
        kinds: labels of the R252 codes.
        now: present instant on the wall clock of Paris, naive.
    """
    periods: dict[tuple[date | None, date | None], list[SlotLine]] = {}
    for line in lines:
        if line.valid_from is None and line.valid_to is None:
            continue
        if line.valid_to is None or line.valid_to >= now.date():
            periods.setdefault((line.valid_from, line.valid_to), []).append(line)
    ordered = sorted(periods.items(), key=lambda item: (item[0][0] or date.min, item[0][1] or date.max))
    return Hours(
        week=_days((s for s in lines if s.valid_from is None and s.valid_to is None), kinds),
        special=[
            SpecialPeriod(valid_from=key[0], valid_to=key[1], label=_period(*key), days=_days(found, kinds))
            for key, found in ordered
        ],
        open_now=is_open(lines, now),
        status=status(lines, now),
    )
