"""Sheets as PDF, through HTTP: what they say, what they hide, what they survive."""

import uuid
from datetime import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.db import unit_of_work
from directory.api import (
    ContactIn,
    OfferDescription,
    SlotIn,
    describe_offer,
)
from maps import api as maps
from search_api import sheet_pdf
from tests.accounts.helpers import signed_in
from tests.directory import conftest as directory_tests
from tests.pdf_files import PdfFile, read, right_edge

PAGE = {"Accept": "text/html"}
CANARIES = ("0199007777", "canari-prive@example.org", "canari-commentaire")
HOSTILE = (
    '#eval("1+1")',
    "$x^2$",
    "\\ #set page(width: 1pt)",
    "*gras* _it_ <label> @ref // rien /* rien */ ~ -- ...",
    "```rust panic!()```",
    "<b>&amp;</b>",
)

registers = directory_tests.registers
town = directory_tests.town


async def describe(town: Any, **more: Any) -> dict[str, Any]:
    offer: dict[str, Any] = town.offer("10000000001")
    async with unit_of_work() as session:
        await describe_offer(session, offer["uid"], OfferDescription(**more), "test", offer["version"])
    return offer


FULL: dict[str, Any] = {
    "acts": ["J16|1341"],
    "languages": ["fr", "en"],
    "age_min": 3,
    "age_max": 18,
    "accepts_new": True,
    "comment": "canari-commentaire",
    "territory": ["commune:78361", "commune:78118"],
    "hours": [SlotIn(kind="07", weekday=day, opens=time(9), closes=time(12, 30)) for day in range(1, 6)]
    + [
        SlotIn(kind="08", weekday=day, opens=time(0), closes=time(0), valid_from="2199-12-24", valid_to="2199-12-31")
        for day in range(1, 8)
    ],
    "contacts": [
        ContactIn(purpose="booking_phone", value="0199001234"),
        ContactIn(purpose="booking_url", value="https://rdv.example.org/alice"),
        ContactIn(purpose="pro_phone", value="0199007777"),
        ContactIn(purpose="other_email", value="canari-prive@example.org"),
    ],
}


async def fetch(client: httpx.AsyncClient, path: str, folder: Path) -> PdfFile:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return read(answer.content, folder)


async def test_an_offer_on_paper_says_what_its_page_says(town: Any, client: httpx.AsyncClient, tmp_path: Path) -> None:
    offer = await describe(town, **FULL)
    found = await fetch(client, f"/offres/{offer['uid']}/fiche.pdf", tmp_path)
    assert found.info["Title"] == "Alice MARTIN, Mantes-la-Jolie"
    for text in (
        "Masseur-kinésithérapeute",
        "Accepte de nouveaux patients",
        "01 99 00 12 34",
        "https://rdv.example.org/alice",
        "9 rue de Metz",
        "Yvelines",
        "Consultation sur rendez-vous",
        "Lundi 9 h – 12 h 30",
        "Dimanche fermé",
        "Du 24 au 31 décembre 2199",
        "Tous les jours : fermé",
        "Rééducation pelvi-périnéale",
        "De 3 à 18 ans",
        "anglais, français",
        "Se déplace à domicile (2 communes)",
        "Buchelay 78200",
        "Point : lieu d’exercice",
        "Contours IGN, Insee",
        "Conventionné secteur 1",
        "Jean-Paul DURAND",
        "10000000001",
        "Fiche mise à jour le",
        f"repere.test/offres/{offer['uid']}",
        "page 1 / 2",
        "Sources : RPPS, AMELI, professionnels",
    ):
        assert found.says(text), text
    assert found.pages == 2
    assert found.elements >= {"H1", "H2", "H3", "L", "LI", "Table", "TH", "Figure", "Caption", "Link"}
    assert found.describes("Carte du territoire d’intervention : Mantes-la-Jolie, Buchelay.")


