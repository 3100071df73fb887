"""What a search row holds, after a publication and after an edit; what never enters it."""

from datetime import time
from typing import Any

import pytest
from sqlalchemy import func, select

from core.db import unit_of_work
from directory.api import (
    PROFESSIONAL,
    PUBLIC,
    ContactIn,
    OfferDescription,
    OfferSearch,
    SiteDescription,
    SlotIn,
    describe_offer,
    describe_site,
    republish_offer,
    searchable,
    unpublish_offer,
)

CANARY = "zzcanari"


async def write(town: Any, rpps: str, **fields: Any) -> None:
    offer = town.offer(rpps)
    async with unit_of_work() as session:
        await describe_offer(session, offer["uid"], OfferDescription(**fields), "test", offer["version"])


def row(town: Any, rpps: str) -> dict[str, Any]:
    found: dict[str, Any] = town.one(
        "SELECT *, ST_X(position::geometry) AS lon, ST_Y(position::geometry) AS lat, open_minutes::text AS minutes"
        " FROM directory.offer_search WHERE offer_id = %s",
        town.offer(rpps)["id"],
    )
    return found


async def test_a_description_enters_the_row(town: Any) -> None:
    await write(
        town, "10000000001", activities=["J17|339", "J17|421"], acts=["J16|1341"],
        outside_acts=["J16|1341", "J16|0148"], skills=["J33|01"], reception=["R338|05"],
        publics=["J29|02"], specialisations=["J35|64"], age_min=16,
        age_max=99, accepts_new=True, territory=["commune:78361", "commune:78118"],
    )  # fmt: skip
    found = row(town, "10000000001")
    codes = town.codes(found["offer_id"])
    assert {"J17|421", "J16|1341", "J16|0148", "J33|01", "R338|05", "J29|02", "J35|64", "AGE|enfant"} <= codes
    assert len(found["codes"]) == len(set(found["codes"]))
    assert (found["age_min"], found["age_max"], found["accepts_new"]) == (16, 99, True)
    assert sorted(found["territory"]) == [1, 2]
    assert found["described"] is True
    assert sorted(found["places"]) == [1, 10, 12]


@pytest.mark.parametrize(
    ("age_min", "age_max", "bands"),
    [(0, 17, {"AGE|enfant"}), (18, 150, {"AGE|adulte"}), (17, 18, {"AGE|enfant", "AGE|adulte"})],
)
async def test_age_bands(town: Any, age_min: int, age_max: int, bands: set[str]) -> None:
    await write(town, "10000000001", age_min=age_min, age_max=age_max)
    codes = town.codes(town.offer("10000000001")["id"])
    assert {c for c in codes if c.startswith("AGE|")} == bands


@pytest.mark.parametrize(
    ("slots", "minutes"),
    [
        ([("07", 1, "09:00", "12:00")], "{[540,720)}"),
        ([("07", 1, "09:00", "12:00"), ("06", 1, "11:00", "13:00")], "{[540,780)}"),
        ([("01", 7, "22:00", "02:00")], "{[0,120),[9960,10080)}"),
        ([("01", 3, "00:00", "00:00")], "{[2880,4320)}"),
        ([("02", 7, "20:00", "00:00")], "{[9840,10080)}"),
        ([("05", 1, "09:00", "12:00"), ("04", 1, "09:00", "12:00")], None),
        ([("07", 1, "09:00", "18:00"), ("08", 1, "12:00", "14:00")], "{[540,720),[840,1080)}"),
    ],
)
async def test_hours_become_minutes_of_the_week(town: Any, slots: list[Any], minutes: str | None) -> None:
    given = [
        SlotIn(kind=k, weekday=d, opens=time.fromisoformat(a), closes=time.fromisoformat(b)) for k, d, a, b in slots
    ]
    await write(town, "10000000001", hours=given, public_holidays="open")
    assert row(town, "10000000001")["minutes"] == minutes


async def test_periods_count_only_while_they_last(town: Any) -> None:
    hour = {"weekday": 1, "opens": time(9), "closes": time(12)}
    await write(
        town, "10000000001",
        hours=[SlotIn(**hour, valid_from="2001-01-01", valid_to="2001-02-01"), SlotIn(**hour, valid_from="2199-01-01")],
    )  # fmt: skip
    assert row(town, "10000000001")["minutes"] == "{}"


