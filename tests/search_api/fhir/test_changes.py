"""Deltas of the feed, one change at a time: what comes, as what, for whom."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest

from core import clock
from core.db import connect_direct, unit_of_work
from directory.api import (
    SiteDescription,
    describe_site,
    republish_offer,
    unpublish_offer,
)
from tests.directory.conftest import PARIS12, Registers
from tests.search_api.fhir.following import differences, everything
from tests.search_api.fhir.town import PARIS, PROFESSIONAL, PUBLIC, YVELINES, Reader, changes, describe, place, town


async def test_an_offer_that_is_edited_withdrawn_and_shown_again(registers: Registers, reader: Reader) -> None:
    town(registers)
    consumer = await reader(PUBLIC)
    assert await changes(consumer) == []
    await describe(registers.offer("10000000001"), languages=["fr", "en"])
    assert await changes(consumer) == [("PUT", "HealthcareService")]
    offer = registers.offer("10000000001")
    async with unit_of_work() as session:
        await unpublish_offer(session, offer["uid"], "essai", offer["version"])
    assert await changes(consumer) == [("DELETE", "PractitionerRole"), ("DELETE", "HealthcareService")]
    # Edited while nobody sees it: nobody is told.
    offer = registers.offer("10000000001")
    await describe(offer, languages=["fr", "de"])
    assert await changes(consumer) == []
    offer = registers.offer("10000000001")
    async with unit_of_work() as session:
        await republish_offer(session, offer["uid"], "essai", offer["version"])
    assert await changes(consumer) == [("POST", "PractitionerRole"), ("POST", "HealthcareService")]
    assert not differences(consumer.held, await everything(PUBLIC))


async def test_a_parent_brings_back_what_names_it(registers: Registers, reader: Reader) -> None:
    town(registers, people=0)
    consumer = await reader(PUBLIC)
    registers.sites["struct:410000000001001"]["name"] = "CABINET DES ACACIAS"
    registers.publish()
    told = await changes(consumer)
    assert told == [
        ("PUT", "Organization"), ("PUT", "Location"), ("PUT", "PractitionerRole"), ("PUT", "PractitionerRole"),
        ("PUT", "HealthcareService"), ("PUT", "HealthcareService"),
    ]  # fmt: skip
    registers.legal["finess:780110078"]["name"] = "CENTRE HOSPITALIER FRANÇOIS-QUESNAY"
    registers.publish()
    told = await changes(consumer)
    assert told[:3] == [("PUT", "Organization"), ("PUT", "Organization"), ("PUT", "Location")]
    assert ("PUT", "HealthcareService") in told
    registers.people["810000000001"]["last_name"] = "MARTIN-DUBOIS"
    registers.publish()
    assert await changes(consumer) == [
        ("PUT", "Practitioner"),
        ("PUT", "PractitionerRole"),
        ("PUT", "HealthcareService"),
    ]
    before = {key: one["meta"] for key, one in consumer.held.items()}
    async with unit_of_work() as session:
        site = registers.one("SELECT uid, version FROM directory.site WHERE structure_id = '410000000001001'")
        await describe_site(
            session, site["uid"], SiteDescription(accessibility="1", pin=(48.9911, 1.7151)), "essai", site["version"]
        )
    assert len(await changes(consumer)) == 6
    moved = {key for key, one in consumer.held.items() if one["meta"]["versionId"] != before[key]["versionId"]}
    assert len(moved) == 6
    assert all(consumer.held[key]["meta"]["lastUpdated"] > before[key]["lastUpdated"] for key in moved)
    assert not differences(consumer.held, await everything(PUBLIC))


async def test_what_leaves_the_register_and_comes_back(registers: Registers, reader: Reader) -> None:
    town(registers, people=0)
    consumer = await reader(PROFESSIONAL)
    person, role = registers.people.pop("810000000002"), None
    for key in [key for key, one in registers.roles.items() if one["practitioner_key"] == "810000000002"]:
        role = registers.roles.pop(key)
    registers.publish()
    assert await changes(consumer) == [
        ("DELETE", "Practitioner"), ("DELETE", "PractitionerRole"), ("DELETE", "HealthcareService")
    ]  # fmt: skip
    registers.people["810000000002"] = person
    assert role
    registers.roles[role["key"]] = role
    registers.publish()
    assert await changes(consumer) == [
        ("POST", "Practitioner"), ("POST", "PractitionerRole"), ("POST", "HealthcareService")
    ]  # fmt: skip
    assert not differences(consumer.held, await everything(PROFESSIONAL))


async def test_a_move_leaves_one_zone_and_enters_the_other(registers: Registers, reader: Reader) -> None:
    town(registers, people=0)
    here, there = await reader(YVELINES), await reader(PARIS)
    assert not any("410000000001001" in str(one) for one in there.held.values())
    registers.sites["struct:410000000001001"] |= place(PARIS12)
    registers.publish()
    left, came = await changes(here), await changes(there)
    assert {method for method, _ in left} == {"DELETE"}
    assert {method for method, _ in came} == {"PUT"}
    assert sorted(type_ for _, type_ in left) == sorted(type_ for _, type_ in came)
    assert not differences(here.held, await everything(YVELINES))
    assert not differences(there.held, await everything(PARIS))


async def test_a_date_that_comes_withdraws_an_offer(
    registers: Registers, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    from directory.tasks import turn_the_day

    town(registers, people=0)
    offer = registers.offer("10000000001")
    async with unit_of_work() as session:
        today = clock.today(await clock.now(session))
    await describe(offer, closing_on=today + timedelta(days=1))
    consumer = await reader(PUBLIC)
    assert ("HealthcareService", str(offer["uid"])) in consumer.held

    @contextmanager
    def in_two_days() -> Iterator[psycopg.Connection]:
        with connect_direct() as connection:
            connection.execute("SELECT set_config('repere.clock_shift', '2 days', false)")
            yield connection

    monkeypatch.setattr("directory.tasks.connect_direct", in_two_days)
    turn_the_day()
    assert ("DELETE", "HealthcareService") in await changes(consumer)
