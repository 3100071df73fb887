"""Rules of descriptions: versions, messages at the field, history, events, what a load leaves alone."""

import uuid
from datetime import time
from typing import Any

import pytest

from core.db import unit_of_work
from core.errors import Conflict, InvalidInput, NotFound
from directory.api import (
    ContactIn,
    OfferDescription,
    SiteDescription,
    SlotIn,
    Written,
    describe_offer,
    describe_site,
    republish_offer,
    unpublish_offer,
)


async def write(offer: dict[str, Any], **fields: Any) -> Written:
    async with unit_of_work() as session:
        return await describe_offer(session, offer["uid"], OfferDescription(**fields), "rpps:1", offer["version"])


async def test_a_write_has_a_version_a_history_and_an_event(town: Any) -> None:
    offer = town.offer("10000000001")
    written = await write(
        offer, acts=["J16|1341"], contacts=[ContactIn(purpose="booking_phone", value="01 99 00 12 34")]
    )
    assert (written.uid, written.version) == (offer["uid"], 2)
    line = town.one("SELECT actor, action, detail FROM directory.history WHERE entity = 'offer'")
    assert (line["actor"], line["action"]) == ("rpps:1", "described")
    assert line["detail"]["contacts"] == [[], [["booking_phone", "0199001234"]]]
    assert line["detail"]["described"] == [False, True]
    event = town.one("SELECT kind, entity, entity_id, position FROM core.event ORDER BY position DESC LIMIT 1")
    assert event == {"kind": "offer_described", "entity": "offer", "entity_id": offer["id"],
                     "position": written.position}  # fmt: skip


async def test_a_stale_version_is_a_conflict_and_changes_nothing(town: Any) -> None:
    offer = town.offer("10000000001")
    await write(offer, comment="premier")
    with pytest.raises(Conflict, match="entre-temps") as caught:
        await write(offer, comment="second")
    assert caught.value.status == 409
    assert town.offer("10000000001")["comment"] == "premier"


async def test_fields_left_out_stay_and_null_empties(town: Any) -> None:
    await write(town.offer("10000000001"), acts=["J16|1341"], comment="mot", age_min=3, territory=["commune:78361"])
    await write(town.offer("10000000001"), age_max=18)
    offer = town.offer("10000000001")
    assert (len(offer["acts"]), offer["comment"], offer["age_min"], offer["age_max"]) == (1, "mot", 3, 18)
    await write(offer, acts=None, comment="  ", territory=[])
    offer = town.offer("10000000001")
    assert (offer["acts"], offer["comment"]) == ([], None)
    assert town.one("SELECT count(*) FROM directory.offer_territory") == 0


async def test_a_load_never_overwrites_what_was_described(town: Any) -> None:
    await write(town.offer("10000000001"), activities=["J17|421"], accepts_new=False)
    before = town.offer("10000000001")
    for role in town.roles.values():
        role["profession"] = "50"
    town.publish()
    after = town.offer("10000000001")
    for name in ("activities", "type_id", "accepts_new", "described", "uid"):
        assert after[name] == before[name]
    assert town.offer("10000000002")["type_id"] != before["type_id"]


SLOT = {"weekday": 1, "opens": time(9), "closes": time(12)}


@pytest.mark.parametrize(
    ("fields", "name", "words"),
    [
        ({"acts": ["J16|9999"]}, "acts", "n’existe pas"),
        ({"acts": ["J17|339"]}, "acts", "J16"),
        ({"reception": ["R338|12"]}, "reception", "n’existe pas"),
        ({"activities": []}, "activities", "Au moins une"),
        ({"age_min": 20, "age_max": 10}, "age_min", "dépasse"),
        ({"languages": ["klingon"]}, "languages", "inconnue"),
        ({"territory": ["commune:99999"]}, "territory", "inconnu"),
        ({"territory": ["planete:1"]}, "territory", "inconnu"),
        ({"territory": [f"commune:{n:05d}" for n in range(501)]}, "territory", "Pas plus"),
        ({"contacts": [ContactIn(purpose="booking_phone", value="abc")]}, "contacts.booking_phone", "forme"),
        (
            {"contacts": [ContactIn(purpose="booking_url", value="javascript:alert(1)")]},
            "contacts.booking_url",
            "https",
        ),
        (
            {"contacts": [ContactIn(purpose="booking_url", value='https://x" onclick=')]},
            "contacts.booking_url",
            "https",
        ),
        ({"contacts": [ContactIn(purpose="mssante", value="a@example.org")]}, "contacts.mssante", "MSSanté"),
        ({"contacts": [ContactIn(purpose="telex", value="1")]}, "contacts", "inconnu"),
        ({"contacts": [ContactIn(purpose="pro_phone", value="0199001234")] * 2}, "contacts.pro_phone", "une seule"),
        ({"hours": [SlotIn(**SLOT), SlotIn(weekday=1, opens=time(11), closes=time(13))]}, "hours.1.opens", "chevauche"),
        ({"hours": [SlotIn(weekday=2, opens=time(9), closes=time(9))]}, "hours.0.closes", "Mardi, plage 1"),
        ({"hours": [SlotIn(**SLOT, kind="99")]}, "hours.0.kind", "inconnu"),
        (
            {"hours": [SlotIn(**SLOT, valid_from="2026-02-01", valid_to="2026-01-01")]},
            "hours.0.valid_to",
            "avant de commencer",
        ),
        ({"hours": [SlotIn(**SLOT)] * 201}, "hours", "Pas plus"),
        ({"closing_on": "2026-12-01", "reopening_on": "2026-11-01"}, "reopening_on", "précède"),
    ],
)
async def test_a_broken_rule_is_said_at_its_field(town: Any, fields: dict[str, Any], name: str, words: str) -> None:
    offer = town.offer("10000000001")
    with pytest.raises(InvalidInput) as caught:
        await write(offer, **fields)
    assert words in caught.value.fields[name]
    assert town.offer("10000000001")["version"] == 1


