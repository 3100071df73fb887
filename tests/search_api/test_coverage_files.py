"""The files of a coverage report, opened as people open them."""

import io
import re
from datetime import datetime
from pathlib import Path

import httpx
import openpyxl
import psycopg
import pytest
from sqlalchemy.engine import URL
from typer.testing import CliRunner

from cli import assemble
from maps.api import invalidate
from search_api.coverage.writing import COLUMNS
from tests.search_api.conftest import dsn
from tests.search_api.coverage import PAGE, ask, features


async def test_the_sheet_is_typed_and_defines_its_figures(api: httpx.AsyncClient) -> None:
    report = await ask(api, code=["G15|60"], where="departement:78")
    answer = await api.get(report["files"]["xlsx"])
    assert re.search(
        r'attachment; filename="repere-couverture-infirmier[\w.-]+\.xlsx"', answer.headers["content-disposition"]
    )
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    sheet = book["Communes"]
    assert [cell.value for cell in sheet[1]] == [title for title, _, _ in COLUMNS]
    assert sheet.freeze_panes == "C2" and sheet.auto_filter.ref is not None
    rows = {one["code"]: one for one in await features(api, report)}
    assert sheet.max_row - 1 == len(rows)
    for line in sheet.iter_rows(min_row=2):
        expected = rows[line[0].value]
        assert line[0].data_type == "s"
        assert (line[3].value, line[4].value, line[5].value) == (
            expected["population"],
            expected["offers"],
            expected["sites"],
        )
        assert line[7].value == pytest.approx(expected["nearest_m"] / 1000)
        assert line[10].value == ("oui" if expected["visited"] else "non déclarée")
    about = {row[0].value: row[1].value for row in book["Rapport"].iter_rows()}
    assert about["Ce qui est mesuré"] == "Infirmier" and about["Territoire"] == "Yvelines (78)"
    assert isinstance(about["Établi le"], datetime)
    assert about["Offres"] == report["summary"]["offers"]
    assert "n’a pas décrit son territoire" in about["Définition : Visites à domicile"]
    assert not any(cell.data_type == "f" for one in book.worksheets for row in one.iter_rows() for cell in row)


async def test_geojson_has_a_box_and_the_classes_of_the_map(api: httpx.AsyncClient) -> None:
    report = await ask(api, code=["G15|60"], where="departement:78")
    answer = await api.get(report["files"]["geojson"])
    assert answer.headers["content-type"] == "application/geo+json"
    body = answer.json()
    west, south, east, north = body["bbox"]
    for feature in body["features"]:
        # The seed loads no contours: a commune then stands at its point.
        assert feature["geometry"]["type"] == "Point"
        lon, lat = feature["geometry"]["coordinates"]
        assert west <= lon <= east and south <= lat <= north
    measures = {one["key"]: one["classes"] for one in body["measures"]}
    assert measures.keys() == {"density", "distance", "visits"}
    for key, classes in measures.items():
        used = {feature["properties"]["classes"][key] for feature in body["features"]}
        assert used <= set(range(-1, len(classes)))
    for feature in body["features"]:
        properties = feature["properties"]
        assert (properties["classes"]["density"] == 0) == (properties["offers"] == 0)
        assert properties["classes"]["visits"] == int(properties["visited"])
    drawn = [f["properties"] for f in body["features"] if f["properties"]["classes"]["density"] > 0]
    ranked = sorted(drawn, key=lambda one: one["offers_per_10000"])
    assert [one["classes"]["density"] for one in ranked] == sorted(one["classes"]["density"] for one in ranked)


def _outside(page: str) -> list[str]:
    """What a browser would fetch to show a page."""
    # A link to leafletjs.com stands in Leaflet's own text; following it is up to the reader.
    tags = re.findall(r"<(?:script|link|img|iframe|object|embed|source)\b[^>]*\b(?:src|href|data)\s*=[^>]*>", page)
    return tags + re.findall(r"@import[^;]*;", page) + re.findall(r"url\(\s*[\"']?(?!data:|#)[^)]*\)", page)


async def test_the_standalone_map_needs_nothing_else(api: httpx.AsyncClient) -> None:
    report = await ask(api, code=["G15|60"], where="departement:78")
    answer = await api.get(report["files"]["html"])
    assert answer.headers["content-disposition"].startswith("attachment")
    page = answer.text
    assert _outside(page) == []
    assert "Infirmier · Yvelines (78)" in page and "Contours IGN, Insee" in page and "Rosny-sur-Seine" in page
    shown = await api.get(report["files"]["html"], params={"view": "1"})
    assert shown.headers["content-disposition"].startswith("inline")
    policy = shown.headers["content-security-policy"]
    assert "sandbox allow-scripts" in policy and "default-src 'none'" in policy and "unsafe-inline" not in policy
    assert shown.text == page
    again = await api.get(report["files"]["html"], headers={"If-None-Match": shown.headers["etag"]})
    assert again.status_code == 304


def rename(filled: URL, place: int, name: str) -> None:
    with psycopg.connect(dsn(filled)) as conn:
        conn.execute("UPDATE maps.place SET name = %s WHERE id = %s", (name, place))
        conn.execute("UPDATE maps.place_state SET token = gen_random_uuid()")
    invalidate()


async def test_a_hostile_name_is_only_text(api: httpx.AsyncClient, filled: URL, tmp_path: Path) -> None:
    name = "<script>alert(1)</script>{{ 7*191 }}{% raw %}"
    path = tmp_path / "territoires.csv"
    path.write_text(f"code;nom;type;commune\nMAL-1;{name};CPTS;78361\nMAL-1;{name};CPTS;78335\n", "utf-8")
    assert CliRunner().invoke(assemble(), ["places", "territory", "load", str(path)]).exit_code == 0
    with psycopg.connect(dsn(filled)) as conn:
        former = conn.execute("SELECT id, name FROM maps.place WHERE kind = 'commune' AND code = '78335'").fetchone()
        assert former
    rename(filled, former[0], "=1+1</script><img src=x onerror=a>")
    try:
        report = await ask(api, code=["G15|60"], where="territory:MAL-1")
        assert report["summary"]["communes"] == 2
        answer = await api.get(report["files"]["html"])
        page = (await api.get(report["page"], headers=PAGE)).text
        for drawn in (answer.text, page):
            assert "<script>alert" not in drawn and "<img src=x" not in drawn
            assert "1337" not in drawn
        assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*191 }}{% raw %}" in answer.text
        assert _outside(answer.text) == []
        book = openpyxl.load_workbook(io.BytesIO((await api.get(report["files"]["xlsx"])).content))
        assert not any(cell.data_type == "f" for one in book.worksheets for row in one.iter_rows() for cell in row)
    finally:
        rename(filled, *former)
