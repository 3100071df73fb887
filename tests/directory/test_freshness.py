"""Reminders of sheets that nobody confirmed, the link that confirms them, and the dashboard of completeness."""

import re
from io import BytesIO
from typing import Any

import httpx
import openpyxl
import pytest

from core.db import unit_of_work
from core.mail.delivery import deliver
from directory.api import ContactIn, OfferDescription, describe_offer
from directory.freshness import remind
from tests.accounts.helpers import form_token, make_account, signed_in
from tests.smtp import text_of

ALICE, JEAN = "10000000001", "10000000002"
FAR = """
INSERT INTO maps.place (id, kind, code, name, population, departement_code, postal_codes, point, contour, source)
OVERRIDING SYSTEM VALUE VALUES
    (4, 'commune', '67482', 'Strasbourg', 290000, '67', '{67000}', 'POINT(7.75 48.58)', NULL, 'test'),
    (13, 'departement', '67', 'Bas-Rhin', 1100000, NULL, '{}', NULL, NULL, 'test'),
    (14, 'region', '44', 'Grand Est', 5500000, NULL, '{}', NULL, NULL, 'test');
INSERT INTO maps.place_containment (place_id, container_id) VALUES (4, 13), (4, 14);
"""


def shown(page: str) -> list[str]:
    """Return the offers that a page lists, as its form sends them."""
    return re.findall(r'name="vue" value="([^"]+)"', page)


def old(town: Any, uid: str) -> bool:
    found = town.one(f"SELECT updated_at < now() - interval '1 hour' AS old FROM directory.offer WHERE uid = '{uid}'")
    return bool(found)


async def described(town: Any, rpps: str, months: int) -> str:
    """Describe the offer of a professional, then let it rest for some months."""
    return await rested(town, town.offer(rpps), months)


async def rested(town: Any, offer: Any, months: int) -> str:
    """Describe an offer, then let it rest for some months."""
    async with unit_of_work() as session:
        contacts = [ContactIn(purpose="booking_phone", value="01 99 00 12 34")]
        await describe_offer(session, offer["uid"], OfferDescription(contacts=contacts), "essai", offer["version"])
    town.conn.execute(
        f"UPDATE directory.offer SET updated_at = now() - interval '{months} months 1 day' WHERE uid = '{offer['uid']}'"
    )
    town.conn.commit()
    return str(offer["uid"])


async def alice(*grants: tuple[str, str]) -> Any:
    wanted = grants or (("professional", f"rpps:{ALICE}"),)
    account = await make_account(*wanted, email="alice@example.org")
    async with unit_of_work() as session:
        from sqlalchemy import update

        from accounts.models import Account
        from core import clock

        await session.execute(
            update(Account).where(Account.id == account.id).values(email_confirmed_at=await clock.now(session))
        )
    return account


def link(message: Any) -> str:
    found = re.search(r"/exact/[\w.\-]+", text_of(message))
    assert found
    return found[0]


async def test_silence_is_asked_about_once_and_one_click_answers(
    town: Any, client: httpx.AsyncClient, smtp_sink: Any
) -> None:
    await alice()
    uid = await described(town, ALICE, 6)
    await described(town, JEAN, 30)
    assert await remind() == 1
    assert await remind() == 0
    await deliver()
    [message] = smtp_sink.messages
    assert message["To"].endswith("<alice@example.org>")
    assert "six mois" in text_of(message)
    page = link(message)
    opened = await client.get(page)
    assert "toujours exacte" in opened.text
    assert town.one(f"SELECT updated_at < now() - interval '1 month' AS old FROM directory.offer WHERE uid = '{uid}'")
    answer = await client.post(page, data={"_csrf": form_token(opened.text), "vue": shown(opened.text)})
    assert answer.status_code == 200
    assert "Tout est à jour" in answer.text
    assert town.one(f"SELECT updated_at > now() - interval '1 hour' AS fresh FROM directory.offer WHERE uid = '{uid}'")
    lines = town.conn.execute("SELECT action FROM directory.history WHERE entity = 'offer' ORDER BY id").fetchall()
    assert [line["action"] for line in lines][-1] == "confirmed"
    again = await client.post(page, data={"_csrf": form_token(opened.text), "vue": shown(opened.text)})
    assert again.status_code == 200
    assert await remind() == 0


