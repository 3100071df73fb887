"""Hours in words and open or not, at the edges of days, weeks and periods."""

from datetime import date, datetime, time

import pytest

from directory.hours import SlotLine, clock, is_open, readable, status

MONDAY = date(2026, 11, 23)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, 22 + day, hour, minute)


def slot(weekday: int, opens: str, closes: str, kind: str = "07", **period: date) -> SlotLine:
    return SlotLine(kind, weekday, time.fromisoformat(opens), time.fromisoformat(closes), **period)


WEEK = [slot(1, "09:00", "12:00"), slot(1, "14:00", "19:00"), slot(3, "09:30", "12:00"), slot(7, "22:00", "02:00")]


@pytest.mark.parametrize(
    ("now", "opened", "words"),
    [
        (at(1, 8, 59), False, "Fermé, ouvre aujourd’hui à 9\u00a0h"),
        (at(1, 9), True, "Ouvert jusqu’à 12\u00a0h"),
        (at(1, 11, 59), True, "Ouvert jusqu’à 12\u00a0h"),
        (at(1, 12), False, "Fermé, ouvre aujourd’hui à 14\u00a0h"),
        (at(1, 19), False, "Fermé, ouvre mercredi à 9\u00a0h\u00a030"),
        (at(2, 10), False, "Fermé, ouvre demain à 9\u00a0h\u00a030"),
        (at(7, 23), True, "Ouvert jusqu’à 2\u00a0h"),
        (at(8, 1, 59), True, "Ouvert jusqu’à 2\u00a0h"),
        (at(8, 2), False, "Fermé, ouvre aujourd’hui à 9\u00a0h"),
    ],
)
def test_open_or_not(now: datetime, opened: bool, words: str) -> None:
    assert is_open(WEEK, now) is opened
    assert status(WEEK, now) == words


def test_unknown_hours_are_not_closed() -> None:
    assert is_open([], at(1, 9)) is None
    assert status([slot(1, "09:00", "12:00", "05")], at(1, 9)) is None


def test_all_day_every_day_never_closes() -> None:
    always = [slot(day, "00:00", "00:00", "02") for day in range(1, 8)]
    assert status(always, at(3, 0)) == "Ouvert en continu"


def test_a_closing_period_wins() -> None:
    lines = [*WEEK, slot(1, "00:00", "00:00", "08", valid_from=MONDAY, valid_to=MONDAY)]
    assert is_open(lines, at(1, 10)) is False
    assert status(lines, at(1, 10)) == "Fermé, ouvre mercredi à 9\u00a0h\u00a030"
    assert is_open(lines, at(8, 10)) is True


def test_hours_of_a_period_hold_only_then() -> None:
    lines = [slot(1, "09:00", "12:00", valid_from=date(2026, 12, 1))]
    assert status(lines, at(1, 10)) == "Fermé"
    hours = readable(lines, {}, at(1, 10))
    assert hours.week == []
    assert hours.special[0].label == "À partir du 1er\u00a0décembre 2026"
    past = [slot(1, "09:00", "12:00", valid_to=date(2026, 11, 1))]
    assert readable(past, {}, at(1, 10)).special == []


@pytest.mark.parametrize(
    ("value", "words"), [("09:00", "9\u00a0h"), ("00:00", "0\u00a0h"), ("18:05", "18\u00a0h\u00a005")]
)
def test_clock(value: str, words: str) -> None:
    assert clock(time.fromisoformat(value)) == words


def test_touching_slots_are_one_opening() -> None:
    lines = [slot(1, "09:00", "12:00"), slot(1, "12:00", "15:00", "06")]
    assert status(lines, at(1, 10)) == "Ouvert jusqu’à 15\u00a0h"
