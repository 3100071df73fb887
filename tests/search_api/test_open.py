"""« Ouvert maintenant » and « samedi matin » on real hours: leave, public holidays, nights, overseas; both engines."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy.engine import URL

from core.db import unit_of_work
from core.ui.filters import WEEKDAYS
from directory.api import ExceptionIn, OfferDescription, SlotIn, describe_offer, timezone_of
from maps.api import invalidate
from search_api import engines
from tests.search_api.conftest import dsn, indexed
from tests.search_api.following import published

DAY = timedelta(days=1)


class Opened:
    """One offer of the directory, rewritten by the test, searched on one engine."""

    def __init__(self, api: httpx.AsyncClient, url: URL, engine: str, root: Path) -> None:
        self.api, self.url, self.engine, self.root = api, url, engine, root
        self.uid: uuid.UUID = published(url)[0]
        with psycopg.connect(dsn(url)) as conn:
            row = conn.execute(
                "SELECT (core.now() AT TIME ZONE 'Europe/Paris')::date, p.code FROM directory.offer o"
                " JOIN directory.site s ON s.id = o.site_id JOIN maps.place p ON p.id = s.commune_id WHERE o.uid = %s",
                (self.uid,),
            ).fetchone()
        assert row
        self.today: date = row[0]
        self.town: str = row[1]
        self.builds = 0

    async def write(self, *slots: tuple[int, str, str], **more: Any) -> None:
        week = [SlotIn(weekday=d, opens=time.fromisoformat(a), closes=time.fromisoformat(b)) for d, a, b in slots]
        fields = {"hours": week, "exceptions": [], "public_holidays": "open"} | more
        with psycopg.connect(dsn(self.url)) as conn:
            row = conn.execute("SELECT version FROM directory.offer WHERE uid = %s", (self.uid,)).fetchone()
        assert row
        async with unit_of_work() as session:
            await describe_offer(session, self.uid, OfferDescription(**fields), "test", row[0])
        self.build()

    def build(self) -> None:
        if self.engine == "columns":
            self.builds += 1
            indexed(self.url, self.root / str(self.builds))

    async def card(self, **params: str) -> dict[str, Any] | None:
        """Return the offer as a search around its town finds it; None when it does not."""
        asked = {"where": f"commune:{self.town}", "radius_km": "20"} | params
        page, pages = 1, 1
        while page <= pages:
            answer = await self.api.get("/api/v1/search", params=asked | {"page": str(page)})
            assert answer.status_code == 200, answer.text
            assert answer.headers["X-Repere-Engine"] == self.engine
            pages = answer.json()["pages"]
            for item in answer.json()["items"]:
                for offer in item["offers"]:
                    if offer["id"] == str(self.uid):
                        found: dict[str, Any] = offer
                        return found
            page += 1
        return None

    async def found(self, day: date, at: str) -> bool:
        return await self.card(open_at=f"{day}T{at}") is not None

    def next(self, weekday: int) -> date:
        """The coming day of that ISO weekday, tomorrow at the earliest."""
        return self.today + DAY * ((weekday - self.today.isoweekday() - 1) % 7 + 1)


@pytest.fixture(params=["postgis", "columns"])
async def offer(
    request: pytest.FixtureRequest, api: httpx.AsyncClient, filled: URL, tmp_path: Path
) -> AsyncIterator[Opened]:
    yield Opened(api, filled, request.param, tmp_path)
    engines.use(None)


async def test_saturday_morning_follows_the_leave_of_that_saturday(offer: Opened) -> None:
    saturday = offer.next(6)
    await offer.write((6, "09:00", "12:00"))
    assert await offer.found(saturday, "09:30")
    assert not await offer.found(saturday, "12:00")
    leave = ExceptionIn(kind="leave", starts_on=saturday, ends_on=saturday)
    await offer.write((6, "09:00", "12:00"), exceptions=[leave])
    assert not await offer.found(saturday, "09:30")
    later = ExceptionIn(kind="leave", starts_on=offer.today + DAY * 7, ends_on=offer.today + DAY * 30)
    await offer.write((6, "09:00", "12:00"), exceptions=[later])
    assert await offer.found(saturday, "09:30") is (saturday < later.starts_on)


async def test_on_leave_all_week_is_closed_and_not_unknown(offer: Opened) -> None:
    always = [(day, "00:00", "00:00") for day in range(1, 8)]
    await offer.write(*always)
    shown = await offer.card(open_at="maintenant")
    assert shown is not None
    assert shown["open_now"] is True
    away = ExceptionIn(kind="leave", starts_on=offer.today, ends_on=offer.today + DAY * 40)
    await offer.write(*always, exceptions=[away])
    assert await offer.card(open_at="maintenant") is None
    shown = await offer.card()
    assert shown is not None
    assert shown["open_now"] is False
    await offer.write()
    shown = await offer.card()
    assert shown is not None
    assert shown["open_now"] is None


async def test_the_night_from_sunday_to_monday(offer: Opened) -> None:
    await offer.write((7, "22:00", "02:00"))
    sunday, monday = offer.next(7), offer.next(1)
    for day, at, expected in (
        (sunday, "21:59", False),
        (sunday, "23:59", True),
        (monday, "00:00", True),
        (monday, "01:59", True),
        (monday, "02:00", False),
    ):
        assert await offer.found(day, at) is expected, (day, at)


async def test_a_public_holiday_of_the_coming_days(offer: Opened) -> None:
    """Seen from the 6th of May 2026, Friday the 8th is one."""
    with psycopg.connect(dsn(offer.url), autocommit=True) as conn:
        row = conn.execute("SELECT pg_get_functiondef('core.now()'::regprocedure)").fetchone()
        assert row
        conn.execute(
            "CREATE OR REPLACE FUNCTION core.now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS"
            " $$ SELECT '2026-05-06T10:00+02'::timestamptz $$"
        )
        try:
            for choice, expected in (("closed", False), ("open", True)):
                await offer.write((4, "09:00", "12:00"), (5, "09:00", "12:00"), public_holidays=choice)
                assert await offer.found(date(2026, 5, 8), "09:30") is expected
                assert await offer.found(date(2026, 5, 7), "09:30")
        finally:
            conn.execute(row[0])


def move(conn: psycopg.Connection, town: str, departement: str) -> None:
    """Put a town in another département, as a load of places would."""
    conn.execute("UPDATE maps.place SET departement_code = %s WHERE code = %s", (departement, town))
    conn.execute("UPDATE maps.place_state SET token = gen_random_uuid()")
    invalidate()


async def test_now_is_read_on_the_clock_of_the_place(offer: Opened) -> None:
    there = datetime.now(UTC).astimezone(timezone_of("974"))
    start, end = there - timedelta(minutes=40), there + timedelta(minutes=40)
    with psycopg.connect(dsn(offer.url), autocommit=True) as conn:
        move(conn, offer.town, "974")
        try:
            await offer.write((start.isoweekday(), f"{start:%H:%M}", f"{end:%H:%M}"))
            shown = await offer.card(open_at="maintenant")
            assert shown is not None
            assert shown["open_now"] is True
            typed = await offer.card(open_at=f"{there:%Y-%m-%dT%H:%M}")
            assert typed is not None
            assert await offer.card(open_at=datetime.now(UTC).isoformat(timespec="minutes")) is not None
        finally:
            move(conn, offer.town, "78")
            await offer.write((start.isoweekday(), f"{start:%H:%M}", f"{end:%H:%M}"))
    assert await offer.card(open_at="maintenant") is None


async def test_a_card_says_what_holds_at_the_instant_asked_for(offer: Opened) -> None:
    saturday = offer.next(6)
    await offer.write((6, "09:00", "12:30"), (6, "14:00", "00:00"))
    for at, words in (("09:30", "à 9 h 30 (9 h – 12 h 30)"), ("15:00", "à 15 h (14 h – minuit)")):
        shown = await offer.card(open_at=f"{saturday}T{at}")
        assert shown is not None
        assert shown["opening"].replace("\u00a0", " ") == f"ouvert samedi {words}"
    await offer.write(*[(day, "00:00", "00:00") for day in range(1, 8)])
    for asked, expected in ((f"{saturday}T09:30", "ouvert samedi à 9 h 30 (en continu)"), ("maintenant", None)):
        shown = await offer.card(open_at=asked)
        assert shown is not None
        # On a Saturday at half past nine the two are one.
        assert shown["opening"].replace("\u00a0", " ") in {expected, "ouvert maintenant"}, asked


async def test_a_card_that_is_closed_says_when_it_opens(offer: Opened) -> None:
    for ahead in (1, 3):
        day = offer.today + DAY * ahead
        await offer.write((day.isoweekday(), "08:30", "12:00"))
        shown = await offer.card()
        assert shown is not None
        name = "demain" if ahead == 1 else WEEKDAYS[day.weekday()]
        assert shown["opening"].replace("\u00a0", " ") == f"fermé, ouvre {name} à 8 h 30"
    away = ExceptionIn(kind="leave", starts_on=offer.today, ends_on=offer.today + DAY * 40)
    await offer.write((1, "08:30", "12:00"), exceptions=[away])
    shown = await offer.card()
    assert shown is not None
    assert shown["opening"] == "fermé pour l’instant"
    await offer.write()
    shown = await offer.card()
    assert shown is not None
    assert shown["opening"] is None
