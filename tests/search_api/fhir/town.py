"""A small town whose registers change, who reads its feed, and the changes that people make to it."""

import random
from collections.abc import Awaitable, Callable
from typing import Any

from accounts.api import Caller
from core.db import unit_of_work
from core.events import NewEvent, record
from directory.api import (
    OfferDescription,
    describe_offer,
    refresh_search,
)
from tests.directory.conftest import BUCHELAY, MANTES, PARIS12, Registers
from tests.search_api.fhir.following import Consumer, position_of

PUBLIC, PROFESSIONAL = Caller(level=1), Caller(level=2)
YVELINES, PARIS = Caller(level=1, zone=("departement:78",)), Caller(level=2, zone=("departement:75",))
CALLERS = {"public": PUBLIC, "professional": PROFESSIONAL, "yvelines": YVELINES, "paris": PARIS}
CANARY = "zzserin"
TOWNS = {
    MANTES: {"town": "MANTES LA JOLIE", "postal_code": "78200", "commune_code": "78361"},
    BUCHELAY: {"town": "BUCHELAY", "postal_code": "78200", "commune_code": "78118"},
    PARIS12: {"town": "PARIS 12", "postal_code": "75012", "commune_code": "75112"},
}

Reader = Callable[[Caller], Awaitable[Consumer]]


def town(registers: Registers, people: int = 6) -> None:
    """The small town, with a practice in Paris and enough people to move about."""
    registers.small_town()
    paris = registers.practice("struct:410000000001002", **place(PARIS12))
    for number in range(10, 10 + people):
        person = registers.person(
            f"100000000{number}", f"NOM{number}", "LÉA", random.Random(number).choice(("70", "60"))
        )
        registers.role(person, ("struct:410000000001001", paris)[number % 2])
    registers.publish()


def place(commune: int) -> dict[str, Any]:
    return {"commune_id": commune, **TOWNS[commune]}


async def describe(offer: dict[str, Any], **given: Any) -> int | None:
    async with unit_of_work() as session:
        description = OfferDescription(**given)
        written = await describe_offer(session, offer["uid"], description, "account:essai", offer["version"])
    return written.position


async def flip(registers: Registers, offer_id: int, sensitive: bool) -> None:
    async with unit_of_work() as session:
        await session.execute(
            directory_sql("UPDATE directory.offer SET sensitive = :s WHERE id = :i"), {"s": sensitive, "i": offer_id}
        )
        await refresh_search(session, [offer_id])
        await record(session, [NewEvent("offer_described", "offer", offer_id)])


def directory_sql(statement: str) -> Any:
    from sqlalchemy import text

    return text(statement)


async def changes(consumer: Consumer) -> list[tuple[str, str]]:
    """Return method and type of what comes, and apply it."""
    answer = await consumer.get(consumer.position)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert page["type"] == "history"
    for entry in page["entry"]:
        consumer.apply(entry)
    consumer.position = position_of(page)
    return [(entry["request"]["method"], entry["fullUrl"].rsplit("/", 2)[1]) for entry in page["entry"]]
