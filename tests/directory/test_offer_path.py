"""The guided path through HTTP, without scripts: drafts, lists, refusals, second tabs, ended sign-ins, publication."""

import re
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from accounts.person import cookie_name
from core.db import unit_of_work
from directory.api import ContactIn, OfferDescription, SiteDescription, describe_offer, describe_site
from tests.accounts.helpers import form_token, make_account, sign_in, signed_in

ALICE = "10000000001"
OWN = ("professional", f"rpps:{ALICE}")
FIRST = {"age_min": "0", "age_max": "150", "activities": ["J17|339"], "accepts_new": "", "accepts_new_on": ""}
SECOND = {"accessibility": "", "comment": "", "reception": ["R338|03"]}
VISITS = {**SECOND, "reception": ["R338|05"]}


class Path:
    """A browser on the path of Alice's offer."""

    def __init__(self, town: Any, client: httpx.AsyncClient) -> None:
        self.town, self.client = town, client
        self.base = f"/mon-offre/{town.offer(ALICE)['uid']}"

    async def open(self, key: str = "") -> str:
        answer = await self.client.get(f"{self.base}/modifier" + (f"/{key}" if key else ""))
        assert answer.status_code == 200, answer.headers.get("location", answer.text)
        return answer.text

    async def send(
        self, key: str, values: Mapping[str, Any], action: str = "suivant", page: str | None = None, **headers: str
    ) -> httpx.Response:
        shown = page if page is not None else await self.open(key)
        data = {"_csrf": form_token(shown), "action": action, **hidden(shown), **values}
        return await self.client.post(f"{self.base}/modifier/{key}", data=data, headers=headers)

    async def begin(self) -> None:
        token = form_token(await self.open())
        await self.client.post(f"{self.base}/modifier", data={"_csrf": token})
        await self.send("informations", {})

    async def go(self, *keys: str, **values: Mapping[str, Any]) -> None:
        given = {"mon-offre-1": FIRST, "mon-offre-2": SECOND, "contacts": {}, "horaires": {}} | values
        for key in keys:
            answer = await self.send(key, given[key])
            assert answer.status_code == 303, answer.text

    async def all(self, **values: Mapping[str, Any]) -> None:
        await self.begin()
        await self.go("mon-offre-1", "mon-offre-2", "contacts", "horaires", **values)

    async def drop(self, page: str | None = None) -> httpx.Response:
        shown = page if page is not None else (await self.client.get(f"{self.base}/annuler")).text
        data = {"_csrf": form_token(shown), **hidden(shown)}
        return await self.client.post(f"{self.base}/annuler", data=data)

    def draft(self) -> Any:
        rows = self.town.all("SELECT * FROM directory.offer_draft")
        return rows[0] if rows else None


def hidden(page: str) -> dict[str, str]:
    return {
        name: found[1]
        for name in ("version", "onglet", "vue_offre", "vue_lieu")
        if (found := re.search(f'name="{name}" value="([^"]*)"', page))
    }


@pytest.fixture
async def path(town: Any, client: httpx.AsyncClient) -> Path:
    await signed_in(client, OWN)
    return Path(town, client)


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


async def test_lists_are_searched_added_to_and_taken_from_without_scripts(path: Path) -> None:
    await path.begin()
    answer = await path.send("mon-offre-1", {**FIRST, "q.acts": "perinee"}, "")
    assert answer.headers["location"].endswith("?champ=acts&q=perinee#champ-acts")
    page = (await path.client.get(answer.headers["location"])).text
    assert "Rééducation pelvi-périnéale" in page
    assert "Extraction dentaire" not in page
    added = await path.send("mon-offre-1", {**FIRST, "nouveau.acts": ["J16|1341", "J16|1555"]}, "ajouter:acts")
    page = (await path.client.get(added.headers["location"])).text
    assert page.count('name="acts"') == 2
    acts = {"acts": ["J16|1341", "J16|1555"]}
    everything = await path.send("mon-offre-1", {**FIRST, **acts}, "tout:acts")
    page = (await path.client.get(everything.headers["location"])).text
    assert len(re.findall(r'name="choisi.acts" value="[^"]+" checked', page)) == 2
    await path.send("mon-offre-1", {**FIRST, **acts}, "retirer:acts:J16|1555")
    assert path.draft()["data"]["mon-offre-1"]["acts"] == ["J16|1341"]
    await path.send("mon-offre-1", {**FIRST, "acts": ["J16|1341"], "choisi.acts": "J16|1341"}, "supprimer:acts")
    assert path.draft()["data"]["mon-offre-1"]["acts"] == []


