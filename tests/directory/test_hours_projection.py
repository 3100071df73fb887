"""What the search holds of hours: the same as the model says, for any week, place and day; refreshed by the days."""

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from core.db import unit_of_work
from directory.hours import DAY, Timetable, merged
from directory.hours_kinds import OPEN_KINDS
from directory.hours_store import timetables
from directory.projection import refresh_selected
from directory.tasks import turn_the_day

DEPARTEMENTS = ("78", "67", "971", "974", "988")
KINDS = ("07", "07", "06", "01", "05", "08", "indisponible")
DAYS = (
    "2026-05-01T10:00+02", "2026-03-26T23:30+01", "2025-10-25T23:59+02", "2028-02-28T12:00+01", "2026-12-24T00:05+01",
    "2026-08-14T03:00+02",
)  # fmt: skip


def shift(town: Any, instant: str) -> None:
    """Make the database live at an instant."""
    town.conn.execute(
        "CREATE OR REPLACE FUNCTION core.now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS"
        f" $$ SELECT '{instant}'::timestamptz $$"
    )


@pytest.fixture
def shifted(town: Any) -> Iterator[Any]:
    """A small town whose clock `shift` moves; the worker's database keeps its own afterwards."""
    own = town.one("SELECT pg_get_functiondef('core.now()'::regprocedure)")
    yield town
    town.conn.execute(own)


