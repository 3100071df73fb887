"""Sample registers: official layouts, known dirt, and a truth that agrees with the files."""

import csv
import gzip
import hashlib
import json
import re
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
import shapely
from pyproj import Transformer
from typer.testing import CliRunner

from ingest.commands import app
from ingest.sample.generate import write_sample
from ingest.sample.options import HardCases, SampleOptions
from ingest.sample.rpps import COLUMNS
from maps.api import read_communes

OPTIONS = SampleOptions(departements=("78", "95"), roles=3_000, finess_json=True)
FICTION = ("019900", "026191", "035301", "046571", "053649", "063998")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder, OPTIONS)
    return folder


def one(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found


def rpps(folder: Path) -> list[dict[str, str]]:
    lines = one(folder, "PS_LibreAcces_Personne*").read_text(encoding="utf-8").split("\n")
    assert lines.pop() == ""
    return [dict(zip(COLUMNS, line.split("|"), strict=False)) for line in lines[1:]]


def ameli(folder: Path) -> list[dict[str, str]]:
    with one(folder, "liste-ps-*").open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines, delimiter=";"))


def truth(folder: Path) -> list[dict[str, str]]:
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def finess(folder: Path, number: str = "1100507") -> list[list[str]]:
    with one(folder, f"etalab-cs{number}*").open(encoding="utf-8", newline="") as lines:
        return list(csv.reader(lines, delimiter=";"))


def ban(folder: Path, departement: str) -> list[dict[str, str]]:
    with gzip.open(folder / f"ban/adresses-{departement}.csv.gz", "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter=";"))


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_rpps_has_56_columns_and_a_trailing_bar(sample: Path) -> None:
    lines = one(sample, "PS_LibreAcces_Personne*").read_bytes().decode("utf-8").splitlines()
    assert lines[0].split("|")[:56] == COLUMNS
    assert {line.count("|") for line in lines} == {56}
    assert all(line.endswith("|") for line in lines)


def test_without_trailing_bar(tmp_path: Path) -> None:
    write_sample(tmp_path, replace(OPTIONS, roles=300, trailing_bar=False))
    lines = one(tmp_path, "PS_LibreAcces_Personne*").read_text(encoding="utf-8").splitlines()
    assert {line.count("|") for line in lines} == {55}


def test_rpps_key_is_unique_and_facts_are_true(sample: Path) -> None:
    rows, facts = rpps(sample), json.loads((sample / "facts.json").read_text(encoding="utf-8"))
    keys = Counter(
        (
            row["Identification nationale PP"],
            row["Identifiant technique de la structure"],
            row["Code mode exercice"],
            row["Autorité d'enregistrement"],
            row["Code savoir-faire"],
        )
        for row in rows
    )
    assert max(keys.values()) == 1
    assert len(rows) == facts["rpps_rows"]
    assert len({row["Identification nationale PP"] for row in rows}) == facts["people"]
    roles = {key[:4] for key in keys if key[1]}
    assert len(roles) == facts["activities"]
    assert 0.95 * OPTIONS.roles < len(roles) < 1.05 * OPTIONS.roles if OPTIONS.roles else False


def test_rpps_dirt(sample: Path) -> None:
    rows = rpps(sample)
    where = " (coord. structure)"
    assert any(not row["Identifiant technique de la structure"] for row in rows)
    assert any(row["Code catégorie professionnelle"] == "E" for row in rows)
    assert any('"' in row["Complément destinataire" + where] for row in rows)
    assert any("CEDEX" in row["Bureau cedex" + where] for row in rows)
    assert any(re.fullmatch(r"\d\d( \d\d){4}", row["Téléphone" + where]) for row in rows)
    assert any(re.fullmatch(r"\d{10}", row["Téléphone" + where]) for row in rows)
    assert any(row["Code postal" + where] and not row["Code commune" + where] for row in rows)
    structures = {row["Identifiant technique de la structure"][:1] for row in rows}
    assert structures == {"", "1", "3", "4"}
    assert {"SM26", "SM53", "SM54"} <= {row["Code savoir-faire"] for row in rows}


def test_the_truth_agrees_with_both_registers(sample: Path) -> None:
    lines, answers = ameli(sample), truth(sample)
    assert len(lines) == len(answers)
    known: dict[tuple[str, str], dict[str, str]] = {
        (row["Identifiant PP"], row["Identifiant technique de la structure"]): row for row in rpps(sample)
    }
    by_kind: dict[str, int] = defaultdict(int)
    for number, (line, answer) in enumerate(zip(lines, answers, strict=True), start=1):
        assert int(answer["ameli_row"]) == number
        assert answer["secteur"] == line["secteur_conventionnel_code"]
        for kind in answer["kind"].split("+"):
            by_kind[kind] += 1
        if not answer["rpps"]:
            assert answer["structure"] == ""
            continue
        row = known[answer["rpps"], answer["structure"]]
        assert row["Code mode exercice"] == "L"
        assert (row["Code civilité"] == "MME") == (line["ps_activite_civilite"] == "F")
    facts = json.loads((sample / "facts.json").read_text(encoding="utf-8"))
    assert dict(by_kind) == facts["kinds"]
    assert facts["kinds"]["plain"] > 0.7 * len(lines)


def test_every_kind_of_hard_case_occurs_in_the_dense_preset(tmp_path: Path) -> None:
    options = replace(OPTIONS, roles=6_000, hard=HardCases().dense())
    kinds = write_sample(tmp_path, options)["kinds"]
    assert isinstance(kinds, dict)
    assert set(kinds) == {
        "plain", "homonym", "relative", "changed_name", "moved_town", "moved_street", "typo", "part_dropped",
        "extra_first_name", "initial", "ameli_only", "ameli_only_homonym",
    }  # fmt: skip
    assert kinds["homonym"] > 60
    assert kinds["relative"] > 60


def test_homonyms_are_two_people_and_relatives_share_a_practice(sample: Path) -> None:
    rows = {row["Identifiant PP"]: row for row in rpps(sample) if row["Code mode exercice"] == "L"}
    homonyms, relatives = Counter[tuple[str, str]](), Counter[str]()
    for answer in truth(sample):
        if answer["rpps"]:
            row = rows[answer["rpps"]]
            if "homonym" in answer["kind"].split("+"):
                homonyms[(row["Nom d'exercice"][:3].upper(), row["Code profession"])] += 1
            if "relative" in answer["kind"].split("+"):
                relatives[row["Code commune (coord. structure)"]] += 1
    assert homonyms
    assert relatives


def test_phones_come_from_the_ranges_kept_for_fiction(sample: Path) -> None:
    numbers = {row["Téléphone (coord. structure)"].replace(" ", "") for row in rpps(sample)}
    numbers |= {line["coordonnees_num_tel"] for line in ameli(sample)}
    numbers |= {field for row in finess(sample) if row[0] == "structureet" for field in row[16:18]}
    assert all(number[:6] in FICTION for number in numbers - {""})
    assert all(len(number) == 10 for number in numbers - {""})


def test_numbers_have_their_keys(sample: Path) -> None:
    def luhn(digits: str) -> bool:
        doubled = [int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits))]
        return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0

    rows = rpps(sample)
    assert all(luhn(row["Identifiant PP"]) for row in rows if row["Type d'identifiant PP"] == "8")
    assert all(luhn(row["Numéro SIRET site"]) for row in rows if row["Numéro SIRET site"])
    assert all(row["Identifiant PP"].startswith("109") for row in rows if row["Type d'identifiant PP"] == "8")


