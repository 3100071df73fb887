"""The guided path through HTTP, without scripts: steps, refusals, publication."""

import re
from typing import Any

import pytest

from core.db import unit_of_work
from directory.api import OfferDescription, describe_offer
from tests.directory.path import ALICE, FIRST, SECOND, VISITS, Path


async def test_the_first_time_follows_every_step_and_publishes_at_the_end_only(path: Path) -> None:
    intro = await path.open()
    assert "Vous consultez pour la première fois" in intro
    assert "Commencer le peuplement" in intro
    await path.begin()
    for key in ("mon-offre-2", "contacts", "horaires", "recapitulatif"):
        ahead = await path.client.get(f"{path.base}/modifier/{key}")
        assert ahead.headers["location"].endswith("/mon-offre-1"), key
    await path.go("mon-offre-1", **{"mon-offre-1": {**FIRST, "age_min": "18", "acts": ["J16|1341"]}})
    await path.go("mon-offre-2", **{"mon-offre-2": {**VISITS, "territory": ["commune:78361", "commune:78118"],
                                                    "equipment": ["J18|158"], "accessibility": "5",
                                                    "languages": ["en"], "comment": "Entrée par la cour"}})  # fmt: skip
    await path.go("contacts", contacts={"booking_phone": "+33 1 99 00 12 34", "fax": "01 99 00 12 35",
                                        "booking_url": "rdv.example.org/alice",
                                        "mssante": "alice@masseur-kinesitherapeute.mssante.fr"})  # fmt: skip
    week = {"h-0-jour": "1", "h-0-type": "07", "h-0-de": "9h30", "h-0-a": "12:30",
            "h-1-jour": "1", "h-1-type": "05", "h-1-de": "14", "h-1-a": "18 h", "feries": "closed"}  # fmt: skip
    await path.go("horaires", horaires=week)
    recap = await path.open("recapitulatif")
    for text in ("Rééducation pelvi-périnéale", "Buchelay (78200)", "Fauteuil rotatoire", "Conforme", "anglais",
                 "01\u00a099\u00a000\u00a012\u00a034", "Lundi 9h30 – 12\u00a0h\u00a030"):  # fmt: skip
        assert text in recap, text
    assert f"{path.base}/modifier/contacts#champ-booking_phone" in recap
    assert path.town.offer(ALICE)["described"] is False
    saved = await path.send("recapitulatif", {}, "enregistrer", page=recap)
    assert (saved.status_code, saved.headers["location"]) == (303, f"{path.base}?fait=enregistre")
    position = path.town.one("SELECT max(position) FROM core.event")
    assert f"repere_position={position};" in saved.headers["set-cookie"]
    offer = path.town.offer(ALICE)
    assert (offer["described"], offer["age_min"], offer["languages"]) == (True, 18, ["en"])
    contacts = path.town.all("SELECT purpose, value, channel, confidentiality FROM directory.contact_point ORDER BY id")
    assert {(c["purpose"], c["value"], c["channel"]) for c in contacts} == {
        ("booking_phone", "0199001234", "2"), ("fax", "0199001235", "6"),
        ("booking_url", "https://rdv.example.org/alice", "4"),
        ("mssante", "alice@masseur-kinesitherapeute.mssante.fr", "3"),
    }  # fmt: skip
    assert path.town.one("SELECT count(*) FROM directory.opening_slot") == 2
    assert path.town.one("SELECT accessibility FROM directory.site WHERE key = 'struct:410000000001001'") == "5"
    assert path.draft() is None
    actor = path.town.one("SELECT DISTINCT actor FROM directory.history WHERE action = 'described'")
    assert actor.startswith("account:")
    # Afterwards any step opens directly.
    assert "Mode libre" in await path.open("contacts")
    found = await path.client.get("/api/v1/search", params={"code": "J16|1341", "where": "commune:78118"})
    assert found.json()["total"] == 1


