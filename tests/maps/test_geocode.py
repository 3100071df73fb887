"""BAN files, and positions from the house number down to the town."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from cli import assemble
from core.db import connect_direct
from core.errors import InvalidInput
from maps import api

pytestmark = pytest.mark.usefixtures("places")

HEADER = (
    "id;id_fantoir;numero;rep;nom_voie;code_postal;code_insee;nom_commune;code_insee_ancienne_commune;"
    "nom_ancienne_commune;x;y;lon;lat;type_position;alias;nom_ld;libelle_acheminement;nom_afnor;source_position;"
    "source_nom_voie;certification_commune;cad_parcelles"
)


def line(number: Any, rep: str, street: str, lon: Any, lat: Any, insee: str = "78361", key: str = "") -> str:
    identifier = key or f"{insee}_{abs(hash(street)) % 10000:04d}_{number}_{rep}"
    return (
        f"{identifier};;{number};{rep};{street};78200;{insee};Mantes-la-Jolie;;;0;0;{lon};{lat};entrée;;;"
        "MANTES LA JOLIE;;commune;commune;1;"
    )


MANTES = [
    line(10, "", "Rue Nationale", 1.7160, 48.9900),
    line(12, "", "Rue Nationale", 1.7162, 48.9901),
    line(12, "bis", "Rue Nationale", 1.7163, 48.9902),
    line(14, "", "Rue Nationale", 1.7164, 48.9903),
    line(30, "", "Rue Nationale", 1.7180, 48.9910),
    line(5, "", "Avenue du Général de Gaulle", 1.7200, 48.9950),
    line(7, "", "Avenue du Général de Gaulle", 1.7202, 48.9951),
    line(1, "", "Rue du Docteur Paul Bert", 1.7100, 48.9890),
    line(3, "", "Place Saint-Maclou", 1.7150, 48.9895),
]


def ban(folder: Path, lines: list[str], name: str = "adresses-78.csv.gz", header: str = HEADER) -> Path:
    path = folder / name
    content = "\n".join([header, *lines, ""]).encode()
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return path


def load(*paths: Path) -> api.BanReport:
    with connect_direct() as connection:
        return api.load_ban(connection, paths)


def addresses() -> int:
    with connect_direct() as connection:
        row = connection.execute("SELECT count(*) FROM maps.address").fetchone()
    assert row is not None
    return int(row[0])


def locate(rows: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    if "commune_id" not in frame:
        resolved = api.resolve_communes(frame)
        frame = frame.drop(columns=["commune_code"]).join(resolved[["commune_id", "commune_code"]])
    with connect_direct() as connection:
        return api.geocode(connection, frame)


# -- Files -------------------------------------------------------------------------------------------------


def test_a_file_is_loaded_once_however_often(tmp_path: Path) -> None:
    path = ban(tmp_path, MANTES)
    first = load(path)
    assert (first.read, first.loaded, first.rejected, first.departements) == (9, 9, {}, ["78"])
    assert load(tmp_path).loaded == 9
    assert addresses() == 9


def test_a_new_vintage_replaces_the_departement(tmp_path: Path) -> None:
    load(ban(tmp_path, MANTES))
    load(ban(tmp_path, [*MANTES[:2], line(1, "", "Rue de Versailles", 2.13, 48.80, "78646")]))
    assert addresses() == 3


def test_every_rejected_line_is_counted_with_its_reason(tmp_path: Path) -> None:
    path = ban(
        tmp_path,
        [
            *MANTES,
            line("", "", "Rue Nationale", 1.7, 48.9, key="a"),
            line("douze", "", "Rue Nationale", 1.7, 48.9, key="b"),
            line(99, "", "", 1.7, 48.9, key="c"),
            line(99, "", "Rue Nationale", "", 48.9, key="d"),
            line(99, "", "Rue Nationale", "nan", 48.9, key="e"),
            line(99, "", "Rue Nationale", 5.4, 43.3, key="f"),
            line(99, "", "Rue Nationale", 1.7, 48.9, "99999", key="g"),
            line(99, "", "Rue Nationale", 1.7, 48.9, key="h"),
            line(98, "", "Rue Nationale", 1.7, 48.9, key="h"),
        ],
    )
    report = load(path)
    assert report.read == report.loaded + sum(report.rejected.values())
    assert report.rejected == {
        "commune inconnue": 1,
        "identifiant en double": 1,
        "numéro absent ou illisible": 2,
        "position absente ou illisible": 2,
        "position loin de la commune": 1,
        "voie absente": 1,
    }


def test_former_codes_of_the_ban_become_present_ones(tmp_path: Path) -> None:
    report = load(ban(tmp_path, [line(1, "", "Rue Basse", 2.09, 48.90, "78251")]))
    assert report.loaded == 1
    with connect_direct() as connection:
        row = connection.execute("SELECT commune_code FROM maps.address").fetchone()
    assert row == ("78551",)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("adresses-78.csv", b"", "ligne 1"),
        ("adresses-78.csv", b"nom;prenom\na;b\n", "ligne 1 : il manque"),
        ("adresses-78.csv", HEADER.replace(";lon;", ";").encode() + b"\n", "« lon »"),
        ("adresses-78.csv", "idé;numéro\n".encode("latin-1"), "UTF-8"),
        ("adresses-78.csv.gz", gzip.compress(HEADER.encode() + b"\n" + b"x" * 9000, mtime=0)[:60], "tronqué"),
        ("adresses-78.csv.gz", b"\x1f\x8b not gzip", "tronqué"),
        ("adresses-78.csv", HEADER.encode() + b"\n", "vide"),
    ],
)
def test_what_is_no_ban_file_is_refused_by_name(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    load(ban(tmp_path, MANTES, "adresses-78.csv.gz"))
    path = tmp_path / "autre" / name
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=message) as error:
        load(path)
    assert name in error.value.detail
    assert addresses() == 9


def test_a_file_cut_in_the_middle_leaves_what_was_loaded(tmp_path: Path) -> None:
    load(ban(tmp_path, MANTES))
    path = ban(tmp_path, [line(n, "", f"Rue {n}", 1.71, 48.99) for n in range(5000)], "adresses-77.csv.gz")
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InvalidInput, match="adresses-77"):
        load(path)
    assert addresses() == 9


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="Aucun fichier"):
        load(tmp_path)


def test_the_command(tmp_path: Path) -> None:
    ban(tmp_path, MANTES)
    result = CliRunner().invoke(assemble(), ["places", "ban", str(tmp_path)])
    assert result.exit_code == 0
    assert "9 adresses chargées sur 9 lues" in result.output


# -- Positions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "level", "position"),
    [
        ({"number": "12", "street": "RUE NATIONALE"}, "number", (1.7162, 48.9901)),
        ({"number": "0012", "street": "RUE NATIONALE"}, "number", (1.7162, 48.9901)),
        ({"number": "12", "repetition": "B", "street": "R NATIONALE"}, "number", (1.7163, 48.9902)),
        ({"street": "12 BIS RUE NATIONALE"}, "number", (1.7163, 48.9902)),
        ({"number": "14", "repetition": "T", "street": "RUE NATIONALE"}, "number", (1.7164, 48.9903)),
        ({"number": "16", "street": "RUE NATIONALE"}, "street", (1.7164, 48.9903)),
        ({"number": "29", "street": "RUE NATIONALE"}, "street", (1.7180, 48.9910)),
        ({"street": "RUE NATIONALE"}, "street", None),
        ({"number": "5", "street": "AV DU GAL DE GAULLE"}, "number", (1.7200, 48.9950)),
        ({"number": "5", "street": "RUE DU GENERAL DE GAULLE"}, "number", (1.7200, 48.9950)),
        ({"number": "1", "street": "RUE PAUL BERT"}, "number", (1.7100, 48.9890)),
        ({"number": "3", "street": "PL ST MACLOU"}, "number", (1.7150, 48.9895)),
        ({"number": "3", "street": "PL ST MACLOUX"}, "number", (1.7150, 48.9895)),
        ({"number": "3", "street": "RUE INCONNUE"}, "commune", (1.715374, 48.989372)),
        ({"number": "3", "street": ""}, "commune", (1.715374, 48.989372)),
        ({"number": None, "street": None}, "commune", (1.715374, 48.989372)),
    ],
)
def test_the_level_reached(
    tmp_path: Path, address: dict[str, Any], level: str, position: tuple[float, float] | None
) -> None:
    load(ban(tmp_path, MANTES))
    found = locate([{"commune_code": "78361", **address}]).iloc[0]
    assert found["position_level"] == level
    assert found["position_source"] == ("commune" if level == "commune" else "ban")
    if position:
        assert (found["lon"], found["lat"]) == pytest.approx(position, abs=1e-6)


def test_scores_fall_with_doubt(tmp_path: Path) -> None:
    load(ban(tmp_path, MANTES))
    streets: list[dict[str, Any]] = [
        {"number": "12", "street": "RUE NATIONALE"},
        {"number": "14", "repetition": "T", "street": "RUE NATIONALE"},
        {"number": "16", "street": "RUE NATIONALE"},
        {"number": None, "street": "RUE NATIONALE"},
        {"number": None, "street": "NULLE PART"},
    ]
    scores = locate([{"commune_code": "78361", "repetition": None, **row} for row in streets])["position_score"]
    assert scores.tolist() == sorted(scores.tolist(), reverse=True)
    assert len(set(scores)) == len(scores)


def test_a_street_is_looked_for_in_its_own_commune_only(tmp_path: Path) -> None:
    load(ban(tmp_path, MANTES))
    found = locate([{"commune_code": "78646", "number": "12", "street": "RUE NATIONALE"}]).iloc[0]
    assert found["position_level"] == "commune"


def test_a_town_with_arrondissements_is_searched_in_all_of_them(tmp_path: Path) -> None:
    load(ban(tmp_path, [line(4, "", "Rue de Charenton", 2.3750, 48.8510, "75112")], "adresses-75.csv.gz"))
    found = locate([{"commune_code": "75056", "number": "4", "street": "RUE DE CHARENTON"}]).iloc[0]
    assert (found["position_level"], found["lon"]) == ("number", pytest.approx(2.3750))


LAMBERT = "1,ATLASANTE,96,BAN,EPSG:2154 RGF93 / Lambert-93 (Métropole)"


def lambert(lon: float, lat: float) -> tuple[float, float]:
    from pyproj import Transformer

    x, y = Transformer.from_crs(4326, 2154, always_xy=True).transform(lon, lat)
    return float(x), float(y)


@pytest.mark.parametrize(
    ("precision", "level"), [("1", "number"), ("2", "number"), ("3", "street"), ("4", "place"), ("6", "commune")]
)
def test_register_coordinates(precision: str, level: str) -> None:
    x, y = lambert(1.7120, 48.9880)
    found = locate([{"commune_code": "78361", "x": x, "y": y, "projection": precision + LAMBERT[1:]}]).iloc[0]
    assert (found["position_source"], found["position_level"]) == ("finess", level)
    assert (found["lon"], found["lat"]) == pytest.approx((1.7120, 48.9880), abs=1e-5)


def test_register_coordinates_outside_the_commune_are_not_believed() -> None:
    x, y = lambert(2.35, 48.85)
    rows: list[dict[str, Any]] = [
        {"commune_code": "78361", "x": x, "y": y, "projection": LAMBERT},
        {"commune_code": "78361", "x": 0.0, "y": 0.0, "projection": LAMBERT},
        {"commune_code": "78361", "x": x, "y": y, "projection": "sans projection"},
        {"commune_code": "78361", "x": None, "y": None, "projection": None},
    ]
    found = locate(rows)
    assert found["position_level"].tolist() == ["commune"] * 4
    assert found["position_source"].tolist() == ["commune"] * 4


def test_wgs84_with_the_key_of_the_ban() -> None:
    row: dict[str, Any] = {"commune_code": "78361", "x": 1.7120, "y": 48.9880, "epsg": 4326}
    found = locate([{**row, "ban_key": "78361_0515_00240"}, {**row, "ban_key": "78361_0515"}, {**row, "ban_key": None}])
    assert found["position_level"].tolist() == ["number", "street", "number"]
    assert (
        found["position_score"].is_monotonic_decreasing
        or found["position_score"].iloc[0] > found["position_score"].iloc[1]
    )


def test_overseas_coordinates() -> None:
    rows = [
        {
            "commune_code": "9A105",
            "x": 641000.0,
            "y": 1770000.0,
            "projection": "1,ATLASANTE,96,BAN,EPSG:5490 RGAF09/UTM Zone 20N (Antilles)",
        },
        {
            "commune_code": "9D411",
            "x": 338000.0,
            "y": 7691500.0,
            "projection": "1,ATLASANTE,96,BAN,EPSG:2975 RGR92 / UTM zone 40S",
        },
    ]
    found = locate(rows)
    assert found["position_source"].tolist() == ["finess", "finess"]
    assert found["lon"].tolist() == pytest.approx([-61.68, 55.44], abs=0.05)


def test_the_most_precise_position_wins(tmp_path: Path) -> None:
    load(ban(tmp_path, MANTES))
    x, y = lambert(1.7120, 48.9880)
    base = {"commune_code": "78361", "x": x, "y": y, "projection": LAMBERT}
    found = locate(
        [{**base, "number": "12", "street": "RUE NATIONALE"}, {**base, "number": "2", "street": "RUE VERTE"}]
    )
    assert found["position_source"].tolist() == ["ban", "finess"]


def test_an_unknown_commune_has_no_position(tmp_path: Path) -> None:
    load(ban(tmp_path, MANTES))
    found = locate([{"commune_code": None, "number": "12", "street": "RUE NATIONALE"}]).iloc[0]
    assert (found["position_level"], found["position_score"]) == ("none", 0)
    assert pd.isna(found["position_source"])
    assert np.isnan(found["lon"])


def test_an_empty_frame() -> None:
    frame = pd.DataFrame(columns=["commune_id", "commune_code", "street", "number", "repetition", "x", "y"])
    with connect_direct() as connection:
        assert api.geocode(connection, frame).empty


def test_many_addresses_at_once_keep_their_index(tmp_path: Path) -> None:
    load(ban(tmp_path, MANTES))
    rows = [{"commune_code": "78361", "number": str(n), "street": "RUE NATIONALE"} for n in (10, 12, 14, 10)] * 500
    frame = pd.DataFrame(rows, index=range(10_000, 12_000))
    frame = frame.drop(columns=["commune_code"]).join(api.resolve_communes(frame)[["commune_id", "commune_code"]])
    with connect_direct() as connection:
        found = api.geocode(connection, frame)
    assert found.index.equals(frame.index)
    assert found["position_level"].eq("number").all()
    assert found["lon"].iloc[:4].tolist() == pytest.approx([1.7160, 1.7162, 1.7164, 1.7160])
