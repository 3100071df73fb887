"""What every form of an offer's sheet says (page, paper, comparison, author's view), through HTTP."""

from datetime import date, time
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.db import unit_of_work
from directory.api import (
    ContactIn,
    ExceptionIn,
    OfferDescription,
    SiteDescription,
    SlotIn,
    describe_offer,
    describe_site,
)
from tests.accounts.helpers import form_token, signed_in
from tests.directory import conftest as directory_tests
from tests.directory.path import hidden
from tests.pdf_files import read

ALICE, JEAN = "10000000001", "10000000002"
PAGE = {"Accept": "text/html"}

registers = directory_tests.registers
town = directory_tests.town


async def describe(town: Any, **more: Any) -> Any:
    offer = town.offer(ALICE)
    async with unit_of_work() as session:
        await describe_offer(session, offer["uid"], OfferDescription(**more), "test", offer["version"])
    return offer["uid"]


async def forms(town: Any, client: httpx.AsyncClient, folder: Path) -> dict[str, str]:
    """Return the page, the paper, the comparison, the author's view and both previews, with plain spaces."""
    uid, other = town.offer(ALICE)["uid"], town.offer(JEAN)["uid"]
    await signed_in(client, ("professional", f"rpps:{ALICE}"))
    addresses = {
        "page": f"/offres/{uid}",
        "comparison": f"/comparer?o={uid}&o={other}",
        "author": f"/mon-offre/{uid}",
        "patient": f"/mon-offre/{uid}/apercu?vue=patient",
        "professional": f"/mon-offre/{uid}/apercu?vue=pro",
    }
    found = {}
    for name, address in addresses.items():
        answer = await client.get(address, headers=PAGE)
        assert answer.status_code == 200, (name, answer.text)
        found[name] = answer.text.partition("<main")[2].replace("\u00a0", " ")
    paper = await client.get(f"/offres/{uid}/fiche.pdf")
    assert paper.status_code == 200
    found["paper"] = read(paper.content, folder).text
    return {name: " ".join(text.split()).lower() for name, text in found.items()}


@pytest.mark.parametrize("said", [False, None], ids=["refused until then", "only the date"])
async def test_new_patients_from_a_day_to_come(
    town: Any, client: httpx.AsyncClient, tmp_path: Path, said: bool | None
) -> None:
    uid = await describe(town, accepts_new=said, accepts_new_on=date(2199, 3, 3))
    for name, text in (await forms(town, client, tmp_path)).items():
        assert "à partir du 3 mars 2199" in text, name
        assert "ne prend plus" not in text and "déclaré le" not in text, name
    sheet = (await client.get(f"/api/v1/offers/{uid}")).json()
    assert (sheet["accepts_new"], sheet["accepts_new_on"]) == (said, "2199-03-03")


@pytest.mark.parametrize("said", [False, None], ids=["refused until then", "only the date"])
async def test_new_patients_once_the_day_has_come(
    town: Any, client: httpx.AsyncClient, tmp_path: Path, said: bool | None
) -> None:
    uid = await describe(town, accepts_new=said, accepts_new_on=date(2001, 3, 3))
    for name, text in (await forms(town, client, tmp_path)).items():
        word = "acceptés" if name in ("comparison", "author") else "accepte de nouveaux patients"
        assert word in text, name
        assert "mars 2001" not in text and "ne prend plus" not in text and "refusés" not in text, name
    sheet = (await client.get(f"/api/v1/offers/{uid}")).json()
    assert (sheet["accepts_new"], sheet["accepts_new_on"]) == (True, None)
    site = (await client.get(f"/api/v1/sites/{sheet['site']['uid']}")).json()
    assert [one["accepts_new"] for one in site["offers"] if one["uid"] == str(uid)] == [True]