async def test_a_draft_keeps_what_was_typed_even_when_it_is_wrong(path: Path) -> None:
    await path.begin()
    typed = {**FIRST, "age_min": "abc", "age_max": "300", "activities": [], "accepts_new_on": "31/13/2026"}
    refused = await path.send("mon-offre-1", typed)
    assert refused.status_code == 422
    assert refused.text.count("field-error") == 4
    for name in ("age_min", "age_max", "activities", "accepts_new_on"):
        assert f'href="#champ-{name}"' in refused.text
        assert f'id="champ-{name}"' in refused.text
    for text in ('value="abc"', 'value="300"', 'value="31/13/2026"'):
        assert text in refused.text, text
    assert 'value="abc"' in await path.open("mon-offre-1")
    assert path.draft()["reached"] == 1
    assert "Enregistré à" in await path.open("mon-offre-1")


@pytest.mark.parametrize(
    ("key", "values", "field", "said"),
    [
        ("mon-offre-1", {"age_min": ""}, "age_min", "Âge minimum"),
        ("mon-offre-1", {"age_min": "20", "age_max": "10"}, "age_min", "dépasse"),
        ("mon-offre-1", {"age_min": "²"}, "age_min", "nombre d’années"),
        ("mon-offre-1", {"activities": ["J17|zzz"]}, "activities", "n’existe pas"),
        ("mon-offre-1", {"acts": ["J18|158"]}, "acts", "n’existe pas"),
        ("mon-offre-1", {"accepts_new": "non", "accepts_new_on": "2026-02-30"}, "accepts_new_on", "31/12/2026"),
        ("mon-offre-1", {"accepts_new": "non", "accepts_new_on": "30.02.2026"}, "accepts_new_on", "31/12/2026"),
        ("horaires", {"e-0-type": "leave", "e-0-du": "32/12/2099"}, "e-0-du", "31/12/2026"),
        ("mon-offre-2", {"reception": ["R338|05"]}, "territory", "au moins une commune"),
        ("mon-offre-2", {"comment": "é" * 2001}, "comment", "2000"),
        ("mon-offre-2", {"equipment": ["J18|zzz"]}, "equipment", "n’existe pas"),
        ("mon-offre-2", {"accessibility": "99"}, "accessibility", "n’existe pas"),
        ("mon-offre-2", {"languages": ["klingon"]}, "languages", "Langue inconnue"),
        ("contacts", {"booking_phone": "01 99"}, "booking_phone", "10 chiffres"),
        ("contacts", {"fax": "allô"}, "fax", "10 chiffres"),
        ("contacts", {"booking_email": "a@b"}, "booking_email", "cabinet@example.org"),
        ("contacts", {"booking_url": "javascript:alert(1)"}, "booking_url", "https://"),
        ("contacts", {"mssante": "alice@example.org"}, "mssante", "MSSanté"),
        ("contacts", {"mssante": "alice@mssante.fr.example.org"}, "mssante", "MSSanté"),
        ("horaires", {"h-0-jour": "2", "h-0-de": "9h", "h-0-a": ""}, "h-0-a", "heure de fin"),
        ("horaires", {"h-0-jour": "2", "h-0-de": "9h", "h-0-a": "zz"}, "h-0-a", "pas une heure"),
    ],
)  # fmt: skip
async def test_a_refused_step_says_so_at_the_field_and_in_the_summary(
    path: Path, key: str, values: dict[str, Any], field: str, said: str
) -> None:
    async with unit_of_work() as session:
        offer = path.town.offer(ALICE)
        await describe_offer(session, offer["uid"], OfferDescription(activities=["J17|339"]), "essai", offer["version"])
    whole = {"mon-offre-1": FIRST, "mon-offre-2": SECOND}.get(key, {})
    answer = await path.send(key, {**whole, **values})
    assert answer.status_code == 422
    anchor = field if key == "horaires" else f"champ-{field}"
    assert f'href="#{anchor}"' in answer.text
    assert f'id="{anchor}"' in answer.text
    assert said in answer.text
    assert path.town.offer(ALICE)["version"] == 2
    # What is wrong must not be published from the last step either.
    recap = await path.send("recapitulatif", {}, "enregistrer")
    assert recap.status_code == 422
    assert f"modifier/{key}#{anchor}" in recap.text


