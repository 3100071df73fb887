"""Deltas of the feed: who follows them ends up with what a whole extraction holds, and with nothing else."""

import asyncio
import random
from typing import Any

import pytest

from core.db import unit_of_work
from core.events import NewEvent, record
from directory.api import (
    OfferDescription,
    describe_offer,
    refresh_search,
)
from tests.directory.conftest import Registers
from tests.search_api.fhir.following import Consumer, differences, everything
from tests.search_api.fhir.town import (
    CALLERS,
    CANARY,
    PROFESSIONAL,
    PUBLIC,
    Reader,
    directory_sql,
    town,
)
from tests.search_api.fhir.upheaval import World


@pytest.mark.parametrize("seed", [1, 2])
async def test_whoever_follows_ends_up_with_a_whole_extraction(registers: Registers, reader: Reader, seed: int) -> None:
    town(registers)
    world = World(registers, seed)
    await world.look()
    consumers = {name: await reader(caller) for name, caller in CALLERS.items()}
    for number in range(30):
        await world.step()
        now = await world.look()
        for name, consumer in consumers.items():
            if world.rng.random() < 0.3 or number == 29:
                await consumer.follow(count=world.rng.choice([1, 2, 7, 200]))
                told = differences(consumer.held, now[name])
                assert not told, (number, name, told)
    for name, consumer in consumers.items():
        # Nobody hears of the end of what they were never shown.
        assert set(consumer.withdrawn) <= world.shown[name]
        assert consumer.withdrawn
        if consumer.caller.level == 1:
            assert CANARY not in str(consumer.held)


async def test_no_hole_while_transactions_commit_in_any_order(registers: Registers, reader: Reader) -> None:
    town(registers, people=20)
    offers = registers.all("SELECT id, uid FROM directory.offer ORDER BY id")
    consumers = [await reader(PUBLIC), await reader(PROFESSIONAL)]
    done = asyncio.Event()

    async def write(mine: list[dict[str, Any]], seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(12):
            offer = rng.choice(mine)
            async with unit_of_work() as session:
                version = await session.scalar(
                    directory_sql(f"SELECT version FROM directory.offer WHERE id = {offer['id']}")
                )
                await asyncio.sleep(rng.random() * 0.03)
                description = OfferDescription(
                    languages=rng.sample(["fr", "en", "de", "it", "es"], 2), comment=str(rng.random())
                )
                await describe_offer(session, offer["uid"], description, "essai", version or 0)
                await asyncio.sleep(rng.random() * 0.03)

    async def follow(consumer: Consumer) -> None:
        while not done.is_set():
            await consumer.follow(count=3)
            await asyncio.sleep(0.005)

    following = [asyncio.create_task(follow(consumer)) for consumer in consumers]
    # Each writer has offers of its own: what is tried is the order of commits, not who wins.
    await asyncio.gather(*(write(offers[number::5], number) for number in range(5)))
    done.set()
    await asyncio.gather(*following)
    for consumer in consumers:
        await consumer.follow()
        assert not differences(consumer.held, await everything(consumer.caller))


async def test_two_offers_of_one_person_withdrawn_at_once(registers: Registers, reader: Reader) -> None:
    registers.small_town()
    second = registers.practice("struct:410000000001003")
    registers.role("810000000001", second)
    registers.publish()
    offers = registers.all(
        "SELECT o.* FROM directory.offer o JOIN directory.role r ON r.id = o.role_id"
        " JOIN directory.practitioner p ON p.id = r.practitioner_id WHERE p.rpps = '10000000001' ORDER BY o.id"
    )
    assert len(offers) == 2
    consumer = await reader(PUBLIC)
    both = asyncio.Barrier(2) if hasattr(asyncio, "Barrier") else None

    async def hide(offer: dict[str, Any]) -> None:
        async with unit_of_work() as session:
            await session.execute(
                directory_sql(f"UPDATE directory.offer SET sensitive = true WHERE id = {offer['id']}")
            )
            if both is not None:
                await both.wait()
            await refresh_search(session, [offer["id"]])
            await record(session, [NewEvent("offer_described", "offer", offer["id"])])

    await asyncio.gather(*(hide(offer) for offer in offers))
    await consumer.follow()
    assert not differences(consumer.held, await everything(PUBLIC))
    assert any(type_ == "Practitioner" for type_, _ in consumer.withdrawn)