@pytest.mark.parametrize(
    ("field", "text", "found", "absent"),
    [
        ("activities", "geriatrie", "orientation Gériatrie", "Médecine générale à orientation Gériatrie"),
        ("acts", "dos", "Rééducation du rachis", "Sevrage"),
        ("acts", "VERTIGE", "Rééducation vestibulaire", "Sevrage"),
        ("acts", "vestibulère", "Rééducation vestibulaire", "Sevrage"),
        ("acts", "1341", "Rééducation pelvi-périnéale", "Rééducation du rachis"),
        ("acts", "implants dentaires", "Rien ne répond", "Pose d’implants dentaires"),
        ("acts", "<script>alert(1)</script>", "&lt;script&gt;", "<script>alert"),
    ],
)
async def test_a_search_understands_people_and_keeps_to_the_profession(
    path: Path, field: str, text: str, found: str, absent: str
) -> None:
    await path.begin()
    address = f"{path.base}/modifier/mon-offre-1/recherche"
    page = (await path.client.get(address, params={"champ": field, f"q.{field}": text})).text
    assert found in page
    assert absent not in page
    wider = (
        await path.client.get(address, params={"champ": field, f"q.{field}": "sevrage", f"partout.{field}": "1"})
    ).text
    assert ("Sevrage" in wider) == (field == "acts")


async def test_a_territory_takes_postal_codes_groups_and_a_radius(path: Path) -> None:
    await path.begin()
    await path.go("mon-offre-1")
    answer = await path.send("mon-offre-2", {**VISITS, "q.territory": "78200"}, "chercher:territory")
    page = (await path.client.get(answer.headers["location"])).text
    assert "Buchelay (78200)" in page
    assert "Mantes-la-Jolie (78200)" in page
    assert "Paris" not in page
    await path.send("mon-offre-2", {**VISITS, "rayon": "10"}, "rayon:territory")
    assert path.draft()["data"]["mon-offre-2"]["territory"] == ["commune:78361", "commune:78118"]
    for km in ("", "abc", "-3", "0", "1e9", "nan", "9999", "²", "100,5"):
        wrong = await path.send("mon-offre-2", {**VISITS, "rayon": km, "comment": "Sonner"}, "rayon:territory")
        assert wrong.status_code == 422, km
        assert "un nombre de kilomètres jusqu’à 100 est attendu" in wrong.text, km
        assert 'href="#champ-rayon"' in wrong.text
        assert 'aria-invalid="true" aria-describedby="rayon-erreur"' in wrong.text
        assert f'value="{km}"' in wrong.text
        assert "Sonner" in wrong.text
        assert path.draft()["data"]["mon-offre-2"]["territory"] == []
    in_place = await path.send("mon-offre-2", {**VISITS, "rayon": "abc"}, "rayon:territory", **{"hx-request": "true"})
    assert (in_place.status_code, "est attendu" in in_place.text) == (200, True)
    hostile = {**VISITS, "nouveau.territory": ["commune:00000", "x", "", "epci:0"], "groupe": "epci:'"}
    for action in ("ajouter:territory", "groupe:territory"):
        await path.send("mon-offre-2", hostile, action)
    assert path.draft()["data"]["mon-offre-2"]["territory"] == []


