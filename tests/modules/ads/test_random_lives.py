"""Random people do random things to ads: no forbidden passage, no view of what is not theirs, one mail an event.

What must happen is decided here, from the rules as they are written for people; the code under test is not asked.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from accounts.models import Account
from core import clock
from core.db import unit_of_work
from core.mail.delivery import deliver
from core.models_mail import Mail
from modules.ads import clockwork
from modules.ads.models import Ad, AdHistory
from tests.accounts.helpers import sign_in
from tests.conftest import Later
from tests.modules.ads.makers import GENERAL, make_moderator, make_person
from tests.smtp import SmtpSink

MINE, MODERATION, FOUND = "/api/v1/ads/mine", "/api/v1/ads/moderation", "/api/v1/ads"
AUTHORS = {"doctor": ("doctor", "78"), "licensed": ("licensed", "78"), "other": ("doctor", "13")}
COUNCILS = {"cd78": "78", "cd78bis": "78", "cd13": "13"}
READERS = (*AUTHORS, *COUNCILS, "national")
STRANGERS = ("nurse", "nobody")
JUDGED = {"accept": ("pending",), "refuse": ("pending", "published")}
STEPS = 45

TOLD = {
    "submit": "submitted",
    "revise": "submitted",
    "accept": "published",
    "republish": "published",
    "refuse": "refused",
    "unpublish": "unpublished",
    "expire": "unpublished",
}


@dataclass
class Told:
    """An ad as it must be: `said` is its title, which alone changes; `lines` the actions of its history."""

    number: int
    author: str
    said: str
    ends_on: date
    state: str = "draft"
    accepted: str | None = None
    council: str | None = None
    version: int = 1
    lines: list[str] = field(default_factory=lambda: ["create"])

    def passes(self, action: str, state: str) -> None:
        self.state = state
        self.lines.append(action)
        self.version += 1


class World:
    """The people, each with a browser, and what is known of their ads."""

    def __init__(
        self, seed: int, later: Later, people: dict[str, Account], doors: dict[str, httpx.AsyncClient]
    ) -> None:
        self.random = random.Random(seed)
        self.later = later
        self.people = people
        self.doors = doors
        self.ads: dict[int, Told] = {}
        self.days = 0
        self.trail: list[str] = []

    async def today(self) -> date:
        async with unit_of_work() as session:
            return clock.today(await clock.now(session))

    def body(self, author: str, said: str, ends_on: date) -> dict[str, Any]:
        return {
            "category": "remplacement",
            "side": "offers" if author == "licensed" else "seeks",
            "specialty": GENERAL,
            "title": said,
            "description": "Un texte.",
            "places": ["commune:78361"],
            "periods": [{"starts_on": "2032-07-01"}],
            "ends_on": ends_on.isoformat(),
        }

    async def send(self, who: str, method: str, path: str, version: int, body: Any = None) -> int:
        """Do something; now and then twice at the same instant, of which one alone may count."""
        headers = {"If-Match": f'"{version}"'}

        async def ask() -> httpx.Response:
            return await self.doors[who].request(method, path, headers=headers, json=body)

        if self.random.random() < 0.15:
            both = sorted(answer.status_code for answer in await asyncio.gather(ask(), ask()))
            self.trail.append(f"{who} {method} {path} v{version} → {both}")
            if both[0] < 300:
                assert both[1] in (403, 404, 409), both
            return both[0]
        status = (await ask()).status_code
        self.trail.append(f"{who} {method} {path} v{version} → {status}")
        return status

    async def step(self) -> None:
        """Have somebody do something, and compare."""
        kind = self.random.choice(["write", "act", "act", "act", "act", "judge", "judge", "judge", "pass time"])
        if (kind == "write" and len(self.ads) < 6) or not self.ads:
            await self.write()
        elif kind == "pass time":
            await self.pass_time()
        else:
            ad = self.random.choice(list(self.ads.values()))
            await (self.judge(ad) if kind == "judge" else self.act(ad))

    async def write(self) -> None:
        who = self.random.choice([*AUTHORS, *COUNCILS, *STRANGERS])
        ends_on = await self.today() + timedelta(days=self.random.choice([0, 1, 5, 40, 300]))
        said = f"Annonce {self.random.randrange(10**6)}"
        answer = await self.doors[who].post(MINE, json=self.body(who, said, ends_on))
        self.trail.append(f"{who} writes → {answer.status_code}")
        if who not in AUTHORS:
            assert answer.status_code == (401 if who == "nobody" else 403)
            return
        assert answer.status_code == 201, answer.text
        number = answer.json()["number"]
        assert all(number > known for known in self.ads), "a number was given twice"
        self.ads[number] = Told(number, who, said, ends_on)

    async def act(self, ad: Told) -> None:
        """Let somebody act on an ad as its author would; now and then somebody else, or from a page that is old."""
        who = ad.author if self.random.random() < 0.85 else self.random.choice([*READERS, *STRANGERS])
        stale = self.random.random() < 0.1
        version = ad.version - 1 if stale else ad.version
        action = self.random.choice(["edit", "edit", "submit", "submit", "unpublish", "republish", "extend", "delete"])
        if action == "delete" and self.random.random() < 0.5:
            action = "submit"
        today = await self.today()
        ends_on = today + timedelta(days=self.random.choice([-1, 0, 3, 60, 500]))
        said = self.random.choice([ad.said, f"Annonce {self.random.randrange(10**6)}"])
        path = f"{MINE}/{ad.number}"
        asked: dict[str, tuple[str, str, Any]] = {
            "edit": ("PUT", path, self.body(ad.author, said, ends_on)),
            "submit": ("POST", f"{path}/submit", None),
            "unpublish": ("POST", f"{path}/unpublish", {"reason": "filled"}),
            "republish": ("POST", f"{path}/republish", {"ends_on": ends_on.isoformat()}),
            "extend": ("POST", f"{path}/extend", {"ends_on": ends_on.isoformat()}),
            "delete": ("DELETE", path, None),
        }
        method, address, body = asked[action]
        status = await self.send(who, method, address, version, body)
        if who == "nobody":
            assert status == 401
        elif who == "nurse" or who not in AUTHORS:
            assert status == 403
        elif who != ad.author or ad.state == "deleted":
            assert status == 404
        elif stale:
            assert status == 409
        else:
            expected = self.after(ad, action, today, ends_on, said)
            assert status == expected, (action, ad)

    def after(self, ad: Told, action: str, today: date, ends_on: date, said: str) -> int:
        """Say what the author's action must give, and make it of the ad that is known."""
        good_end = today <= ends_on <= _in_a_year(today)
        kept_end = today <= ad.ends_on <= _in_a_year(today)
        if action == "edit":
            if ad.state == "pending":
                return 409
            if ad.state != "published":
                ad.said, ad.ends_on, ad.version = said, ends_on, ad.version + 1
                return 200
            if said == ad.said and ends_on == ad.ends_on:
                return 200
            if not good_end:
                return 422
            changed, ad.ends_on = said != ad.said, ends_on
            if changed:
                ad.said, ad.council = said, AUTHORS[ad.author][1]
                ad.passes("revise", "pending")
            else:
                ad.passes("extend", "published")
            return 200
        if action == "submit":
            if ad.state not in ("draft", "refused", "unpublished"):
                return 409
            if not kept_end:
                return 422
            ad.council = AUTHORS[ad.author][1]
            ad.passes("submit", "pending")
            return 200
        if action == "unpublish":
            if ad.state != "published":
                return 409
            ad.passes("unpublish", "unpublished")
            return 200
        if action == "republish":
            if ad.state != "unpublished":
                return 409
            if not good_end:
                return 422
            ad.ends_on = ends_on
            if ad.accepted == ad.said:
                ad.passes("republish", "published")
            else:
                ad.council = AUTHORS[ad.author][1]
                ad.passes("submit", "pending")
            return 200
        if action == "extend":
            if ad.state not in ("published", "unpublished"):
                return 409
            if not good_end:
                return 422
            ad.ends_on = ends_on
            ad.passes("extend", ad.state)
            return 200
        ad.passes("delete", "deleted")
        ad.said, ad.accepted = "", None
        return 204

    async def judge(self, ad: Told) -> None:
        """Let somebody decide of an ad as its council would; now and then somebody who may not."""
        ours = [who for who, over in COUNCILS.items() if ad.council == over] + ["national"]
        who = self.random.choice(ours) if self.random.random() < 0.8 else self.random.choice([*READERS, *STRANGERS])
        stale = self.random.random() < 0.1
        version = ad.version - 1 if stale else ad.version
        action = self.random.choice(["accept", "accept", "refuse"])
        body = {"version": version} | ({"reason": "Corrigez le titre."} if action == "refuse" else {})
        today = await self.today()
        status = await self.send(who, "POST", f"{MODERATION}/{ad.number}/{action}", version, body)
        if who == "nobody":
            assert status == 401
        elif who not in COUNCILS and who != "national":
            assert status == 403
        elif not self.moderates(who, ad):
            assert status == 404
        elif stale or ad.state not in JUDGED[action] or (action == "accept" and ad.ends_on < today):
            assert status == 409
        else:
            assert status == 200, (action, ad)
            ad.accepted = ad.said if action == "accept" else None
            ad.passes(action, "published" if action == "accept" else "refused")

    async def pass_time(self) -> None:
        """Let days pass, then the clock's work; it is done twice, and counts once."""
        # What was announced leaves before: nobody tries to send a mail for weeks.
        await deliver()
        self.days += self.random.choice([0, 1, 2, 30])
        await self.later(f"{self.days} days")
        # Sign-ins do not live that long.
        for who, account in self.people.items():
            await sign_in(self.doors[who], account)
        today = await self.today()
        due = [ad for ad in self.ads.values() if ad.state in ("published", "pending") and ad.ends_on < today]
        counts = await asyncio.gather(clockwork.expire(), clockwork.expire())
        self.trail.append(f"day {self.days}: {counts} expired, {len(due)} due")
        assert sum(counts) == len(due)
        for ad in due:
            ad.passes("expire", "unpublished")

    def moderates(self, who: str, ad: Told) -> bool:
        sent = ad.council is not None and ad.state not in ("draft", "deleted")
        return sent and (who == "national" or ad.council == COUNCILS.get(who, ""))

    async def look(self) -> None:
        """Have everybody look at everything."""
        shown = {ad.number for ad in self.ads.values() if ad.state == "published"}
        for who, door in self.doors.items():
            listed = await door.get(FOUND)
            if who in STRANGERS:
                assert listed.status_code == (401 if who == "nobody" else 403)
            else:
                assert {one["number"] for one in listed.json()["items"]} == shown, who
            for ad in self.ads.values():
                answer = await door.get(f"{FOUND}/{ad.number}")
                if who in STRANGERS:
                    assert answer.status_code == (401 if who == "nobody" else 403)
                    assert not ad.said or ad.said not in answer.text
                    continue
                own = who == ad.author and ad.state != "deleted"
                waits = ad.state == "pending" and self.moderates(who, ad)
                seen = ad.number in shown or own or waits
                assert (answer.status_code == 200) == seen, (who, ad, answer.status_code)
                assert seen or not ad.said or ad.said not in answer.text

    async def compare(self) -> None:
        """Compare what is stored with what must be."""
        async with unit_of_work() as session:
            for ad in self.ads.values():
                row = await session.scalar(select(Ad).where(Ad.number == ad.number))
                assert row is not None
                found = (row.state, row.version, row.council, row.title, row.ends_on)
                assert found == (ad.state, ad.version, ad.council, ad.said, ad.ends_on)
                lines = await session.scalars(
                    select(AdHistory.action).where(AdHistory.ad_id == row.id).order_by(AdHistory.id)
                )
                assert list(lines) == ad.lines