async def hospital_offers(town: Any, count: int, months: int) -> list[str]:
    """Give the hospital some offers, describe them, then let them rest for some months."""
    site = town.one("SELECT id FROM directory.site WHERE finess = '780000287'")
    for rank in range(count):
        town.conn.execute(
            "INSERT INTO directory.offer (site_id, kind, origin, name) VALUES (%s, 'establishment', %s, %s)",
            [site, f"essai:{rank}", f"Consultation {rank}"],
        )
    made = town.all("SELECT * FROM directory.offer WHERE origin LIKE 'essai:%%' ORDER BY id")
    return [await rested(town, offer, months) for offer in made]


async def test_a_manager_confirms_what_the_page_showed_and_nothing_else(
    town: Any, client: httpx.AsyncClient, smtp_sink: Any
) -> None:
    await alice(("site_manager", "finess:780000287"))
    first, second, third, fourth = await hospital_offers(town, 4, 7)
    liberal = await described(town, JEAN, 30)
    for uid, moved in ((third, "now()"), (fourth, "now()")):
        town.conn.execute(f"UPDATE directory.offer SET updated_at = {moved} WHERE uid = '{uid}'")
    assert await remind() == 1
    assert await remind() == 0
    await deliver()
    page = link(smtp_sink.messages[0])
    opened = await client.get(page)
    assert sorted(shown(opened.text)) == sorted([first, second])
    # Two more fall silent while the page is open.
    town.conn.execute(
        f"UPDATE directory.offer SET updated_at = now() - interval '7 months' WHERE uid IN ('{third}', '{fourth}')"
    )
    token = form_token(opened.text)
    both = await client.post(page, data={"_csrf": token, "vue": [*shown(opened.text), liberal, "x"]})
    assert "Ces 2\u00a0fiches portent la date" in both.text.replace("&nbsp;", "\u00a0")
    assert sorted(shown(both.text)) == sorted([third, fourth])
    assert [old(town, uid) for uid in (first, second, third, fourth, liberal)] == [False, False, True, True, True]
    one = await client.post(page, data={"_csrf": token, "vue": shown(both.text), "seule": third})
    assert "Cette fiche porte la date" in one.text
    last = await client.post(page, data={"_csrf": token, "vue": shown(one.text)})
    assert "Cette fiche porte la date" in last.text
    assert "Tout est à jour" in last.text
    assert old(town, liberal)
    nothing = await client.post(page, data={"_csrf": token})
    assert nothing.status_code == 200
    assert "la date d’aujourd’hui" not in nothing.text


async def test_who_answers_in_two_roles_is_asked_once(town: Any, client: httpx.AsyncClient, smtp_sink: Any) -> None:
    await alice(("professional", f"rpps:{ALICE}"), ("site_manager", "finess:780000287"))
    mine = await described(town, ALICE, 8)
    [theirs] = await hospital_offers(town, 1, 7)
    assert await remind() == 1
    await deliver()
    [message] = smtp_sink.messages
    assert shown((await client.get(link(message))).text) == [mine, theirs]


async def test_a_year_of_silence_is_another_mail(town: Any, client: httpx.AsyncClient, smtp_sink: Any) -> None:
    await alice()
    uid = await described(town, ALICE, 6)
    assert await remind() == 1
    town.conn.execute(f"UPDATE directory.offer SET updated_at = now() - interval '13 months' WHERE uid = '{uid}'")
    town.conn.commit()
    assert await remind() == 1
    await deliver()
    assert "un an" in text_of(smtp_sink.messages[-1])


