"""Drafts of the guided path when two tabs, or two people, write them."""

import re

import pytest

from core.db import unit_of_work
from directory.api import ContactIn, OfferDescription, SiteDescription, describe_offer, describe_site
from tests.accounts.helpers import make_account, sign_in
from tests.directory.path import ALICE, FIRST, OWN, QUIET, SECOND, Path


async def test_a_second_tab_is_told_and_chooses_what_wins(path: Path) -> None:
    await path.begin()
    one, two = await path.open("mon-offre-1"), await path.open("mon-offre-1")
    assert (await path.send("mon-offre-1", {**FIRST, "age_min": "3"}, page=one)).status_code == 303
    conflict = await path.send("mon-offre-1", {**FIRST, "age_min": "6", "acts": ["J16|1341"]}, page=two)
    assert conflict.status_code == 409
    for text in ("Ce que vous venez de saisir", "Ce que contient le brouillon", "3\u00a0ans", "6\u00a0ans"):
        assert text in conflict.text, text
    assert path.draft()["data"]["mon-offre-1"]["age_min"] == "3"
    kept = {**FIRST, "age_min": "6", "acts": ["J16|1341"], "choix.age_min": "theirs", "choix.acts": "mine"}
    chosen = await path.send("mon-offre-1", kept, page=conflict.text)
    assert chosen.status_code == 303
    data = path.draft()["data"]["mon-offre-1"]
    assert (data["age_min"], data["acts"]) == ("3", ["J16|1341"])


async def test_the_same_values_from_a_second_tab_are_no_conflict(path: Path) -> None:
    await path.begin()
    two = await path.open("mon-offre-1")
    await path.go("mon-offre-1")
    assert (await path.send("mon-offre-1", FIRST, page=two)).status_code == 303


async def test_writes_in_the_background_save_and_never_overtake_the_page_that_sent_them(path: Path) -> None:
    await path.begin()
    page = await path.open("mon-offre-1")
    quiet = {"HX-Request": "true"}
    saved = await path.send("mon-offre-1", {**FIRST, "age_min": "4"}, "garder", page=page, **quiet)
    assert saved.status_code == 200
    assert "Enregistré à" in saved.text
    assert (await path.send("mon-offre-1", {**FIRST, "age_min": "5"}, page=page)).status_code == 303
    late = await path.send("mon-offre-1", {**FIRST, "age_min": "4"}, "garder", page=page, **quiet)
    assert late.status_code == 200
    assert path.draft()["data"]["mon-offre-1"]["age_min"] == "5"
    second = page.replace('onglet" value="', 'onglet" value="x')
    other = await path.send("mon-offre-1", {**FIRST, "age_min": "9"}, "garder", page=second, **quiet)
    assert other.headers["HX-Retarget"] == "#etat"
    assert path.draft()["data"]["mon-offre-1"]["age_min"] == "5"


async def test_a_tab_older_than_a_publication_neither_saves_nor_reverts_it(path: Path) -> None:
    await path.all(**{"mon-offre-2": {**SECOND, "comment": "ancien"}})
    old = await path.open("mon-offre-2")
    await path.go("mon-offre-2", **{"mon-offre-2": {**SECOND, "comment": "nouveau"}})
    assert (await path.send("recapitulatif", {}, "enregistrer")).status_code == 303
    late = await path.send("mon-offre-2", {**SECOND, "comment": "ancien"}, "garder", page=old, **QUIET)
    assert late.headers["HX-Retarget"] == "#etat"
    assert "Non enregistré" in late.text
    assert "Enregistré à" not in late.text
    assert path.draft() is None
    conflict = await path.send("mon-offre-2", {**SECOND, "comment": "ancien"}, page=old)
    assert conflict.status_code == 409
    for text in ("Ce que vous venez de saisir", "Publié actuellement", "ancien", "nouveau"):
        assert text in conflict.text, text
    assert path.draft() is None
    assert (await path.send("mon-offre-2", {**SECOND, "comment": "nouveau"}, page=old)).status_code == 303
    chosen = {**SECOND, "comment": "ancien", "choix.comment": "mine"}
    await path.drop()
    assert (await path.send("mon-offre-2", chosen, page=conflict.text)).status_code == 303
    assert path.draft()["data"]["mon-offre-2"]["comment"] == "ancien"


