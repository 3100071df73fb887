"""A professional’s way: an act, towns, filters, territories, a sheet, two offers side by side, paper."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import NARROW, WIDE, Watch
from tests.browser.seed import ADMINISTRATOR
from tests.browser.test_accessibility import check, findings

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Awaitable[Page]]
PORTAL = "/maillage/mantes"
DESCRIBED = f"{PORTAL}?q=kin%C3%A9&where=commune:78361&where=commune:78335&reception=R338|05"


async def choose(page: Page, label: str, typed: str, wanted: str) -> None:
    field = page.get_by_label(label, exact=True)
    await field.press_sequentially(typed, delay=20)
    option = page.get_by_role("option").filter(has_text=wanted).first
    await expect(option).to_be_visible()
    await option.click()


async def test_the_story_of_the_manual(open_page: OpenPage) -> None:
    page = await open_page(PORTAL)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Maillage Mantes")
    what = page.get_by_label("Qui, quoi ?", exact=True)
    await what.press_sequentially("kinésithér", delay=20)
    await expect(page.get_by_role("group", name="Spécialités et professions")).to_be_visible()
    assert await findings(page) == []
    await page.get_by_role("option").filter(has_text="Masseur-kinésithérapeute").first.click()
    await page.wait_for_url(re.compile(r"code=G15(\||%7C)70"))

    await choose(page, "Où ?", "mantes la j", "Mantes-la-Jolie")
    await page.wait_for_url(re.compile("where=commune:78361"))
    await choose(page, "Ajouter un lieu", "limay", "Limay")
    await page.wait_for_url(re.compile("where=commune:78335"))
    await expect(page.get_by_role("heading", level=1)).to_have_text("Masseur-kinésithérapeute · Mantes-la-Jolie, Limay")
    places = page.get_by_role("list", name="Lieux de la recherche")
    await expect(places.get_by_role("link")).to_have_count(2)
    both = await page.locator(".results-count").inner_text()

    await page.get_by_label("Visite et soins à domicile").check()
    await page.wait_for_url(re.compile("reception="))
    await expect(page.locator(".results-count")).not_to_have_text(both)
    await expect(page.get_by_role("list", name="Filtres actifs")).to_contain_text("domicile")
    assert "where=commune:78335" in page.url

    territories = page.get_by_role("button", name="Territoires d’intervention")
    await territories.click()
    await expect(territories).to_have_attribute("aria-pressed", "true")
    shapes = page.locator("[data-map] path.leaflet-interactive[fill='#6b2a6e']")
    await expect(shapes.first).to_be_attached()
    await territories.click()
    await expect(shapes).to_have_count(0)

    boxes = page.get_by_role("checkbox", name=re.compile("^Garder"))
    await boxes.nth(0).check()
    await boxes.nth(1).check()
    await expect(page.get_by_role("navigation", name="Principale")).to_contain_text("Mes favoris (2)")
    await page.locator(".result-link").first.click()
    await expect(page.locator(".sheet-updated")).to_have_text(re.compile(r"Mis à jour le \d"))
    await expect(page.locator("[data-territory]")).to_be_visible()
    await page.get_by_role("link", name="Retour aux résultats").click()
    await page.wait_for_url(re.compile("where=commune:78335"))
    await expect(boxes.nth(1)).to_be_checked()

    await page.get_by_role("button", name="Comparer les offres gardées").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Comparer des offres")
    await expect(page.locator(".compare thead a[href*='/offres/']")).to_have_count(2)
    await page.get_by_role("link", name="Voir les offres gardées").click()
    await expect(page.locator(".kept li")).to_have_count(2)
    document = await page.get_by_role("link", name="PDF").first.get_attribute("href")
    paper = await page.request.get(str(document))
    assert paper.headers["content-type"] == "application/pdf" and (await paper.body()).startswith(b"%PDF")
    await page.get_by_role("link", name=re.compile("^Retirer")).first.click()
    await expect(page.locator(".kept li")).to_have_count(1)
    await page.goto(f"{PORTAL}/favoris")
    await page.wait_for_url(re.compile(r"/favoris\?o="))
    await expect(page.locator(".kept li")).to_have_count(1)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_sheets_kept_and_compared_pages(open_page: OpenPage, size: tuple[int, int]) -> None:
    page = await open_page(DESCRIBED, size)
    answer: Any = await (await page.request.get("/api/v1/search?q=kin%C3%A9&reception=R338|05")).json()
    uids = [offer["id"] for item in answer["items"] for offer in item["offers"]][:2]
    kept = "&".join(f"o={uid}" for uid in uids)
    site = answer["items"][0]["site"]["id"]
    for path in (f"/offres/{uids[0]}?{kept}", f"/sites/{site}", f"/favoris?{kept}", f"/comparer?{kept}"):
        await page.goto(PORTAL + path)
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await check(page)


async def test_on_a_phone_the_map_is_a_tab_and_shows_territories(open_page: OpenPage) -> None:
    page = await open_page(DESCRIBED, NARROW)
    await page.get_by_role("button", name="Territoires d’intervention").click()
    await expect(page.locator("[data-map]")).to_be_visible()
    await expect(page.locator("[data-map] path.leaflet-interactive[fill='#6b2a6e']").first).to_be_attached()
    await check(page)
    await page.get_by_role("button", name="Liste").click()
    await page.get_by_role("link", name="Filtrer").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert await findings(page) == []


async def test_a_phone_has_the_menu_of_the_portal(open_page: OpenPage) -> None:
    page = await open_page(DESCRIBED, NARROW)
    await page.get_by_role("checkbox", name=re.compile("^Garder")).first.check()
    menu = page.get_by_role("navigation", name="Menu")
    await page.get_by_text("Menu", exact=True).click()
    await expect(menu.get_by_role("link", name="Se connecter")).to_be_visible()
    await check(page)
    await page.keyboard.press("Escape")
    await expect(menu).to_be_hidden()
    await page.get_by_text("Menu", exact=True).click()
    await menu.get_by_role("link", name="Mes favoris (1)").click()
    await expect(page.locator(".kept li")).to_have_count(1)


@pytest.mark.parametrize("path", [PORTAL, "/recherche?q=kin%C3%A9&where=departement:78"])
async def test_distances_are_told_from_a_town_of_ones_own(open_page: OpenPage, path: str) -> None:
    page = await open_page(path, NARROW)
    count = page.locator(".results-count")
    found = re.match(r"\S+", await count.inner_text())
    assert found is not None
    hint = page.get_by_role("link", name="Comptez les distances")
    if path == PORTAL:
        await expect(count).not_to_contain_text("distances depuis")
        await hint.click()
    else:
        await expect(count).to_contain_text("distances depuis Versailles")
        await page.get_by_role("link", name="Filtrer").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    field = page.get_by_label("Distances depuis")
    if path == PORTAL:
        await expect(field).to_be_focused()
    await field.press_sequentially("lima", delay=20)
    await page.get_by_role("option").filter(has_text="Limay").first.click()
    await page.wait_for_url(re.compile("origin=commune(:|%3A)78335"))
    await page.keyboard.press("Escape")
    await expect(count).to_contain_text("distances depuis Limay")
    await expect(count).to_contain_text(found[0])
    await expect(page.locator(".result-distance").first).to_be_visible()
    await expect(page.get_by_role("link", name="Pertinence", exact=True)).to_be_visible()
    await expect(hint).to_have_count(0)
    await check(page)
    await page.get_by_role("link", name="Filtrer").click()
    await field.fill("")
    await page.keyboard.press("Tab")
    await page.wait_for_url(lambda url: "origin=" not in url)
    await expect(count).not_to_contain_text("Limay")


@pytest.mark.parametrize("scripts", [True, False])
async def test_on_a_phone_an_error_leads_to_its_field_among_the_filters(
    open_page: OpenPage, watch: Watch, scripts: bool
) -> None:
    watch.allow("Failed to load resource")
    page = await open_page(f"{PORTAL}?q=kin%C3%A9&origin_lieu=zzzz", NARROW, scripts=scripts)
    field = page.get_by_label("Distances depuis")
    await expect(field).to_be_hidden()
    await page.get_by_role("alert").get_by_role("link").click()
    await expect(field).to_be_visible()
    await expect(field).to_have_value("zzzz")
    await page.get_by_role("link", name="Fermer").click()
    await expect(field).to_be_hidden()


async def test_without_scripts_everything_is_a_link_or_a_form(open_page: OpenPage) -> None:
    page = await open_page(PORTAL, scripts=False)
    await page.get_by_label("Qui, quoi ?", exact=True).fill("kiné")
    await page.get_by_label("Où ?", exact=True).fill("limay")
    await page.get_by_role("button", name="Rechercher").click()
    await page.get_by_label("Ajouter un lieu", exact=True).fill("mantes la jolie")
    await page.get_by_role("button", name="Rechercher").click()
    await page.wait_for_url(re.compile("where=commune:78335&where=commune:78361"))
    await page.get_by_role("link", name="Retirer le lieu Limay").click()
    await page.wait_for_url(re.compile(r"where=commune:78361$"))
    await page.get_by_role("link", name="Tableau").click()
    boxes = page.get_by_role("checkbox", name=re.compile("^Garder"))
    await boxes.nth(0).check()
    await boxes.nth(1).check()
    await page.get_by_role("button", name="Voir les offres gardées").click()
    await expect(page.locator(".kept li")).to_have_count(2)
    await page.get_by_role("link", name="Chercher une autre offre").click()
    await expect(page.get_by_role("navigation", name="Principale")).to_contain_text("Mes favoris (2)")
    await page.get_by_role("link", name="Mes favoris").first.click()
    await page.get_by_role("button", name="Comparer les offres cochées").click()
    await expect(page.locator(".compare thead a[href*='/offres/']")).to_have_count(2)
    await page.get_by_role("navigation", name="Fil d’Ariane").get_by_role("link").click()
    await page.locator(".result-link").nth(3).click()
    await page.get_by_role("link", name="Garder dans mes favoris").click()
    await expect(page.get_by_role("navigation", name="Principale")).to_contain_text("Mes favoris (3)")


async def test_the_frame_takes_the_height_of_what_it_shows(open_page: OpenPage, watch: Watch) -> None:
    page = await open_page(f"{PORTAL}/integrer")
    frame = page.frame_locator(".portal-example iframe")
    await frame.get_by_label("Qui, quoi ?").fill("kiné")
    await frame.get_by_role("button", name="Rechercher").click()
    await expect(frame.locator(".widget-results li")).to_have_count(5)
    box = page.locator(".portal-example iframe")
    for _ in range(100):
        gap = await box.evaluate("f => f.clientHeight - f.contentDocument.body.scrollHeight")
        if gap == 0 and await box.evaluate("f => f.clientHeight") > 330:
            break
        await page.wait_for_timeout(100)
    assert gap == 0
    # Nobody else's message moves it.
    await page.evaluate("window.postMessage({kind: 'repere:hauteur', height: 1999}, '*')")
    await page.wait_for_timeout(200)
    assert await box.evaluate("f => f.clientHeight") < 1000
    async with page.context.expect_page() as opened:
        await frame.get_by_role("link", name="Voir tous les résultats").click()
    await expect((await opened.value).get_by_role("heading", level=1)).to_have_text("Kiné")
    await page.get_by_role("button", name="Copier le code").click()
    await expect(page.locator("[data-copy-text]")).not_to_have_text("Copier le code")


async def test_the_form_of_administrators(open_page: OpenPage, watch: Watch) -> None:
    watch.allow("Failed to load resource")
    page = await open_page("/administration/portails", who=ADMINISTRATOR)
    await page.get_by_role("link", name="Créer un portail").click()
    await check(page)
    for label, value in (
        ("Adresse", "essai"), ("Titre", "Essai"), ("Nom court", "Essai"), ("Zone", "Limay"),
        ("Couleur des actions", "#ffd400"),
    ):  # fmt: skip
        await page.get_by_label(label, exact=True).fill(value)
    await page.get_by_role("button", name="Prévisualiser").click()
    summary = page.get_by_role("alert")
    await expect(summary).to_contain_text("trop claire")
    await expect(summary).to_be_focused()
    await page.get_by_label("Couleur des actions", exact=True).fill("#7a1f1f")
    await page.get_by_role("button", name="Prévisualiser").click()
    await expect(page.get_by_role("heading", name="Aperçu")).to_contain_text("pas encore enregistré")
    button = page.locator(".portal-preview .btn-primary")
    await expect(button).to_have_css("background-color", "rgb(122, 31, 31)")
    await expect(page.locator(".portal-preview")).to_contain_text("Limay")
    await check(page)
    await page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    await check(page)
