"""Pages of hours and the iCalendar file: read as people and calendar programs do."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import httpx
import icalendar
import pytest
from dateutil.rrule import rrulestr

from core.db import unit_of_work
from directory.api import ExceptionIn, OfferDescription, SlotIn, SpanIn, describe_offer
from directory.hours import DAY
from directory.hours_kinds import MASK_KINDS
from directory.hours_store import timetables
from tests.accounts.helpers import signed_in

HOSTILE = "<b>Dr Faure</b>"


def slot(weekday: int, opens: str, closes: str, kind: str = "07") -> SlotIn:
    return SlotIn(kind=kind, weekday=weekday, opens=time.fromisoformat(opens), closes=time.fromisoformat(closes))


def span(opens: str, closes: str, kind: str = "07") -> SpanIn:
    return SpanIn(kind=kind, opens=time.fromisoformat(opens), closes=time.fromisoformat(closes))


async def write(town: Any, **fields: Any) -> dict[str, Any]:
    offer: dict[str, Any] = town.offer("10000000001")
    async with unit_of_work() as session:
        await describe_offer(session, offer["uid"], OfferDescription(**fields), "test", offer["version"])
    return offer


def today(town: Any) -> date:
    found: date = town.one("SELECT (core.now() AT TIME ZONE 'Europe/Paris')::date")
    return found


async def busy(town: Any) -> dict[str, Any]:
    """An offer with everything: lunch break, night, home visits, masks, leave, special hours, public holidays."""
    here = today(town)
    return await write(
        town,
        hours=[
            *(slot(day, a, b) for day in (1, 2, 4, 5) for a, b in (("09:00", "12:30"), ("14:00", "19:00"))),
            slot(3, "08:00", "12:00", "05"),
            slot(3, "10:00", "11:00", "indisponible"),
            slot(7, "22:00", "02:00", "01"),
            slot(6, "00:00", "00:00", "02"),
        ],
        exceptions=[
            ExceptionIn(kind="leave", starts_on=here + DAY * 30, ends_on=here + DAY * 45, replacement=HOSTILE,
                        replacement_phone="01 99 00 12 34"),
            ExceptionIn(kind="special", starts_on=here + DAY * 35, slots=[span("10:00", "11:30")]),
            ExceptionIn(kind="closed", starts_on=here + DAY * 60),
        ],
        public_holidays="hours",
        public_holiday_hours=[span("10:00", "12:00", "06")],
    )  # fmt: skip


async def test_the_week_and_the_month_are_read_without_scripts(town: Any, client: httpx.AsyncClient) -> None:
    offer = await busy(town)
    page = await client.get(f"/offres/{offer['uid']}/horaires")
    assert page.status_code == 200
    assert re.search(r"Semaine \d+, du ", page.text)
    assert "aujourd’hui" in page.text
    assert 'rel="prev"' not in page.text
    following = page.text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    page = await client.get(following)
    assert 'rel="prev"' in page.text
    assert 'aria-current="page">À la semaine' in page.text
    leave = today(town) + DAY * 35
    page = await client.get(f"/offres/{offer['uid']}/horaires", params={"vue": "mois", "date": leave.isoformat()})
    assert 'aria-current="page">Au mois' in page.text
    assert "Fermé : congés" in page.text
    assert "Horaires particuliers" in page.text
    assert "10\u00a0h\u00a0– 11\u00a0h\u00a030" in page.text
    assert HOSTILE not in page.text
    assert "&lt;b&gt;Dr Faure&lt;/b&gt;" in page.text
    assert "Légende" in page.text


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"date": "hier"}, 422),
        ({"date": "2026-02-30"}, 422),
        ({"date": "0001-01-01"}, 200),
        ({"date": "9999-12-31", "vue": "mois"}, 200),
        ({"vue": "siecle"}, 200),
    ],
)
async def test_odd_addresses(town: Any, client: httpx.AsyncClient, params: dict[str, str], status: int) -> None:
    offer = await busy(town)
    page = await client.get(f"/offres/{offer['uid']}/horaires", params=params)
    assert page.status_code == status


async def test_every_month_of_two_years_is_reached_by_its_links(town: Any, client: httpx.AsyncClient) -> None:
    offer = await busy(town)
    address, titles = f"/offres/{offer['uid']}/horaires?vue=mois", set()
    while address:
        page = await client.get(address)
        titles.add(page.text.partition('id="periode-titre">')[2].partition("<")[0])
        address = page.text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert len(titles) in (24, 25)


async def test_without_hours_the_page_says_so(town: Any, client: httpx.AsyncClient) -> None:
    offer = town.offer("10000000002")
    page = await client.get(f"/offres/{offer['uid']}/horaires")
    assert "Aucun horaire n’est connu" in page.text
    file = await client.get(f"/offres/{offer['uid']}/horaires.ics")
    assert read(file.content).walk("VEVENT") == []


@pytest.mark.parametrize("ending", ["", ".ics"])
async def test_what_the_public_may_not_see_has_no_hours(town: Any, client: httpx.AsyncClient, ending: str) -> None:
    offer = await busy(town)
    address = f"/offres/{offer['uid']}/horaires{ending}"
    town.conn.execute("UPDATE directory.offer SET sensitive = true WHERE id = %s", (offer["id"],))
    assert (await client.get(address)).status_code == 404
    await signed_in(client, ("professional", "rpps:10000000001"), rpps="10000000001")
    assert (await client.get(address)).status_code == 200
    town.conn.execute("UPDATE directory.offer SET status = 'unpublished' WHERE id = %s", (offer["id"],))
    assert (await client.get(address)).status_code == 404
    assert (await client.get(address.replace(str(offer["uid"]), "x"))).status_code in (404, 422)


def read(content: bytes) -> Any:
    """Parse a calendar file; its library types every value as any of ten."""
    return icalendar.Calendar.from_ical(content)


def expand(event: Any) -> set[tuple[datetime, datetime]]:
    """Return the occurrences of an event on its wall clock, as a calendar program computes them."""
    start, end = event["DTSTART"].dt.replace(tzinfo=None), event["DTEND"].dt.replace(tzinfo=None)
    if "RRULE" not in event:
        return {(start, end)}
    zone = event["DTSTART"].dt.tzinfo
    assert event["RRULE"]["UNTIL"][0].tzinfo is not None
    until = event["RRULE"]["UNTIL"][0].astimezone(zone).replace(tzinfo=None)
    rule = rrulestr(f"FREQ=WEEKLY;UNTIL={until:%Y%m%dT%H%M%S}", dtstart=start)
    given = event.get("EXDATE", [])
    left_out = {one.dt.replace(tzinfo=None) for group in (given if isinstance(given, list) else [given])
                for one in group.dts}  # fmt: skip
    assert all(one in set(rule) for one in left_out)
    return {(at, at + (end - start)) for at in rule if at not in left_out}


@pytest.mark.parametrize(("departement", "zone"), [("78", "Europe/Paris"), ("974", "Indian/Reunion")])
async def test_the_calendar_file_says_what_the_model_says_for_a_year(
    town: Any, client: httpx.AsyncClient, departement: str, zone: str
) -> None:
    offer = await busy(town)
    town.conn.execute("UPDATE maps.place SET departement_code = %s WHERE kind = 'commune'", (departement,))
    answer = await client.get(f"/offres/{offer['uid']}/horaires.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert all(len(line) <= 75 for line in answer.content.split(b"\r\n"))
    made = read(answer.content)
    assert [str(one["TZID"]) for one in made.walk("VTIMEZONE")] == [zone]
    events = made.walk("VEVENT")
    assert len({str(event["UID"]) for event in events}) == len(events)
    timed = [event for event in events if isinstance(event["DTSTART"].dt, datetime)]
    assert {str(event["DTSTART"].params["TZID"]) for event in timed} == {zone}
    assert any("RRULE" in event for event in timed)
    assert any("EXDATE" in event for event in timed)
    said = {(str(event["SUMMARY"]).partition(" · ")[0], *one) for event in timed for one in expand(event)}

    async with unit_of_work() as session:
        table = (await timetables(session, [offer["id"]]))[offer["id"]]
    here = table.local(datetime.now(UTC)).date()
    labels = {"07": "Consultation sur rendez-vous", "06": "Consultation sans rendez-vous", "05": "Visite à domicile",
              "01": "Horaire d’ouverture", "02": "Horaire de fonctionnement"}  # fmt: skip
    expected = {(labels[p.kind], p.start, p.end) for p in table.pieces(here, 366) if p.kind not in MASK_KINDS}
    first, last = datetime.combine(here, time(0)), datetime.combine(here + DAY * 366, time(0))
    assert {one for one in said if first <= one[1] < last} == expected
    whole = {str(event["SUMMARY"]).partition(" · ")[0]: event for event in events if event not in timed}
    assert whole[f"Congés (remplaçant : {HOSTILE}, 01\u00a099\u00a000\u00a012\u00a034)"]["DTEND"].dt == (
        today(town) + DAY * 46
    )
    assert "Fermé" in whole


async def test_the_calendar_file_is_not_sent_twice(town: Any, client: httpx.AsyncClient) -> None:
    offer = await busy(town)
    address = f"/offres/{offer['uid']}/horaires.ics"
    first = await client.get(address)
    again = await client.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    town.conn.execute("DELETE FROM directory.opening_slot WHERE weekday = 1")
    changed = await client.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200


async def test_public_holidays_are_left_out_and_named(town: Any, client: httpx.AsyncClient) -> None:
    offer = await write(town, hours=[slot(day, "09:00", "12:00") for day in range(1, 8)])
    made = read((await client.get(f"/offres/{offer['uid']}/horaires.ics")).content)
    whole = [event for event in made.walk("VEVENT") if not isinstance(event["DTSTART"].dt, datetime)]
    names = {str(event["SUMMARY"]).partition(" · ")[0] for event in whole}
    assert {"Fermé : Noël", "Fermé : Fête du Travail", "Fermé : Ascension"} <= names
    noel = next(event["DTSTART"].dt for event in whole if "Noël" in event["SUMMARY"])
    occurrences = [one for event in made.walk("VEVENT") if event not in whole for one in expand(event)]
    assert not [one for one in occurrences if one[0].date() == noel]
    assert [one for one in occurrences if one[0].date() == noel - timedelta(days=3)]


async def test_the_same_hours_sent_twice_are_refused_the_second_time(town: Any) -> None:
    from core.errors import Conflict

    offer = town.offer("10000000001")
    given = OfferDescription(hours=[slot(1, "09:00", "12:00")], exceptions=[
        ExceptionIn(kind="closed", starts_on=date(2026, 12, 24))])  # fmt: skip
    async with unit_of_work() as session:
        await describe_offer(session, offer["uid"], given, "test", offer["version"])
    with pytest.raises(Conflict):
        async with unit_of_work() as session:
            await describe_offer(session, offer["uid"], given, "test", offer["version"])
    assert town.one("SELECT count(*) FROM directory.opening_slot") == 1
    assert town.one("SELECT count(*) FROM directory.hours_exception") == 1


async def test_the_history_keeps_hours_before_and_after(town: Any) -> None:
    await busy(town)
    await write(town, exceptions=[], public_holidays="open")
    change = town.one("SELECT detail FROM directory.history ORDER BY id DESC LIMIT 1")
    assert change["public_holidays"] == ["hours", "open"]
    assert [len(side) for side in change["exceptions"]] == [3, 0]
    assert change["public_holiday_hours"] == [[["06", "10:00:00", "12:00:00"]], []]
    assert "hours" not in change