async def test_equipment_and_pin_of_the_place_reach_all_its_offers(town: Any) -> None:
    site = town.one("SELECT * FROM directory.site WHERE kind = 'practice'")
    given = SiteDescription(equipment=["J18|150", "J18|040"], pin=(48.9, 1.6), accessibility="1")
    async with unit_of_work() as session:
        written = await describe_site(session, site["uid"], given, "test", site["version"])
    assert written.version == site["version"] + 1
    for rpps in ("10000000001", "10000000002"):
        found = row(town, rpps)
        assert {"J18|150", "J18|040"} <= town.codes(found["offer_id"])
        assert (round(found["lat"], 3), round(found["lon"], 3), found["exact"]) == (48.9, 1.6, True)
    town.practice("struct:410000000001001", lon=2.0, lat=48.0)
    town.publish()
    assert round(row(town, "10000000001")["lat"], 3) == 48.9


def test_a_town_level_position_is_not_exact(town: Any) -> None:
    town.practice("struct:410000000001001", position_level="commune")
    town.publish()
    assert row(town, "10000000001")["exact"] is False
    town.practice("struct:410000000001001", position_level="none", lon=None, lat=None)
    town.publish()
    found = row(town, "10000000001")
    assert (found["exact"], found["position"]) == (False, None)


async def test_unpublished_and_finally_closed_offers_have_no_row(town: Any) -> None:
    offer = town.offer("10000000001")
    async with unit_of_work() as session:
        await unpublish_offer(session, offer["uid"], "test", 1)
    assert "Consultation kinésithérapie Alice MARTIN" not in town.found()
    async with unit_of_work() as session:
        await republish_offer(session, offer["uid"], "test", 2)
    assert "Consultation kinésithérapie Alice MARTIN" in town.found()
    await write(town, "10000000001", closing_on="2001-01-01")
    assert "Consultation kinésithérapie Alice MARTIN" not in town.found()
    await write(town, "10000000001", reopening_on="2001-02-01")
    assert "Consultation kinésithérapie Alice MARTIN" in town.found()


async def test_what_is_restricted_never_enters_a_row(town: Any) -> None:
    await write(
        town, "10000000001", comment=f"commentaire {CANARY}",
        contacts=[ContactIn(purpose="other_email", value=f"{CANARY}@example.org"),
                  ContactIn(purpose="pro_phone", value="01 99 00 77 77"),
                  ContactIn(purpose="teleexpertise_url", value=f"https://example.org/{CANARY}")],
    )  # fmt: skip
    text = str(town.all("SELECT s.*, s.names::text AS words FROM directory.offer_search s"))
    assert CANARY not in text
    assert "0199007777" not in text


async def test_sensitive_offers_are_for_professionals(town: Any) -> None:
    offer = town.offer("10000000001")
    town.conn.execute("UPDATE directory.offer SET sensitive = true WHERE id = %s", (offer["id"],))
    await write(town, "10000000001", comment="x")
    async with unit_of_work() as session:
        for level, expected in ((PUBLIC, 3), (PROFESSIONAL, 4)):
            count = await session.scalar(select(func.count()).select_from(OfferSearch).where(searchable(level)))
            assert count == expected


def test_names_are_found_without_accents(registers: Any) -> None:
    registers.practice("struct:4A", name="CENTRE SAINT-FRANÇOIS D’ASSISE")
    registers.role(registers.person("1", "LÉVÊQUE", "Zoé"), "struct:4A")
    registers.publish({"rpps"})
    for word in ("leveque", "zoe", "francois"):
        query = "SELECT count(*) FROM directory.offer_search WHERE names @@ to_tsquery('directory.simple_fr', %s)"
        assert registers.one(query, word) == 1, word


def test_the_day_s_turn_writes_again_what_a_date_changes(town: Any) -> None:
    from directory.tasks import turn_the_day

    offer = town.offer("10000000001")
    town.conn.execute("UPDATE directory.offer SET public_holidays = 'open' WHERE id = %s", (offer["id"],))
    town.conn.execute(
        "INSERT INTO directory.opening_slot (offer_id, kind, weekday, opens, closes, valid_from)"
        " SELECT %s, '07', 1, '09:00', '10:00', (core.now() AT TIME ZONE 'Europe/Paris')::date",
        (offer["id"],),
    )
    assert row(town, "10000000001")["minutes"] is None
    turn_the_day()
    assert town.one("SELECT entity_id FROM core.event WHERE kind = 'offer_day'") == offer["id"]
    assert row(town, "10000000001")["minutes"] == "{[540,600)}"
