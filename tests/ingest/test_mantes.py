"""The Mantes fixture says what its description says."""

import csv
import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from ingest.sample.mantes import Cast, sites
from ingest.sample.mantes_files import write_mantes
from ingest.sample.rpps import COLUMNS


@pytest.fixture(scope="module")
def mantes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mantes")
    write_mantes(folder)
    return folder


def rpps(folder: Path) -> list[dict[str, str]]:
    (path,) = folder.glob("PS_LibreAcces_Personne*")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert {line.count("|") for line in lines} == {56}
    return [dict(zip(COLUMNS, line.split("|"), strict=False)) for line in lines[1:]]


def table(folder: Path, pattern: str, *, delimiter: str = ";") -> list[dict[str, str]]:
    (path,) = folder.glob(pattern)
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines, delimiter=delimiter))


def test_counts_of_the_description(mantes: Path) -> None:
    rows = rpps(mantes)
    assert len(rows) == 296
    roles = {(r["Identification nationale PP"], r["Identifiant technique de la structure"]) for r in rows}
    assert len({role for role in roles if role[1]}) == 292
    assert len({role[0] for role in roles if role[1]}) == 289
    structures = {role[1] for role in roles} - {""}
    assert len(structures) == 176
    assert sum(structure.startswith("1") for structure in structures) == 12

    cast = Cast()
    listed = cast.roles[:242]
    assert Counter(role.member.group for role in listed) == {
        "mg": 50, "mk": 48, "ide": 46, "cd": 26, "sf": 10, "ortho": 16, "pedicure": 9, "orthoptiste": 2,
        "ophtalmo": 7, "cardio": 8, "dermato": 4, "pediatre": 6, "psychiatre": 5, "gyneco": 5,
    }  # fmt: skip
    here = [role for role in listed if role.town.code == "78361"]
    assert Counter(role.member.group for role in here).most_common(3) == [("mk", 9), ("mg", 8), ("ide", 8)]
    assert (len(here), len({role.structure for role in here})) == (47, 27)
    assert len({role.structure for role in listed}) == 152


def test_names_are_single_but_for_the_homonyms() -> None:
    members = {role.member.national: role.member for role in Cast().roles}
    names = Counter((member.surname, member.first_name) for member in members.values())
    assert [name for name, times in names.items() if times > 1] == [("DUPIN", "Claire")]


def test_every_case_of_rpps(mantes: Path) -> None:
    rows = rpps(mantes)
    where = " (coord. structure)"

    def some(**values: str) -> bool:
        return any(all(row[COLUMNS[int(k[1:])]] == v for k, v in values.items()) for row in rows)

    column = {name: f"c{COLUMNS.index(name)}" for name in COLUMNS}
    postal, town = column["Code postal" + where], column["Code commune" + where]
    office, label = column["Bureau cedex" + where], column["Libellé commune" + where]
    assert some(**{postal: "78201", town: "78361", office: "78201 MANTES LA JOLIE CEDEX"})
    assert some(**{town: "75112", office: "75012 PARIS"})
    assert some(**{town: "13215"})
    assert some(**{town: "", postal: "78711", label: "Mantes La Ville "})
    assert some(**{town: "78503", label: "PORT VILLEZ"})
    assert some(**{town: "78646", postal: "78009", label: ""})
    assert some(**{town: "97123", postal: "97133"})
    assert some(**{column["Complément destinataire" + where]: 'BAT "C" 2E ETAGE'})
    assert some(**{column["Type d'identifiant PP"]: "0", column["Identifiant PP"]: "782690001"})
    assert some(**{column["Code catégorie professionnelle"]: "M"})
    assert some(**{column["Code catégorie professionnelle"]: "E", column["Code mode exercice"]: ""})
    assert some(**{column["Numéro FINESS site"]: "780999996"})
    assert some(**{column["Code genre activité"]: "GENR02"})
    assert some(**{column["Ancien identifiant de la structure"]: "C78362OLD01"})
    assert some(**{column["Code savoir-faire"]: "CAPA06"})


def test_ameli_and_the_truth(mantes: Path) -> None:
    lines, answers = table(mantes, "liste-ps-*"), table(mantes, "truth.csv", delimiter=",")
    assert (len(lines), len(answers), sum(bool(a["rpps"]) for a in answers)) == (252, 252, 250)
    known = {(r["Identifiant PP"], r["Identifiant technique de la structure"]) for r in rpps(mantes)}
    assert all((a["rpps"], a["structure"]) in known for a in answers if a["rpps"])
    postal = {line["coordonnees_code_postal"] for line in lines}
    assert {"78200 ", "78 200", "78201"} <= postal
    assert "ST MARTIN LA GARENNE" in {line["coordonnees_ville"] for line in lines}
    assert Counter(line["secteur_conventionnel_code"] for line in lines)["0"] == 1
    assert {"01", "22", "23"} <= {line["specialite_code"] for line in lines}


def test_finess_and_ban(mantes: Path) -> None:
    (path,) = mantes.glob("etalab-cs1100507*")
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines(), delimiter=";"))
    assert Counter(row[0] for row in rows) == {"finess": 1, "structureet": 28, "geolocalisation": 26}
    assert len({row[4].split(",")[-1] for row in rows if row[0] == "geolocalisation"}) == 6
    assert rows[1][5] == 'PAVILLON "LES ROSES"; ESCALIER B'
    streets = set()
    with gzip.open(mantes / "ban/adresses-78.csv.gz", "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter=";"):
            streets.add((row["code_insee"], row["nom_voie"]))
            if (row["code_insee"], row["nom_voie"], row["numero"]) == ("78361", "Rue de l'Église", "3"):
                assert (row["lon"], row["lat"]) == ("1.715700", "48.991400")
    assert ("78089", "Rue de l'Église") not in streets
    assert ("78089", "Rue de la République") in streets


def test_the_other_layouts(tmp_path: Path) -> None:
    write_mantes(tmp_path / "json", finess_json=True, rejected_lines=True, trailing_bar=False)
    (path,) = (tmp_path / "json").glob("finess-structures*")
    record = json.loads(gzip.decompress(path.read_bytes()))
    held = [site for entity in record["pmej"] for site in entity["ege"]]
    assert len(held) == len(sites()) == 29
    assert sum(site["etatObjet"] == "I" for site in held) == 1
    (lines,) = (tmp_path / "json").glob("PS_LibreAcces_Personne*")
    bars = Counter(line.count("|") for line in lines.read_text(encoding="utf-8").splitlines())
    assert bars[55] == 300
    assert len(bars) == 2

    write_mantes(tmp_path / "cp1252", finess_encoding="cp1252")
    (path,) = (tmp_path / "cp1252").glob("etalab-cs1100507*")
    with pytest.raises(UnicodeDecodeError):
        path.read_text(encoding="utf-8")
    assert "Métropole" in path.read_text(encoding="cp1252")


def test_writing_twice_gives_the_same_files(mantes: Path, tmp_path: Path) -> None:
    write_mantes(tmp_path)
    for path in mantes.rglob("*"):
        if path.is_file():
            assert (tmp_path / path.relative_to(mantes)).read_bytes() == path.read_bytes()
