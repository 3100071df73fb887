"""A coordinator’s way: ask for a report, read its map and table, take files away, open the map without a network."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import openpyxl
import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import NARROW, WIDE, Watch
from tests.browser.test_accessibility import check, findings

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Awaitable[Page]]


async def report(page: Page) -> str:
    """Ask for the physiotherapists of the Mantes area through the API; return the address of the page."""
    body = {"code": ["G15|70"], "where": "commune:78361"}
    answer = await page.request.post("/api/v1/coverage", data=body)
    found = await answer.json()
    # Another worker may be making the same report: it is one for all.
    for _ in range(100):
        if found["state"] == "ready":
            break
        found = await (await page.request.get(f"/api/v1/coverage/{found['id']}")).json()
    assert found["state"] == "ready", found
    return str(found["page"])


async def test_ask_by_keyboard_then_read_and_take_away(open_page: OpenPage, tmp_path: Path) -> None:
    page = await open_page("/")
    await page.get_by_role("navigation", name="Principale").get_by_role("link", name="Couverture").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Couverture du territoire")
    await page.get_by_label("Quoi ?").press_sequentially("kinésithérapeute", delay=20)
    options = page.get_by_role("option")
    await expect(options.filter(has_text="Masseur-kinésithérapeute").first).to_be_visible()
    await options.filter(has_text="Masseur-kinésithérapeute").first.click()
    where = page.get_by_label("Où ?")
    await expect(where).to_be_focused()
    await where.press_sequentially("mantes la jol", delay=20)
    await expect(options.first).to_contain_text("Grand Paris Seine et Oise")
    assert await findings(page) == []
    await where.press("ArrowDown")
    await where.press("Enter")
    await page.get_by_role("button", name="Établir le rapport").click()

    await page.wait_for_url(re.compile(r"/couverture/[0-9a-f-]{36}$"))
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Masseur-kinésithérapeute · ")
    shapes = page.locator("[data-coverage-map] path.leaflet-interactive[fill='#f5cfb3']")
    await expect(shapes.first).to_be_attached()
    await expect(page.locator(".coverage-legend")).to_contain_text("Aucune offre")
    await page.get_by_role("link", name="Distance", exact=True).click()
    await expect(page.locator(".coverage-legend")).to_contain_text("2 km ou moins")
    await page.wait_for_url(re.compile("carte=distance"))
    await expect(page.locator(".coverage-table tbody tr")).to_have_count(30)

    await page.get_by_role("link", name="Offres", exact=True).click()
    await page.wait_for_url(re.compile("tri=offres"))
    await expect(page.locator("th[aria-sort='descending']")).to_contain_text("Offres")
    await page.get_by_role("link", name="Sans offre").click()
    await page.wait_for_url(re.compile("montrer=sans-offre"))
    assert "tri=offres" in page.url

    async with page.expect_download() as download:
        await page.get_by_role("link", name="Tableau Excel (.xlsx)").click()
    target = tmp_path / "rapport.xlsx"
    await (await download.value).save_as(target)
    assert openpyxl.load_workbook(target)["Communes"].max_row == 74


async def test_the_question_without_scripts(open_page: OpenPage, watch: Watch) -> None:
    watch.allow("Failed to load resource")
    page = await open_page("/couverture", scripts=False)
    await page.get_by_label("Quoi ?").fill("kiné")
    await page.get_by_label("Où ?").fill("nullepartville")
    await page.get_by_role("button", name="Établir le rapport").click()
    await expect(page.get_by_role("alert")).to_contain_text("Aucun territoire ne s’appelle")
    await expect(page.get_by_label("Quoi ?")).to_have_value("kiné")
    await page.get_by_label("Où ?").fill("limay")
    await page.get_by_role("button", name="Établir le rapport").click()
    await page.wait_for_url(re.compile(r"/couverture/[0-9a-f-]{36}$"))
    await expect(page.get_by_role("heading", level=1)).to_contain_text("« kiné » · ")
    await expect(page.locator(".coverage-table tbody tr")).to_have_count(30)
    await page.get_by_role("link", name="Suivante").click()
    await expect(page.locator(".pager-count")).to_have_text(re.compile("31 – 60 sur 73"))


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_the_question_wide_and_narrow(open_page: OpenPage, watch: Watch, size: tuple[int, int]) -> None:
    watch.allow("Failed to load resource")
    page = await open_page("/couverture", size)
    await check(page)
    await page.get_by_role("button", name="Établir le rapport").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await check(page)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_a_report_wide_and_narrow(open_page: OpenPage, size: tuple[int, int]) -> None:
    page = await open_page("/couverture", size)
    await page.goto(await report(page))
    await expect(page.locator("[data-coverage-map] path.leaflet-interactive").first).to_be_attached()
    await check(page)
    table = page.locator(".coverage-table")
    assert await table.evaluate("one => one.scrollWidth <= one.clientWidth"), "a column is out of sight"
    await expect(table.get_by_role("columnheader")).to_have_count(6)
    cells = table.get_by_role("row").nth(1).get_by_role("cell")
    await expect(cells).to_have_count(5)
    boxes = [await cell.bounding_box() for cell in await cells.all()]
    tops = [box["y"] for box in boxes if box is not None]
    # Figures stand side by side on a phone too: thirty towns of six lines each are a long way down.
    assert tops[0] == pytest.approx(tops[1], abs=2)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_the_standalone_map_opens_from_a_file_without_a_network(
    open_page: OpenPage, browser: Browser, tmp_path: Path, size: tuple[int, int]
) -> None:
    page = await open_page("/couverture")
    await page.goto(await report(page))
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Carte autonome (.html)").click()
    target = tmp_path / "carte.html"
    await (await download.value).save_as(target)

    asked: list[str] = []
    complaints: list[str] = []
    context = await browser.new_context(viewport={"width": size[0], "height": size[1]}, offline=True, locale="fr-FR")
    try:
        alone = await context.new_page()
        alone.on("request", lambda request: asked.append(request.url))
        alone.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        alone.on("pageerror", lambda error: complaints.append(str(error)))
        await alone.goto(target.as_uri())
        shapes = alone.locator("path.leaflet-interactive")
        await expect(shapes).to_have_count(73)
        box = await alone.locator(".folium-map").bounding_box()
        assert box is not None and box["width"] > 250 and box["height"] > 250
        await expect(alone.locator("[data-legend='0']")).to_contain_text("Aucune offre")
        await alone.get_by_label("Distance à l’offre la plus proche").check()
        await expect(alone.locator("[data-legend='1']")).to_be_visible()
        await expect(alone.locator("[data-legend='0']")).to_be_hidden()
        await shapes.nth(20).dispatch_event("click")
        await expect(alone.locator(".leaflet-popup")).to_contain_text("La plus proche")
        assert asked == [target.as_uri()]
        await check(alone)
    finally:
        await context.close()
    assert complaints == []


async def test_the_map_shown_by_the_site_obeys_its_policy(open_page: OpenPage) -> None:
    page = await open_page("/couverture")
    await page.goto(await report(page))
    await page.get_by_role("link", name="l’ouvrir ici").click()
    await expect(page.locator("path.leaflet-interactive")).to_have_count(73)