async def test_all_broken_rules_are_said_at_once(town: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        await write(town.offer("10000000001"), acts=["J16|9999"], age_min=20, age_max=10, languages=["xx"])
    assert set(caught.value.fields) == {"acts", "age_min", "languages"}


@pytest.mark.parametrize(
    ("purpose", "typed", "stored", "confidentiality"),
    [
        ("booking_phone", "+33 1 99 00 12 34", "0199001234", 1),
        ("pro_phone", "06.39.98.12.34", "0639981234", 2),
        ("booking_url", " https://rdv.example.org/a?b=c ", "https://rdv.example.org/a?b=c", 1),
        ("other_email", "a.b+c@example.org", "a.b+c@example.org", 2),
    ],
)
async def test_contacts_are_tidied_and_take_the_confidentiality_of_their_purpose(
    town: Any, purpose: str, typed: str, stored: str, confidentiality: int
) -> None:
    await write(town.offer("10000000001"), contacts=[ContactIn(purpose=purpose, value=typed)])
    found = town.one("SELECT value, confidentiality FROM directory.contact_point")
    assert found == {"value": stored, "confidentiality": confidentiality}


async def test_hostile_text_is_kept_as_text(town: Any) -> None:
    text = "<script>alert('x')</script> %s '; DROP TABLE directory.offer; --"
    await write(town.offer("10000000001"), comment=f"{text}\x07")
    assert town.offer("10000000001")["comment"] == text


async def test_status_changes_once(town: Any) -> None:
    offer = town.offer("10000000001")
    async with unit_of_work() as session:
        await unpublish_offer(session, offer["uid"], "test", 1)
    async with unit_of_work() as session:
        with pytest.raises(Conflict, match="déjà dépubliée"):
            await unpublish_offer(session, offer["uid"], "test", 2)
        await republish_offer(session, offer["uid"], "test", 2)
    actions = town.all("SELECT action FROM directory.history WHERE entity = 'offer' ORDER BY id")
    assert [a["action"] for a in actions] == ["unpublished", "republished"]


async def test_what_has_left_cannot_be_described(town: Any) -> None:
    offer = town.offer("10000000001")
    site = town.one("SELECT uid FROM directory.site WHERE kind = 'practice'")
    town.roles.clear()
    town.sites = {k: v for k, v in town.sites.items() if v["kind"] == "establishment"}
    town.publish()
    with pytest.raises(NotFound):
        await write(offer, comment="x")
    with pytest.raises(NotFound):
        await write(offer | {"uid": uuid.uuid4()}, comment="x")
    async with unit_of_work() as session:
        with pytest.raises(NotFound):
            await describe_site(session, site, SiteDescription(equipment=[]), "test", 1)


@pytest.mark.parametrize("pin", [(91.0, 0.0), (0.0, 181.0), (float("nan"), 0.0)])
async def test_a_pin_off_the_globe_is_refused(town: Any, pin: tuple[float, float]) -> None:
    site = town.one("SELECT uid FROM directory.site WHERE kind = 'practice'")
    async with unit_of_work() as session:
        with pytest.raises(InvalidInput):
            await describe_site(session, site, SiteDescription(pin=pin), "test", 1)


async def test_a_place_s_stale_version_is_a_conflict(town: Any) -> None:
    site = town.one("SELECT uid FROM directory.site WHERE kind = 'practice'")
    async with unit_of_work() as session:
        await describe_site(session, site, SiteDescription(accessibility="1"), "test", 1)
    async with unit_of_work() as session:
        with pytest.raises(Conflict):
            await describe_site(session, site, SiteDescription(accessibility="2"), "test", 1)
