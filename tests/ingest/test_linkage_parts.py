"""Normalisation, assignment, evaluation and commands of the linkage."""

import itertools
import json
import re
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from ingest.linkage import activities_from_rpps, ameli_from_file, assignment, commands, evaluate, normalise, streets
from ingest.linkage.specialties import table

RPPS_HEADER = [
    "Identifiant PP", "Code civilité", "Nom d'exercice", "Prénom d'exercice", "Code profession", "Code savoir-faire",
    "Code mode exercice", "Identifiant technique de la structure", "Raison sociale site",
    "Numéro Voie (coord. structure)", "Indice répétition voie (coord. structure)",
    "Code type de voie (coord. structure)", "Libellé Voie (coord. structure)", "Bureau cedex (coord. structure)",
    "Code postal (coord. structure)", "Code commune (coord. structure)", "Libellé commune (coord. structure)",
    "Téléphone (coord. structure)", "Téléphone 2 (coord. structure)", "Code Département (structure)",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12 BIS R DU GAL DE GAULLE", ("12", "B", "R", "GENERAL GAULLE")),
        ("012B, rue du Général-de-Gaulle", ("12", "B", "R", "GENERAL GAULLE")),
        ("12 ter av. St Exupéry", ("12", "T", "AV", "SAINT EXUPERY")),
        ("12-14 Bd de l'Église", ("12", "", "BD", "EGLISE")),
        ("12 AVENUE FOCH", ("12", "", "AV", "FOCH")),
        ("3 A CHE DES VIGNES", ("3", "A", "CHE", "VIGNES")),
        ("LIEU DIT LES BRUYERES", ("", "", "LD", "BRUYERES")),
        ("RUE", ("", "", "", "RUE")),
        ("", ("", "", "", "")),
        ("7", ("7", "", "", "")),
    ],
)
def test_street(text: str, expected: tuple[str, str, str, str]) -> None:
    assert tuple(streets.street(text)) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ST CYR L'ECOLE", "Saint-Cyr-l'École"),
        ("CELLE ST CLOUD", "La Celle-Saint-Cloud"),
        ("PARIS CEDEX 12", "Paris 12e Arrondissement"),
        ("PECQ", "Le Pecq"),
        ("STE MESME", "Sainte-Mesme"),
    ],
)
def test_town(one: str, other: str) -> None:
    assert normalise.town(one) == normalise.town(other) != ""


def test_name_forms() -> None:
    assert normalise.name("D’Almeida").glued == normalise.name("D ALMEIDA").glued == normalise.name("DALMEIDA").glued
    assert normalise.name("LE MENER").words == ("MENER",)
    assert normalise.name("DE LA").words == ("DE", "LA")
    assert normalise.first_name("Jean-Pierre") == normalise.first_name("JEAN PIERRE")
    assert normalise.phonetic("LEFEBVRE") == normalise.phonetic("LEFEBVRES")
    assert normalise.name("Œuvrard").glued == "OEUVRARD"


def test_phone_and_postcode() -> None:
    phones = ["+33 1 99 00 00 01", "01.99.00.00.01", "0000000000", "12", "", "9" * 300, "téléphone"]
    with duckdb.connect() as connection:
        query = f"SELECT {normalise.phone_sql('v')} FROM (SELECT unnest(?::VARCHAR[]) AS v)"
        numbers = [row[0] for row in connection.execute(query, [phones]).fetchall()]
    assert numbers == [199000001, 199000001, 0, 0, 0, 0, 0]
    assert normalise.postcode("1440 ") == "01440"
    assert normalise.postcode("75012 CEDEX") == "75012"
    assert normalise.department("97411") == "974"
    assert normalise.arrondissement_postcode("75112") == "75012"
    assert normalise.arrondissement_postcode("13215") == "13015"
    assert normalise.arrondissement_postcode("69383") == "69003"
    assert normalise.arrondissement_postcode("78361") == ""


@given(st.text(max_size=60))
def test_normalisation_takes_anything(text: str) -> None:
    for function in (normalise.name, normalise.first_name, normalise.town, streets.street, normalise.phonetic):
        assert function(text) == function(text)
    assert len(normalise.postcode(text)) in (0, 5)