async def test_the_accessibility_of_the_place(town: Any, client: httpx.AsyncClient, tmp_path: Path) -> None:
    code, label = town.one(
        "SELECT code, label FROM directory.concept WHERE system = 'R202' ORDER BY id LIMIT 1"
    ).values()
    site = town.one("SELECT uid, version FROM directory.site WHERE id = %s", town.offer(ALICE)["site_id"])
    before = await forms(town, client, tmp_path)
    assert all("accessibilité du lieu" not in text.partition("ce qui se fait ici")[2] for text in before.values())
    async with unit_of_work() as session:
        await describe_site(session, site["uid"], SiteDescription(accessibility=code), "test", site["version"])
    for name, text in (await forms(town, client, tmp_path)).items():
        assert "accessibilité du lieu" in text, name
        assert "".join(label.lower().split()) in "".join(text.split()), name
    sheet = (await client.get(f"/api/v1/offers/{town.offer(ALICE)['uid']}")).json()
    assert sheet["accessibility"]["code"] == f"R202|{code}"


RESTRICTED = ContactIn(purpose="pro_phone", value="0199007777")


@pytest.mark.parametrize(
    ("grant", "whole"),
    [
        (("delegate", f"rpps:{ALICE}"), True),
        (("delegate", f"rpps:{JEAN}"), False),
        (None, False),
    ],
    ids=["own delegate", "other delegate", "nobody"],
)
async def test_who_writes_an_offer_reads_it_whole(
    town: Any, client: httpx.AsyncClient, tmp_path: Path, grant: tuple[str, str] | None, whole: bool
) -> None:
    uid = await describe(town, contacts=[RESTRICTED], comment="canari-commentaire")
    if grant:
        await signed_in(client, grant)
    page = await client.get(f"/offres/{uid}", headers=PAGE)
    assert ("canari-commentaire" in page.text) is whole
    assert ("0199007777" in page.text) is whole
    answer = await client.get(f"/offres/{uid}/fiche.pdf")
    paper = read(answer.content, tmp_path)
    assert (paper.says("01 99 00 77 77"), paper.says("canari-commentaire")) == (whole, whole)
    assert paper.says("ne pas diffuser") is whole
    # What a browser that is signed in receives is never kept, whoever it is.
    assert ("no-store" in answer.headers["cache-control"]) is (grant is not None)