def test_finess_layout(sample: Path) -> None:
    rows = finess(sample)
    assert rows[0] == ["finess", "etalab", "111", "2026-11-15"]
    sites = [row for row in rows if row[0] == "structureet"]
    positions = [row for row in rows if row[0] == "geolocalisation"]
    assert {len(row) for row in sites} == {32}
    assert {len(row) for row in positions} == {6}
    assert 0 < len(positions) < len(sites)
    entities = finess(sample, "1100501")
    assert {len(row) for row in entities[1:]} == {23}
    assert {row[2] for row in sites} <= {row[1] for row in entities[1:]}
    staffed = {row["Numéro FINESS site"] for row in rpps(sample)} - {""}
    assert staffed <= {row[1] for row in sites}


def test_finess_json_has_the_same_sites_and_the_closed_ones(sample: Path) -> None:
    record = json.loads(gzip.decompress(one(sample, "finess-structures*").read_bytes()))
    sites = [site for entity in record["pmej"] for site in entity["ege"]]
    open_ones = {s["informationsGeneralesEGE"]["numFinessEge"] for s in sites if s["etatObjet"] == "A"}
    assert open_ones == {row[1] for row in finess(sample) if row[0] == "structureet"}
    closed = [s for s in sites if s["etatObjet"] == "I"]
    assert closed
    assert all(s["informationsGeneralesEGE"]["dateFermeture"] for s in closed)
    pairs = [s["adresse"][0]["coordonneesGeographique"] for s in sites]
    assert None in pairs
    first = [float(pair["coordonneeX"]) for pair in pairs if pair]
    assert min(first) < 10 < 100_000 < max(first)


