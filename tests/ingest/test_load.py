"""Loads through the door: what is published, counted, kept; what a second load changes; what is refused."""

import csv
from pathlib import Path

import psycopg
import pytest

from ingest.errors import DropRefused, FileRefused, LoadRunning
from ingest.pipeline import load
from ingest.readers.layouts import RPPS_SKILLS
from tests.ingest import official
from tests.ingest.conftest import Query
from tests.ingest.official import AMELI_LINE, ENTITY, HOSPITAL, KINE, POINT, person

pytestmark = pytest.mark.usefixtures("directory")


def test_three_registers_become_a_directory(registers: Path, query: Query) -> None:
    report = load([official.write_all(registers)])
    assert report.status == "published"
    assert {name: r.read for name, r in report.registers.items()} == {"rpps": 1, "finess": 3, "ameli": 1}
    assert all(r.adds_up() and r.new == r.read for r in report.registers.values())
    sites = query(
        "SELECT key, kind, name, street, postal_code, town, commune_code, phone FROM directory.site ORDER BY key"
    )
    assert sites == [
        ("finess:780000287", "establishment", "CH DE MANTES", "2 Boulevard Sully", "78200", "Mantes-la-Jolie",
         "78361", "0134974000"),
        ("struct:41000000000101", "practice", "CABINET VALMOREL", "12 Rue des Lilas", "78200", "Mantes-la-Jolie",
         "78361", "0199001234"),
    ]  # fmt: skip
    assert query("SELECT finess, siren, name FROM directory.legal_entity") == [
        ("780110011", "267800344", "CH FRANCOIS QUESNAY")
    ]
    assert query("SELECT national_id, rpps, last_name, first_name, profession FROM directory.practitioner") == [
        ("810000000001", "10000000001", "VALMOREL", "Jeanne", "70")
    ]
    assert query("SELECT key, mode, convention, carte_vitale, ameli_phone FROM directory.role") == [
        ("810000000001/41000000000101/L/ARS/ARS/ARS", "L", "1", True, "0199001234")
    ]
    assert query("SELECT status FROM ingest.load") == [("published",)]
    assert query("SELECT decision, rpps FROM ingest.ameli_link") == [("auto", "10000000001")]


def test_the_finess_point_is_the_position(registers: Path, query: Query) -> None:
    load([official.write_all(registers)])
    lon, lat = query(
        "SELECT st_x(position::geometry), st_y(position::geometry) FROM directory.site WHERE finess = '780000287'"
    )[0]
    assert (lon, lat) == pytest.approx((1.71537, 48.98937), abs=0.02)


def test_several_lines_make_one_role(registers: Path, query: Query) -> None:
    doctor = {"profession": "10", "skill_type": "S", "skill": "SM26", "authority": "CNOM/CNOM/CNOM"}
    lines = [
        person(1, **doctor),
        person(1, **doctor | {"skill_type": "CEX", "skill": "C13"}),
        person(1, **doctor | {"skill_type": "CAPA", "skill": "CAPA04"}),
        person(1, **doctor | {"mode": "S", "structure_id": "354879044187184"}),
        person(1, **doctor),
    ]
    report = load([official.write_rpps(registers, lines)]).registers["rpps"]
    assert (report.read, report.new, report.rejected, report.merged) == (5, 5, 0, 3)
    assert query("SELECT key, specialties FROM directory.role ORDER BY key") == [
        ("810000000001/354879044187184/S/CNOM/CNOM/CNOM", ["R38|SM26"]),
        ("810000000001/41000000000101/L/CNOM/CNOM/CNOM", ["R38|SM26", "R40|C13", "R43|CAPA04"]),
    ]
    assert query("SELECT specialties FROM directory.practitioner") == [(["R38|SM26", "R40|C13", "R43|CAPA04"],)]


def test_two_professions_under_one_key_are_two_roles(registers: Path, query: Query) -> None:
    load([official.write_rpps(registers, [person(1), person(1, profession="60")])])
    assert query("SELECT key, profession FROM directory.role ORDER BY key") == [
        ("810000000001/41000000000101/L/ARS/ARS/ARS", "60"),
        ("810000000001/41000000000101/L/ARS/ARS/ARS/70", "70"),
    ]