AROUND = """
INSERT INTO maps.place (id, kind, code, name, population, departement_code, postal_codes, point, contour, source)
OVERRIDING SYSTEM VALUE VALUES
    (20, 'commune', '78402', 'Meulan', 9000, '78', '{78250}', 'POINT(1.906 49.006)', NULL, 'test'),
    (21, 'epci', '200059889', 'Grand Paris Seine et Oise', 400000, NULL, '{}', NULL, NULL, 'test');
INSERT INTO maps.place_containment (place_id, container_id) VALUES (20, 10), (20, 12), (1, 21), (2, 21), (20, 21);
"""
MANY = """
INSERT INTO maps.place (id, kind, code, name, population, departement_code, postal_codes, point, contour, source)
OVERRIDING SYSTEM VALUE
SELECT 100 + n, 'commune', '77' || lpad(n::text, 3, '0'), 'Commune ' || n, 10, '77', '{}',
       'POINT(1.75 48.99)', NULL, 'test'
FROM generate_series(1, 520) n
"""


async def test_a_territory_takes_a_whole_group_or_all_within_a_distance(path: Path) -> None:
    path.town.add_places(AROUND)
    await path.begin()
    await path.go("mon-offre-1")
    page = await path.open("mon-offre-2")
    assert '<option value="epci:200059889">Grand Paris Seine et Oise (intercommunalité)</option>' in page
    await path.send("mon-offre-2", {**VISITS, "groupe": "epci:200059889"}, "groupe:territory")
    whole = ["commune:78118", "commune:78361", "commune:78402"]
    assert sorted(path.draft()["data"]["mon-offre-2"]["territory"]) == whole
    for km, found in (("2,5", ["78361"]), ("5", ["78361", "78118"]), ("20", ["78361", "78118", "78402"])):
        answer = await path.send("mon-offre-2", {**VISITS, "rayon": km}, "rayon:territory")
        assert answer.status_code == 303
        assert path.draft()["data"]["mon-offre-2"]["territory"] == [f"commune:{code}" for code in found], km


async def test_a_territory_says_when_it_is_full(path: Path) -> None:
    path.town.add_places(MANY)
    await path.begin()
    await path.go("mon-offre-1")
    full = await path.send("mon-offre-2", {**VISITS, "rayon": "10"}, "rayon:territory")
    assert full.status_code == 422
    assert "500 communes au plus" in full.text
    assert 'href="#champ-territory"' in full.text
    assert len(path.draft()["data"]["mon-offre-2"]["territory"]) == 500


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


async def test_without_visits_the_territory_is_not_published(path: Path) -> None:
    await path.all(**{"mon-offre-2": {**SECOND, "territory": ["commune:78118"]}})
    await path.send("recapitulatif", {}, "enregistrer")
    assert path.town.one("SELECT count(*) FROM directory.offer_territory") == 0


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


QUIET = {"HX-Request": "true"}


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


async def test_a_step_sent_after_the_sign_in_ended_comes_back_after_signing_in(path: Path) -> None:
    await path.begin()
    page = await path.open("mon-offre-1")
    path.client.cookies.delete(cookie_name())
    sent = await path.send("mon-offre-1", {**FIRST, "age_min": "7", "acts": ["J16|1341"]}, page=page)
    assert sent.status_code == 303
    target = f"{path.base}/modifier/mon-offre-1?reprise=1"
    assert sent.headers["location"] == f"/connexion?suite={quote(target, safe='')}"
    quiet = await path.send("mon-offre-1", {**FIRST, "age_min": "8"}, "garder", page=page, **{"HX-Request": "true"})
    assert (quiet.status_code, quiet.headers["HX-Redirect"]) == (204, sent.headers["location"])
    held = path.town.one("SELECT fields::text FROM directory.held_form")
    assert "_csrf" not in held
    # A colleague who signs in on this computer reads nothing of it.
    await sign_in(path.client, await make_account(("professional", "rpps:10000000002")))
    assert (await path.client.get(f"{path.base}/modifier/mon-offre-1?reprise=1")).status_code == 404
    await sign_in(path.client, await make_account(OWN))
    back = (await path.client.get(f"{path.base}/modifier/mon-offre-1?reprise=1")).text
    assert 'value="8"' in back
    assert "Votre session avait pris fin" in back
    assert path.draft()["data"] == {}
    assert (await path.send("mon-offre-1", {**FIRST, "age_min": "8"}, page=back)).status_code == 303
    assert path.town.one("SELECT count(*) FROM directory.held_form") == 0
    assert path.draft()["data"]["mon-offre-1"]["age_min"] == "8"