def test_one_address_is_one_position_inside_its_commune(sample: Path) -> None:
    contours = {
        c.code: shapely.from_wkb(c.contour) for c in read_communes(contours=True, only=("78", "95")) if c.contour
    }
    seen: dict[tuple[str, str, str, str], tuple[str, str]] = {}
    outside = total = 0
    for departement in ("78", "95"):
        for row in ban(sample, departement):
            key = (row["code_insee"], row["nom_voie"], row["numero"], row["rep"])
            assert key not in seen
            seen[key] = (row["lon"], row["lat"])
            total += 1
            outside += not contours[row["code_insee"]].contains(shapely.Point(float(row["lon"]), float(row["lat"])))
    assert outside <= total * 0.01


def test_most_addresses_of_rpps_are_in_ban(sample: Path) -> None:
    known = {(r["code_insee"], r["nom_afnor"], r["numero"]) for d in ("78", "95") for r in ban(sample, d)}
    where = " (coord. structure)"
    found = total = 0
    for row in rpps(sample):
        if not row["Numéro Voie" + where]:
            continue
        street = f"{row['Libellé type de voie' + where].upper()} {row['Libellé Voie' + where]}"
        street = street.replace("É", "E").replace("-", " ").replace("'", " ")
        total += 1
        found += (row["Code commune" + where], street, row["Numéro Voie" + where]) in known
    assert 0.88 < found / total < 0.99


def test_same_seed_same_files_other_seed_other_files(sample: Path, tmp_path: Path) -> None:
    write_sample(tmp_path / "again", OPTIONS)
    assert digests(tmp_path / "again") == digests(sample)
    write_sample(tmp_path / "other", replace(OPTIONS, seed=2))
    assert digests(tmp_path / "other") != digests(sample)


def test_the_draw_is_frozen() -> None:
    """The streams must not change with a version of Python or numpy: other people count on the files."""
    from ingest.sample.draw import Draw

    assert Draw(1, "frozen").integers(5, 1000).tolist() == [550, 85, 390, 773, 734]


def test_the_whole_country_has_every_projection(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["sample", str(tmp_path), "--france", "--size", "4000", "--seed", "3"])
    assert result.exit_code == 0, result.output
    positions = [row for row in finess(tmp_path) if row[0] == "geolocalisation"]
    labels = {row[4].split(",", 4)[4] for row in positions}
    assert len(labels) == 6
    codes = {row[13] for row in finess(tmp_path) if row[0] == "structureet"}
    assert {"2A", "2B", "9A", "9B", "9C", "9D", "9E", "9F"} <= codes
    for row in positions:
        if "EPSG:2975" in row[4]:
            lon, lat = Transformer.from_crs(2975, 4326, always_xy=True).transform(float(row[2]), float(row[3]))
            assert (55 < lon < 56, -22 < lat < -20) == (True, True)


def test_an_interrupted_run_leaves_the_folder_as_it_was(sample: Path, tmp_path: Path) -> None:
    write_sample(tmp_path, replace(OPTIONS, roles=300))
    before = digests(tmp_path)

    def stop(name: str, done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sample(tmp_path, replace(OPTIONS, roles=400), stop)
    assert digests(tmp_path) == before


def test_files_of_an_earlier_sample_go(tmp_path: Path) -> None:
    write_sample(tmp_path, replace(OPTIONS, roles=300))
    (tmp_path / "mine.txt").write_text("à moi", encoding="utf-8")
    (tmp_path / "left.part").write_text("", encoding="utf-8")
    write_sample(tmp_path, replace(OPTIONS, departements=("27",), roles=300, finess_json=False))
    assert [path.name for path in (tmp_path / "ban").iterdir()] == ["adresses-27.csv.gz"]
    assert not list(tmp_path.glob("finess-structures*"))
    assert (tmp_path / "mine.txt").exists()
    assert not (tmp_path / "left.part").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--departements", "78,7X"], "Département inconnu"),
        (["--departements", ","], "aucun code donné"),
        (["--region", "99"], "Région inconnue"),
        (["--region", "11", "--france"], "un seul territoire"),
        (["--size", "500", "--scale", "1"], "pas les deux"),
    ],
)
def test_wrong_choices_are_refused(tmp_path: Path, arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(app, ["sample", str(tmp_path / "out"), *arguments])
    assert result.exit_code == 2
    assert message in " ".join(result.output.replace("│", " ").split())
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = CliRunner().invoke(app, ["sample", str(tmp_path / "file"), "--departements", "2A", "--size", "100"])
    assert result.exit_code == 1
    assert "Écriture impossible" in result.output
