"""Deltas of the feed: who follows them ends up with what a whole extraction holds, and with nothing else."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest

from accounts.api import Caller
from core import clock
from core.db import connect_direct, unit_of_work
from core.events import NewEvent, record
from directory import freshness
from directory.api import (
    ContactIn,
    OfferDescription,
    SiteDescription,
    describe_offer,
    describe_site,
    leave_offer,
    refresh_search,
    republish_offer,
    unpublish_offer,
)
from directory.schemas_hours import SlotIn
from tests.accounts.clients import application_of
from tests.directory import conftest as directory_tests
from tests.directory.conftest import BUCHELAY, MANTES, PARIS12, Registers
from tests.search_api.fhir.following import Consumer, Key, differences, everything, position_of

registers = directory_tests.registers

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


@pytest.fixture
async def reader(registers: Registers) -> AsyncIterator[Reader]:
    """Make consumers that have just taken everything, each with the rights of a caller."""
    opened: list[httpx.AsyncClient] = []

    async def make(caller: Caller) -> Consumer:
        transport = httpx.ASGITransport(app=application_of(caller))
        client = httpx.AsyncClient(transport=transport, base_url="http://repere.test")
        opened.append(client)
        consumer = Consumer(client, caller)
        await consumer.extract()
        return consumer

    yield make
    for client in opened:
        await client.aclose()


def town(registers: Registers, people: int = 6) -> None:
    """The small town, with a practice in Paris and enough people to move about."""
    registers.small_town()
    paris = registers.practice("struct:410000000001002", **_place(PARIS12))
    for number in range(10, 10 + people):
        person = registers.person(
            f"100000000{number}", f"NOM{number}", "LÉA", random.Random(number).choice(("70", "60"))
        )
        registers.role(person, ("struct:410000000001001", paris)[number % 2])
    registers.publish()


def _place(commune: int) -> dict[str, Any]:
    return {"commune_id": commune, **TOWNS[commune]}


async def _describe(offer: dict[str, Any], **given: Any) -> int | None:
    async with unit_of_work() as session:
        description = OfferDescription(**given)
        written = await describe_offer(session, offer["uid"], description, "account:essai", offer["version"])
    return written.position


async def _flip(registers: Registers, offer_id: int, sensitive: bool) -> None:
    async with unit_of_work() as session:
        await session.execute(
            directory_sql("UPDATE directory.offer SET sensitive = :s WHERE id = :i"), {"s": sensitive, "i": offer_id}
        )
        await refresh_search(session, [offer_id])
        await record(session, [NewEvent("offer_described", "offer", offer_id)])


def directory_sql(statement: str) -> Any:
    from sqlalchemy import text

    return text(statement)


# -- One change at a time ----------------------------------------------------------------------------------


async def _changes(consumer: Consumer) -> list[tuple[str, str]]:
    """Return method and type of what comes, and apply it."""
    answer = await consumer.get(consumer.position)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert page["type"] == "history"
    for entry in page["entry"]:
        consumer.apply(entry)
    consumer.position = position_of(page)
    return [(entry["request"]["method"], entry["fullUrl"].rsplit("/", 2)[1]) for entry in page["entry"]]


async def test_an_offer_that_is_edited_withdrawn_and_shown_again(registers: Registers, reader: Reader) -> None:
    town(registers)
    consumer = await reader(PUBLIC)
    assert await _changes(consumer) == []
    await _describe(registers.offer("10000000001"), languages=["fr", "en"])
    assert await _changes(consumer) == [("PUT", "HealthcareService")]
    offer = registers.offer("10000000001")
    async with unit_of_work() as session:
        await unpublish_offer(session, offer["uid"], "essai", offer["version"])
    assert await _changes(consumer) == [("DELETE", "PractitionerRole"), ("DELETE", "HealthcareService")]
    # Edited while nobody sees it: nobody is told.
    offer = registers.offer("10000000001")
    await _describe(offer, languages=["fr", "de"])
    assert await _changes(consumer) == []
    offer = registers.offer("10000000001")
    async with unit_of_work() as session:
        await republish_offer(session, offer["uid"], "essai", offer["version"])
    assert await _changes(consumer) == [("POST", "PractitionerRole"), ("POST", "HealthcareService")]
    assert not differences(consumer.held, await everything(PUBLIC))


async def test_a_parent_brings_back_what_names_it(registers: Registers, reader: Reader) -> None:
    town(registers, people=0)
    consumer = await reader(PUBLIC)
    registers.sites["struct:410000000001001"]["name"] = "CABINET DES ACACIAS"
    registers.publish()
    told = await _changes(consumer)
    assert told == [
        ("PUT", "Organization"), ("PUT", "Location"), ("PUT", "PractitionerRole"), ("PUT", "PractitionerRole"),
        ("PUT", "HealthcareService"), ("PUT", "HealthcareService"),
    ]  # fmt: skip
    registers.legal["finess:780110078"]["name"] = "CENTRE HOSPITALIER FRANÇOIS-QUESNAY"
    registers.publish()
    told = await _changes(consumer)
    assert told[:3] == [("PUT", "Organization"), ("PUT", "Organization"), ("PUT", "Location")]
    assert ("PUT", "HealthcareService") in told
    registers.people["810000000001"]["last_name"] = "MARTIN-DUBOIS"
    registers.publish()
    assert await _changes(consumer) == [
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
    assert len(await _changes(consumer)) == 6
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
    assert await _changes(consumer) == [
        ("DELETE", "Practitioner"), ("DELETE", "PractitionerRole"), ("DELETE", "HealthcareService")
    ]  # fmt: skip
    registers.people["810000000002"] = person
    assert role
    registers.roles[role["key"]] = role
    registers.publish()
    assert await _changes(consumer) == [
        ("POST", "Practitioner"), ("POST", "PractitionerRole"), ("POST", "HealthcareService")
    ]  # fmt: skip
    assert not differences(consumer.held, await everything(PROFESSIONAL))


async def test_a_move_leaves_one_zone_and_enters_the_other(registers: Registers, reader: Reader) -> None:
    town(registers, people=0)
    here, there = await reader(YVELINES), await reader(PARIS)
    assert not any("410000000001001" in str(one) for one in there.held.values())
    registers.sites["struct:410000000001001"] |= _place(PARIS12)
    registers.publish()
    left, came = await _changes(here), await _changes(there)
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
    await _describe(offer, closing_on=today + timedelta(days=1))
    consumer = await reader(PUBLIC)
    assert ("HealthcareService", str(offer["uid"])) in consumer.held

    @contextmanager
    def in_two_days() -> Iterator[psycopg.Connection]:
        with connect_direct() as connection:
            connection.execute("SELECT set_config('repere.clock_shift', '2 days', false)")
            yield connection

    monkeypatch.setattr("directory.tasks.connect_direct", in_two_days)
    turn_the_day()
    assert ("DELETE", "HealthcareService") in await _changes(consumer)


# -- What must not be told ---------------------------------------------------------------------------------


async def _public_page(consumer: Consumer, since: str) -> dict[str, Any]:
    page: dict[str, Any] = (await consumer.get(since)).json()
    page["meta"].pop("lastUpdated")
    return page


async def test_the_public_is_told_nothing_of_what_it_may_not_read(registers: Registers, reader: Reader) -> None:
    town(registers)
    hidden = registers.offer("10000000002")
    await _flip(registers, hidden["id"], True)
    await _describe(registers.offer("10000000001"), contacts=[ContactIn(purpose="booking_phone", value="0134000001")])
    consumer, colleague = await reader(PUBLIC), await reader(PROFESSIONAL)
    assert not any(str(hidden["uid"]) in str(one) for one in consumer.held.values())
    since = consumer.position
    before = await _public_page(consumer, since)
    contacts = [
        ContactIn(purpose="booking_phone", value="0134000001"),
        ContactIn(purpose="other_email", value=f"{CANARY}@example.org"),
    ]
    # A restricted contact, a comment, and all that may happen to a sensitive offer.
    await _describe(registers.offer("10000000001"), contacts=contacts, comment=f"Commentaire {CANARY}")
    await _describe(registers.offer("10000000002"), languages=["fr"], comment=CANARY)
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
    await _flip(registers, hidden["id"], True)
    consumer, colleague = await reader(PUBLIC), await reader(PROFESSIONAL)
    for key in [key for key, one in registers.roles.items() if one["practitioner_key"] == "810000000002"]:
        del registers.roles[key]
    del registers.people["810000000002"]
    registers.publish()
    assert await _changes(consumer) == []
    assert ("DELETE", "HealthcareService") in await _changes(colleague)


async def test_what_becomes_sensitive_is_withdrawn_from_those_who_saw_it(registers: Registers, reader: Reader) -> None:
    town(registers, people=0)
    consumer, colleague = await reader(PUBLIC), await reader(PROFESSIONAL)
    offer = registers.offer("10000000002")
    await _flip(registers, offer["id"], True)
    told = await _changes(consumer)
    assert told == [("DELETE", "Practitioner"), ("DELETE", "PractitionerRole"), ("DELETE", "HealthcareService")]
    assert set(await _changes(colleague)) <= {("PUT", "HealthcareService"), ("PUT", "Practitioner")}
    assert not differences(colleague.held, await everything(PROFESSIONAL))
    assert not differences(consumer.held, await everything(PUBLIC))
    await _flip(registers, offer["id"], False)
    assert [method for method, _ in await _changes(consumer)] == ["POST", "POST", "POST"]
    assert not differences(consumer.held, await everything(PUBLIC))


# -- Positions ---------------------------------------------------------------------------------------------


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
    from core.db import connect_direct
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


async def test_new_labels_ask_for_an_extraction(registers: Registers, reader: Reader, tmp_path: Any) -> None:
    from core.db import connect_direct
    from directory import nomenclature

    town(registers, people=0)
    consumer = await reader(PUBLIC)
    known = registers.all("SELECT code, label FROM directory.concept WHERE system = 'G15' ORDER BY code")
    lines = "\n".join(f"{one['code']}\t{one['label']} (nouveau)" for one in known)
    (tmp_path / "TRE_G15-ProfessionSante.tsv").write_text(f"Code\tLibellé\n{lines}\n")
    with connect_direct() as conn:
        assert sum(report.relabelled for report in nomenclature.load(conn, tmp_path))
    assert (await consumer.get(consumer.position)).status_code == 410


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
    await _describe(registers.offer("10000000011"), languages=["fr", "it"])
    await small.follow(count=1)
    await whole.follow()
    assert small.pages > 30
    wanted = await everything(PROFESSIONAL)
    assert not differences(whole.held, wanted)
    assert not differences(small.held, wanted)


# -- Many changes ------------------------------------------------------------------------------------------


class World:
    """A directory to which random things happen, with what each caller was ever shown of it."""

    def __init__(self, registers: Registers, seed: int) -> None:
        self.registers = registers
        self.rng = random.Random(seed)
        self.removed: list[tuple[dict[str, Any], list[dict[str, Any]]]] = []
        self.shown: dict[str, set[Any]] = {name: set() for name in CALLERS}
        self.number = 50

    async def look(self) -> dict[str, dict[Key, dict[str, Any]]]:
        """Return everything that each caller may read now, and remember that they were shown it."""
        now = {name: await everything(caller) for name, caller in CALLERS.items()}
        for name, whole in now.items():
            self.shown[name] |= whole.keys()
        return now

    def offer(self) -> dict[str, Any] | None:
        found = self.registers.all("SELECT * FROM directory.offer WHERE closed_on IS NULL ORDER BY id")
        return self.rng.choice(found) if found else None

    async def step(self) -> None:
        acts = [
            self.describe,
            self.describe,
            self.status,
            self.flip,
            self.place,
            self.confirm,
            self.publish,
            self.publish,
        ]
        await self.rng.choice(acts)()

    async def describe(self) -> None:
        offer = self.offer()
        if offer is None:
            return
        rng = self.rng
        given: dict[str, Any] = rng.choice(
            [
                {"languages": rng.sample(["fr", "en", "de", "it"], 2)},
                {"comment": f"{CANARY} {rng.random()}"},
                {"contacts": [ContactIn(purpose="booking_phone", value=f"01340000{rng.randint(10, 99)}")]},
                {"contacts": [ContactIn(purpose="pro_phone", value=f"01340000{rng.randint(10, 99)}")]},
                {"contacts": [ContactIn(purpose="mssante", value=f"a{rng.randint(1, 9)}@mssante.example.org")]},
                {"territory": rng.sample(["commune:78361", "commune:78118", "departement:75"], rng.randint(0, 2))},
                {"hours": [SlotIn(kind="07", weekday=rng.randint(1, 6), opens="09:00", closes="12:00")]},
                {"age_min": rng.randint(0, 20), "age_max": 90},
            ]
        )  # fmt: skip
        await _describe(offer, **given)

    async def status(self) -> None:
        offer = self.offer()
        if offer is None:
            return
        use = self.rng.choice([unpublish_offer, leave_offer]) if offer["status"] == "published" else republish_offer
        async with unit_of_work() as session:
            await use(session, offer["uid"], "essai", offer["version"])

    async def flip(self) -> None:
        if (offer := self.offer()) is not None:
            await _flip(self.registers, offer["id"], not offer["sensitive"])

    async def place(self) -> None:
        sites = self.registers.all("SELECT uid, version FROM directory.site WHERE closed_on IS NULL ORDER BY id")
        site = self.rng.choice(sites)
        description = SiteDescription(
            accessibility=self.rng.choice(["1", "2", None]), pin=(48.9, 1.7 + self.rng.random())
        )
        async with unit_of_work() as session:
            await describe_site(session, site["uid"], description, "essai", site["version"])

    async def confirm(self) -> None:
        offer = self.offer()
        if offer is None:
            return
        self.registers.conn.execute(
            "UPDATE directory.offer SET updated_at = updated_at - interval '3 days' WHERE id = %s", (offer["id"],)
        )
        async with unit_of_work() as session:
            await freshness.confirm(session, [offer["uid"]], "essai")

    async def publish(self) -> None:
        registers, rng = self.registers, self.rng
        for _ in range(rng.randint(1, 3)):
            rng.choice(
                [self._rename, self._move, self._leave, self._come_back, self._arrive, self._change_place, self._law]
            )()
        if registers.people and any(site["kind"] == "establishment" for site in registers.sites.values()):
            registers.publish()

    def _rename(self) -> None:
        person = self.rng.choice(list(self.registers.people.values()))
        person["last_name"] = f"NOM{self.rng.randint(100, 999)}"

    def _move(self) -> None:
        site = self.rng.choice(list(self.registers.sites.values()))
        site |= _place(self.rng.choice(list(TOWNS)))

    def _leave(self) -> None:
        key = self.rng.choice(list(self.registers.people))
        if len(self.registers.people) < 4:
            return
        roles = [one for one in self.registers.roles.values() if one["practitioner_key"] == key]
        self.removed.append((self.registers.people.pop(key), roles))
        for role in roles:
            del self.registers.roles[role["key"]]

    def _come_back(self) -> None:
        if self.removed:
            person, roles = self.removed.pop()
            self.registers.people[person["key"]] = person
            self.registers.roles |= {role["key"]: role for role in roles if role["site_key"] in self.registers.sites}

    def _arrive(self) -> None:
        self.number += 1
        person = self.registers.person(f"100000000{self.number}", f"NEUF{self.number}", "HUGO", "60")
        site = self.registers.practice(f"struct:4100000000020{self.number}", **_place(self.rng.choice(list(TOWNS))))
        self.registers.role(person, site)
        self.registers.role(person, self.rng.choice([key for key in self.registers.sites if key != site]))

    def _change_place(self) -> None:
        role = self.rng.choice(list(self.registers.roles.values()))
        role["site_key"] = self.rng.choice(list(self.registers.sites))

    def _law(self) -> None:
        key = f"finess:7801100{self.rng.randint(10, 12)}"
        self.registers.legal[key] = {"key": key, "finess": key[7:], "name": f"SOCIÉTÉ {self.rng.randint(1, 9)}"}
        self.rng.choice(list(self.registers.sites.values()))["legal_key"] = key


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


async def test_a_burst_is_read_in_bounded_pages(registers: Registers, reader: Reader) -> None:
    from core.db import connect_direct
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
        await _describe(registers.offer(rpps), languages=["fr", "pt"])
    assert await consumer.follow(count=1) == 2
    assert consumer.pages <= 4
    with connect_direct() as conn:
        assert tidy(conn).changes >= 49_999
    again = await reader(PUBLIC)
    again.position = since
    assert await again.follow(count=1) == 2
    assert not differences(consumer.held, await everything(PUBLIC))