def test_specialties_cover_what_registers_show() -> None:
    codes = table()
    assert {"01", "22", "23", "33", "75", "07", "70", "77", "79", "19", "21", "24", "26", "28"} <= set(codes)
    assert codes["01"].savoir_faire == codes["22"].savoir_faire == codes["23"].savoir_faire == {"SM26", "SM53", "SM54"}
    assert codes["24"].professions[0] == "60"


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(1, 30)), max_size=14, unique_by=lambda t: t[:2]
    )
)
def test_assignment_is_optimal(pairs: list[tuple[int, int, int]]) -> None:
    line = np.array([p[0] for p in pairs], dtype=np.int64)
    activity = np.array([p[1] for p in pairs], dtype=np.int64)
    value = np.array([p[2] for p in pairs], dtype=np.float64)
    chosen = assignment.assign(line, activity, value)
    picked = [p for p, c in zip(pairs, chosen, strict=True) if c]
    assert len({p[0] for p in picked}) == len({p[1] for p in picked}) == len(picked)
    best = 0
    for size in range(min(len(pairs), 5) + 1):
        for some in itertools.combinations(pairs, size):
            if len({p[0] for p in some}) == len({p[1] for p in some}) == size:
                best = max(best, sum(p[2] for p in some))
    assert sum(p[2] for p in picked) == best


def test_large_component_is_solved_as_a_sparse_graph() -> None:
    size = 400
    line = np.repeat(np.arange(size), 2)
    activity = (line + np.tile([0, 1], size)) % size
    value = np.tile([5.0, 4.0], size)
    chosen = assignment.assign(line.astype(np.int64), activity.astype(np.int64), value)
    assert chosen.sum() == size
    assert value[chosen].sum() == 5.0 * size


def test_evaluation_counts_by_kind() -> None:
    truth = pd.DataFrame(
        {
            "ameli_row": [1, 2, 3, 4],
            "rpps": ["1", "2", "", "4"],
            "structure": ["S1", "S2", "", "S4"],
            "kind": ["", "moved", "orphan", "moved+typo"],
        }
    )
    links = pd.DataFrame(
        {
            "line": [1, 2, 3],
            "rpps": ["1", "2", "9"],
            "structure": ["S1", "SX", "S9"],
            "decision": ["auto", "auto", "review"],
        }
    )
    result = evaluate(links, truth)
    assert (result.overall.linked, result.overall.right, result.overall.right_person) == (2, 1, 2)
    assert result.overall.true_links == 3
    moved = next(k for k in result.kinds if k.kind == "moved")
    assert (moved.recall, moved.precision) == (0.0, 0.0)
    assert {k.kind: (k.lines, k.wrong, k.missed) for k in result.kinds} == {
        "moved": (2, 1, 2),
        "orphan": (1, 0, 0),
        "plain": (1, 0, 0),
        "typo": (1, 0, 1),
    }
    assert evaluate(links.iloc[:0], truth.iloc[:0]).overall.f1 == 1.0


@pytest.fixture
def registers(tmp_path: Path) -> Path:
    rows = [
        '10000000001|MME|ROUVEL "DIT|Anne|60||L|4100000000011|LE "BON|12||R|DES LILAS|78200 MANTES|78200|78361'
        "|Mantes-la-Jolie|01 99 00 00 01||78",
        "10000000002|M|MERCADIER|Paul|10|SM26|L|4100000000022||3||AV|FOCH||75012|75112|Paris 12e Arrondissement|||75",
    ]
    rows.append(rows[1].replace("SM26", "SM53"))
    text = "\n".join(["|".join(RPPS_HEADER), *rows]) + "\n"
    (tmp_path / "PS_LibreAcces_Personne_activite_202611150731.txt").write_text(text, encoding="utf-8")
    ameli = (
        "specialite_code;ps_activite_nom;ps_activite_prenom;ps_activite_civilite;ps_activite_raison_sociale;"
        "coordonnees_num_tel;coordonnees_voie;coordonnees_complement;coordonnees_lieu_dit;coordonnees_code_postal;"
        "coordonnees_ville\n"
        "24;ROUVEL DIT;ANNE;F;;0199000001;12 R DES LILAS;;;78200 ;MANTES LA JOLIE\n"
        '01;MERCADIER;PAUL;H;"A ""B"" ; C";;3 AVENUE FOCH;;;75012;PARIS\n'
        "26;INCONNU;ZOE;F;;;1 RUE X;;;75012;PARIS\n"
    )
    (tmp_path / "liste-ps-20261115-040312.csv").write_text(ameli, encoding="utf-8-sig")
    truth = "ameli_row,rpps,structure,secteur\n1,10000000001,4100000000011,1\n2,10000000002,4100000000022,1\n3,,,1\n"
    (tmp_path / "truth.csv").write_text(truth, encoding="utf-8")
    return tmp_path