def _in_a_year(today: date) -> date:
    try:
        return today.replace(year=today.year + 1)
    except ValueError:
        return date(today.year + 1, 2, 28)


@pytest.fixture
async def people(places: None) -> dict[str, Account]:
    found = {who: await make_person(kind, council) for who, (kind, council) in AUTHORS.items()}
    found |= {who: await make_moderator(over) for who, over in COUNCILS.items()}
    found["national"] = await make_person(None, None, grants=(("administrator", ""),))
    found["nurse"] = await make_person(None, None, grants=(("professional", "rpps:10100000999"),))
    return found


@pytest.fixture
async def doors(people: dict[str, Account]) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    from web.app import app

    transport = httpx.ASGITransport(app=app)
    async with AsyncExitStack() as stack:
        opened = {}
        for who in (*people, "nobody"):
            door = httpx.AsyncClient(transport=transport, base_url="http://repere.test")
            opened[who] = await stack.enter_async_context(door)
            if who in people:
                await sign_in(door, people[who])
        yield opened


@pytest.mark.parametrize("seed", [1, 2, 3, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 40))])
async def test_random_people_make_no_forbidden_passage(
    seed: int,
    people: dict[str, Account],
    doors: dict[str, httpx.AsyncClient],
    later: Later,
    smtp_sink: SmtpSink,
) -> None:
    world = World(seed, later, people, doors)
    try:
        for number in range(STEPS):
            await world.step()
            await world.compare()
            if number % 15 == 14:
                await world.look()
    except AssertionError as error:
        error.add_note("\n".join(world.trail[-25:]))
        raise
    wanted = sorted(f"ads.{TOLD[line]}" for ad in world.ads.values() for line in ad.lines if line in TOLD)
    async with unit_of_work() as session:
        mails = (
            await session.execute(select(Mail.kind, Mail.key, Mail.recipient).where(Mail.kind.like("ads.%")))
        ).all()
    events = [mail for mail in mails if mail.kind != "ads.warning"]
    assert sorted(mail.kind for mail in events) == wanted
    assert len({(mail.kind, mail.key) for mail in mails}) == len(mails)
    addresses = {people[who].email for who in AUTHORS}
    assert {mail.recipient for mail in events} <= addresses
    await deliver()
    await deliver()
    assert sum(len(smtp_sink.to(address)) for address in addresses if address) == len(mails)