def minutes(table: Timetable, now: datetime) -> str | None:
    """The seven coming days in plain Python, as PostgreSQL writes a multirange."""
    if not table.known:
        return None
    here = table.local(now)
    today = datetime.combine(here.date(), time(0))
    opened: list[int] = []
    for piece in table.pieces(here.date() - DAY, 8):
        if piece.kind in OPEN_KINDS:
            low, high = ((at - today) // timedelta(minutes=1) for at in (piece.start, piece.end))
            opened += [m for m in range(low, high) if 0 <= m < 10_080]
    offset = (here.isoweekday() - 1) * 1440
    week = sorted({(m + offset) % 10_080 for m in opened})
    epoch = datetime(2001, 1, 1)
    found = merged((epoch + timedelta(minutes=m), epoch + timedelta(minutes=m + 1)) for m in week)
    bounds = [[(at - epoch) // timedelta(minutes=1) for at in one] for one in found]
    return "{" + ",".join(f"[{low},{high})" for low, high in bounds) + "}"


def some_time(rng: random.Random) -> str:
    return f"{rng.randrange(24):02d}:{rng.choice((0, 0, 15, 30)):02d}"


def draw(town: Any, rng: random.Random, offer: int, today: date) -> None:
    town.conn.execute("DELETE FROM directory.hours_exception WHERE offer_id = %s", (offer,))
    for table in ("special_slot", "opening_slot"):
        town.conn.execute(f"DELETE FROM directory.{table} WHERE offer_id = %s", (offer,))
    rule = rng.choice((None, "closed", "open", "hours"))
    closing = today + timedelta(days=rng.randrange(-5, 5)) if rng.random() < 0.15 else None
    town.conn.execute(
        "UPDATE directory.offer SET public_holidays = %s, closing_on = %s, reopening_on = %s WHERE id = %s",
        (rule, closing, closing and closing + timedelta(days=rng.randrange(1, 5)), offer),
    )
    for _ in range(rng.randrange(8)):
        period = [today + timedelta(days=rng.randrange(-9, 9)) if rng.random() < 0.3 else None for _ in range(2)]
        town.conn.execute(
            "INSERT INTO directory.opening_slot (offer_id, kind, weekday, opens, closes, valid_from, valid_to)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (offer, rng.choice(KINDS), rng.randint(1, 7), some_time(rng), some_time(rng), *period),
        )
    special: list[int | None] = [None] * rng.randrange(2)
    for _ in range(rng.randrange(4)):
        start = today + timedelta(days=rng.randrange(-9, 9))
        kind = rng.choice(("leave", "special", "closed"))
        row = town.one(
            "INSERT INTO directory.hours_exception (offer_id, kind, starts_on, ends_on) VALUES (%s, %s, %s, %s)"
            " RETURNING id",
            offer, kind, start, start + timedelta(days=rng.randrange(10)),
        )  # fmt: skip
        special += [row] * (rng.randint(1, 2) if kind == "special" else 0)
    for exception in special:
        town.conn.execute(
            "INSERT INTO directory.special_slot (offer_id, exception_id, kind, opens, closes)"
            " VALUES (%s, %s, %s, %s, %s)",
            (offer, exception, rng.choice(KINDS), some_time(rng), some_time(rng)),
        )


@pytest.mark.parametrize("instant", DAYS)
async def test_sql_and_model_say_the_same(shifted: Any, instant: str) -> None:
    rng = random.Random(instant)
    shift(shifted, instant)
    ids = [row["offer_id"] for row in shifted.all("SELECT offer_id FROM directory.offer_search ORDER BY 1")]
    seen: set[str | None] = set()
    for round_ in range(30):
        town = DEPARTEMENTS[round_ % len(DEPARTEMENTS)]
        shifted.conn.execute("UPDATE maps.place SET departement_code = %s WHERE kind = 'commune'", (town,))
        for offer in ids:
            draw(shifted, rng, offer, date.fromisoformat(instant[:10]))
        with shifted.loader.transaction():
            refresh_selected(shifted.loader, "SELECT id FROM directory.offer")
        rows = shifted.all(
            "SELECT offer_id, open_minutes::text AS minutes, core.now() AS now FROM directory.offer_search"
        )
        async with unit_of_work() as session:
            tables = await timetables(session, ids)
        for row in rows:
            assert row["minutes"] == minutes(tables[row["offer_id"]], row["now"]), tables[row["offer_id"]]
            seen.add(row["minutes"])
    assert len(seen) > 20


async def test_only_offers_whose_hours_in_force_changed_are_written_again(shifted: Any) -> None:
    from directory.api import ExceptionIn, OfferDescription, SlotIn, describe_offer

    week = [SlotIn(weekday=day, opens=time(9), closes=time(12)) for day in range(1, 8)]
    leave = ExceptionIn(kind="leave", starts_on=date(2026, 6, 20), ends_on=date(2026, 6, 21))

    async def write(rpps: str, **fields: Any) -> int:
        offer = shifted.offer(rpps)
        async with unit_of_work() as session:
            await describe_offer(session, offer["uid"], OfferDescription(**fields), "test", offer["version"])
        return int(offer["id"])

    def turned() -> set[int]:
        last = shifted.one("SELECT coalesce(max(position), 0) FROM core.event")
        turn_the_day()
        rows = shifted.all("SELECT entity_id FROM core.event WHERE position > %s AND kind = 'offer_day'", last)
        return {row["entity_id"] for row in rows}

    def opened(offer: int, minute: int) -> bool:
        found = shifted.one(
            "SELECT open_minutes @> %s::int FROM directory.offer_search WHERE offer_id = %s", minute, offer
        )
        return bool(found)

    saturday = 5 * 1440 + 10 * 60
    shift(shifted, "2026-06-01T00:05+02")
    away = await write("10000000001", hours=week, exceptions=[leave])
    same = await write("10000000002", hours=week, public_holidays="open")
    assert opened(away, saturday)
    assert turned() == set()
    shift(shifted, "2026-06-13T00:05+02")
    assert turned() == set()
    shift(shifted, "2026-06-14T00:05+02")
    assert turned() == {away}
    assert not opened(away, saturday)
    assert opened(same, saturday)
    shift(shifted, "2026-06-20T00:05+02")
    assert turned() == {away}
    shift(shifted, "2026-06-22T00:05+02")
    assert turned() == {away}
    assert opened(away, saturday)
    assert turned() == set()
    # The 14th of July enters the window for one, and does not close the other.
    shift(shifted, "2026-07-08T00:05+02")
    assert turned() == {away}
    assert not opened(away, 1440 + 600)
    assert opened(same, 1440 + 600)