def test_people_without_a_structure_are_kept(registers: Path, query: Query) -> None:
    nowhere = {k: v for k, v in KINE.items() if "structure" not in k and "Raison" not in k and "mode" not in k}
    report = load([official.write_rpps(registers, [nowhere, person(2)])])
    assert report.registers["rpps"].new == 2
    assert query("SELECT key, site_id FROM directory.role WHERE site_id IS NULL") == [
        ("810000000001///ARS/ARS/ARS", None)
    ]


def test_unusable_lines_are_rejected_with_number_and_reason(registers: Path, home: Path) -> None:
    lines = [
        person(1),
        person(2, national_id="", id_number="", id_type=""),
        person(3, national_id="8123"),
        person(4, last_name=""),
        person(5, profession=""),
        person(6, national_id=""),
    ]
    report = load([official.write_rpps(registers, lines)])
    rpps = report.registers["rpps"]
    assert (rpps.read, rpps.new, rpps.rejected) == (6, 2, 4)
    assert rpps.reasons == {
        "identifiant absent": 1,
        "identifiant national invalide": 1,
        "nom absent": 1,
        "profession absente": 1,
    }
    assert report.rejects_file is not None
    with Path(report.rejects_file).open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream, delimiter=";"))
    assert [(r["registre"], r["ligne"], r["motif"]) for r in rows] == [
        ("rpps", "3", "identifiant absent"),
        ("rpps", "4", "identifiant national invalide"),
        ("rpps", "5", "nom absent"),
        ("rpps", "6", "profession absente"),
    ]
    assert Path(report.rejects_file).is_relative_to(home)


def test_a_structure_that_is_a_finess_number_is_that_establishment(registers: Path, query: Query) -> None:
    official.write_finess(registers, [("structureet", HOSPITAL)])
    lines = [person(1, structure_id="1780000287", mode="S"), person(2, structure_id="1780999999", mode="S")]
    official.write_rpps(registers, lines)
    load([registers])
    assert query(
        "SELECT s.key, s.kind FROM directory.role r JOIN directory.site s ON s.id = r.site_id ORDER BY r.key"
    ) == [("finess:780000287", "establishment"), ("finess:780999999", "practice")]


def test_cedex_phones_and_mails_are_cleaned(registers: Path, query: Query) -> None:
    line = person(
        1, postal_code="78009", commune_code="", commune_label="VERSAILLES CEDEX", cedex_office="VERSAILLES CEDEX",
        phone="01 99 00 12 34", phone2="+33 1 99 00 56 78", fax="199003456", email="Jeanne@Exemple.FR",
    )  # fmt: skip
    other = person(2, phone="12", email="pas une adresse", commune_code="75112")
    load([official.write_rpps(registers, [line, other])])
    rows = query(
        "SELECT commune_code, postal_code, town, phone, phone2, fax, email FROM directory.site ORDER BY structure_id"
    )
    assert rows[0] == ("78646", "78009", "Versailles", "0199001234", "0199005678", "0199003456", "jeanne@exemple.fr")
    assert rows[1][0] == "75112"
    assert rows[1][3:] == (None, None, None, None)


def test_the_fullest_description_of_a_place_wins_whatever_the_order(registers: Path, query: Query) -> None:
    poor = {"structure_id": "354879044187184", "number": "", "phone": "", "way": ""}
    rich = {"structure_id": "354879044187184"}
    addresses = []
    for order in ([person(1, **poor), person(2, **rich)], [person(2, **rich), person(1, **poor)]):
        report = load([official.write_rpps(registers, order)])
        addresses.append(query("SELECT key, street, phone, register_hash FROM directory.site"))
    assert addresses[0] == addresses[1]
    assert addresses[0][0][:3] == ("siret:54879044187184", "12 Rue des Lilas", "0199001234")
    assert report.registers["rpps"].unchanged == 2


def test_the_same_files_again_change_nothing(registers: Path, query: Query) -> None:
    official.write_all(registers)
    load([registers])
    before = query("SELECT max(position) FROM core.event")
    again = load([registers])
    assert again.status == "unchanged"
    assert all(r.unchanged == r.read and r.adds_up() for r in again.registers.values())
    assert query("SELECT max(position) FROM core.event") == before
    forced = load([registers], force=True)
    assert forced.status == "published"
    assert forced.published is not None
    for entity in ("sites", "roles", "practitioners", "legal_entities"):
        counts = forced.published[entity]
        assert (counts["new"], counts["changed"], counts["closed"]) == (0, 0, 0)
    assert all(r.unchanged == r.read for r in forced.registers.values())


