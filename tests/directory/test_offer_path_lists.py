"""Lists of the guided path, without scripts: codes searched by profession, communes of a territory."""

import csv
import re
from typing import Any

import httpx
import pytest

from directory.mappings import FOLDER, by_profession
from tests.accounts.helpers import signed_in
from tests.directory.path import FIRST, VISITS, Path


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


def test_every_profession_has_its_lists_and_every_code_is_known(registers: Any) -> None:
    with (FOLDER / "codes_by_type.tsv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    concepts = registers.all("SELECT system || '|' || code AS ref FROM directory.concept")
    known = {row["ref"] for row in concepts}
    assert {f"{row['system']}|{code}" for row in rows for code in row["codes"].split(",")} - known == set()
    listed = {(kind, row["system"]) for row in rows for kind in row["types"].split(",")}
    kinds = {rule.type or f"G15|{rule.key}" for rule in by_profession()}
    assert {(kind, system) for kind in kinds for system in ("J16", "J17", "J18", "J33")} - listed == set()
    assert {kind for kind, _ in listed if kind not in known and f"J238|{kind}" not in known} == {"*"}


SEARCHES = (
    ("10", "R38|SM54", "acts", "frottis", "Frottis du col utérin", "Extraction dentaire simple"),
    ("10", "R38|SM54", "activities", "pediatrique", "orientation Médecine pédiatrique", "Orthoptie orientation"),
    ("10", "R38|SM04", "acts", "holter", "holter ECG", "Frottis du col utérin"),
    ("10", None, "acts", "sutures", "Sutures cutanées", "Extraction dentaire simple"),
    ("40", None, "acts", "extraction", "Extraction dentaire simple", "Frottis du col utérin"),
    ("60", None, "acts", "pansement", "pansements complexes", "Frottis du col utérin"),
    ("91", None, "acts", "deglutition", "troubles de la déglutition", "Frottis du col utérin"),
    ("80", None, "acts", "d'orthèse", "Confection d’orthèse du membre inférieur", "membre supérieur"),
    ("92", None, "activities", "basse vision", "Orthoptie Basse Vision", "Kinésithérapie orientation"),
    ("21", None, "acts", "entretien", "Entretien pharmaceutique", "Entretien prénatal"),
    ("93", None, "acts", "therapie", "Thérapie par EMDR", "Frottis du col utérin"),
    ("95", None, "acts", "dietetique", "Soin diététique et nutritionnel", "Frottis du col utérin"),
    ("94", None, "acts", "bilan", "Bilan ergothérapeutique", "Bilan visuel"),
    ("26", None, "acts", "audio", "Audiogramme", "Frottis du col utérin"),
)
"""Profession, specialty, field, what is typed, a label found, a label of other professions."""


async def test_each_profession_searches_its_own_codes_and_may_see_them_all(
    town: Any, client: httpx.AsyncClient
) -> None:
    people = [f"100000001{number:02d}" for number in range(len(SEARCHES))]
    for rpps, (profession, specialty, *_) in zip(people, SEARCHES, strict=True):
        skills = [specialty] if specialty else []
        person = town.person(rpps, "ROUX", "LÉA", profession, specialties=skills)
        town.role(person, "struct:410000000001001", specialties=skills)
    town.publish()
    await signed_in(client, *(("delegate", f"rpps:{rpps}") for rpps in people))
    for rpps, (_, _, field, text, found, elsewhere) in zip(people, SEARCHES, strict=True):
        path = Path(town, client, rpps)
        await path.begin()
        for asked in (text, ""):
            answer = await path.send("mon-offre-1", {**FIRST, f"q.{field}": asked}, f"chercher:{field}")
            page = (await client.get(answer.headers["location"])).text
            results = re.findall(r'name="nouveau.[^>]*> <span>([^<]*)', page)
            assert asked == "" or any(found in label for label in results), (text, results)
            assert not any(elsewhere in label for label in results), (text, results)
    whole = await path.send("mon-offre-1", FIRST, "entiere:acts")
    page = (await client.get(whole.headers["location"])).text
    every = town.one("SELECT count(*) FROM directory.concept WHERE active AND system = 'J16'")
    assert page.count('name="nouveau.acts"') == every > 300
    assert "précisez pour voir les autres" not in page


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
