"""Hours as people live them: open or not, in words, at the edges of days, weeks, periods, clocks and holidays."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from directory.hours import ExceptionLine, SlotLine, Span, Timetable, is_open
from directory.hours_words import clock, readable, status

N = "\u00a0"
MONDAY = date(2026, 11, 23)
DAY = timedelta(days=1)


def at(day: int, hour: int, minute: int = 0, table: Timetable | None = None) -> datetime:
    """An instant of that week on the wall clock of an offer, Paris by default; day 1 is Monday."""
    zone = (table or Timetable()).zone
    return datetime(2026, 11, 22 + day, hour, minute, tzinfo=zone).astimezone(UTC)


def slot(weekday: int, opens: str, closes: str, kind: str = "07", **period: date) -> SlotLine:
    return SlotLine(kind, weekday, time.fromisoformat(opens), time.fromisoformat(closes), **period)


def span(opens: str, closes: str, kind: str = "07") -> Span:
    return Span(kind, time.fromisoformat(opens), time.fromisoformat(closes))


def table(*lines: SlotLine, **more: object) -> Timetable:
    return Timetable(lines=lines, **more)  # type: ignore[arg-type]


WEEK = table(slot(1, "09:00", "12:00"), slot(1, "14:00", "19:00"), slot(3, "09:30", "12:00"), slot(7, "22:00", "02:00"))
DAILY = [slot(day, "09:00", "18:00") for day in range(1, 8)]
ALWAYS = table(*(slot(day, "00:00", "00:00", "02") for day in range(1, 8)), holidays="open")


@pytest.mark.parametrize(
    ("now", "opened", "words"),
    [
        (at(1, 8, 59), False, f"Fermé, ouvre aujourd’hui à 9{N}h"),
        (at(1, 9), True, f"Ouvert jusqu’à 12{N}h"),
        (at(1, 11, 59), True, f"Ouvert jusqu’à 12{N}h"),
        (at(1, 12), False, f"Fermé, ouvre aujourd’hui à 14{N}h"),
        (at(1, 19), False, f"Fermé, ouvre mercredi à 9{N}h{N}30"),
        (at(2, 10), False, f"Fermé, ouvre demain à 9{N}h{N}30"),
        (at(7, 23), True, f"Ouvert jusqu’à 2{N}h"),
        (at(8, 1, 59), True, f"Ouvert jusqu’à 2{N}h"),
        (at(8, 2), False, f"Fermé, ouvre aujourd’hui à 9{N}h"),
    ],
)
def test_open_or_not(now: datetime, opened: bool, words: str) -> None:
    assert is_open(WEEK, now) is opened
    assert status(WEEK, now) == words


def test_unknown_hours_are_not_closed() -> None:
    assert is_open(table(), at(1, 9)) is None
    home_only = table(slot(1, "09:00", "12:00", "05"))
    assert is_open(home_only, at(1, 9)) is None
    assert status(home_only, at(1, 9)) is None


@pytest.mark.parametrize("hour", [0, 3, 23])
def test_all_day_every_day_never_closes(hour: int) -> None:
    assert status(ALWAYS, at(3, hour)) == "Ouvert en continu"


@pytest.mark.parametrize("kind", ["08", "indisponible"])
def test_a_mask_hides_what_it_covers(kind: str) -> None:
    lines = table(slot(1, "09:00", "18:00"), slot(1, "12:00", "14:00", kind), slot(1, "13:00", "15:00", "05"))
    assert is_open(lines, at(1, 12)) is False
    assert is_open(lines, at(1, 14)) is True
    shown = readable(lines, {}, at(1, 8)).days[0].slots
    assert [(s.opens.hour, s.closes.hour, s.mark) for s in shown] == [
        (9, 12, "appointment"),
        (12, 14, "closed" if kind == "08" else "unavailable"),
        (14, 15, "home"),
        (14, 18, "appointment"),
    ]


def test_a_mask_of_yesterday_s_night_hides_this_morning() -> None:
    lines = table(slot(2, "00:00", "08:00", "01"), slot(1, "23:00", "01:00", "08"))
    assert is_open(lines, at(2, 0, 59)) is False
    assert is_open(lines, at(2, 1)) is True


def test_a_closing_period_wins() -> None:
    lines = table(*WEEK.lines, slot(1, "00:00", "00:00", "08", valid_from=MONDAY, valid_to=MONDAY))
    assert is_open(lines, at(1, 10)) is False
    assert status(lines, at(1, 10)) == f"Fermé, ouvre mercredi à 9{N}h{N}30"
    assert is_open(lines, at(8, 10)) is True


def test_hours_of_a_period_hold_only_then() -> None:
    lines = table(slot(1, "09:00", "12:00", valid_from=date(2026, 12, 1)))
    assert status(lines, at(1, 10)) == f"Fermé, ouvre le 7{N}décembre à 9{N}h"
    hours = readable(lines, {}, at(1, 10))
    assert hours.week == []
    assert hours.special[0].label == f"À partir du 1er{N}décembre 2026"
    past = table(slot(1, "09:00", "12:00", valid_to=date(2026, 11, 1)))
    assert readable(past, {}, at(1, 10)).special == []
    assert status(past, at(1, 10)) == "Fermé"


@pytest.mark.parametrize(("value", "words"), [("09:00", f"9{N}h"), ("00:00", f"0{N}h"), ("18:05", f"18{N}h{N}05")])
def test_clock(value: str, words: str) -> None:
    assert clock(time.fromisoformat(value)) == words


def test_touching_slots_are_one_opening() -> None:
    lines = table(slot(1, "09:00", "12:00"), slot(1, "12:00", "15:00", "06"))
    assert status(lines, at(1, 10)) == f"Ouvert jusqu’à 15{N}h"


def away(start: int, end: int, kind: str = "leave", **more: object) -> ExceptionLine:
    return ExceptionLine(kind, MONDAY + DAY * (start - 1), MONDAY + DAY * (end - 1), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("exception", "now", "words"),
    [
        (away(1, 12), at(2, 10), f"Fermé pour congés jusqu’au 4{N}décembre"),
        (
            away(1, 12, replacement="Dr Petit", replacement_phone="0199001234"),
            at(2, 10),
            f"Fermé pour congés jusqu’au 4{N}décembre{N}; remplaçant : Dr Petit, 01{N}99{N}00{N}12{N}34",
        ),
        (away(1, 2, "absence"), at(2, 10), f"Fermé pour absence, ouvre demain à 9{N}h"),
        (away(2, 2, "closed"), at(2, 10), f"Fermé, ouvre demain à 9{N}h"),
        (away(1, 60, "closed"), at(2, 10), f"Fermé jusqu’au 21{N}janvier 2027"),
        (away(2, 2, "special", spans=(span("10:00", "11:00"),)), at(2, 10, 30), f"Ouvert jusqu’à 11{N}h"),
        (away(2, 2, "special", spans=(span("10:00", "11:00"),)), at(2, 12), f"Fermé, ouvre demain à 9{N}h"),
        (away(3, 9), at(2, 10), f"Ouvert jusqu’à 18{N}h"),
    ],
)
def test_an_exception_rules_its_days(exception: ExceptionLine, now: datetime, words: str) -> None:
    assert status(table(*DAILY, exceptions=(exception,)), now) == words


def test_the_shortest_of_two_exceptions_is_the_most_precise() -> None:
    inside = away(3, 3, "special", spans=(span("10:00", "11:00"),))
    both = table(*DAILY, exceptions=(away(1, 12), inside))
    assert status(both, at(1, 10)) == f"Fermé pour congés, ouvre mercredi à 10{N}h"
    assert is_open(both, at(3, 10)) is True
    assert is_open(both, at(4, 10)) is False


def test_a_night_that_began_before_a_closed_day_goes_on() -> None:
    night = table(slot(7, "22:00", "02:00"), slot(1, "09:00", "12:00"), exceptions=(away(1, 1, "closed"),))
    assert is_open(night, at(1, 1)) is True
    assert is_open(night, at(1, 9)) is False


@pytest.mark.parametrize(
    ("departement", "day", "closed"),
    [
        ("78", date(2026, 8, 15), True),
        ("78", date(2026, 4, 3), False),
        ("67", date(2026, 4, 3), True),
        ("68", date(2026, 12, 26), True),
        ("57", date(2026, 12, 26), True),
        ("2A", date(2026, 12, 26), False),
        ("971", date(2026, 5, 27), True),
        ("972", date(2026, 5, 22), True),
        ("973", date(2026, 6, 10), True),
        ("974", date(2026, 12, 20), True),
        ("976", date(2026, 4, 27), True),
        ("978", date(2026, 5, 28), True),
        (None, date(2026, 5, 1), True),
        ("78", date(2026, 5, 22), False),
    ],
)
def test_public_holidays_are_those_of_the_departement(departement: str | None, day: date, closed: bool) -> None:
    lines = table(*DAILY, departement=departement)
    noon = datetime.combine(day, time(12), lines.zone)
    assert is_open(lines, noon) is not closed
    usual = table(*DAILY, departement=departement, holidays="open")
    assert is_open(usual, noon) is True


def test_words_of_a_public_holiday() -> None:
    lines = table(*DAILY, departement="78")
    assumption = datetime(2026, 8, 15, 12, tzinfo=lines.zone)
    assert status(lines, assumption) == f"Fermé, jour férié (Assomption){N}; ouvre demain à 9{N}h"
    own = table(*DAILY, departement="78", holidays="hours", holiday_spans=(span("10:00", "12:30"),))
    assert status(own, assumption.replace(hour=11)) == f"Ouvert jusqu’à 12{N}h{N}30"
    special = away(0, 0, "special", spans=(span("20:00", "21:00"),))
    ruled = ExceptionLine("special", assumption.date(), assumption.date(), special.spans)
    assert is_open(table(*DAILY, departement="78", exceptions=(ruled,)), assumption.replace(hour=20)) is True


@pytest.mark.parametrize(
    ("departement", "noon_utc"),
    [("971", 16), ("973", 15), ("974", 8), ("976", 9), ("975", 15), ("988", 1), (None, 11)],
)
def test_hours_are_lived_on_the_clock_of_the_departement(departement: str | None, noon_utc: int) -> None:
    lines = table(slot(1, "11:30", "12:30"), departement=departement)
    assert is_open(lines, datetime(2026, 11, 23, noon_utc, tzinfo=UTC)) is True
    for shift in (-4, 4):
        assert is_open(lines, datetime(2026, 11, 23, noon_utc, tzinfo=UTC) + timedelta(hours=shift)) is False


def test_the_day_that_lasts_25_hours() -> None:
    """26 October 2025: 3:00 becomes 2:00."""
    night = table(slot(6, "22:00", "02:30", "01"), slot(7, "09:00", "12:00", "01"))
    first_half_past_two = datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
    assert is_open(night, first_half_past_two - timedelta(minutes=1)) is True
    assert is_open(night, first_half_past_two) is False
    second_quarter_past_two = datetime(2025, 10, 26, 1, 15, tzinfo=UTC)
    assert night.local(second_quarter_past_two).time() == time(2, 15)
    assert is_open(night, second_quarter_past_two) is False
    assert is_open(night, datetime(2025, 10, 26, 8, 0, tzinfo=UTC)) is True
    assert is_open(night, datetime(2025, 10, 26, 7, 59, tzinfo=UTC)) is False
    for hour in range(26):
        assert is_open(ALWAYS, datetime(2025, 10, 25, 22, tzinfo=UTC) + timedelta(hours=hour)) is True


def test_the_day_that_lasts_23_hours() -> None:
    """29 March 2026: 2:00 becomes 3:00."""
    night = table(slot(6, "22:00", "03:30", "01"), slot(7, "09:00", "12:00", "01"))
    assert is_open(night, datetime(2026, 3, 29, 0, 59, tzinfo=UTC)) is True
    assert is_open(night, datetime(2026, 3, 29, 1, 29, tzinfo=UTC)) is True
    assert is_open(night, datetime(2026, 3, 29, 1, 30, tzinfo=UTC)) is False
    assert status(night, datetime(2026, 3, 29, 0, 30, tzinfo=UTC)) == f"Ouvert jusqu’à 3{N}h{N}30"
    assert is_open(night, datetime(2026, 3, 29, 7, 0, tzinfo=UTC)) is True


def test_the_29th_of_february() -> None:
    leap = ExceptionLine("closed", date(2028, 2, 29), date(2028, 2, 29))
    lines = table(*DAILY, exceptions=(leap,))
    assert is_open(lines, datetime(2028, 2, 29, 12, tzinfo=UTC)) is False
    assert is_open(lines, datetime(2028, 3, 1, 12, tzinfo=UTC)) is True
    assert status(lines, datetime(2028, 2, 28, 19, tzinfo=UTC)) == f"Fermé, ouvre mercredi à 9{N}h"


def test_the_coming_days_say_what_is_unusual() -> None:
    lines = table(*DAILY, departement="78", exceptions=(away(3, 3, "special", spans=(span("10:00", "11:00"),)),))
    days = readable(lines, {}, at(1, 7)).days
    assert [d.label for d in days[:2]] == [f"Lundi 23{N}novembre", f"Mardi 24{N}novembre"]
    assert [d.note for d in days] == [None, None, "Horaires particuliers", None, None, None, None]
    assert days[2].slots[0].label == f"10{N}h{N}– 11{N}h"
    armistice = readable(lines, {}, datetime(2026, 11, 9, 8, tzinfo=UTC)).days[2]
    assert (armistice.note, armistice.closed) == ("Fermé : Armistice", True)


def test_exceptions_are_named_with_their_dates() -> None:
    lines = table(*DAILY, exceptions=(away(1, 8), away(9, 9, "closed"), away(20, 60, "absence"), away(-9, -3)))
    assert [e.label for e in readable(lines, {}, at(1, 9)).exceptions] == [
        f"Congés du 23 au 30{N}novembre 2026",
        f"Fermé le 1er{N}décembre 2026",
        f"Absence du 12{N}décembre 2026 au 21{N}janvier 2027",
    ]