async def test_a_link_that_we_did_not_sign_opens_nothing(town: Any, client: httpx.AsyncClient, smtp_sink: Any) -> None:
    await alice()
    await described(town, ALICE, 7)
    assert await remind() == 1
    await deliver()
    page = link(smtp_sink.messages[0])
    uid, day, mark = page.removeprefix("/exact/").split(".")
    for hostile in (
        f"{uid}.{int(day) + 1}.{mark}",
        f"{uid}.{day}.{'0' * 64}",
        "x",
        f"{uid}.{day}",
        "a" * 3000,
        f"..{mark}",
    ):
        assert (await client.get(f"/exact/{hostile}")).status_code == 404, hostile


@pytest.mark.parametrize(
    ("grants", "status"),
    [
        ([("coordinator", "departement:78")], 200),
        ([("agent", "region:11")], 200),
        ([("administrator", "")], 200),
        ([("professional", f"rpps:{ALICE}")], 403),
        ([("moderator", "council:78")], 403),
        ([], 403),
    ],
    ids=["coordinator", "agent", "administrator", "professional", "moderator", "nobody"],
)
async def test_who_reads_the_dashboard(
    town: Any, client: httpx.AsyncClient, grants: list[tuple[str, str]], status: int
) -> None:
    await signed_in(client, *grants)
    assert (await client.get("/completude")).status_code == status
    assert (await client.get("/completude.xlsx?territoire=departement:78")).status_code == status


async def test_the_figures_are_those_of_the_territory(town: Any, client: httpx.AsyncClient) -> None:
    await described(town, ALICE, 13)
    await signed_in(client, ("coordinator", "departement:78"))
    page = (await client.get("/completude")).text
    assert "Yvelines" in page
    offers = town.one(
        "SELECT count(*) AS n FROM directory.offer o JOIN directory.site s ON s.id = o.site_id"
        " WHERE s.commune_id IN (1, 2) AND o.closed_on IS NULL"
    )
    assert f"<dd>{offers}</dd>" in page
    book = openpyxl.load_workbook(BytesIO((await client.get("/completude.xlsx?territoire=departement:78")).content))
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    assert rows[0][:2] == ("Commune", "Offres")
    assert ("Mantes-la-Jolie", offers) in {row[:2] for row in rows}
    assert all(isinstance(value, int | float) for row in rows[1:] for value in row[1:])
    assert all(0 <= row[3] <= 1 for row in rows[1:])
    assert "%" in book.worksheets[0]["D2"].number_format
    foreign = await client.get("/completude", params={"territoire": "departement:75"})
    assert foreign.status_code == 422
    assert "que vous coordonnez" in foreign.text
    assert (await client.get("/completude", params={"territoire": "<b>zz"})).status_code == 422
    assert (
        await client.get("/completude", params={"page": "99", "tri": "'; --", "profession": "70"})
    ).status_code == 200


HERE = ["region:11", "departement:78", "commune:78361", "Mantes-la-Jolie", "Yvelines"]
THERE = ["region:44", "departement:67", "commune:67482"]


@pytest.mark.parametrize(
    ("grants", "open_to", "closed_to"),
    [
        ([("agent", "region:11")], HERE, THERE),
        ([("agent", "region:44")], THERE, HERE),
        ([("agent", "")], [*HERE, *THERE], []),
        ([("agent", "region:11"), ("administrator", "")], [*HERE, *THERE], []),
        ([("agent", "region:11"), ("coordinator", "departement:67")], [*HERE, "departement:67"], ["region:44"]),
        ([("agent", "region:99")], [], [*HERE, *THERE]),
    ],
    ids=["region", "another region", "everywhere", "administrator", "coordinator too", "gone"],
)
async def test_an_agent_sees_the_places_of_their_region(
    town: Any, client: httpx.AsyncClient, grants: list[tuple[str, str]], open_to: list[str], closed_to: list[str]
) -> None:
    town.add_places(FAR)
    await signed_in(client, *grants)
    for place in (*open_to, *closed_to):
        page = await client.get("/completude", params={"territoire": place})
        assert page.status_code == (200 if place in open_to else 422), place
        assert ("n’est pas dans votre région" in page.text) == (place in closed_to), place
        book = await client.get("/completude.xlsx", params={"territoire": place})
        assert book.status_code == page.status_code, place
