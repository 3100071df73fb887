"""Territories given by an operator, through the command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli import assemble
from core.db import connect_direct
from core.errors import DomainError
from maps import api

pytestmark = pytest.mark.usefixtures("places")

CSV = """code;nom;type;commune
CPTS-1;CPTS du Mantois;CPTS;78361
CPTS-1;CPTS du Mantois;CPTS;78362
TS-1;Territoire de Corse-du-Sud;Territoire de santé;2A004
CPTS-1;CPTS du Mantois;CPTS;99999
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(assemble(), ["places", "territory", *arguments])


def file(folder: Path, content: str | bytes, name: str = "territoires.csv") -> str:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def members(code: str) -> set[str]:
    with connect_direct() as connection:
        rows = connection.execute(
            "SELECT q.code FROM maps.place p JOIN maps.place_containment c ON c.container_id = p.id"
            " JOIN maps.place q ON q.id = c.place_id WHERE p.kind = 'territory' AND p.code = %s",
            (code,),
        ).fetchall()
    return {value for (value,) in rows}


def test_a_list_of_communes(tmp_path: Path) -> None:
    result = run("load", file(tmp_path, CSV))
    assert result.exit_code == 0
    assert "CPTS-1" in result.output
    assert "99999" in result.output
    assert members("CPTS-1") == {"78361", "78362"}
    territory = api.resolve_ref("territory", "CPTS-1")
    assert territory is not None
    assert territory.ref == "territory:CPTS-1"
    assert territory.boundary
    assert territory.population > 60_000
    assert api.suggest("cpts du mant")[0].id == territory.id
    town = api.resolve_ref("commune", "78361")
    assert town is not None
    assert territory.id in api.containers_of([town.id])[town.id]


def test_listing_replacing_and_removing(tmp_path: Path) -> None:
    run("load", file(tmp_path, CSV))
    before = api.resolve_ref("territory", "CPTS-1")
    run("load", file(tmp_path, "commune,code,nom\n78646,CPTS-1,CPTS de Versailles\n"))
    after = api.resolve_ref("territory", "CPTS-1")
    assert before is not None
    assert after is not None
    assert (after.id, after.name) == (before.id, "CPTS de Versailles")
    assert members("CPTS-1") == {"78646"}
    listed = json.loads(run("list", "--json").output)
    assert [(t["code"], t["communes"]) for t in listed] == [("CPTS-1", 1), ("TS-1", 1)]
    assert run("remove", "CPTS-1").exit_code == 0
    assert api.resolve_ref("territory", "CPTS-1") is None
    assert isinstance(run("remove", "CPTS-1").exception, DomainError)
    assert [t["code"] for t in json.loads(run("list", "--json").output)] == ["TS-1"]


def test_places_loaded_again_keep_the_territories(tmp_path: Path, place_rows: list[Any]) -> None:
    from tests.conftest import load_place_rows

    run("load", file(tmp_path, CSV))
    load_place_rows(place_rows)
    assert members("CPTS-1") == {"78361", "78362"}


def test_a_divided_town_brings_its_arrondissements(tmp_path: Path) -> None:
    run("load", file(tmp_path, "commune;code\n75056;T\n"))
    assert {"75056", "75112"} <= members("T")


def contour(code: str, name: str | None, ring: list[list[float]]) -> dict[str, Any]:
    properties = {"code": code} | ({"nom": name} if name else {})
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}


SQUARE = [[1.66, 48.96], [1.76, 48.96], [1.76, 49.01], [1.66, 49.01], [1.66, 48.96]]


def test_contours(tmp_path: Path) -> None:
    document = {"type": "FeatureCollection", "features": [contour("TS-9", "Autour de Mantes", SQUARE)]}
    result = run("load", file(tmp_path, json.dumps(document), "t.geojson"), "--type", "Territoire de santé", "--json")
    assert result.exit_code == 0
    [loaded] = json.loads(result.output)["territories"]
    assert (loaded["name"], loaded["kind"]) == ("Autour de Mantes", "Territoire de santé")
    found = members("TS-9")
    assert "78361" in found
    assert "78646" not in found


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a;b\n1;2\n", "colonne « commune »"),
        ("commune\n78361\n", "colonne « code »"),
        ("code;commune\n", "aucun territoire"),
        ("code;commune\nX;99999\n", "aucun territoire"),
        ("", "colonne « commune »"),
        ("{", "JSON"),
        ('{"type": "FeatureCollection", "features": []}', "aucun territoire"),
        (
            json.dumps(
                contour("X", None, [[600000, 6800000], [700000, 6800000], [700000, 6900000], [600000, 6800000]])
            ),
            "WGS84",
        ),
        (json.dumps(contour("X", None, [[-40, 30], [-39, 30], [-39, 31], [-40, 30]])), "aucune commune"),
        (
            '{"type": "Feature", "properties": {"code": "X"}, "geometry": {"type": "Point", "coordinates": [1, 2]}}',
            "polygone",
        ),
        ('{"type": "Feature", "properties": {}, "geometry": null}', "code"),
    ],
)
def test_wrong_files_are_refused_whole(tmp_path: Path, content: str, message: str) -> None:
    result = run("load", file(tmp_path, content))
    assert isinstance(result.exception, DomainError)
    assert message in result.exception.detail
    assert json.loads(run("list", "--json").output) == []


def test_a_file_of_a_spreadsheet(tmp_path: Path) -> None:
    content = "Code Territoire,Nom,Code INSEE\nÉ1,Santé à l’Est,78361\n".encode("cp1252")
    assert run("load", file(tmp_path, content)).exit_code == 0
    [listed] = json.loads(run("list", "--json").output)
    assert listed["name"] == "Santé à l’Est"
