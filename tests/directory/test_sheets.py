"""Sheets by level: what they say, what they hide, what they answer for what has left."""

import uuid
from datetime import time
from typing import Any

import pytest

from core.db import unit_of_work
from core.errors import NotFound
from directory.api import (
    PROFESSIONAL,
    PUBLIC,
    ContactIn,
    OfferDescription,
    OfferSheet,
    SiteDescription,
    SiteSheet,
    SlotIn,
    describe_offer,
    describe_site,
    find_uid,
    offer_sheet,
    site_sheet,
    unpublish_offer,
)

CANARIES = ("0199007777", "01\u00a099\u00a000\u00a077\u00a077", "canari-prive", "canari-commentaire")


async def described(town: Any, **more: Any) -> dict[str, Any]:
    offer: dict[str, Any] = town.offer("10000000001")
    description = OfferDescription(
        acts=["J16|1341"],
        languages=["fr", "en"],
        age_min=3,
        age_max=18,
        comment="canari-commentaire",
        territory=["commune:78361", "commune:78118"],
        hours=[SlotIn(kind="07", weekday=day, opens=time(9), closes=time(12, 30)) for day in range(1, 8)]
        + [SlotIn(kind="08", weekday=1, opens=time(0), closes=time(0), valid_from="2199-12-24", valid_to="2199-12-31")],
        contacts=[
            ContactIn(purpose="booking_phone", value="0199001234"),
            ContactIn(purpose="pro_phone", value="0199007777"),
            ContactIn(purpose="other_email", value="canari-prive@example.org"),
        ],
        **more,
    )
    async with unit_of_work() as session:
        await describe_offer(session, offer["uid"], description, "test", offer["version"])
    return offer


async def read_offer(uid: uuid.UUID, level: int = PUBLIC) -> OfferSheet:
    async with unit_of_work() as session:
        return await offer_sheet(session, uid, level)


async def read_site(uid: uuid.UUID, level: int = PUBLIC) -> SiteSheet:
    async with unit_of_work() as session:
        return await site_sheet(session, uid, level)


async def test_an_offer_sheet_says_everything_public(town: Any) -> None:
    offer = await described(town)
    sheet = await read_offer(offer["uid"])
    assert sheet.name == "Consultation kinésithérapie Alice MARTIN"
    assert sheet.practitioner is not None
    assert (sheet.practitioner.name, sheet.practitioner.rpps) == ("Alice MARTIN", "10000000001")
    assert sheet.type is not None
    assert (sheet.type.code, sheet.kind_label) == ("J238|195", "Offre libérale")
    assert [a.label for a in sheet.acts] == ["Rééducation pelvi-périnéale"]
    assert sheet.patients == "De 3 à 18\u00a0ans"
    assert sheet.languages == ["anglais", "français"]
    assert sheet.address.lines == ["9 RUE DE METZ", "78200 MANTES LA JOLIE"]
    assert sheet.address.commune is not None
    assert sheet.address.departement is not None
    assert (sheet.address.commune.ref, sheet.address.departement.name) == ("commune:78361", "Yvelines")
    assert sheet.position is not None
    assert (sheet.position.exact, sheet.position.source) == (True, "BAN")
    assert sheet.territory.refs == ["commune:78118", "commune:78361"]
    assert sheet.territory.bbox == pytest.approx((1.67, 48.97, 1.75, 49.01))
    assert [c.value for c in sheet.contacts] == [
        "01\u00a099\u00a000\u00a012\u00a034", "01\u00a099\u00a000\u00a000\u00a002",
    ]  # fmt: skip
    assert sheet.contacts[0].href == "tel:0199001234"
    assert sheet.hours.week[0].slots[0].label == "9\u00a0h\u00a0– 12\u00a0h\u00a030"
    assert sheet.hours.special[0].label == "Du 24 au 31\u00a0décembre 2199"
    assert sheet.convention is not None
    assert sheet.convention.label == "Conventionné secteur 1"
    assert sheet.carte_vitale is True
    assert {o.name for o in sheet.others} == {"Consultation kinésithérapie Jean-Paul DURAND"}
    assert [r.register_name for r in sheet.registers] == ["RPPS", "AMELI"]
    assert "masseurs-kinésithérapeutes" in sheet.registers[0].correction
    assert "CPAM" in sheet.registers[1].correction
    assert sheet.described
    assert sheet.version == 2


@pytest.mark.parametrize("canary", CANARIES)
async def test_what_is_for_professionals_is_not_public(town: Any, canary: str) -> None:
    offer = await described(town)
    site = town.one("SELECT uid FROM directory.site WHERE kind = 'practice'")
    public = (await read_offer(offer["uid"])).model_dump_json() + (await read_site(site)).model_dump_json()
    assert canary not in public


async def test_professionals_see_restricted_contacts_and_comments(town: Any) -> None:
    offer = await described(town)
    sheet = await read_offer(offer["uid"], PROFESSIONAL)
    assert sheet.comment == "canari-commentaire"
    assert {c.purpose for c in sheet.contacts} == {"booking_phone", "pro_phone", "other_email", "register"}


