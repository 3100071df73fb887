"""What a result shows of an offer: always what the tables say, whoever wrote last; only what everybody may read."""

from itertools import pairwise
from typing import Any

from core.db import unit_of_work
from directory.api import (
    ContactIn,
    OfferDescription,
    SiteDescription,
    describe_offer,
    describe_site,
    republish_offer,
    unpublish_offer,
)

RPPS = "10000000001"
SHOWN = """
SELECT offer_id, site_id, uid, name, type_id, title, first_name, last_name, convention, carte_vitale, site_uid,
       site_name, site_kind, category, street, postal_code, town, phone, contacts
FROM directory.search_card ORDER BY offer_id
"""
TABLES = """
SELECT o.id AS offer_id, s.id AS site_id, o.uid, o.name, o.type_id, p.title, p.first_name, p.last_name, r.convention,
       r.carte_vitale, s.uid AS site_uid, s.name AS site_name, s.kind AS site_kind, s.category, s.street, s.postal_code,
       s.town, s.phone,
       EXISTS (SELECT FROM directory.contact_point c
               WHERE c.confidentiality = 1 AND (c.offer_id = o.id OR c.site_id = s.id)) AS contacts
FROM directory.offer_search w
JOIN directory.offer o ON o.id = w.offer_id
JOIN directory.site s ON s.id = o.site_id
LEFT JOIN directory.role r ON r.id = o.role_id
LEFT JOIN directory.practitioner p ON p.id = r.practitioner_id
ORDER BY o.id
"""


async def describe(town: Any, **fields: Any) -> None:
    offer = town.offer(RPPS)
    async with unit_of_work() as session:
        await describe_offer(session, offer["uid"], OfferDescription(**fields), "test", offer["version"])


def card(town: Any) -> dict[str, Any]:
    found: dict[str, Any] = town.one("SELECT * FROM directory.search_card WHERE offer_id = %s", town.offer(RPPS)["id"])
    return found


def agrees(town: Any) -> bool:
    """Tell whether the cards are what the tables say; there must be some."""
    shown = town.all(SHOWN)
    return bool(shown) and shown == town.all(TABLES)


def test_cards_follow_the_registers(town: Any) -> None:
    assert agrees(town)
    town.person(RPPS, "MARTIN-PETIT", "Alice", title="DR")
    town.practice("struct:410000000001001", name="CABINET DE L’HÔTEL-DIEU", phone="0199001122", street="2 RUE NEUVE")
    town.publish()
    assert agrees(town)
    found = card(town)
    assert (found["last_name"], found["site_name"], found["phone"], found["street"]) == (
        "MARTIN-PETIT", "CABINET DE L’HÔTEL-DIEU", "0199001122", "2 RUE NEUVE",
    )  # fmt: skip
    del town.roles[f"8{RPPS}/struct:410000000001001/L/ORDRE"]
    town.publish()
    assert agrees(town)
    assert len(town.all(SHOWN)) == 3


async def test_cards_follow_those_who_describe(town: Any) -> None:
    await describe(town, acts=["J16|1341"], contacts=[ContactIn(purpose="booking_phone", value="0199003344")])
    assert agrees(town)
    assert card(town)["contacts"] is True
    await describe(town, contacts=[])
    assert agrees(town)
    assert card(town)["contacts"] is False
    site = town.one("SELECT * FROM directory.site WHERE kind = 'practice'")
    async with unit_of_work() as session:
        await describe_site(session, site["uid"], SiteDescription(pin=(48.9, 1.6)), "test", site["version"])
    assert agrees(town)
    offer = town.offer(RPPS)
    async with unit_of_work() as session:
        await unpublish_offer(session, offer["uid"], "test", offer["version"])
    assert agrees(town)
    assert town.one("SELECT count(*) FROM directory.search_card WHERE offer_id = %s", offer["id"]) == 0
    async with unit_of_work() as session:
        await republish_offer(session, offer["uid"], "test", offer["version"] + 1)
    assert agrees(town)


async def test_a_restricted_contact_is_not_even_told_of(town: Any) -> None:
    await describe(town, contacts=[ContactIn(purpose="pro_phone", value="0199007777")])
    found = card(town)
    assert found["contacts"] is False
    assert "0199007777" not in str(found)


def test_the_clock_is_that_of_the_place(registers: Any) -> None:
    registers.add_places(
        "INSERT INTO maps.place (id, kind, code, name, departement_code, source) OVERRIDING SYSTEM VALUE VALUES"
        " (90, 'commune', '97209', 'Fort-de-France', '972', 'test')"
    )
    for key, commune in (("struct:4A", 1), ("struct:4B", 90), ("struct:4C", None)):
        registers.practice(key, commune_id=commune)
        registers.role(registers.person(key[-1], "X", "Y"), key)
    registers.publish({"rpps"})
    clocks = registers.all(
        "SELECT c.clock FROM directory.search_card c JOIN directory.site s ON s.id = c.site_id ORDER BY s.key"
    )
    assert [row["clock"] for row in clocks] == ["Europe/Paris", "America/Martinique", "Europe/Paris"]


def test_a_first_load_writes_neighbours_together(registers: Any) -> None:
    """Towns 400 km apart come in turn in the register; on the disk, each stands together."""
    for number in range(30):
        key = f"struct:4{number:02}"
        registers.practice(key, lon=1.7 + number % 3 * 3 + number / 10_000, lat=48.9 - number % 3 * 2)
        registers.role(registers.person(str(number), "X", "Y"), key)
    # What other tests deleted left holes, which are filled first.
    registers.conn.execute("TRUNCATE directory.site, directory.practitioner CASCADE")
    registers.publish({"rpps"})
    for table in ("site", "practitioner", "role", "offer", "search_card", "offer_search"):
        joined = {
            "site": "directory.site t JOIN directory.site s ON s.id = t.id",
            "practitioner": "directory.practitioner t JOIN directory.role r ON r.practitioner_id = t.id"
            " JOIN directory.site s ON s.id = r.site_id",
            "role": "directory.role t JOIN directory.site s ON s.id = t.site_id",
            "offer": "directory.offer t JOIN directory.site s ON s.id = t.site_id",
            "search_card": "directory.search_card t JOIN directory.site s ON s.id = t.site_id",
            "offer_search": "directory.offer_search t JOIN directory.site s ON s.id = t.site_id",
        }[table]
        towns = [row["town"] for row in registers.all(
            f"SELECT round(ST_X(s.position::geometry)) AS town FROM {joined} ORDER BY t.ctid")]  # fmt: skip
        changes = sum(one != other for one, other in pairwise(towns))
        # In turn there would be 29; the end of a block may take a smaller row of another town.
        assert len(towns) == 30 and 2 <= changes <= 8, (table, changes)
