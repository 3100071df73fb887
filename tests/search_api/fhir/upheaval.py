"""Random things that happen to the small town, with what each reader was ever shown of it."""

import random
from typing import Any

from core.db import unit_of_work
from directory import freshness
from directory.api import (
    ContactIn,
    SiteDescription,
    describe_site,
    leave_offer,
    republish_offer,
    unpublish_offer,
)
from directory.schemas_hours import SlotIn
from tests.directory.conftest import Registers
from tests.search_api.fhir.following import Key, everything
from tests.search_api.fhir.town import CALLERS, CANARY, TOWNS, describe, flip, place


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
        await describe(offer, **given)

    async def status(self) -> None:
        offer = self.offer()
        if offer is None:
            return
        use = self.rng.choice([unpublish_offer, leave_offer]) if offer["status"] == "published" else republish_offer
        async with unit_of_work() as session:
            await use(session, offer["uid"], "essai", offer["version"])

    async def flip(self) -> None:
        if (offer := self.offer()) is not None:
            await flip(self.registers, offer["id"], not offer["sensitive"])

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
        site |= place(self.rng.choice(list(TOWNS)))

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
        site = self.registers.practice(f"struct:4100000000020{self.number}", **place(self.rng.choice(list(TOWNS))))
        self.registers.role(person, site)
        self.registers.role(person, self.rng.choice([key for key in self.registers.sites if key != site]))

    def _change_place(self) -> None:
        role = self.rng.choice(list(self.registers.roles.values()))
        role["site_key"] = self.rng.choice(list(self.registers.sites))

    def _law(self) -> None:
        key = f"finess:7801100{self.rng.randint(10, 12)}"
        self.registers.legal[key] = {"key": key, "finess": key[7:], "name": f"SOCIÉTÉ {self.rng.randint(1, 9)}"}
        self.rng.choice(list(self.registers.sites.values()))["legal_key"] = key