@pytest.mark.parametrize("place", [False, True])
async def test_a_page_without_draft_is_told_of_what_was_published_since(path: Path, place: bool) -> None:
    async with unit_of_work() as session:
        offer = path.town.offer(ALICE)
        first = OfferDescription(comment="ancien", activities=["J17|339"], reception=["R338|03"])
        await describe_offer(session, offer["uid"], first, "essai", offer["version"])
    old = await path.open("mon-offre-2")
    async with unit_of_work() as session:
        if place:
            site = path.town.one("SELECT uid, version FROM directory.site WHERE key = 'struct:410000000001001'")
            given = SiteDescription(equipment=["J18|158"])
            await describe_site(session, site["uid"], given, "collègue", site["version"])
        else:
            offer = path.town.offer(ALICE)
            await describe_offer(
                session, offer["uid"], OfferDescription(comment="nouveau"), "délégué", offer["version"]
            )
    typed = {**SECOND, "comment": "ancien"}
    conflict = await path.send("mon-offre-2", typed, page=old)
    assert conflict.status_code == 409
    assert ("Fauteuil rotatoire" if place else "nouveau") in conflict.text
    assert path.draft() is None
    field = "equipment" if place else "comment"
    again = await path.send("mon-offre-2", {**typed, f"choix.{field}": "theirs"}, page=conflict.text)
    assert again.status_code == 303
    kept = path.draft()["data"]["mon-offre-2"]
    assert (kept["comment"], kept["equipment"]) == (("ancien", ["J18|158"]) if place else ("nouveau", []))


async def test_a_dropped_draft_does_not_come_back_nor_is_the_next_one_taken_for_it(path: Path) -> None:
    await path.begin()
    await path.go("mon-offre-1")
    old = await path.open("mon-offre-1")
    await path.drop()
    for values in (FIRST, {**FIRST, "age_min": "9", "activities": []}):
        late = await path.send("mon-offre-1", values, "garder", page=old, **QUIET)
        assert "Non enregistré" in late.text
        assert path.draft() is None
    await path.begin()
    # As many writes as the draft that is gone had.
    await path.go("mon-offre-1", **{"mon-offre-1": {**FIRST, "age_min": "6"}})
    assert (await path.send("mon-offre-1", {**FIRST, "age_min": "9"}, page=old)).status_code == 409
    assert path.draft()["data"]["mon-offre-1"]["age_min"] == "6"


async def test_what_a_delegate_published_meanwhile_is_shown_and_the_draft_is_kept(path: Path) -> None:
    async with unit_of_work() as session:
        offer = path.town.offer(ALICE)
        first = OfferDescription(acts=["J16|1555"], comment="ancien", activities=["J17|339"], reception=["R338|03"])
        await describe_offer(session, offer["uid"], first, "essai", offer["version"])
    await path.send("mon-offre-1", {**FIRST, "age_min": "3", "acts": ["J16|1341"]})
    async with unit_of_work() as session:
        offer = path.town.offer(ALICE)
        theirs = OfferDescription(acts=["J16|1572"], contacts=[ContactIn(purpose="booking_phone", value="0199001111")])
        await describe_offer(session, offer["uid"], theirs, "délégué", offer["version"])
    conflict = await path.send("recapitulatif", {}, "enregistrer")
    assert conflict.status_code == 409
    for text in ("Rééducation pelvi-périnéale", "Rééducation des troubles de la déglutition", "Publié actuellement",
                 "01\u00a099\u00a000\u00a011\u00a011"):  # fmt: skip
        assert text in conflict.text, text
    assert path.draft() is not None
    # Seen but not chosen: asked again.
    assert (await path.send("recapitulatif", {}, "enregistrer", page=conflict.text)).status_code == 409
    done = await path.send("recapitulatif", {"choix.acts": "mine"}, "enregistrer", page=conflict.text)
    assert done.status_code == 303
    offer = path.town.offer(ALICE)
    labels = path.town.all("SELECT label FROM directory.concept WHERE id = ANY(%s)", offer["acts"])
    assert (offer["age_min"], labels[0]["label"]) == (3, "Rééducation pelvi-périnéale")
    assert path.town.one("SELECT value FROM directory.contact_point") == "0199001111"


