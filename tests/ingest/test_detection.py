"""What a file is, whatever it is called: registers recognised, refused, or left alone."""

import zipfile
from pathlib import Path

import pytest

from ingest.errors import FileRefused
from ingest.readers.detection import Kind, choose, detect
from ingest.readers.origins import Origin, find_origins
from tests.ingest import official
from tests.ingest.official import AMELI_LINE, HOSPITAL, KINE


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.json", "PS_LibreAcces_x.txt"])
@pytest.mark.parametrize("content", [b"", b"  \n\n"])
def test_an_empty_file_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FileRefused, match="vide"):
        choose(find_origins(path))


def test_an_error_page_saved_as_a_register_is_refused(tmp_path: Path) -> None:
    official.write_rpps(tmp_path, [KINE])
    (tmp_path / "liste-ps-20261115-040312.csv").write_text("<!DOCTYPE html><html>503</html>")
    with pytest.raises(FileRefused, match="le contenu n’est pas celui que le nom annonce"):
        choose(find_origins(tmp_path))


def test_files_that_are_not_registers_are_left_alone(tmp_path: Path) -> None:
    official.write_rpps(tmp_path, [KINE], "renomme.bin")
    (tmp_path / "notes.csv").write_text("a;b\n1;2\n")
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    (tmp_path / ".cache").write_text("x")
    choice = choose(find_origins(tmp_path))
    assert [d.kind for d in choice.chosen] == [Kind.RPPS_ACTIVITY]
    assert [o.name for o in choice.ignored] == ["notes.csv", "photo.png"]


def test_nothing_recognised_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("a;b\n1;2\n")
    with pytest.raises(FileRefused, match="aucun registre reconnu"):
        choose(find_origins(tmp_path))
    with pytest.raises(FileRefused, match="introuvable"):
        find_origins(tmp_path / "absent")


def test_a_register_given_for_another_is_refused(tmp_path: Path) -> None:
    path = official.write_ameli(tmp_path, [AMELI_LINE])
    with pytest.raises(FileRefused, match="registre AMELI"):
        choose(find_origins(path), "rpps")


def test_the_newest_of_two_files_wins(tmp_path: Path) -> None:
    old = official.write_rpps(tmp_path, [KINE], "PS_LibreAcces_Personne_activite_202610010731.txt")
    new = official.write_rpps(tmp_path, [KINE])
    choice = choose(find_origins(tmp_path))
    assert [d.origin.path for d in choice.chosen] == [new]
    assert [(a.origin.path, b.origin.path) for a, b in choice.superseded] == [(old, new)]


def test_the_newest_form_of_finess_wins(tmp_path: Path, shared_data: Path) -> None:
    sample = shared_data / "finess" / "finess-structures-mensuel-202607-echantillon_json.gz"
    (tmp_path / "f.json.gz").write_bytes(sample.read_bytes())
    official.write_finess(tmp_path, [("structureet", HOSPITAL)])
    choice = choose(find_origins(tmp_path))
    assert [d.kind for d in choice.chosen] == [Kind.FINESS_CSV]
    official.write_finess(tmp_path, [("structureet", HOSPITAL)], day="2026-05-04")
    assert [d.kind for d in choose(find_origins(tmp_path)).chosen] == [Kind.FINESS_JSON]


def test_detection_looks_inside_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "tout.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/liste.csv", official.ameli_text([AMELI_LINE]))
    origin = find_origins(path)[0]
    assert origin == Origin(path, "a/liste.csv")
    found = detect(origin)
    assert found is not None
    assert found.kind is Kind.AMELI