@pytest.mark.parametrize("typed", ["31/12/2099", "31.12.2099", " 31 / 12 / 2099 ", "2099-12-31"])
async def test_days_are_read_as_people_type_them(path: Path, typed: str) -> None:
    await path.begin()
    await path.go("mon-offre-1", **{"mon-offre-1": {**FIRST, "accepts_new": "non", "accepts_new_on": typed}})
    assert 'value="2099-12-31"' in await path.open("mon-offre-1"), "as the calendar of a browser shows it"
    leave = {"e-0-type": "leave", "e-0-du": typed, "e-0-au": typed}
    await path.go("mon-offre-2", "contacts", "horaires", horaires=leave)
    assert (await path.send("recapitulatif", {}, "enregistrer")).status_code == 303
    assert str(path.town.offer(ALICE)["accepts_new_on"]) == "2099-12-31"
    assert str(path.town.one("SELECT ends_on FROM directory.hours_exception")) == "2099-12-31"


async def test_the_calendar_shows_the_hours_of_the_draft_and_keeps_them(path: Path) -> None:
    await path.begin()
    await path.go("mon-offre-1", "mon-offre-2", "contacts")
    editor = await path.open("horaires")
    assert "Modifier la semaine type" in editor and "Récapitulatif <svg" in editor
    week = {"h-0-jour": "1", "h-0-type": "07", "h-0-de": "9h30", "h-0-a": "12:30",
            "e-0-type": "leave", "e-0-du": "06/08/2199", "e-0-au": "06/08/2199", "feries": "closed"}  # fmt: skip
    wrong = await path.send("horaires", {**week, "h-0-a": "zz"}, "semaine")
    assert wrong.status_code == 422
    assert "pas une heure" in wrong.text
    for view in ("semaine", "mois"):
        sent = await path.send("horaires", week, view)
        assert sent.headers["location"] == f"{path.base}/modifier/horaires?vue={view}"
        page = (await path.client.get(sent.headers["location"])).text
        assert page.count('class="hc-date"') in ((7,) if view == "semaine" else (28, 29, 30, 31))
        assert re.search("9\u00a0h\u00a030\u00a0– 12\u00a0h\u00a030</span> <span class=.hc-kind.>", page), view
    assert path.town.one("SELECT count(*) FROM directory.opening_slot") == 0
    assert path.town.one("SELECT count(*) FROM core.event WHERE kind = 'offer_described'") == 0
    passed = await path.send("horaires", {"calendrier": "1"}, page=page)
    assert passed.headers["location"].endswith("/recapitulatif")
    assert path.draft()["data"]["horaires"]["hours"]["week"][0]["opens"] == "9h30"
    bad = await path.client.get(f"{path.base}/modifier/horaires?vue=semaine&date=32/13/2026")
    assert bad.status_code == 422


async def test_without_visits_the_territory_is_not_published(path: Path) -> None:
    await path.all(**{"mon-offre-2": {**SECOND, "territory": ["commune:78118"]}})
    await path.send("recapitulatif", {}, "enregistrer")
    assert path.town.one("SELECT count(*) FROM directory.offer_territory") == 0


async def test_hostile_values_are_bounded_and_only_text(path: Path) -> None:
    await path.begin()
    hostile = "<script>alert(1)</script>\x00' OR 1=1 --"
    values = {"age_min": hostile * 50, "activities": [hostile, "J17|339"] * 400, "acts": [hostile * 9],
              "accepts_new": hostile, "accepts_new_on": hostile, "outside_acts": [""]}  # fmt: skip
    answer = await path.send("mon-offre-1", values)
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    for action in ("retirer:acts", "ajouter:inconnu", "ajouter:", ":::", "x" * 500):
        assert (await path.send("mon-offre-1", FIRST, action)).status_code in (303, 422), action
    assert (await path.send("mon-offre-1", FIRST, "chercher:territory")).status_code == 404
    for version in ("-1", "9" * 30, "abc", "²"):
        sent = await path.send("mon-offre-1", {**FIRST, "version": version, "onglet": ""})
        assert sent.status_code in (303, 409), version
