"""With whom a card and the sheet of a place let people book, through HTTP."""

import html
import re
from typing import Any

import httpx

from core.db import unit_of_work
from directory.api import ContactIn, OfferDescription, describe_offer
from tests.accounts.helpers import signed_in
from tests.directory import conftest as directory_tests

ALICE, JEAN, ANNE = "10000000001", "10000000002", "10000000003"
PAGE = {"Accept": "text/html"}
NONE_KNOWN = "Aucun moyen de prendre rendez-vous"

registers = directory_tests.registers
town = directory_tests.town


async def say(town: Any, rpps: str, **contacts: str) -> None:
    offer = town.offer(rpps)
    given = [ContactIn(purpose=purpose, value=value) for purpose, value in contacts.items()]
    async with unit_of_work() as session:
        await describe_offer(session, offer["uid"], OfferDescription(contacts=given), "test", offer["version"])


def site_of(town: Any, rpps: str) -> Any:
    return town.one("SELECT uid FROM directory.site WHERE id = %s", town.offer(rpps)["site_id"])


async def words(client: httpx.AsyncClient, address: str) -> str:
    answer = await client.get(address, headers=PAGE)
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text.partition("<main")[2]).replace("\u00a0", " ")


def named(text: str, tag: str = "a") -> list[tuple[str, str]]:
    """Return address and accessible name of the links of a page."""
    found = re.findall(rf'<{tag}\b[^>]*href="([^"]*)"[^>]*>(.*?)</{tag}>', text, re.DOTALL)
    return [(href, " ".join(re.sub(r"<[^>]+>", "", name).split())) for href, name in found]


async def test_the_sheet_of_a_place_says_how_to_book_with_each(town: Any, client: httpx.AsyncClient) -> None:
    place = f"/sites/{site_of(town, ALICE)}"
    town.conn.execute("UPDATE directory.site SET phone = NULL, phone2 = NULL")
    assert NONE_KNOWN in await words(client, place)
    await say(town, ALICE, booking_url="https://rdv.test/alice", pro_phone="0639982233")
    await say(town, JEAN, booking_phone="0639980044")
    text = await words(client, f"{place}?where=commune:78361")
    links = named(text)
    assert ("https://rdv.test/alice", "Prendre rendez-vous avec Alice MARTIN") in links
    assert any(href == "tel:0639980044" and "Jean-Paul DURAND" in name for href, name in links)
    assert (f"/offres/{town.offer(JEAN)['uid']}?where=commune:78361", "Jean-Paul DURAND") in links
    assert NONE_KNOWN not in text and "39 98 22 33" not in text, "a restricted number never leaves"
    sheet = (await client.get(f"/api/v1{place}")).json()
    assert [one["name"] for one in sheet["booking"]] == ["Alice MARTIN", "Jean-Paul DURAND"]


async def test_the_number_that_a_person_gave_comes_before_that_of_a_register(
    town: Any, client: httpx.AsyncClient
) -> None:
    town.conn.execute("UPDATE directory.role SET ameli_phone = '0130000099'")
    await say(town, ALICE, booking_phone="0639980011", booking_url="https://rdv.test/alice")
    await say(town, JEAN, booking_phone="0130000099")
    sheet = (await client.get(f"/api/v1/sites/{site_of(town, ALICE)}")).json()
    told = [
        [(one["value"].replace("\u00a0", ""), one["source"]) for one in who["contacts"]] for who in sheet["booking"]
    ]
    given = [("https://rdv.test/alice", "professionnel"), ("0639980011", "professionnel"), ("0130000099", "AMELI")]
    assert told == [given, [("0130000099", "professionnel")]], "a number is told once, by who wrote it"


async def test_the_way_to_book_a_sensitive_offer_is_for_professionals(town: Any, client: httpx.AsyncClient) -> None:
    place = f"/sites/{site_of(town, ALICE)}"
    await say(town, ALICE, booking_url="https://rdv.test/alice")
    town.conn.execute("UPDATE directory.offer SET sensitive = true WHERE uid = %s", (town.offer(ALICE)["uid"],))
    assert "rdv.test" not in await words(client, place)
    assert "rdv.test" not in (await client.get(f"/api/v1{place}")).text
    await signed_in(client, ("professional", f"rpps:{JEAN}"))
    assert "rdv.test/alice" in await words(client, place)