def test_a_second_day_counts_new_changed_unchanged_and_closed(registers: Path, query: Query) -> None:
    people = [person(i) for i in range(1, 31)]
    load([official.write_rpps(registers, people)])
    people[0] = person(1, last_name="AUTREMENT")
    people[1] = person(2, number="99")
    people[2] = person(77)
    report = load([official.write_rpps(registers, people)]).registers["rpps"]
    assert (report.read, report.new, report.changed, report.unchanged, report.closed) == (30, 1, 2, 27, 1)
    assert query("SELECT count(*) FROM directory.role WHERE closed_on IS NOT NULL") == [(1,)]


def test_a_fall_stops_before_publishing(registers: Path, query: Query) -> None:
    people = [person(i) for i in range(1, 31)]
    load([official.write_rpps(registers, people)])
    path = official.write_rpps(registers, people[:26])
    with pytest.raises(DropRefused, match="--accept-drop"):
        load([path])
    assert query("SELECT count(*) FROM directory.role WHERE closed_on IS NULL") == [(30,)]
    assert query("SELECT status FROM ingest.load ORDER BY id DESC LIMIT 1") == [("refused",)]
    report = load([path], accept_drop=True)
    assert report.registers["rpps"].closed == 4
    assert query("SELECT count(*) FROM directory.role WHERE closed_on IS NULL") == [(26,)]


def test_a_refused_file_leaves_yesterday(registers: Path, query: Query) -> None:
    load([official.write_all(registers)])
    path = registers / f"PS_LibreAcces_Personne_activite_{official.STAMP}.txt"
    path.write_text(path.read_text("utf-8")[:-60], "utf-8")
    with pytest.raises(FileRefused):
        load([registers])
    assert query("SELECT count(*) FROM directory.role WHERE closed_on IS NULL") == [(1,)]
    assert query("SELECT status, error LIKE '%%tronqué%%' FROM ingest.load ORDER BY id DESC LIMIT 1") == [
        ("refused", True)
    ]


def test_each_register_alone_leaves_the_others(registers: Path, query: Query) -> None:
    load([official.write_all(registers)])
    alone = registers / "seul"
    alone.mkdir()
    official.write_ameli(alone, [AMELI_LINE | {"secteur_conventionnel_code": "3"}])
    report = load([alone])
    assert (report.registers["ameli"].changed, set(report.registers)) == (1, {"ameli"})
    assert query("SELECT convention FROM directory.role WHERE closed_on IS NULL") == [("3",)]
    rpps = registers / "rpps"
    rpps.mkdir()
    official.write_rpps(
        rpps, [KINE | {"Prénom d'exercice": "Jeanne"}, person(2, last_name="DUBREUIL", first_name="PAUL")]
    )
    load([rpps])
    assert query("SELECT convention FROM directory.role WHERE closed_on IS NULL ORDER BY key") == [("3",), (None,)]
    assert query("SELECT count(*) FROM directory.site WHERE kind = 'establishment' AND closed_on IS NULL") == [(1,)]
    finess = registers / "finess"
    finess.mkdir()
    official.write_finess(finess, [("structureet", HOSPITAL | {"telephone": "0199009999"})])
    report = load([finess])
    assert report.registers["finess"].changed == 1
    assert query("SELECT count(*) FROM directory.role WHERE closed_on IS NULL") == [(2,)]
    assert query("SELECT count(*) FROM directory.legal_entity WHERE closed_on IS NULL") == [(1,)]


def test_side_files_complete_people_and_are_not_forgotten(registers: Path, query: Query) -> None:
    official.write_rpps(registers, [KINE])
    (registers / "sf.txt").write_text(
        "|".join(RPPS_SKILLS) + "|\n"
        "8|10000000001|810000000001|VALMOREL|JEANNE|70|Kiné|C|Civil|S|Spécialité|SM99|Essai|\n"
        "8|19999999999|819999999999|PERSONNE|JEAN|70|Kiné|C|Civil|S|Spécialité|SM99|Essai|\n",
        "utf-8",
    )
    report = load([registers]).registers["rpps"]
    assert (report.read, report.new, report.rejected) == (3, 2, 1)
    assert query("SELECT specialties FROM directory.practitioner") == [(["R38|SM99"],)]
    (registers / "sf.txt").unlink()
    official.write_rpps(registers, [KINE, person(2)])
    load([registers])
    assert query("SELECT specialties FROM directory.practitioner ORDER BY national_id")[0] == (["R38|SM99"],)


