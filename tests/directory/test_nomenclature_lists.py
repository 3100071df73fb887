"""Nomenclatures as people take them away: the page, PDF and Excel, whole or for one profession."""

import io
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from tests.pdf_files import read

PAGE = {"Accept": "text/html"}


async def sheet(client: httpx.AsyncClient, path: str) -> Any:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return openpyxl.load_workbook(io.BytesIO(answer.content))


async def test_the_page_leads_to_every_list(registers: Any, client: httpx.AsyncClient) -> None:
    page = (await client.get("/nomenclatures", headers=PAGE)).text
    listed = {row["system"] for row in registers.all("SELECT system FROM directory.nomenclature")} - {"AGE", "KIND"}
    for system in listed:
        assert f'href="/nomenclatures/{system}.pdf"' in page and f'href="/nomenclatures/{system}.xlsx"' in page
    assert "/nomenclatures/AGE" not in page
    assert 'href="/nomenclatures"' in (await client.get("/aide", headers=PAGE)).text
    acts = registers.one("SELECT count(*) FROM directory.concept WHERE system = 'J16' AND active")
    assert f"{acts}\u00a0codes" in page


async def test_a_page_without_nomenclature(client: httpx.AsyncClient) -> None:
    page = await client.get("/nomenclatures", headers=PAGE)
    assert page.status_code == 200 and "Aucune nomenclature n’est chargée" in page.text
    assert (await client.get("/nomenclatures/J16.pdf", headers=PAGE)).status_code == 404


async def test_acts_on_paper(registers: Any, client: httpx.AsyncClient, tmp_path: Path) -> None:
    answer = await client.get("/nomenclatures/J16.pdf")
    found = read(answer.content, tmp_path)
    assert found.info["Title"] == "Actes spécifiques (J16)"
    for row in registers.all("SELECT code, label FROM directory.concept WHERE system = 'J16' AND active"):
        assert found.says(f"{row['code']}{row['label']}"), row
    assert found.elements >= {"H1", "Table", "TH", "TD"}
    assert found.pages <= 10
    again = await client.get("/nomenclatures/J16.pdf", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


async def test_every_list_is_drawn(registers: Any, client: httpx.AsyncClient, tmp_path: Path) -> None:
    for row in registers.all("SELECT system FROM directory.nomenclature WHERE system NOT IN ('AGE', 'KIND')"):
        answer = await client.get(f"/nomenclatures/{row['system']}.pdf")
        assert answer.status_code == 200
        assert read(answer.content, tmp_path).says(row["system"])


async def test_acts_in_a_sheet(registers: Any, client: httpx.AsyncClient) -> None:
    registers.conn.execute("UPDATE directory.concept SET active = false WHERE system = 'J16' AND code = '0032'")
    registers.conn.execute("UPDATE directory.nomenclature SET loaded_at = clock_timestamp()")
    book = await sheet(client, "/nomenclatures/J16.xlsx")
    listed = book["Liste"]
    assert [cell.value for cell in listed[1]] == ["Nomenclature", "Code", "Libellé", "État"]
    assert listed.freeze_panes == "A2" and listed.auto_filter.ref is not None
    rows = {row[1].value: (row[2].value, row[3].value) for row in listed.iter_rows(min_row=2)}
    assert len(rows) == registers.one("SELECT count(*) FROM directory.concept WHERE system = 'J16'")
    assert rows["0013"] == ("Examen victime d’agression sexuelle", "en vigueur")
    assert rows["0032"] == ("Bilan de chute", "retiré")
    assert listed.cell(listed.max_row, 2).value == "0032"
    about = {row[0].value: row[1].value for row in book["À propos"].iter_rows()}
    assert about["Nomenclature"] == "Actes spécifiques (J16)" and about["Codes retirés"] == "1"


async def test_a_formula_stays_a_text(registers: Any, client: httpx.AsyncClient, tmp_path: Path) -> None:
    registers.conn.execute("UPDATE directory.concept SET label = '=1+1' WHERE system = 'J18' AND code = '021'")
    registers.conn.execute(
        "UPDATE directory.concept SET label = '#eval(\"2\") $x$' WHERE system = 'J18' AND code = '030'"
    )
    registers.conn.execute("UPDATE directory.nomenclature SET loaded_at = clock_timestamp()")
    book = await sheet(client, "/nomenclatures/J18.xlsx")
    cells = [cell for row in book["Liste"].iter_rows() for cell in row]
    assert not any(cell.data_type == "f" for cell in cells)
    assert "'=1+1" in [cell.value for cell in cells]
    found = read((await client.get("/nomenclatures/J18.pdf")).content, tmp_path)
    assert found.says('#eval("2") $x$')


async def test_a_profession_has_its_own_lists(registers: Any, client: httpx.AsyncClient, tmp_path: Path) -> None:
    page = (await client.get("/nomenclatures?profession=70", headers=PAGE)).text
    assert 'href="/nomenclatures/J238.pdf?profession=70"' in page and "/nomenclatures/J16.pdf" not in page
    book = await sheet(client, "/nomenclatures/J238.xlsx?profession=70")
    assert [row[1].value for row in book["Liste"].iter_rows(min_row=2)] == ["195"]
    found = read((await client.get("/nomenclatures/J17.pdf?profession=70")).content, tmp_path)
    assert found.says("Activités opérationnelles, masseur-kinésithérapeute") and found.says("Kinésithérapie")
    assert not found.says("Cardiologie")
    whole = await client.get("/nomenclatures/J17.pdf?profession=")
    assert read(whole.content, tmp_path).says("Cardiologie")


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nomenclatures/J16.pdf?profession=70", 422, "n’est pas découpée par profession"),
        ("/nomenclatures/J17.pdf?profession=ZZ", 422, "n’a pas de liste à elle"),
        ("/nomenclatures?profession=%3Cb%3E", 422, "n’a pas de liste à elle"),
        ("/nomenclatures/J17.xlsx?profession=" + "7" * 30, 422, "trop long"),
        ("/nomenclatures/KIND.pdf", 404, "n’existe pas dans le répertoire"),
        ("/nomenclatures/..%2F..%2Fetc.xlsx", 404, ""),
        ("/nomenclatures/j16.pdf", 404, "n’existe pas dans le répertoire"),
    ],
)
async def test_refusals_are_pages(
    registers: Any, client: httpx.AsyncClient, path: str, status: int, words: str
) -> None:
    answer = await client.get(path, headers=PAGE)
    assert answer.status_code == status and words in answer.text and "<b>" not in answer.text