async def test_an_unpublished_offer_is_on_paper_for_its_authors_only(
    town: Any, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    uid = await describe(town, contacts=[RESTRICTED])
    town.conn.execute("UPDATE directory.offer SET status = 'unpublished' WHERE uid = %s", (uid,))
    path = f"/offres/{uid}/fiche.pdf"
    assert (await client.get(path)).status_code == 404
    for stranger in (("delegate", f"rpps:{JEAN}"), ("professional", f"rpps:{JEAN}"), ("moderator", "council:78")):
        await signed_in(client, stranger)
        assert (await client.get(path)).status_code == 404, stranger
    for author in (("delegate", f"rpps:{ALICE}"), ("professional", f"rpps:{ALICE}")):
        await signed_in(client, author)
        assert f'href="{path}"' in (await client.get(f"/mon-offre/{uid}")).text
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-store")
        paper = read(answer.content, tmp_path)
        assert paper.says("Cette offre n’est pas publiée") and paper.says("01 99 00 77 77")
        assert (await client.get(f"/offres/{uid}", headers=PAGE)).status_code == 404


async def test_the_same_words_name_the_same_things_everywhere(
    town: Any, client: httpx.AsyncClient, tmp_path: Path
) -> None:
    contacts = [
        ContactIn(purpose="mssante", value="alice.martin@mk.mssante.fr"),
        ContactIn(purpose="other_email", value="autre@example.org"),
        ContactIn(purpose="emergency_phone", value="0199008888"),
        RESTRICTED,
    ]
    uid = await describe(town, outside_acts=["J16|1341"], contacts=contacts)
    found = await forms(town, client, tmp_path)
    found["path"] = (await client.get(f"/mon-offre/{uid}/modifier/contacts")).text.lower()
    reserved = ("autre adresse email", "tél. à usage professionnel", "tél. d’urgence")
    for name, text in found.items():
        assert name == "path" or "actes hors cabinet" in text, name
        for word in ("boîte de messagerie sécurisée de santé", *reserved):
            # The paper may cut a line inside a label.
            shown = "".join(word.split()) in "".join(text.split())
            assert shown is not (name == "patient" and word in reserved), (name, word)


async def test_a_preview_shows_what_the_page_shows(town: Any, client: httpx.AsyncClient, tmp_path: Path) -> None:
    leave = ExceptionIn(kind="leave", starts_on=date(2199, 8, 1), ends_on=date(2199, 8, 15))
    uid = await describe(town, contacts=[RESTRICTED], exceptions=[leave], closing_on=date(2199, 9, 1))
    found = await forms(town, client, tmp_path)
    for text in (
        "conventionné secteur 1", "carte vitale", "fermeture le 1er septembre 2199", "cabinet du parc", ALICE,
        "jean-paul durand", "la correction se demande", "fiche mise à jour le",
    ):  # fmt: skip
        for name in ("page", "patient", "professional"):
            assert text in found[name], (name, text)
    for name in ("patient", "professional"):
        assert f'href="/offres/{uid}"' in found[name] and "ouvrir la page publique" in found[name], name
        assert 'href="/sites/' in found[name] and "/apercu/sites" not in found[name], name
        assert f"/mon-offre/{uid}/sites" not in found[name] and f"/mon-offre/{uid}/offres" not in found[name], name
    assert "01 99 00 77 77" not in found["patient"] and "01 99 00 77 77" in found["professional"]
    assert "telle qu’elle est publiée" in found["patient"]
    town.conn.execute("UPDATE directory.offer SET status = 'unpublished' WHERE uid = %s", (uid,))
    preview = (await client.get(f"/mon-offre/{uid}/apercu")).text
    assert "Ouvrir la page publique" not in preview and "n’est pas publiée" in preview


def stands(town: Any) -> tuple[Any, ...]:
    """Return what would move if something were published."""
    return (
        town.offer(ALICE),
        town.all("SELECT * FROM directory.site_equipment"),
        town.one("SELECT count(*) FROM directory.history"),
        town.one("SELECT max(position) FROM core.event"),
        town.all("SELECT * FROM directory.offer_draft"),
    )


async def test_a_preview_shows_the_draft_and_publishes_nothing(town: Any, client: httpx.AsyncClient) -> None:
    monday = SlotIn(weekday=1, opens=time(9), closes=time(12))
    uid = await describe(town, comment="ancien", acts=["J16|1341"], hours=[monday])
    await signed_in(client, ("professional", f"rpps:{ALICE}"))
    path = f"/mon-offre/{uid}"
    steps = {
        "mon-offre-1": {"age_min": "3", "activities": "J17|339", "acts": "J16|1555"},
        "mon-offre-2": {"reception": "R338|03", "equipment": "J18|158", "comment": "nouveau"},
        "contacts": {"booking_phone": "0199004545", "pro_phone": "0199004646"},
    }
    for key, values in steps.items():
        form = (await client.get(f"{path}/modifier/{key}")).text
        data = {"_csrf": form_token(form), "action": "suivant", **hidden(form), **values}
        assert (await client.post(f"{path}/modifier/{key}", data=data)).status_code == 303, key
    before = stands(town)
    for view in ("patient", "pro", "portail"):
        page = (await client.get(f"{path}/apercu?vue={view}")).text.replace("\u00a0", " ")
        assert "Aperçu de votre brouillon" in page, view
        assert 'rel="canonical"' not in page and "ld+json" not in page, "no search engine is told of a draft"
        assert "Rééducation du rachis" in page and "Fauteuil rotatoire" in page, view
        assert "Rééducation pelvi-périnéale" not in page and "Comparer</button>" not in page, view
        assert ("01 99 00 46 46" in page) == ("nouveau</p>" in page) == (view == "pro"), view
        assert view == "portail" or f"{path}/modifier/horaires?vue=semaine" in page
    assert stands(town) == before
    public = (await client.get(f"/offres/{uid}")).text
    assert "Rééducation pelvi-périnéale" in public and "Fauteuil rotatoire" not in public
    wrong = "UPDATE directory.offer_draft SET data = jsonb_set(data, '{mon-offre-1,age_min}', '\"abc\"')"
    town.conn.execute(wrong)
    page = (await client.get(f"{path}/apercu")).text
    assert "Cette étape a une erreur à corriger" in page and f"{path}/modifier/mon-offre-1" in page
    assert "Rééducation pelvi-périnéale" in page and "Fauteuil rotatoire" in page
