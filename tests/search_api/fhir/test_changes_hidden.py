"""Deltas of the feed: nothing tells the public of what it may not read."""

from typing import Any

from core.db import unit_of_work
from directory.api import (
    ContactIn,
    leave_offer,
    republish_offer,
    unpublish_offer,
)
from tests.directory.conftest import Registers
from tests.search_api.fhir.following import Consumer, differences, everything
from tests.search_api.fhir.town import CANARY, PROFESSIONAL, PUBLIC, Reader, changes, describe, flip, town


async def _public_page(consumer: Consumer, since: str) -> dict[str, Any]:
    page: dict[str, Any] = (await consumer.get(since)).json()
    page["meta"].pop("lastUpdated")
    return page


async def test_the_public_is_told_nothing_of_what_it_may_not_read(registers: Registers, reader: Reader) -> None:
    town(registers)
    hidden = registers.offer("10000000002")
    await flip(registers, hidden["id"], True)
    await describe(registers.offer("10000000001"), contacts=[ContactIn(purpose="booking_phone", value="0134000001")])
    consumer, colleague = await reader(PUBLIC), await reader(PROFESSIONAL)
    assert not any(str(hidden["uid"]) in str(one) for one in consumer.held.values())
    since = consumer.position
    before = await _public_page(consumer, since)
    contacts = [
        ContactIn(purpose="booking_phone", value="0134000001"),
        ContactIn(purpose="other_email", value=f"{CANARY}@example.org"),
    ]
    # A restricted contact, a comment, and all that may happen to a sensitive offer.
    await describe(registers.offer("10000000001"), contacts=contacts, comment=f"Commentaire {CANARY}")
    await describe(registers.offer("10000000002"), languages=["fr"], comment=CANARY)
    for use, status in ((unpublish_offer, "unpublished"), (republish_offer, "published"), (leave_offer, "left")):
        offer = registers.offer("10000000002")
        async with unit_of_work() as session:
            await use(session, offer["uid"], "essai", offer["version"])
        assert registers.offer("10000000002")["status"] == status
    assert await _public_page(consumer, since) == before
    told = (await consumer.get(since)).text
    assert CANARY not in told and str(hidden["uid"]) not in told
    assert (await consumer.get("now")).json()["meta"]["tag"][0]["code"] == since
    # The date of what they may read does not betray the edit either.
    assert not differences(consumer.held, await everything(PUBLIC))
    assert CANARY in (await colleague.get(colleague.position)).text
    await colleague.follow()
    assert not differences(colleague.held, await everything(PROFESSIONAL))


async def test_a_closed_sensitive_offer_leaves_no_trace_for_the_public(registers: Registers, reader: Reader) -> None:
    town(registers, people=0)
    hidden = registers.offer("10000000002")
    await flip(registers, hidden["id"], True)
    consumer, colleague = await reader(PUBLIC), await reader(PROFESSIONAL)
    for key in [key for key, one in registers.roles.items() if one["practitioner_key"] == "810000000002"]:
        del registers.roles[key]
    del registers.people["810000000002"]
    registers.publish()
    assert await changes(consumer) == []
    assert ("DELETE", "HealthcareService") in await changes(colleague)


async def test_what_becomes_sensitive_is_withdrawn_from_those_who_saw_it(registers: Registers, reader: Reader) -> None:
    town(registers, people=0)
    consumer, colleague = await reader(PUBLIC), await reader(PROFESSIONAL)
    offer = registers.offer("10000000002")
    await flip(registers, offer["id"], True)
    told = await changes(consumer)
    assert told == [("DELETE", "Practitioner"), ("DELETE", "PractitionerRole"), ("DELETE", "HealthcareService")]
    assert set(await changes(colleague)) <= {("PUT", "HealthcareService"), ("PUT", "Practitioner")}
    assert not differences(colleague.held, await everything(PROFESSIONAL))
    assert not differences(consumer.held, await everything(PUBLIC))
    await flip(registers, offer["id"], False)
    assert [method for method, _ in await changes(consumer)] == ["POST", "POST", "POST"]
    assert not differences(consumer.held, await everything(PUBLIC))