async def test_another_browser_or_a_late_one_reads_nothing_of_what_was_held(path: Path) -> None:
    await path.begin()
    page = await path.open("mon-offre-1")
    path.client.cookies.delete(cookie_name())
    await path.send("mon-offre-1", {**FIRST, "age_min": "7"}, page=page)
    account = await make_account(OWN)
    await sign_in(path.client, account)
    form_cookie = path.client.cookies["repere_form"]
    path.client.cookies.set("repere_form", "another", domain="repere.test")
    address = f"{path.base}/modifier/mon-offre-1?reprise=1"
    assert 'value="7"' not in (await path.client.get(address)).text
    path.client.cookies.delete("repere_form")
    path.client.cookies.set("repere_form", form_cookie)
    assert 'value="7"' in (await path.client.get(address)).text
    path.town.conn.execute("UPDATE directory.held_form SET held_at = held_at - interval '61 minutes'")
    assert 'value="7"' not in (await path.client.get(address)).text


async def test_a_flood_of_forms_is_not_kept(path: Path) -> None:
    await path.begin()
    page = await path.open("mon-offre-1")
    path.client.cookies.delete(cookie_name())
    huge = await path.send("mon-offre-1", {**FIRST, "acts": ["x" * 50] * 1500}, page=page)
    assert huge.status_code == 422
    assert path.town.one("SELECT count(*) FROM directory.held_form") == 0


async def test_forms_held_for_nothing_do_not_keep_out_those_of_others(path: Path) -> None:
    await path.begin()
    page = await path.open("mon-offre-1")
    path.client.cookies.delete(cookie_name())
    data = {"_csrf": form_token(page), "action": "suivant"}
    unknown = await path.client.post(f"/mon-offre/{uuid.uuid4()}/modifier/mon-offre-1", data=data)
    assert unknown.status_code == 404
    path.town.conn.execute(
        "INSERT INTO directory.held_form (holder, address, fields, held_at)"
        " SELECT int4send(n), 'x', '[]', core.now() - n * interval '1 second' FROM generate_series(1, 2000) n"
    )
    assert (await path.send("mon-offre-1", {**FIRST, "age_min": "7"}, page=page)).status_code == 303
    assert path.town.one("SELECT count(*) FROM directory.held_form") == 2000
    assert path.town.one("SELECT count(*) FROM directory.held_form WHERE holder = int4send(2000)") == 0
    await sign_in(path.client, await make_account(OWN))
    address = f"{path.base}/modifier/mon-offre-1?reprise=1"
    assert 'value="7"' in (await path.client.get(address)).text
    path.town.conn.execute("DELETE FROM directory.held_form")
    assert "n’est plus gardé" in (await path.client.get(address)).text


async def test_who_sends_too_many_forms_is_told_that_they_are_not_kept(path: Path) -> None:
    await path.begin()
    page = await path.open("mon-offre-1")
    path.client.cookies.delete(cookie_name())
    assert (await path.send("mon-offre-1", FIRST, page=page)).status_code == 303
    path.town.conn.execute("UPDATE accounts.rate SET due_at = due_at + interval '1 hour' WHERE kind = 'held-form'")
    refused = await path.send("mon-offre-1", {**FIRST, "age_min": "9"}, page=page, Accept="text/html")
    assert refused.status_code == 429
    assert "n’a pas pu être gardé" in refused.text
    quiet = await path.send("mon-offre-1", {**FIRST, "age_min": "9"}, "garder", page=page, **QUIET)
    assert "HX-Redirect" not in quiet.headers
    assert "votre session a pris fin" in quiet.text
    assert '"9"' not in path.town.one("SELECT fields::text FROM directory.held_form")
    # As told: signed in elsewhere, the same page sends what it still shows.
    await sign_in(path.client, await make_account(OWN))
    assert (await path.send("mon-offre-1", {**FIRST, "age_min": "9"}, page=page)).status_code == 303
    assert path.draft()["data"]["mon-offre-1"]["age_min"] == "9"


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