async def test_the_page_leads_to_its_document(town: Any, client: httpx.AsyncClient) -> None:
    offer = town.offer("10000000001")
    site = town.one("SELECT uid FROM directory.site WHERE kind = 'practice'")
    for path in (f"/offres/{offer['uid']}", f"/sites/{site}"):
        page = await client.get(path, headers=PAGE)
        assert f'href="{path}/fiche.pdf"' in page.text
        assert (await client.get(f"{path}/fiche.pdf")).status_code == 200


async def test_a_closing_is_no_opening_on_the_page_either(town: Any, client: httpx.AsyncClient) -> None:
    offer = await describe(town, **FULL)
    page = (await client.get(f"/offres/{offer['uid']}", headers=PAGE)).text
    assert "Tous les jours : fermé" in page
    assert "24\u00a0h sur" not in page


@pytest.mark.parametrize("canary", CANARIES)
async def test_what_is_for_professionals_is_on_no_public_paper(
    town: Any, client: httpx.AsyncClient, tmp_path: Path, canary: str
) -> None:
    offer = await describe(town, **FULL)
    site = town.one("SELECT uid FROM directory.site WHERE kind = 'practice'")
    for path in (f"/offres/{offer['uid']}/fiche.pdf", f"/sites/{site}/fiche.pdf"):
        found = await fetch(client, path, tmp_path)
        assert not found.says(canary)
        assert not found.describes(canary)


async def test_a_professional_gets_it_all_and_nobody_keeps_it(
    town: Any, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    offer = await describe(town, **FULL)
    site = town.one("SELECT uid FROM directory.site WHERE kind = 'practice'")
    public = await client.get(f"/offres/{offer['uid']}/fiche.pdf")
    await signed_in(client, ("professional", "rpps:10000000002"))
    for path in (f"/offres/{offer['uid']}/fiche.pdf", f"/sites/{site}/fiche.pdf"):
        answer = await client.get(path, headers={"If-None-Match": public.headers["etag"]})
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "private, no-store"
        assert "etag" not in answer.headers and "last-modified" not in answer.headers
    found = await fetch(client, f"/offres/{offer['uid']}/fiche.pdf", tmp_path)
    assert all(found.says(canary) for canary in CANARIES)
    assert found.says("réservé aux professionnels") and found.says("ne pas diffuser")
    client.cookies.clear()
    assert (await client.get(f"/offres/{offer['uid']}/fiche.pdf")).content == public.content


async def test_a_document_that_did_not_change_is_not_sent_again(town: Any, client: httpx.AsyncClient) -> None:
    offer = await describe(town, **FULL)
    path = f"/offres/{offer['uid']}/fiche.pdf"
    first = await client.get(path)
    assert first.headers["cache-control"] == "public, no-cache" and first.headers["last-modified"].endswith("GMT")
    assert 'filename="repere-alice-martin-mantes-la-jolie.pdf"' in first.headers["content-disposition"]
    again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    sheet_pdf.KEPT.__init__(2**20)  # type: ignore[misc]
    assert (await client.get(path)).content == first.content
    async with unit_of_work() as session:
        await describe_offer(session, offer["uid"], OfferDescription(age_max=17), "test", 2)
    changed = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200 and changed.headers["etag"] != first.headers["etag"]


async def test_what_people_write_prints_as_it_stands(town: Any, client: httpx.AsyncClient, tmp_path: Path) -> None:
    town.sites["struct:410000000001001"]["name"] = HOSTILE[0]
    town.sites["struct:410000000001001"]["street"] = HOSTILE[2]
    town.people["810000000001"]["last_name"] = 'O\'#PANIC("A")'
    town.publish()
    offer = await describe(town, **FULL)
    town.conn.execute("UPDATE maps.place SET name = %s WHERE id = 1", ("Mantes <g> & “#x”",))
    found = await fetch(client, f"/offres/{offer['uid']}/fiche.pdf", tmp_path)
    for text in (HOSTILE[0], HOSTILE[2], 'O\'#PANIC("A")', "Mantes <g> & “#x”"):
        assert found.says(text), text


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_comment_is_never_source(town: Any, client: httpx.AsyncClient, tmp_path: Path, text: str) -> None:
    found = await on_paper(town, client, text, tmp_path)
    assert found.says(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Parle aussi العربية et עברית", ("Parle", "et")),
        ("Γειά, Привет, Zażółć, Ĉu", ("Γειά", "Привет", "Zażółć", "Ĉu")),
        ("Cœur 🩺 et 😀 et 👨‍👩‍👧", ("Cœur", "🩺", "😀")),
        ("漢字 à lire", ("□□ à lire",)),
        ("avant\u202eaprès\u2066fin", ("avantaprèsfin",)),
        ("a\u0489\u0301\u20dd🩺\u0489 b\u0663\u0301 c", ("c",)),
        ("tab\tici\n\nautre\x7f ligne", ("tab ici", "autre ligne")),
    ],
)
async def test_every_script_prints(
    town: Any, client: httpx.AsyncClient, tmp_path: Path, text: str, shown: tuple[str, ...]
) -> None:
    found = await on_paper(town, client, text, tmp_path)
    for one in shown:
        assert found.says(one), one


