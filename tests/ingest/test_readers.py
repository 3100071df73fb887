"""Registers through their readers: layouts, dirt, and refusals that name file, line and column."""

import gzip
import json
import zipfile
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingest.errors import FileRefused
from ingest.readers.ameli import read_ameli
from ingest.readers.detection import Kind, choose
from ingest.readers.finess_csv import create_finess_tables, read_finess_csv
from ingest.readers.finess_json import read_finess_json
from ingest.readers.layouts import AMELI, FINESS_ET, RPPS_ACTIVITY
from ingest.readers.origins import find_origins
from ingest.readers.rows import Rejects
from ingest.readers.rpps import read_rpps
from tests.ingest import official
from tests.ingest.official import AMELI_LINE, HOSPITAL, KINE, POINT

Rows = list[dict[Hashable, Any]]


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def rpps_rows(con: duckdb.DuckDBPyConnection, path: Path, work: Path) -> tuple[Rows, list[tuple[int, str]]]:
    detected = choose(find_origins(path)).chosen[0]
    scanned = read_rpps(con, detected, work, "t")
    rows = con.execute("SELECT * FROM t ORDER BY line").df().to_dict("records")
    return rows, scanned.rejected


def ameli_rows(con: duckdb.DuckDBPyConnection, path: Path, work: Path) -> tuple[Rows, Rejects]:
    rejects = Rejects()
    read_ameli(con, choose(find_origins(path)).chosen[0], work, rejects)
    return con.execute("SELECT * FROM ameli_line ORDER BY line").df().to_dict("records"), rejects


def refused(path: Path, con: duckdb.DuckDBPyConnection, work: Path) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        choice = choose(find_origins(path))
        for detected in choice.chosen:
            if detected.kind.register == "rpps":
                read_rpps(con, detected, work, "t")
            elif detected.kind is Kind.AMELI:
                read_ameli(con, detected, work, Rejects())
            elif detected.kind is Kind.FINESS_JSON:
                read_finess_json(con, detected, work, Rejects())
            else:
                create_finess_tables(con)
                read_finess_csv(con, detected, work, Rejects())
    return caught.value


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


# -- RPPS --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("closing", [True, False])
@pytest.mark.parametrize("columns", [list(RPPS_ACTIVITY), official.old_columns()])
def test_rpps_of_56_or_52_columns_with_or_without_a_closing_bar(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, work: Path, columns: list[str], closing: bool
) -> None:
    path = tmp_path / "whatever.data"
    path.write_text(official.rpps_text([KINE, official.person(2)], columns=columns, closing=closing), "utf-8")
    rows, rejected = rpps_rows(con, path, work)
    assert [r["national_id"] for r in rows] == ["810000000001", "810000000002"]
    assert [r["line"] for r in rows] == [2, 3]
    assert rows[0]["activity_kind"] == ("GENR01" if len(columns) == 56 else None)
    assert not rejected


def test_the_closing_bar_may_be_missing_from_the_header_only(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, work: Path
) -> None:
    header, line = official.rpps_text([KINE]).splitlines()
    path = tmp_path / "a.txt"
    path.write_text(f"{header.rstrip('|')}\n{line}\n{line.rstrip('|')}\n", "utf-8")
    rows, rejected = rpps_rows(con, path, work)
    assert len(rows) + len(rejected) == 2
    assert rows[0]["last_name"] == "VALMOREL"


def test_columns_are_read_by_name_and_unknown_ones_counted(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, work: Path
) -> None:
    columns = ["Nouveauté", *reversed(RPPS_ACTIVITY)]
    path = tmp_path / "a.txt"
    path.write_text(official.rpps_text([KINE], columns=columns), "utf-8")
    assert choose(find_origins(path)).chosen[0].extra_columns == ("Nouveauté",)
    rows, _ = rpps_rows(con, path, work)
    assert (rows[0]["last_name"], rows[0]["commune_code"]) == ("VALMOREL", "78361")


