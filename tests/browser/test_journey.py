"""What a person does: search, read, filter, look at the map, open a sheet, take the list away."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import NARROW, Watch

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Awaitable[Page]]
KINE = "/recherche?q=kin%C3%A9&where=commune:78361"


async def test_search_by_keyboard_then_sheet_then_export(open_page: OpenPage, tmp_path: Path) -> None:
    page = await open_page("/")
    what = page.get_by_label("Qui, quoi ?", exact=True)
    await what.press_sequentially("kinési", delay=20)
    options = page.get_by_role("option")
    await expect(options.filter(has_text="Masseur-kinésithérapeute")).to_be_visible()
    await expect(what).to_have_attribute("aria-expanded", "true")
    await what.press("ArrowDown")
    active = await what.get_attribute("aria-activedescendant")
    assert active is not None
    await expect(page.locator(f"#{active}")).to_have_attribute("aria-selected", "true")
    for _ in range(12):
        active = await what.get_attribute("aria-activedescendant")
        if "Masseur-kinésithérapeute" in (await page.locator(f"#{active}").inner_text()):
            break
        await what.press("ArrowDown")
    await what.press("Enter")
    await expect(what).to_have_value("Masseur-kinésithérapeute")

    where = page.get_by_label("Où ?", exact=True)
    await expect(where).to_be_focused()
    await where.press_sequentially("mantes la j", delay=20)
    await expect(options.first).to_contain_text("Mantes-la-Jolie")
    await where.press("ArrowDown")
    await where.press("Enter")

    await page.wait_for_url(re.compile(r"/recherche\?code=G15(\||%7C)70&where=commune:78361$"))
    await expect(page.get_by_role("heading", level=1)).to_have_text(
        "Masseur-kinésithérapeute près de Mantes-la-Jolie (78200)"
    )
    await expect(page.locator(".result")).to_have_count(15)
    await expect(page.locator(".results-count")).to_contain_text("40 sites")

    await page.get_by_text("Exporter").click()
    async with page.expect_download() as download:
        await page.get_by_role("link", name="Excel (.xlsx)").click()
    target = tmp_path / "liste.xlsx"
    await (await download.value).save_as(target)
    sheet = openpyxl.load_workbook(target).worksheets[0]
    assert sheet.max_row >= 41

    first = page.locator(".result-link").first
    name = await first.inner_text()
    await first.click()
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(page.get_by_role("heading", name="D’où viennent ces données")).to_be_visible()
    assert name
    await page.get_by_role("link", name="Retour aux résultats").click()
    await expect(page.locator(".result")).to_have_count(15)


async def test_filters_apply_at_once_and_the_back_button_undoes_them(open_page: OpenPage) -> None:
    page = await open_page(KINE)
    await expect(page.locator(".results-count")).to_contain_text("40 sites")
    await page.get_by_label("Distance").select_option("2")
    await page.wait_for_url(re.compile("radius_km=2"))
    await expect(page.get_by_role("link", name=re.compile("Retirer le filtre À moins de 2"))).to_be_visible()
    await expect(page.locator(".results-count")).not_to_contain_text("40 sites")
    await page.get_by_role("checkbox", name=re.compile("^Conventionné secteur 1")).check()
    await page.wait_for_url(re.compile("convention="))
    # The box keeps the focus after the counts were drawn again.
    await expect(page.get_by_role("checkbox", name=re.compile("^Conventionné secteur 1"))).to_be_focused()
    await page.go_back()
    await expect(page.get_by_role("checkbox", name=re.compile("^Conventionné secteur 1"))).not_to_be_checked()
    await page.go_back()
    await expect(page.locator(".results-count")).to_contain_text("40 sites")


async def test_pages_of_results_and_sorting_are_addresses(open_page: OpenPage) -> None:
    page = await open_page(KINE)
    await expect(page.locator(".pager-count")).to_have_text(re.compile(r"1 – 15 sur 40"))
    await page.get_by_role("link", name="Suivante").click()
    await page.wait_for_url(re.compile("page=2"))
    await expect(page.locator(".pager-count")).to_have_text(re.compile(r"16 – 30 sur 40"))
    await page.get_by_role("link", name="Pertinence").click()
    await page.wait_for_url(re.compile("sort=relevance"))
    assert "page=" not in page.url


async def test_cards_and_pins_light_each_other(open_page: OpenPage) -> None:
    page = await open_page(KINE)
    pins = page.locator(".pin-rank")
    await expect(pins.first).to_be_visible()
    await page.locator(".result").nth(1).hover()
    await expect(page.locator(".pin-rank.is-lit")).to_have_count(1)
    await pins.first.focus()
    await expect(page.locator(".result.is-lit").first).to_be_visible()
    await pins.first.press("Enter")
    popup = page.locator(".leaflet-popup")
    await expect(popup.get_by_role("link").first).to_be_visible()


async def test_search_inside_the_shown_zone(open_page: OpenPage) -> None:
    page = await open_page(KINE)
    await expect(page.locator(".pin-rank").first).to_be_visible()
    await expect(page.locator("[data-map-status]")).to_contain_text("dans cette vue")
    await page.get_by_role("button", name="Agrandir").click()
    await page.get_by_role("button", name="Rechercher dans cette zone").click()
    await page.wait_for_url(re.compile("bbox="))
    await expect(page.get_by_role("link", name=re.compile("Retirer le filtre Zone de la carte"))).to_be_visible()


async def test_around_me(open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.get_by_label("Qui, quoi ?", exact=True).fill("kiné")
    await page.get_by_role("button", name="Autour de moi").click()
    await page.wait_for_url(re.compile(r"lat=48\.989&lon=1\.715"))
    await expect(page.get_by_role("heading", level=1)).to_have_text("Kiné autour de moi")
    await expect(page.locator(".result")).to_have_count(15)


async def test_narrow_screen_has_tabs_and_a_sheet_of_filters(open_page: OpenPage) -> None:
    page = await open_page(KINE, NARROW)
    await expect(page.locator(".map-panel")).to_be_hidden()
    await page.get_by_role("button", name="Carte").click()
    await expect(page.locator(".pin-rank").first).to_be_visible()
    await expect(page.locator(".result").first).to_be_hidden()
    await page.get_by_role("button", name="Liste").click()
    await expect(page.locator(".result").first).to_be_visible()

    await page.get_by_role("link", name="Filtrer").click()
    sheet = page.get_by_role("dialog")
    await expect(sheet).to_be_visible()
    await sheet.get_by_role("checkbox", name=re.compile("^Conventionné secteur 1")).check()
    await expect(sheet.get_by_role("button", name=re.compile("^Voir 30 sites"))).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(sheet).to_be_hidden()
    await expect(page.get_by_role("link", name=re.compile(r"Filtrer \(1\)"))).to_be_focused()


async def test_forms_work_without_scripts(open_page: OpenPage) -> None:
    page = await open_page("/", scripts=False)
    await page.get_by_label("Qui, quoi ?", exact=True).fill("kiné")
    await page.get_by_label("Où ?", exact=True).fill("mantes-la-jolie")
    await page.get_by_role("button", name="Rechercher").click()
    assert page.url.endswith("/recherche?q=kin%C3%A9&where=commune:78361")
    await expect(page.locator(".result")).to_have_count(15)
    await page.get_by_label("Distance").select_option("2")
    await page.get_by_role("button", name=re.compile("^Voir")).click()
    assert "radius_km=2" in page.url
    # The visible place was edited: what a suggestion had chosen is dropped.
    await page.get_by_label("Où ?", exact=True).fill("78520")
    await page.get_by_role("button", name="Rechercher").click()
    assert "where=cp:78520" in page.url or "where=commune:78335" in page.url


async def test_hostile_names_are_only_text(open_page: OpenPage) -> None:
    page = await open_page("/recherche?q=%3Cscript%3Ealert(1)%3C/script%3E&where=commune:78361")
    await expect(page.get_by_label("Qui, quoi ?", exact=True)).to_have_value("<script>alert(1)</script>")
    items: list[dict[str, Any]] = []
    for number in (1, 2, 3):
        found = await page.request.get(f"/api/v1/search?q=kin%C3%A9&where=commune:78361&page={number}")
        items += (await found.json())["items"]
    place = next(item for item in items if "<script" in item["site"]["name"])
    person = next(item for item in items if "<script" in (item["offers"][0]["practitioner"] or "").lower())
    await page.goto(f"/sites/{place['site']['id']}")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("<script>alert")
    await page.goto(f"/offres/{person['offers'][0]['id']}")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("<SCRIPT>ALERT")
    listed = 1 + items.index(place) // 15
    await page.goto(f"/recherche?q=kin%C3%A9&where=commune:78361&page={listed}")
    await expect(page.locator(f"[data-site='{place['site']['id']}']")).to_contain_text("<script>alert")


async def test_a_failed_request_keeps_the_filters_and_says_so(open_page: OpenPage, watch: Watch) -> None:
    watch.allow("Failed to load resource")
    watch.allow("503")
    page = await open_page(KINE)
    await expect(page.locator(".result")).to_have_count(15)
    await page.route(re.compile("/recherche"), lambda route: route.fulfill(status=503, body="indisponible"))
    await page.get_by_label("Distance").select_option("5")
    await expect(page.get_by_role("alert")).to_contain_text("Vos filtres sont gardés")
    await page.unroute(re.compile("/recherche"))
    await page.get_by_role("button", name="Réessayer").click()
    await page.wait_for_url(re.compile("radius_km=5"))