def test_finess_dirt(registers: Path, query: Query) -> None:
    records = [
        ("structureet", HOSPITAL),
        ("structureet", HOSPITAL | {"rs": "DOUBLON"}),
        ("structureet", HOSPITAL | {"nofinesset": "78"}),
        ("structureet", HOSPITAL | {"nofinesset": "780000329", "rs": "", "rslongue": ""}),
        ("structureet", HOSPITAL | {"nofinesset": "970102018", "commune": "123", "departement": "9A",
                                    "ligneacheminement": "97133 ST BARTHELEMY"}),
        ("structureet", HOSPITAL | {"nofinesset": "970400024", "commune": "411", "departement": "9D",
                                    "ligneacheminement": "97405 ST DENIS CEDEX"}),
        ("geolocalisation", POINT),
        ("geolocalisation", POINT | {"nofinesset": "999999999"}),
        ("geolocalisation", POINT | {"nofinesset": "970102018", "coordxet": "x"}),
        ("geolocalisation", POINT | {"nofinesset": "970400024", "sourcecoordet": "1,?"}),
        ("structureej", ENTITY),
    ]  # fmt: skip
    path = official.write_finess(registers, records, encoding="cp1252")
    path.write_bytes(path.read_bytes() + b"equipement;x\n")
    finess = load([path]).registers["finess"]
    assert finess.read == 12
    assert finess.adds_up()
    assert finess.reasons == {
        "doublon de numéro FINESS": 1,
        "numéro FINESS invalide": 1,
        "nom absent": 1,
        "géolocalisation sans établissement": 1,
        "coordonnées illisibles": 1,
        "projection inconnue": 1,
        "enregistrement d’un autre type": 1,
    }
    assert query("SELECT name FROM directory.site WHERE finess = '780000287'") == [("CH DE MANTES",)]
    assert query("SELECT count(*) FROM directory.site WHERE legal_entity_id IS NOT NULL") == [(3,)]


def test_the_real_finess_json_keeps_closed_objects_closed(registers: Path, query: Query, shared_data: Path) -> None:
    path = shared_data / "finess" / "finess-structures-mensuel-202607-echantillon_json.gz"
    finess = load([path]).registers["finess"]
    assert (finess.read, finess.new, finess.rejected) == (1783, 1783, 0)
    assert finess.rows == query("SELECT count(*) FROM directory.site WHERE closed_on IS NULL")[0][0]
    assert query("SELECT count(*) FROM directory.site WHERE closed_on IS NOT NULL")[0][0] == 1753 - finess.rows
    again = load([path], force=True).registers["finess"]
    assert (again.unchanged, again.closed) == (1783, 0)


def test_the_real_sample_adds_up(query: Query, shared_data: Path) -> None:
    report = load([shared_data / "registers"])
    assert {n: (r.read, r.new, r.rejected) for n, r in report.registers.items()} == {
        "rpps": (7582, 7582, 0),
        "finess": (439, 439, 0),
        "ameli": (5081, 5081, 0),
    }
    assert query("SELECT count(*) FROM directory.practitioner") == [(6000,)]
    assert query("SELECT count(*) FROM directory.role") == [(7331,)]
    assert query("SELECT count(*) FROM directory.role WHERE site_id IS NULL") == [(498,)]


def test_one_load_at_a_time(registers: Path, directory: psycopg.Connection) -> None:
    from ingest.store import LOCK_KEY

    path = official.write_rpps(registers, [KINE])
    directory.execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
    with pytest.raises(LoadRunning, match="Un autre chargement est en cours"):
        load([path])
    directory.execute("SELECT pg_advisory_unlock(%s)", (LOCK_KEY,))
    assert load([path]).status == "published"


def test_no_temporary_file_is_left(registers: Path, home: Path) -> None:
    load([official.write_all(registers)])
    with pytest.raises(FileRefused):
        load([registers / "absent"])
    assert not [p for p in (home / "ingest" / "work").rglob("*") if p.is_file()]