def test_a_quote_is_content(con: duckdb.DuckDBPyConnection, tmp_path: Path, work: Path) -> None:
    path = official.write_rpps(
        tmp_path, [official.person(1, addressee='BAT "C'), official.person(2, addressee='"LES TILLEULS"')]
    )
    rows, rejected = rpps_rows(con, path, work)
    assert [r["addressee"] for r in rows] == ['BAT "C', '"LES TILLEULS"']
    assert not rejected


def test_odd_lines_are_rejected_with_their_number(con: duckdb.DuckDBPyConnection, tmp_path: Path, work: Path) -> None:
    header, one, two = official.rpps_text([KINE, official.person(2)]).splitlines()
    path = tmp_path / "a.txt"
    path.write_text("\r\n".join([header, one, "8|court|", "", two + "trop|de|champs|", two]) + "\r\n", "utf-8")
    rows, rejected = rpps_rows(con, path, work)
    assert [r["line"] for r in rows] == [2, 6]
    assert rejected == [
        (3, "nombre de champs inattendu"),
        (4, "ligne vide"),
        (5, "nombre de champs inattendu"),
    ]


@pytest.mark.parametrize("wrapped", ["gz", "zip"])
def test_compressed_files_are_opened(con: duckdb.DuckDBPyConnection, tmp_path: Path, work: Path, wrapped: str) -> None:
    text = official.rpps_text([KINE]).encode()
    path = tmp_path / f"x.{wrapped}"
    if wrapped == "gz":
        path.write_bytes(gzip.compress(text))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"PS_LibreAcces_Personne_activite_{official.STAMP}.txt", text)
            archive.writestr("lisezmoi.txt", "bonjour")
    rows, _ = rpps_rows(con, path, work)
    assert rows[0]["last_name"] == "VALMOREL"


def test_a_missing_column_is_named(con: duckdb.DuckDBPyConnection, tmp_path: Path, work: Path) -> None:
    columns = [c for c in RPPS_ACTIVITY if c != "Code profession"]
    path = tmp_path / "p.txt"
    path.write_text(official.rpps_text([KINE], columns=columns), "utf-8")
    error = refused(path, con, work)
    assert (error.file, error.line, error.column) == ("p.txt", 1, "Code profession")
    assert "colonne absente" in str(error)


def test_a_truncated_file_is_refused(con: duckdb.DuckDBPyConnection, tmp_path: Path, work: Path) -> None:
    path = tmp_path / "p.txt"
    text = official.rpps_text([KINE, official.person(2)])
    path.write_text(text[: text.rindex("78200")], "utf-8")
    error = refused(path, con, work)
    assert (error.file, error.line) == ("p.txt", 3)
    assert error.column == "Bureau cedex (coord. structure)" or error.column == "Code postal (coord. structure)"
    assert "tronqué" in str(error)


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_a_truncated_gzip_is_refused(con: duckdb.DuckDBPyConnection, tmp_path: Path, work: Path, keep: float) -> None:
    data = gzip.compress(official.rpps_text([official.person(i) for i in range(3000)]).encode())
    path = tmp_path / "p.txt.gz"
    path.write_bytes(data[: int(len(data) * keep)])
    assert "tronqué" in str(refused(path, con, work))


