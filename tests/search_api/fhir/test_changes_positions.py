"""Deltas of the feed: positions, parameters, pages, how long changes are kept."""

import pytest

from core.db import connect_direct, unit_of_work
from directory.api import (
    unpublish_offer,
)
from tests.directory.conftest import Registers
from tests.search_api.fhir.following import differences, everything, position_of
from tests.search_api.fhir.town import PROFESSIONAL, PUBLIC, Reader, describe, town


@pytest.mark.parametrize(
    "since", ["", " ", "-1", "abc", "1.5", "9" * 30, "12-3", "12-0-1", "1-2-3-4", "٣", "1'--", "0x10", "NOW"]
)
async def test_a_position_that_is_none(registers: Registers, reader: Reader, since: str) -> None:
    consumer = await reader(PUBLIC)
    answer = await consumer.get(since)
    assert answer.status_code == 400
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert answer.json()["issue"][0]["expression"] == ["since"]


async def test_positions_that_only_an_extraction_mends(registers: Registers, reader: Reader) -> None:
    town(registers, people=0)
    consumer = await reader(PUBLIC)
    for since in ("0", "999999999", "9" * 18):
        answer = await consumer.get(since)
        assert answer.status_code == 410, since
        assert "$export" in answer.json()["issue"][0]["diagnostics"]
    answer = await consumer.client.get("/fhir/$changes")
    assert answer.status_code == 400 and answer.json()["issue"][0]["code"] == "required"
    twice = await consumer.client.get("/fhir/$changes?since=1&since=2")
    assert twice.status_code == 400


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [("_count", "0", 400), ("_count", "-3", 400), ("_count", "beaucoup", 400), ("_count", "9" * 40, 400),
     ("_count", "999999", 200), ("_type", "Patient", 400), ("_type", "", 400), ("_type", "Location,Practitioner", 200),
     ("inconnu", "1", 200)],
)  # fmt: skip
async def test_other_parameters(registers: Registers, reader: Reader, name: str, value: str, status: int) -> None:
    town(registers, people=0)
    consumer = await reader(PUBLIC)
    answer = await consumer.get(consumer.position, **{name: value})
    assert answer.status_code == status, answer.text
    if name == "inconnu":
        assert "inconnu" not in answer.json()["link"][0]["url"]
        strict = await consumer.client.get(
            f"/fhir/$changes?since={consumer.position}&inconnu=1", headers={"Prefer": "handling=strict"}
        )
        assert strict.status_code == 400


async def test_what_is_kept_a_year_is_then_gone(registers: Registers, reader: Reader) -> None:
    from directory.feed import tidy

    town(registers, people=0)
    consumer = await reader(PUBLIC)
    since = consumer.position
    for one in ("10000000001", "10000000002"):
        offer = registers.offer(one)
        async with unit_of_work() as session:
            await unpublish_offer(session, offer["uid"], "essai", offer["version"])
        if one == "10000000001":
            middle = position_of((await consumer.get("now")).json())
    registers.conn.execute("UPDATE directory.feed_change SET at = at - interval '370 days'")
    with connect_direct() as conn:
        assert tidy(conn).gone == 0
    assert len((await consumer.get(since)).json()["entry"]) == 4
    registers.conn.execute(
        "UPDATE directory.feed_change SET at = at - interval '400 days' WHERE position <= %s", (int(middle),)
    )
    with connect_direct() as conn:
        assert tidy(conn).gone == 2
    assert (await consumer.get(since)).status_code == 410
    assert len((await consumer.get(middle)).json()["entry"]) == 2


async def test_pages_end_anywhere_inside_a_publication(registers: Registers, reader: Reader) -> None:
    town(registers, people=12)
    whole, small = await reader(PROFESSIONAL), await reader(PROFESSIONAL)
    for site in registers.sites.values():
        site["phone"] = "0134999999"
    registers.publish()
    # An entity of the same publication changes again while its pages are read.
    first = (await small.get(small.position, _count="3")).json()
    for entry in first["entry"]:
        small.apply(entry)
    small.position = position_of(first)
    await describe(registers.offer("10000000011"), languages=["fr", "it"])
    await small.follow(count=1)
    await whole.follow()
    assert small.pages > 30
    wanted = await everything(PROFESSIONAL)
    assert not differences(whole.held, wanted)
    assert not differences(small.held, wanted)


async def test_a_burst_is_read_in_bounded_pages(registers: Registers, reader: Reader) -> None:
    from directory.feed import tidy

    town(registers, people=20)
    consumer = await reader(PUBLIC)
    since = consumer.position
    # Fifty thousand changes, all but the last few of each offer replaced by later ones.
    registers.conn.execute(
        """
        DO $$ DECLARE last bigint; BEGIN
            INSERT INTO core.event (kind, entity, entity_id) SELECT 'offer_described', 'offer', 1
            FROM generate_series(1, 50000);
            SELECT max(position) INTO last FROM core.event;
            INSERT INTO directory.feed_change (position) SELECT last - 50000 + n FROM generate_series(1, 49999) n;
        END $$
        """
    )
    for rpps in ("10000000010", "10000000011"):
        await describe(registers.offer(rpps), languages=["fr", "pt"])
    assert await consumer.follow(count=1) == 2
    assert consumer.pages <= 4
    with connect_direct() as conn:
        assert tidy(conn).changes >= 49_999
    again = await reader(PUBLIC)
    again.position = since
    assert await again.follow(count=1) == 2
    assert not differences(consumer.held, await everything(PUBLIC))