async def on_paper(town: Any, client: httpx.AsyncClient, comment: str, folder: Path) -> PdfFile:
    """The comment of an offer as professionals read it on paper."""
    offer = await describe(town, **FULL | {"comment": comment})
    await signed_in(client, ("professional", "rpps:10000000002"))
    return await fetch(client, f"/offres/{offer['uid']}/fiche.pdf", folder)


async def test_very_long_texts_stay_on_the_page(town: Any, client: httpx.AsyncClient, tmp_path: Path) -> None:
    long = "Anticonstitutionnellement" * 12
    town.sites["struct:410000000001001"]["name"] = long
    town.publish()
    url = "https://rdv.example.org/" + "a" * 300
    offer = await describe(town, **FULL | {"contacts": [ContactIn(purpose="booking_url", value=url)]})
    found = await fetch(client, f"/offres/{offer['uid']}/fiche.pdf", tmp_path)
    assert found.says(long) and found.says(url)
    assert found.pages <= 3
    assert right_edge(tmp_path / "document.pdf") <= 595 - 56


async def test_a_territory_of_five_hundred_communes(town: Any, client: httpx.AsyncClient, tmp_path: Path) -> None:
    town.conn.execute(
        """
        INSERT INTO maps.place
            (id, kind, code, name, population, departement_code, postal_codes, point, contour, source)
        OVERRIDING SYSTEM VALUE
        SELECT 1000 + n, 'commune', 'T' || lpad(n::text, 4, '0'), 'Commune-sur-Essai-' || n, n, '78', '{78999}',
               ST_SetSRID(ST_MakePoint(1.5 + (n % 25) * 0.02 + 0.01, 48.5 + (n / 25) * 0.02 + 0.01), 4326)::geography,
               ST_Multi(ST_MakeEnvelope(1.5 + (n % 25) * 0.02, 48.5 + (n / 25) * 0.02,
                                        1.52 + (n % 25) * 0.02, 48.52 + (n / 25) * 0.02, 4326)), 'test'
        FROM generate_series(0, 499) n
        """
    )
    maps.invalidate()
    offer = await describe(town, **FULL | {"territory": [f"commune:T{n:04d}" for n in range(500)]})
    found = await fetch(client, f"/offres/{offer['uid']}/fiche.pdf", tmp_path)
    assert found.says("Se déplace à domicile (500 communes)")
    assert found.says("Commune-sur-Essai-0 78999") and found.says("Commune-sur-Essai-499 78999")
    assert found.pages <= 8 and len(found.raw) < 1_000_000


async def test_an_offer_that_nobody_described(registers: Any, client: httpx.AsyncClient, tmp_path: Path) -> None:
    registers.establishment(
        "780000287", None, street=None, postal_code=None, town=None, commune_id=None, lon=None, lat=None, phone=None,
        position_level="none",
    )  # fmt: skip
    registers.person("1", "X", "Y")
    registers.publish()
    site = registers.one("SELECT uid FROM directory.site")
    offer = registers.one("SELECT uid FROM directory.offer")
    for path in (f"/offres/{offer}/fiche.pdf", f"/sites/{site}/fiche.pdf"):
        found = await fetch(client, path, tmp_path)
        assert found.says("Aucun moyen de prendre rendez-vous n’est connu")
        assert found.says("L’adresse n’est pas connue")
        assert found.pages == 1
        assert "Figure" not in found.elements