def test_sources_read_the_official_layouts(registers: Path) -> None:
    activities = activities_from_rpps(next(registers.glob("*.txt"))).frame().sort_values("rpps")
    assert activities["rpps"].tolist() == ["10000000001", "10000000002", "10000000002"]
    assert activities["structure_name"].iloc[0] == 'LE "BON'
    ameli = ameli_from_file(next(registers.glob("liste*"))).frame()
    assert ameli["line"].tolist() == [1, 2, 3]
    assert ameli["ps_activite_raison_sociale"].iloc[1] == 'A "B" ; C'


def _app() -> typer.Typer:
    app = typer.Typer()
    app.command("links")(commands.links)
    app.command("score")(commands.score)
    return app


def test_commands_write_links_and_scores(registers: Path) -> None:
    runner, app = CliRunner(), _app()
    done = runner.invoke(app, ["links", str(registers)])
    assert done.exit_code == 0, done.output
    rows = done.stdout.splitlines()
    assert rows[0] == "line,rpps,structure,score,decision"
    assert rows[1].startswith("1,10000000001,4100000000011,")
    assert rows[3] == "3,,,0,none"
    out = registers / "liens.csv"
    done = runner.invoke(app, ["links", str(registers), "--sortie", str(out), "--json"])
    assert json.loads(done.stdout)["auto"] == 2
    done = runner.invoke(app, ["score", str(registers / "truth.csv"), "--liens", str(out), "--json"])
    assert json.loads(done.stdout)["overall"]["recall"] == 1.0
    done = runner.invoke(app, ["score", str(registers / "truth.csv")])
    assert done.exit_code == 0
    assert "100,00" in done.stdout
    kinds = registers / "kinds.csv"
    kinds.write_text(
        "ameli_row,rpps,structure,secteur,kind\n1,10000000001,4100000000011,1,moved_town+typo\n"
        "2,1,4,1,relative\n3,,,1,ameli_only\n",
        encoding="utf-8",
    )
    done = runner.invoke(app, ["score", str(kinds), "--liens", str(out)], env={"COLUMNS": "140"})
    said = {row[0]: row[1:] for row in (re.split(r"\s*[│┃]\s*", r.strip(" │┃")) for r in done.stdout.splitlines())}
    assert (
        said["autre commune"] == said["faute de frappe"] == ["1", "1", "1", "0", "0", "0", "100,00\xa0%", "100,00\xa0%"]
    )
    assert said["parent au même cabinet"][:5] == ["1", "1", "1", "1", "1"]
    assert said["connu d’AMELI seul"] == ["1", "0", "0", "0", "0", "0", "—", "—"]


def test_commands_refuse_clearly(registers: Path, tmp_path: Path) -> None:
    runner, app = CliRunner(), _app()
    empty = tmp_path / "vide"
    empty.mkdir()
    assert runner.invoke(app, ["links", str(empty)]).exit_code == 2
    assert runner.invoke(app, ["score", str(empty / "truth.csv")]).exit_code == 2
    bad = empty / "truth.csv"
    bad.write_text("a,b\n1,2\n", encoding="utf-8")
    assert runner.invoke(app, ["score", str(bad)]).exit_code == 2