async def test_a_sensitive_offer_does_not_exist_for_the_public(town: Any) -> None:
    offer = await described(town)
    town.conn.execute("UPDATE directory.offer SET sensitive = true WHERE id = %s", (offer["id"],))
    with pytest.raises(NotFound, match="n’existe pas"):
        await read_offer(offer["uid"])
    site = town.one("SELECT uid FROM directory.site WHERE kind = 'practice'")
    public = await read_site(site)
    assert (public.offers_count, public.practitioners_count) == (1, 0)
    assert "MARTIN" not in public.model_dump_json()
    assert (await read_offer(offer["uid"], PROFESSIONAL)).uid == offer["uid"]
    assert (await read_site(site, PROFESSIONAL)).offers_count == 2


async def test_a_site_sheet_gathers_offers_people_and_registers(town: Any) -> None:
    site = town.one("SELECT * FROM directory.site WHERE finess = '780000287'")
    async with unit_of_work() as session:
        await describe_site(
            session, site["uid"], SiteDescription(equipment=["J18|054"], accessibility="1"), "test", site["version"]
        )
    sheet = await read_site(site["uid"])
    assert (sheet.name, sheet.kind_label, sheet.legal_entity) == ("ETAB 780000287", "Établissement", "CH DE MANTES")
    assert sheet.category is not None
    assert sheet.category.label == "Centre hospitalier (CH)"
    assert {o.name for o in sheet.offers} == {"Médecine polyvalente", "Consultations externes"}
    assert [p.name for p in sheet.practitioners] == ["Anne PETIT"]
    assert [s.label for s in sheet.practitioners[0].specialties] == ["Cardiologie et maladies vasculaires"]
    assert [e.label for e in sheet.equipment] == ["IRM corps entier"]
    assert sheet.accessibility is not None
    assert {(i.system, i.value) for i in sheet.identifiers} == {("FINESS", "780000287"), ("SIRET", "26780028700019")}
    assert sheet.registers[0].register_name == "FINESS"
    assert "ARS" in sheet.registers[0].correction
    assert sheet.position is not None
    assert sheet.position.label == "Position donnée par FINESS"


async def test_a_practice_says_who_works_there(town: Any) -> None:
    sheet = await read_site(town.one("SELECT uid FROM directory.site WHERE kind = 'practice'"))
    assert [o.practitioner.name for o in sheet.offers if o.practitioner] == ["Alice MARTIN", "Jean-Paul DURAND"]
    assert sheet.practitioners == []


async def test_what_has_left_says_since_when(town: Any) -> None:
    offer = town.offer("10000000001")
    practice = town.one("SELECT uid FROM directory.site WHERE kind = 'practice'")
    town.sites = {k: v for k, v in town.sites.items() if v["kind"] == "establishment"}
    town.roles.clear()
    town.publish()
    with pytest.raises(NotFound, match="Alice MARTIN n’exerce plus ici depuis le"):
        await read_offer(offer["uid"])
    with pytest.raises(NotFound, match="n’est plus au répertoire depuis le"):
        await read_site(practice)


async def test_unknown_and_unpublished_sheets_are_not_found(town: Any) -> None:
    offer = town.offer("10000000001")
    with pytest.raises(NotFound):
        await read_offer(uuid.uuid4())
    with pytest.raises(NotFound):
        await read_site(uuid.uuid4())
    async with unit_of_work() as session:
        await unpublish_offer(session, offer["uid"], "test", 1)
    with pytest.raises(NotFound, match="pas publiée"):
        await read_offer(offer["uid"])


async def test_a_bare_site_has_a_sheet(registers: Any) -> None:
    registers.establishment(
        "780000287", None, street=None, postal_code=None, town=None, commune_id=None, lon=None, lat=None, phone=None,
        position_level="none",
    )  # fmt: skip
    registers.person("1", "X", "Y")
    registers.publish()
    site = registers.one("SELECT uid FROM directory.site")
    sheet = await read_site(site)
    assert (sheet.position, sheet.address.lines, sheet.contacts, sheet.category) == (None, [], [], None)
    offer = await read_offer(registers.one("SELECT uid FROM directory.offer"))
    assert offer.hours.open_now is None
    assert offer.territory.bbox is None


async def test_a_temporary_closing_is_said(town: Any) -> None:
    offer = await described(town, closing_on="2001-01-01", reopening_on="2199-01-02")
    sheet = await read_offer(offer["uid"])
    assert sheet.status_message == "Fermé depuis le 1er\u00a0janvier 2001. Réouverture le 2\u00a0janvier 2199."


@pytest.mark.parametrize(
    ("entity", "alias", "known"),
    [
        ("site", "finess:780000287", True),
        ("site", "siret:26780028700019", True),
        ("site", "struct:410000000001001", True),
        ("practitioner", "rpps:10000000001", True),
        ("practitioner", "810000000001", True),
        ("legal_entity", "finess:780110078", True),
        ("site", "finess:000000000", False),
        ("site", "", False),
    ],
)
async def test_register_keys_find_entities(town: Any, entity: str, alias: str, known: bool) -> None:
    async with unit_of_work() as session:
        assert (await find_uid(session, entity, alias) is not None) is known


@pytest.mark.parametrize("level", [PUBLIC, PROFESSIONAL])
async def test_unsafe_values_have_no_link(town: Any, level: int) -> None:
    offer = town.offer("10000000001")
    town.conn.execute(
        "INSERT INTO directory.contact_point (offer_id, purpose, channel, value, confidentiality)"
        " VALUES (%s, 'booking_url', '4', 'javascript:alert(1)', 1)",
        (offer["id"],),
    )
    sheet = await read_offer(offer["uid"], level)
    assert [c.href for c in sheet.contacts if c.purpose == "booking_url"] == [None]