async def test_a_colleague_who_equips_the_place_meanwhile_is_not_overwritten(path: Path) -> None:
    await path.all(**{"mon-offre-2": {**SECOND, "equipment": ["J18|158"]}})
    site = path.town.one("SELECT uid, version FROM directory.site WHERE key = 'struct:410000000001001'")
    async with unit_of_work() as session:
        await describe_site(session, site["uid"], SiteDescription(equipment=["J18|040"]), "collègue", site["version"])
    conflict = await path.send("recapitulatif", {}, "enregistrer")
    assert conflict.status_code == 409
    assert "Fauteuil rotatoire" in conflict.text
    assert "Equipement pour réentraînement" in conflict.text
    await path.send("recapitulatif", {"choix.equipment": "theirs"}, "enregistrer", page=conflict.text)
    labels = path.town.one(
        "SELECT c.code FROM directory.site_equipment e JOIN directory.concept c ON c.id = e.concept_id"
    )
    assert labels == "040"


async def test_a_double_click_publishes_once(path: Path) -> None:
    await path.all()
    recap = await path.open("recapitulatif")
    for expected in ("enregistre", "sans-brouillon"):
        answer = await path.send("recapitulatif", {}, "enregistrer", page=recap)
        assert answer.headers["location"].endswith(f"?fait={expected}")
    assert path.town.one("SELECT count(*) FROM directory.history WHERE action = 'described'") == 1


async def test_dropping_a_draft_is_asked_and_leaves_the_sheet_alone(path: Path) -> None:
    await path.all()
    asked = await path.client.get(f"{path.base}/annuler")
    assert "Abandonner le brouillon ?" in asked.text
    assert path.draft() is not None
    done = await path.drop(asked.text)
    assert done.headers["location"].endswith("?fait=abandonne")
    assert path.draft() is None
    assert path.town.offer(ALICE)["version"] == 1
    again = await path.drop(asked.text)
    assert again.headers["location"].endswith("?fait=plus-de-brouillon")


async def test_a_draft_that_another_person_wrote_since_is_not_dropped_unseen(path: Path) -> None:
    await path.begin()
    await path.go("mon-offre-1")
    asked = (await path.client.get(f"{path.base}/annuler")).text
    await sign_in(path.client, await make_account(("delegate", f"rpps:{ALICE}"), name=("Zoé", "L’Hôte")))
    await path.go("mon-offre-1", **{"mon-offre-1": {**FIRST, "age_min": "12"}})
    await sign_in(path.client, await make_account(OWN))
    refused = await path.drop(asked)
    assert refused.status_code == 409
    assert "rien n’est effacé" in refused.text
    assert "par Zoé L’Hôte" in refused.text
    assert path.draft()["data"]["mon-offre-1"]["age_min"] == "12"
    assert (await path.drop(re.sub('name="version" value="[0-9]+"', "", refused.text))).status_code == 409
    done = await path.drop(refused.text)
    assert done.headers["location"].endswith("?fait=abandonne")
    assert path.draft() is None


async def test_a_delegate_goes_on_with_the_draft_of_the_professional(path: Path) -> None:
    await path.begin()
    await path.go("mon-offre-1", **{"mon-offre-1": {**FIRST, "age_min": "12"}})
    await sign_in(path.client, await make_account(("delegate", f"rpps:{ALICE}")))
    assert 'value="12"' in await path.open("mon-offre-1")
    await path.go("mon-offre-2")
    assert path.draft()["updated_by"] != path.town.one(
        "SELECT 'account:' || uid FROM accounts.account ORDER BY id LIMIT 1"
    )