async def test_a_card_books_with_a_person_who_is_named(town: Any, client: httpx.AsyncClient) -> None:
    await say(town, ALICE, booking_url="https://rdv.test/alice", booking_phone="0639980011")
    await say(town, JEAN, booking_url="https://rdv.test/jean", booking_phone="0639980022")
    links = named(await words(client, "/recherche?where=commune:78361"))
    booking = {href: name for href, name in links if "rdv.test" in href or href.startswith("tel:+3363998")}
    assert booking.pop("https://rdv.test/alice") == "Prendre rendez-vous avec Alice MARTIN"
    assert booking.pop("https://rdv.test/jean") == "Prendre rendez-vous avec Jean-Paul DURAND"
    assert "Alice MARTIN" in booking.pop("tel:+33639980011") and "Jean-Paul DURAND" in booking.pop("tel:+33639980022")
    assert not booking


async def test_the_name_on_the_card_of_one_person_opens_their_offer(town: Any, client: httpx.AsyncClient) -> None:
    town.conn.execute("UPDATE directory.offer SET sensitive = true WHERE uid = %s", (town.offer(JEAN)["uid"],))
    await say(town, ALICE, booking_url="https://rdv.test/alice")
    text = await words(client, "/recherche?q=alice+martin&where=commune:78361")
    heading = re.findall(r"<h3>(.*?)</h3>", text, re.DOTALL)
    offer = town.offer(ALICE)["uid"]
    assert named(heading[0]) == [(f"/offres/{offer}?where=commune:78361", "Alice MARTIN")]
    assert ("https://rdv.test/alice", "Prendre rendez-vous avec Alice MARTIN") in named(text)
    assert any(href.startswith("tel:+") for href, _ in named(text)), "the number of the place stands in for theirs"
    town.conn.execute("UPDATE directory.search_card SET phone = NULL")
    assert "tel:" not in await words(client, "/recherche?q=alice+martin&where=commune:78361")


async def test_a_card_says_each_thing_once_and_titles_calmly(town: Any, client: httpx.AsyncClient) -> None:
    twice = town.one(
        "SELECT a.label, ARRAY[a.id, b.id] AS ids FROM directory.concept a JOIN directory.concept b"
        " ON b.label = a.label AND b.system = 'R38' WHERE a.system = 'J17' ORDER BY a.id LIMIT 1"
    )
    key = town.offer(ALICE)["id"]
    town.conn.execute("UPDATE directory.offer_search SET codes = codes || %s WHERE offer_id = %s", (twice["ids"], key))
    town.conn.execute("UPDATE directory.search_card SET title = 'DR' WHERE offer_id = %s", (key,))
    answer = (await client.get("/api/v1/search", params={"where": "commune:78361"})).json()
    (card,) = [
        offer for item in answer["items"] for offer in item["offers"] if "Alice" in (offer["practitioner"] or "")
    ]
    assert card["practitioner"] == "Dr Alice MARTIN"
    labels = [label["label"] for label in card["labels"]]
    assert twice["label"] in labels and len(labels) == len(set(labels))


async def test_a_place_of_many_is_reached_by_its_number_and_folds_the_last_ones(
    registers: Any, client: httpx.AsyncClient
) -> None:
    registers.practice("struct:41", phone="0130000041")
    people = [f"100000000{number:02}" for number in range(14)]
    for number, rpps in enumerate(people):
        registers.role(registers.person(rpps, f"NOM{number:02}", "ANNE"), "struct:41")
    registers.publish({"rpps"})
    folded = max(people, key=lambda rpps: registers.offer(rpps)["id"])
    for rpps in people:
        await say(registers, rpps, booking_phone="0639980011" if rpps != folded else "0130000041")
    links = named(await words(client, "/recherche?where=commune:78361"))
    assert ("tel:+33130000041", "Cabinet : 01 30 00 00 41") in links, "who has the same number is not on the card"
    sheet = await words(client, f"/sites/{site_of(registers, people[0])}")
    assert re.findall("<summary>(Afficher [^<]+)", sheet) == ["Afficher l’autre", "Afficher les 2 autres offres"]