async def test_a_territory_beyond_the_sea(town: Any, client: httpx.AsyncClient, tmp_path: Path) -> None:
    town.conn.execute(
        """
        INSERT INTO maps.place
            (id, kind, code, name, population, departement_code, postal_codes, point, contour, source)
        OVERRIDING SYSTEM VALUE VALUES
               (100, 'commune', '97411', 'Saint-Denis', 150000, '974', '{97400}', 'POINT(55.45 -20.88)',
                ST_Multi(ST_MakeEnvelope(55.4, -20.95, 55.5, -20.85, 4326)), 'test'),
               (101, 'departement', '974', 'La Réunion', 870000, '974', '{}', NULL, NULL, 'test')
        """
    )
    maps.invalidate()
    offer = await describe(town, **FULL | {"territory": ["commune:78361", "commune:97411"]})
    found = await fetch(client, f"/offres/{offer['uid']}/fiche.pdf", tmp_path)
    assert found.says("Saint-Denis 97400") and found.says("1 lieu hors de la carte")
    far = town.one("SELECT id FROM maps.place WHERE code = '97411'")
    town.conn.execute("UPDATE directory.site SET position = 'POINT(55.45 -20.88)', commune_id = %s", (far,))
    found = await fetch(client, f"/offres/{offer['uid']}/fiche.pdf", tmp_path)
    assert found.info["Title"] == "Alice MARTIN, Saint-Denis"
    assert found.says("1 lieu hors de la carte")


async def test_what_has_left_has_a_page_and_no_document(town: Any, client: httpx.AsyncClient) -> None:
    offer = town.offer("10000000001")
    practice = town.one("SELECT uid FROM directory.site WHERE kind = 'practice'")
    town.sites = {k: v for k, v in town.sites.items() if v["kind"] == "establishment"}
    town.roles.clear()
    town.publish()
    for path, words in (
        (f"/offres/{offer['uid']}/fiche.pdf", "n’exerce plus ici depuis le"),
        (f"/sites/{practice}/fiche.pdf", "n’est plus au répertoire depuis le"),
        (f"/offres/{uuid.uuid4()}/fiche.pdf", "n’existe pas"),
    ):
        answer = await client.get(path, headers=PAGE)
        assert answer.status_code == 404
        assert words in answer.text and "Reprendre une recherche" in answer.text
    assert (await client.get("/offres/rien/fiche.pdf", headers=PAGE)).status_code == 422


async def test_a_sensitive_offer_has_no_public_document(town: Any, client: httpx.AsyncClient, tmp_path: Path) -> None:
    offer = town.offer("10000000001")
    town.conn.execute("UPDATE directory.offer SET sensitive = true WHERE id = %s", (offer["id"],))
    assert (await client.get(f"/offres/{offer['uid']}/fiche.pdf")).status_code == 404
    site = town.one("SELECT uid FROM directory.site WHERE kind = 'practice'")
    found = await fetch(client, f"/sites/{site}/fiche.pdf", tmp_path)
    assert not found.says("MARTIN") and found.says("DURAND")


async def test_a_site_on_paper(town: Any, client: httpx.AsyncClient, tmp_path: Path) -> None:
    site = town.one("SELECT uid FROM directory.site WHERE finess = '780000287'")
    found = await fetch(client, f"/sites/{site}/fiche.pdf", tmp_path)
    for text in (
        "Centre hospitalier (CH)",
        "Médecine polyvalente",
        "Consultations externes",
        "Professionnels (1)",
        "Anne PETIT",
        "Géré par",
        "780000287",
        "Ce que dit FINESS",
    ):
        assert found.says(text), text
    assert found.pages == 1