def test_a_truncated_or_damaged_zip_is_refused(con: duckdb.DuckDBPyConnection, tmp_path: Path, work: Path) -> None:
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("p.txt", official.rpps_text([official.person(i) for i in range(3000)]))
    data = bytearray(path.read_bytes())
    path.write_bytes(data[: len(data) // 2])
    assert "zip" in str(refused(path, con, work))
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    assert "abîm" in str(refused(path, con, work))


def test_another_encoding_is_refused_at_its_place(con: duckdb.DuckDBPyConnection, tmp_path: Path, work: Path) -> None:
    path = tmp_path / "p.txt"
    header, line = official.rpps_text([official.person(1, first_name="ZOÉ")]).splitlines()
    path.write_bytes(f"{header}\n".encode() + f"{line}\n".encode("cp1252"))
    error = refused(path, con, work)
    assert (error.file, error.line, error.column) == ("p.txt", 2, "Libellé profession") or error.column == (
        "Prénom d'exercice"
    )
    path.write_bytes(f"{header}\n{line}\n".encode("cp1252"))
    assert "UTF-8" in str(refused(path, con, work))
    path.write_bytes(f"{header}\n{line}\n".encode("utf-16"))
    assert "UTF-16" in str(refused(path, con, work))


def test_null_bytes_are_refused(con: duckdb.DuckDBPyConnection, tmp_path: Path, work: Path) -> None:
    path = tmp_path / "p.txt"
    path.write_bytes(official.rpps_text([KINE, KINE]).encode() + b"\0\0\0\n")
    error = refused(path, con, work)
    assert error.line == 4
    assert "octet nul" in str(error)


# -- FINESS ------------------------------------------------------------------------------------------------


def finess_rows(con: duckdb.DuckDBPyConnection, path: Path, work: Path) -> tuple[Rows, Rejects]:
    rejects = Rejects()
    create_finess_tables(con)
    read_finess_csv(con, choose(find_origins(path)).chosen[0], work, rejects)
    return con.execute("SELECT * FROM finess_structureet ORDER BY line").df().to_dict("records"), rejects


def test_finess_quotes_and_encodings(con: duckdb.DuckDBPyConnection, tmp_path: Path, work: Path) -> None:
    row = HOSPITAL | {"rs": 'LIEU DE VIE "MAVOUNA"; ANNEXE', "voie": "VALLÉE D’ŒUVRE"}
    for encoding in ("utf-8", "cp1252"):
        path = official.write_finess(tmp_path, [("structureet", row)], "x.csv", encoding=encoding)
        rows, rejects = finess_rows(con, path, work)
        assert (rows[0]["rs"], rows[0]["voie"]) == ('LIEU DE VIE "MAVOUNA"; ANNEXE', "VALLÉE D’ŒUVRE")
        assert not len(rejects)


def test_a_quote_that_never_closes_costs_one_line(con: duckdb.DuckDBPyConnection, tmp_path: Path, work: Path) -> None:
    rows = [HOSPITAL | {"nofinesset": f"78000{i:04}"} for i in range(40)]
    text = official.finess_text([("structureet", r) for r in rows])
    path = tmp_path / "x.csv"
    path.write_text(text.replace("780000003;780110011;CH", '780000003;780110011;"CH'), "utf-8")
    found, rejects = finess_rows(con, path, work)
    assert len(found) == 39
    assert [(r.line, r.reason) for r in rejects.items] == [(5, "guillemet jamais refermé")]


def test_a_missing_finess_column_is_named(con: duckdb.DuckDBPyConnection, tmp_path: Path, work: Path) -> None:
    text = official.finess_text([("structureet", HOSPITAL)])
    path = tmp_path / "x.csv"
    path.write_text(text.rstrip("\n").rpartition(";")[0] + "\n", "utf-8")
    error = refused(path, con, work)
    assert (error.file, error.line, error.column) == ("x.csv", 2, FINESS_ET[-1])


def test_a_cut_finess_file_is_refused(con: duckdb.DuckDBPyConnection, tmp_path: Path, work: Path) -> None:
    text = official.finess_text([("structureet", HOSPITAL), ("geolocalisation", POINT)])
    path = tmp_path / "x.csv"
    path.write_text(text[:-30], "utf-8")
    assert "tronqué" in str(refused(path, con, work)) or "champs au lieu de" in str(refused(path, con, work))
    path.write_text(text.partition("\n")[2], "utf-8")
    assert "première ligne" in str(refused(path, con, work))


def test_the_real_finess_lines(con: duckdb.DuckDBPyConnection, shared_data: Path, work: Path) -> None:
    rows, rejects = finess_rows(con, shared_data / "finess" / "etalab-cs1100502_15_lignes_20260512.csv", work)
    assert len(rows) == 14
    assert not len(rejects)
    assert rows[9]["rs"] == 'LIEU DE VIE "MAVOUNA MEMA 1"'


def test_the_real_finess_json(con: duckdb.DuckDBPyConnection, shared_data: Path, work: Path) -> None:
    path = shared_data / "finess" / "finess-structures-mensuel-202607-echantillon_json.gz"
    rejects = Rejects()
    read = read_finess_json(con, choose(find_origins(path)).chosen[0], work, rejects)
    assert read.lines == 1783
    assert con.execute("SELECT count(*) FROM finess_json_legal").fetchone() == (30,)
    assert con.execute("SELECT count(*) FROM finess_json_site").fetchone() == (1753,)
    row = con.execute("SELECT way_type, lon, lat FROM finess_json_legal WHERE finess = '010000016'").fetchone()
    assert row == ("R", "6.139885", "46.362063")
    states = dict(con.execute("SELECT active, count(*) FROM finess_json_site GROUP BY 1").fetchall())
    assert set(states) == {"A", "I"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"schemaVersion": "1", "pmej": [{"informationsGeneralesPMEJ": {"numFinessPm": "01', "tronqué"),
        ('{"schemaVersion": "1", "pmej": [{"a": nope}, ' + " " * 9000 + "{}]}", "mal formé"),
        ('{"schemaVersion": "1", "gco": []}', "pmej"),
        ('{"schemaVersion": "1", "pmej": []} et la suite', "suit la fin"),
    ],
)
def test_damaged_json_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, work: Path, text: str, message: str
) -> None:
    path = tmp_path / "finess-structures-journalier-20261115.json"
    path.write_text(text, "utf-8")
    assert message in str(refused(path, con, work))


def test_json_members_may_come_in_any_order(con: duckdb.DuckDBPyConnection, tmp_path: Path, work: Path) -> None:
    entity = {"informationsGeneralesPMEJ": {"numFinessPm": "010000016"}, "etatObjet": "A", "ege": [{}, "x"]}
    path = tmp_path / "f.json"
    path.write_text(json.dumps({"pmej": [entity, 3], "gco": [], "schemaVersion": "v1"}), "utf-8")
    rejects = Rejects()
    read = read_finess_json(con, choose(find_origins(path)).chosen[0], work, rejects)
    assert read.lines == 4
    assert rejects.by_reason() == {"entité géographique illisible": 1, "entité juridique illisible": 1}


# -- AMELI -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_ameli_by_name_in_any_order(con: duckdb.DuckDBPyConnection, tmp_path: Path, work: Path, encoding: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(official.ameli_text([AMELI_LINE], reversed(AMELI)), encoding)
    rows, rejects = ameli_rows(con, path, work)
    assert (rows[0]["last_name"], rows[0]["town"], rows[0]["rank"]) == ("VALMOREL", "MANTES LA JOLIE", 1)
    assert not len(rejects)


def test_ameli_quotes_breaks_and_short_lines(con: duckdb.DuckDBPyConnection, tmp_path: Path, work: Path) -> None:
    odd = AMELI_LINE | {"ps_activite_raison_sociale": 'CABINET "A";\nB'}
    path = tmp_path / "x.csv"
    text = official.ameli_text([odd, AMELI_LINE])
    path.write_text(text + "trop;court\n" + official.ameli_text([AMELI_LINE]).splitlines()[1] + "\n", "utf-8-sig")
    rows, rejects = ameli_rows(con, path, work)
    assert rows[0]["company_name"] == 'CABINET "A"; B'
    assert [(r["line"], r["rank"]) for r in rows] == [(2, 1), (4, 2), (6, 4)]
    assert [(r.line, r.reason) for r in rejects.items] == [(5, "nombre de champs inattendu")]


def test_ameli_refusals(con: duckdb.DuckDBPyConnection, tmp_path: Path, work: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(official.ameli_text([AMELI_LINE], [c for c in AMELI if c != "coordonnees_ville"]), "utf-8-sig")
    error = refused(path, con, work)
    assert (error.file, error.line, error.column) == ("x.csv", 1, "coordonnees_ville")
    text = official.ameli_text([AMELI_LINE, AMELI_LINE])
    path.write_text(text[:-20], "utf-8-sig")
    error = refused(path, con, work)
    assert error.line == 3
    assert "tronqué" in str(error)
    path.write_bytes(official.ameli_text([AMELI_LINE | {"ps_activite_nom": "LEFÈVRE"}]).encode("cp1252"))
    error = refused(path, con, work)
    assert (error.line, error.column) == (2, "ps_activite_nom")
