"""Nomenclatures: the starter, official files, versions, retired codes, refusals."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import URL
from typer.testing import CliRunner

from core.db import unit_of_work
from core.errors import Conflict, InvalidInput
from directory import mappings, nomenclature
from directory.api import concept_index
from directory.nomenclature_files import read_starter

PROFESSIONS = {"10", "21", "26", "28", "40", "50", "60", "70", "80", "91", "92", "94", "95", "96"}


@pytest.fixture
def conn(clean_database: URL) -> Iterator[psycopg.Connection]:
    with psycopg.connect(
        clean_database.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
    ) as opened:
        yield opened


def tsv(folder: Path, name: str, *lines: str, header: str = "code\tdisplay\tstatus") -> Path:
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def by_system(reports: list[nomenclature.SystemReport]) -> dict[str, nomenclature.SystemReport]:
    return {r.system: r for r in reports}


def concept(conn: psycopg.Connection, ref: str) -> Any:
    system, _, code = ref.partition("|")
    return conn.execute(
        "SELECT id, label, active, version FROM directory.concept WHERE system = %s AND code = %s", (system, code)
    ).fetchone()


def test_the_starter_loads_once(conn: psycopg.Connection) -> None:
    first = nomenclature.load(conn)
    assert {"J16", "J17", "J18", "J19", "J238", "J29", "J33", "J35", "G15", "R38", "R66", "R338"} <= set(
        by_system(first)
    )
    assert sum(r.new for r in first) == sum(r.read for r in first) > 1000
    before = conn.execute("SELECT * FROM directory.concept ORDER BY id").fetchall()
    again = nomenclature.load(conn)
    assert all((r.new, r.relabelled, r.retired) == (0, 0, 0) for r in again)
    assert conn.execute("SELECT * FROM directory.concept ORDER BY id").fetchall() == before
    assert conn.execute("SELECT count(*) FROM core.event").fetchone() == (1,)


def test_the_starter_has_what_the_mapping_tables_name() -> None:
    known = {found.system: set(found.codes) for found in read_starter()}
    for rule in (*mappings.by_profession(), *mappings.by_category()):
        assert rule.type is None or rule.type in known["J238"], rule
        assert rule.mode in known["J19"], rule
        assert set(rule.activities) <= known["J17"], rule
    assert {r.key for r in mappings.by_profession()} >= PROFESSIONS
    assert {r.key for r in mappings.by_category() if r.key != "*"} <= known["R66"]
    assert {"SM26", "SM53", "SM54"} <= known["R38"]


def test_starter_codes_are_official(shared_data: Path) -> None:
    official: dict[str, set[str]] = {}
    for path in (shared_data / "nos").glob("*.tsv"):
        system = path.name.replace("_", "-").split("-")[1]
        codes = {line.split("\t")[0] for line in path.read_text(encoding="utf-8").splitlines()[1:]}
        official[system] = codes
    for found in read_starter():
        if found.system not in ("AGE", "KIND"):
            assert set(found.codes) <= official[found.system], found.system


def test_official_files_relabel_retire_and_restore(conn: psycopg.Connection, tmp_path: Path) -> None:
    nomenclature.load(conn)
    before = concept(conn, "J29|01")
    tsv(tmp_path, "JDV-J29-PublicPrisEnCharge-ROR.tsv", "01\tAutre libellé\tactive", "99\tNouveau\tactive")
    report = by_system(nomenclature.load(conn, tmp_path, "2027-01"))["J29"]
    assert (report.new, report.relabelled, report.retired) == (1, 1, 10)
    after = concept(conn, "J29|01")
    assert (after[0], after[1], after[2]) == (before[0], "Autre libellé", True)
    retired = concept(conn, "J29|07")
    assert (retired[1], retired[2]) == ("Tout public", False)
    versions = conn.execute(
        "SELECT version, label FROM directory.concept_version WHERE concept_id = %s ORDER BY loaded_at", (before[0],)
    ).fetchall()
    assert versions == [("repere-2026.11", before[1]), ("2027-01", "Autre libellé")]

    tsv(tmp_path, "JDV-J29-PublicPrisEnCharge-ROR.tsv", "01\tAutre libellé\tactive", "07\tTout public\tactive")
    report = by_system(nomenclature.load(conn, tmp_path, "2027-02"))["J29"]
    assert (report.restored, report.retired) == (1, 1)
    assert concept(conn, "J29|07")[2] is True


def test_the_same_official_files_again_change_nothing(conn: psycopg.Connection, tmp_path: Path) -> None:
    tsv(tmp_path, "TRE-R338-ModaliteAccueil.tsv", "05\tVisite\tactive")
    nomenclature.load(conn, tmp_path)
    before = nomenclature.listing(conn)
    report = nomenclature.load(conn, tmp_path)[0]
    assert (report.unchanged, report.new) == (1, 0)
    assert nomenclature.listing(conn) == before


def test_the_starter_never_undoes_an_official_list(conn: psycopg.Connection, tmp_path: Path) -> None:
    tsv(tmp_path, "TRE-R338-ModaliteAccueil.tsv", "05\tLibellé officiel\tactive", "06\tFermé\tdeprecated 2026-01-01")
    nomenclature.load(conn, tmp_path)
    nomenclature.load(conn)
    assert concept(conn, "R338|05")[1] == "Libellé officiel"
    assert concept(conn, "R338|06")[2] is False
    assert concept(conn, "R338|04")[2] is True
    assert next(line for line in nomenclature.listing(conn) if line.system == "R338").source != "repere"


def test_statuses_and_missing_labels(conn: psycopg.Connection, tmp_path: Path) -> None:
    tsv(
        tmp_path, "JDV_J19_ModePriseEnCharge_ROR.tsv", "32\tConsultation\t1.2\t", "33\tUrgences\t1.2\t2020-01-01",
        "34\t\t1.2\t", header="code\tdisplay\tcodeSystem\tdateFin",
    )  # fmt: skip
    report = nomenclature.load(conn, tmp_path)[0]
    assert (report.new, report.unlabelled) == (2, 1)
    assert concept(conn, "J19|32")[2] is True
    assert concept(conn, "J19|33")[2] is False


def test_fhir_resources(conn: psycopg.Connection, tmp_path: Path) -> None:
    (tmp_path / "CodeSystem-TRE-R38.json").write_text(
        json.dumps({
            "resourceType": "CodeSystem", "id": "TRE-R38-SpecialiteOrdinale", "version": "20260928120000",
            "concept": [
                {"code": "SM26", "display": "Qualifié en médecine générale", "concept": [
                    {"code": "SM99", "display": "Fille", "property": [{"code": "status", "valueCode": "deprecated"}]}]},
                {"code": "SM54", "display": "Médecine  d'urgence",
                 "property": [{"code": "deprecationDate", "valueDateTime": "2020-01-01"}]},
            ],
        }),
        encoding="utf-8",
    )  # fmt: skip
    (tmp_path / "ValueSet.json").write_text(
        json.dumps({
            "resourceType": "ValueSet", "url": "https://mos.esante.gouv.fr/NOS/JDV_J17-X/FHIR/JDV-J17-X",
            "compose": {"include": [{"concept": [{"code": "339", "display": "Kinésithérapie"}]}]},
        }),
        encoding="utf-8",
    )  # fmt: skip
    reports = by_system(nomenclature.load(conn, tmp_path))
    assert (reports["R38"].version, reports["R38"].new, reports["J17"].new) == ("20260928120000", 3, 1)
    assert [concept(conn, f"R38|{c}")[2] for c in ("SM26", "SM99", "SM54")] == [True, False, False]
    assert concept(conn, "R38|SM54")[1] == "Médecine d’urgence"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("JDV-J17-X.tsv", b"display\nx\n", "ligne 1, la colonne « code »"),
        ("JDV-J17-X.tsv", b"code\tnom\n1\tx\n", "« display »"),
        ("JDV-J17-X.tsv", b"code\tdisplay\n1\tx\n\n2\n", "ligne 4, il manque"),
        ("JDV-J17-X.tsv", b"code\tdisplay\n1\tx\n1\ty\n", "ligne 3, le code « 1 »"),
        ("JDV-J17-X.tsv", b"code\tdisplay\n\tx\n", "ligne 2, le code est vide"),
        ("JDV-J17-X.tsv", b"code\tdisplay\n", "aucun code"),
        ("JDV-J17-X.tsv", b"", "ligne 1"),
        ("JDV-J17-X.tsv", b"code\tdisplay\n1\t\xe9t\xe9\n", "ligne 2, l’encodage"),
        ("rpps.tsv", b"code\tdisplay\n1\tx\n", "son nom"),
        ("x.json", b"{", "JSON valide"),
        ("x.json", b"[]", "ni un CodeSystem"),
        ("x.json", b'{"resourceType": "Patient"}', "ni un CodeSystem"),
        ("x.json", b'{"resourceType": "ValueSet", "id": "autre"}', "de quelle nomenclature"),
        ("JDV-J17.json", b'{"resourceType": "ValueSet"}', "aucun code"),
        ("JDV-J17.json", b'{"resourceType": "CodeSystem", "concept": ["x"]}', "structure FHIR"),
        ("notes.txt", b"x", "aucun fichier"),
    ],
)
def test_a_wrong_file_is_refused_by_name_and_line(
    conn: psycopg.Connection, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    tsv(tmp_path, "JDV-J33-X.tsv", "01\tBon\tactive") if name != "notes.txt" else None
    with pytest.raises(InvalidInput) as caught:
        nomenclature.load(conn, tmp_path)
    assert words in caught.value.detail
    assert conn.execute("SELECT count(*) FROM directory.concept").fetchone() == (0,)


def test_a_missing_folder_is_said(conn: psycopg.Connection, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="introuvable"):
        nomenclature.load(conn, tmp_path / "rien")


def test_two_loads_at_once_are_one(conn: psycopg.Connection, clean_database: URL) -> None:
    with conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(hashtext('repere-nomenclatures'))")
        other = clean_database.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(other, autocommit=True) as second, pytest.raises(Conflict):
            nomenclature.load(second)


def test_the_official_folder_loads(conn: psycopg.Connection, shared_data: Path) -> None:
    nomenclature.load(conn)
    kept = concept(conn, "J238|195")
    reports = by_system(nomenclature.load(conn, shared_data / "nos"))
    assert (reports["J17"].read, reports["J16"].read, reports["J238"].read) == (554, 1305, 307)
    assert concept(conn, "J238|195")[0] == kept[0]
    assert sum(r.retired for r in reports.values()) == 0
    assert concept(conn, "R282|c1")[2] is False


async def test_the_index_in_memory_follows_the_loads(conn: psycopg.Connection, tmp_path: Path) -> None:
    nomenclature.load(conn)
    async with unit_of_work() as session:
        index = await concept_index(session)
        assert index.label("J238|195") == "Cabinet de ville de kinésithérapie"
        assert index is await concept_index(session)
    tsv(tmp_path, "JDV-J238-X.tsv", "195\tKinés\tactive")
    nomenclature.load(conn, tmp_path)
    async with unit_of_work() as session:
        index = await concept_index(session)
    assert index.label("J238|195") == "Kinés"
    assert index.ref("R39|C999").model_dump() == {"code": "R39|C999", "label": "C999", "active": True}  # type: ignore[union-attr]


def test_new_register_codes_reach_the_search_rows(town: Any, tmp_path: Path) -> None:
    for role in town.roles.values():
        role["specialties"] = ["R39|C777"]
    town.publish()
    offer = town.offer("10000000001")["id"]
    assert "R39|C777" not in town.codes(offer)
    tsv(tmp_path, "TRE-R39-Competence.tsv", "C777\tCompétence nouvelle\tactive")
    nomenclature.load(town.loader, tmp_path)
    assert "R39|C777" in town.codes(offer)


def test_the_commands_speak_french(clean_database: URL, tmp_path: Path) -> None:
    from directory.commands import app

    runner = CliRunner()
    assert "Aucune nomenclature" in runner.invoke(app, ["nomenclatures", "list"]).output
    assert "Nomenclatures chargées" in runner.invoke(app, ["nomenclatures", "load"]).output
    listed = runner.invoke(app, ["nomenclatures", "list", "--json"])
    assert {line["system"] for line in json.loads(listed.output)["systems"]} >= {"J16", "R38"}
    assert "jeu de départ" in runner.invoke(app, ["nomenclatures", "list"]).output
    refused = runner.invoke(app, ["nomenclatures", "load", str(tmp_path)])
    assert isinstance(refused.exception, InvalidInput)
