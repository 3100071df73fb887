"""Every page, wide and narrow: axe finds nothing, nothing scrolls sideways."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import AXE, NARROW, WIDE, Watch, settled

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Awaitable[Page]]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PAGES = {
    "home": "/",
    "results": "/recherche?q=kin%C3%A9&where=commune:78361",
    "boundary": "/recherche?code=G15|50&where=departement:78",
    "nothing": "/recherche?q=scanographie&where=commune:78361&radius_km=1&age=3",
    "start": "/recherche",
    "refused": "/recherche?q=kin%C3%A9&age=999&lieu=zzzzzz",
    "coverage": "/couverture",
    "help": "/aide",
    "nomenclatures": "/nomenclatures",
    "downloads": "/donnees",
    "dictionary": "/donnees/dictionnaire",
    "api": "/api",
    "integrators": "/integrateurs",
    "legal": "/mentions-legales",
    "accessibility": "/accessibilite",
    "lost": "/cette-page-n-existe-pas",
    "portal": "/maillage/mantes",
    "portal places": "/maillage/mantes?q=kin%C3%A9&where=commune:78361&where=commune:78335",
    "portal table": "/maillage/mantes?q=kin%C3%A9&where=commune:78361&vue=tableau",
    "portal nothing": "/maillage/mantes?q=scanographie&age=3",
    "portal refused": "/maillage/mantes?q=kin%C3%A9&age=999&lieu=zzzzzz",
    "portal kept": "/maillage/mantes/favoris",
    "portal compared": "/maillage/mantes/comparer",
    "portal embedding": "/maillage/mantes/integrer",
    "portal frame": "/maillage/mantes/widget?q=kin%C3%A9",
}


async def findings(page: Page) -> list[str]:
    """Return what axe finds, one line per rule, on a page of the site or in a file of one's own."""
    if page.url.startswith("file:"):
        await page.add_script_tag(path=AXE)
    else:
        await page.add_script_tag(url="/static/vendor/axe/axe.min.js")
    report: dict[str, Any] = await page.evaluate(
        "rules => axe.run(document, {runOnly: rules}).then(({violations}) => ({violations}))", RULES
    )
    return [
        f"{found['id']} ({len(found['nodes'])}): {found['nodes'][0]['html'][:200]}" for found in report["violations"]
    ]


async def check(page: Page) -> None:
    """Check a page as it stands."""
    await settled(page)
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert await findings(page) == []


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", PAGES)
async def test_page(open_page: OpenPage, watch: Watch, name: str, size: tuple[int, int]) -> None:
    if name in ("lost", "refused", "portal refused"):
        watch.allow("Failed to load resource")
    await check(await open_page(PAGES[name], size))


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_sheets(open_page: OpenPage, size: tuple[int, int]) -> None:
    page = await open_page("/")
    found = await page.request.get("/api/v1/search", params={"q": "kiné", "where": "commune:78361"})
    answer = await found.json()
    described = next(offer for item in answer["items"] for offer in item["offers"] if offer["described"])
    for path in (f"/sites/{answer['items'][1]['site']['id']}", f"/offres/{described['id']}?where=commune:78335"):
        page = await open_page(path, size)
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await check(page)


async def test_open_suggestions_map_and_filters(open_page: OpenPage) -> None:
    page = await open_page("/")
    await page.get_by_label("Qui, quoi ?", exact=True).press_sequentially("kiné", delay=20)
    await expect(page.get_by_role("option").first).to_be_visible()
    assert await findings(page) == []
    page = await open_page(PAGES["results"], NARROW)
    await page.get_by_role("button", name="Carte").click()
    await expect(page.locator(".pin-rank").first).to_be_visible()
    await check(page)
    await page.get_by_role("button", name="Liste").click()
    await page.get_by_role("link", name="Filtrer").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert await findings(page) == []
