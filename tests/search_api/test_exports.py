"""The exports, opened as people open them."""

import csv
import io
from datetime import datetime

import httpx
import openpyxl
import psycopg
from sqlalchemy.engine import URL

from core.ui.filters import calm
from directory.projection import write_selected
from search_api.exports import COLUMNS
from tests.search_api.conftest import dsn


async def test_excel_holds_typed_cells_links_and_the_question(api: httpx.AsyncClient) -> None:
    params = {"q": "kiné", "where": "commune:78361", "kind": "liberal"}
    answer = await api.get("/api/v1/search.xlsx", params=params)
    assert answer.status_code == 200
    assert ".xlsx" in answer.headers["content-disposition"]
    listed = (await api.get("/api/v1/search", params=params)).json()
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    sheet = book["Résultats"]
    header = [cell.value for cell in sheet[1]]
    assert header == list(COLUMNS)
    assert sheet.freeze_panes == "C2" and sheet.auto_filter.ref is not None
    assert sheet.max_row - 1 == listed["total_offers"]
    column = {name: index for index, name in enumerate(header)}
    first = sheet[2]
    assert first[column["Rang"]].value == 1
    assert isinstance(first[column["Distance (km)"]].value, int | float)
    phone = first[column["Téléphone"]]
    assert phone.data_type == "s" and phone.value == "0199001234"
    assert first[column["Code postal"]].data_type == "s"
    assert isinstance(first[column["Mise à jour"]].value, datetime)
    assert "/offres/" in first[column["Fiche"]].hyperlink.target
    names = [row[column["Nom du lieu"]].value for row in sheet.iter_rows(min_row=2)]
    assert names[0] == calm(listed["items"][0]["site"]["name"])
    assert not any(name.startswith("CABINET") for name in names), "names are written as on the pages"
    assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)
    question = {row[0].value: row[1].value for row in book["Requête"].iter_rows()}
    assert question["Qui, quoi ?"] == "kiné"
    assert question["Où ?"].startswith("Mantes-la-Jolie")
    assert question["Type d’offre"].startswith("Offre libérale")
    assert question["Lieux trouvés"] == listed["total"]
    assert isinstance(question["Recherche faite le"], datetime)
    assert "Zone de la carte" not in question


async def test_the_sheet_tells_every_limit_of_the_search(api: httpx.AsyncClient) -> None:
    params = {"q": "kiné", "bbox": "1.5,48.9,1.8,49.1", "within": "departement:78", "open_at": "2026-11-28T09:30"}
    book = openpyxl.load_workbook(io.BytesIO((await api.get("/api/v1/search.xlsx", params=params)).content))
    question = {row[0].value: row[1].value for row in book["Requête"].iter_rows()}
    assert question["Zone de la carte"] == "ouest 1.50000 ; sud 48.90000 ; est 1.80000 ; nord 49.10000"
    assert question["Dans"].startswith("Yvelines")
    assert question["Ouvert le"] == datetime(2026, 11, 28, 9, 30)
    listed = (await api.get("/api/v1/search", params=params)).json()
    assert question["Lieux trouvés"] == listed["total"]


async def test_csv_opens_in_a_french_spreadsheet(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/v1/search.csv", params={"where": "commune:78361"})
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    listed = (await api.get("/api/v1/search", params={"where": "commune:78361"})).json()
    assert len({row["Rang"] for row in rows}) == min(200, listed["total"])
    assert rows[0]["Téléphone"] == "0199001234"
    assert "," in rows[-30]["Distance (km)"]
    assert all("." not in row["Distance (km)"] for row in rows)


async def test_geojson_has_a_feature_for_each_site(api: httpx.AsyncClient) -> None:
    answer = (await api.get("/api/v1/search.geojson", params={"where": "commune:78361"})).json()
    listed = (await api.get("/api/v1/search", params={"where": "commune:78361"})).json()
    assert answer["type"] == "FeatureCollection"
    assert len(answer["features"]) == min(200, listed["total"]) and answer["total"] == listed["total"]
    assert [f["id"] for f in answer["features"][:15]] == [item["site"]["id"] for item in listed["items"]]
    assert answer["features"][0]["geometry"]["type"] == "Point"
    assert answer["features"][-1]["geometry"] is None


async def test_an_empty_export_is_a_file_with_its_header(api: httpx.AsyncClient) -> None:
    params = {"professions": "G15|28"}
    book = openpyxl.load_workbook(io.BytesIO((await api.get("/api/v1/search.xlsx", params=params)).content))
    assert [cell.value for cell in book["Résultats"][1]] == list(COLUMNS)
    assert book["Résultats"].max_row == 1
    assert len((await api.get("/api/v1/search.csv", params=params)).text.splitlines()) == 1
    assert (await api.get("/api/v1/search.geojson", params=params)).json()["features"] == []


async def test_a_name_that_is_a_formula_stays_a_text(api: httpx.AsyncClient, filled: URL) -> None:
    def rename(names: list[tuple[int, str]]) -> None:
        with psycopg.connect(dsn(filled)) as conn:
            for key, name in names:
                conn.execute("UPDATE directory.site SET name = %s WHERE id = %s", (name, key))
            keys = ", ".join(str(key) for key, _ in names)
            write_selected(conn, f"SELECT id FROM directory.offer WHERE site_id IN ({keys})")

    with psycopg.connect(dsn(filled)) as conn:
        former = conn.execute("SELECT id, name FROM directory.site ORDER BY id LIMIT 3").fetchall()
    hostile = ('=HYPERLINK("http://mal")', "+33 1 99 00", " @SUM(1)")
    rename([(key, name) for (key, _), name in zip(former, hostile, strict=True)])
    try:
        book = openpyxl.load_workbook(io.BytesIO((await api.get("/api/v1/search.xlsx")).content))
        cells = [cell for row in book["Résultats"].iter_rows() for cell in row]
        assert not any(cell.data_type == "f" for cell in cells)
        text = (await api.get("/api/v1/search.csv")).content.decode("utf-8-sig")
        values = [value for row in csv.reader(io.StringIO(text), delimiter=";") for value in row]
        assert '\'=HYPERLINK("http://mal")' in values and "' @SUM(1)" in values
        assert "+33 1 99 00" in values
        assert not any(value.lstrip().startswith(("=", "@")) for value in values)
    finally:
        rename(former)


async def test_exports_refuse_what_the_search_refuses(api: httpx.AsyncClient) -> None:
    for extension in ("xlsx", "csv", "geojson"):
        answer = await api.get(f"/api/v1/search.{extension}", params={"page": "15"})
        assert answer.status_code == 422 and answer.headers["content-type"] == "application/problem+json"
