"""The results page under a slow hand, on a narrow screen and without a place."""

import re
from collections.abc import Awaitable, Callable
from math import cos, radians
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Page, Request, expect

from tests.browser.conftest import NARROW, settled

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Awaitable[Page]]
KINE = "/recherche?q=kin%C3%A9&where=commune:78361"


async def entries(page: Page) -> int:
    """Return the length of the history."""
    length: int = await page.evaluate("history.length")
    return length


async def test_an_age_written_slowly_is_one_age_and_one_entry(open_page: OpenPage) -> None:
    page = await open_page(KINE)
    before = await entries(page)
    age = page.get_by_label("Âge du patient")
    await age.focus()
    await page.keyboard.press("1")
    await page.wait_for_url(re.compile(r"age=1&"))
    await settled(page)
    await page.keyboard.press("2")
    await page.wait_for_url(re.compile(r"age=12&"))
    await settled(page)
    await page.keyboard.press("Tab")
    await settled(page)
    await expect(age).to_have_value("12")
    assert await entries(page) == before + 1
    await page.go_back()
    await expect(age).to_have_value("")
    assert "age=" not in page.url


async def test_a_moment_waits_for_its_last_digit_and_stays_in_its_field(open_page: OpenPage) -> None:
    page = await open_page(KINE)
    before = await entries(page)
    await page.get_by_text("Choisir un jour et une heure").click()
    moment = page.get_by_label("Jour et heure")
    await moment.focus()
    # The same keys whatever the order of the day and the month, and with or without a half of the day.
    for keys in ("11", "11", "2026", "10", "30", "A"):
        await page.keyboard.type(keys)
    assert "open_at" not in page.url
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile("open_at=2026-11-11T10:30"))
    await settled(page)
    await expect(moment).to_have_value("2026-11-11T10:30")
    chosen = page.get_by_label("Ouvert", exact=True).locator("option:checked")
    await expect(chosen).to_have_text("mer. 11\u00a0nov., 10\u00a0h\u00a030")
    assert await entries(page) == before + 1

    # Half an hour later is two keys, taken when the field is left.
    await moment.fill("2026-11-11T11:00")
    await page.keyboard.press("Shift+Tab")
    await page.wait_for_url(re.compile("open_at=2026-11-11T11:00"))
    await settled(page)
    await page.get_by_label("Ouvert", exact=True).select_option("maintenant")
    await page.wait_for_url(re.compile("open_at=maintenant"))
    await expect(moment).to_have_value("")


async def test_the_town_visited_is_near_the_search_and_always_the_one_written(open_page: OpenPage) -> None:
    page = await open_page(KINE)
    field = page.get_by_label("Se déplace à domicile à")
    said = page.locator("[data-visits-said]")
    await field.click()
    await page.keyboard.type("Lim")
    await expect(page.locator(".filters .combo-option").first).to_contain_text("Limay (78520)")
    await page.keyboard.press("Tab")
    await expect(said).to_contain_text("« Lim » n’est pas appliqué")
    await expect(field).to_have_value("")
    await field.fill("limay")
    await page.keyboard.press("Tab")
    await page.wait_for_url(re.compile("visits=78335"))
    await settled(page)
    await expect(field).to_have_value("Limay (78520)")
    await field.fill("Limayette")
    await page.keyboard.press("Tab")
    await expect(field).to_have_value("Limay (78520)")
    await expect(said).to_contain_text("« Limayette » n’est pas appliqué")
    # A text under way is never sent: another filter leaves the town as it was.
    await field.fill("Lim")
    # What is proposed comes some time after, and lies over the filters below.
    await expect(page.locator(".filters .combo-option").first).to_be_visible()
    await page.keyboard.press("Escape")
    await page.get_by_label("Accepte de nouveaux patients").check()
    await page.wait_for_url(re.compile("accepts_new=1"))
    await settled(page)
    assert "visits=78335" in page.url
    await field.fill("")
    await page.keyboard.press("Tab")
    await page.wait_for_url(lambda url: "visits=" not in url)


async def test_a_popup_on_a_phone_hides_nothing_and_asks_for_no_other_zone(open_page: OpenPage) -> None:
    page = await open_page(KINE, (NARROW[0], 480))
    await page.get_by_role("button", name="Carte").click()
    await expect(page.locator("[data-map-status]")).to_contain_text("dans cette vue")
    await settled(page)
    pins = page.locator(".pin-rank")
    boxes = [await pin.bounding_box() for pin in await pins.all()]
    # The leftmost pin of a low map: nowhere beside the buttons is room for its popup, the map has to move.
    first = min(range(len(boxes)), key=lambda index: boxes[index]["x"])  # type: ignore[index]
    await pins.nth(first).focus()
    await page.keyboard.press("Enter")
    popup = page.locator(".leaflet-popup")
    await expect(popup.get_by_role("heading")).to_be_visible()
    await expect(page.locator(".leaflet-pan-anim")).to_have_count(0)
    await settled(page)
    assert await pins.nth(first).bounding_box() != boxes[first], "the map did not move: nothing was shown"
    title, zoom = await popup.get_by_role("heading").bounding_box(), await page.locator(".leaflet-bar").bounding_box()
    assert title is not None
    assert zoom is not None
    assert title["y"] > zoom["y"] + zoom["height"] or title["x"] > zoom["x"] + zoom["width"]
    await expect(page.get_by_role("button", name="Rechercher dans cette zone")).to_be_hidden()


async def test_a_pressed_pin_brings_its_card_to_sight(open_page: OpenPage) -> None:
    page = await open_page(KINE)
    await expect(page.locator("[data-map-status]")).to_contain_text("dans cette vue")
    await settled(page)
    pin = page.locator(".pin-rank").last
    rank = re.match(r"\d+", await pin.inner_text())
    assert rank is not None
    card = page.locator(f".result[data-rank='{rank[0]}']")
    await expect(card).not_to_be_in_viewport()
    await pin.focus()
    await page.keyboard.press("Enter")
    await expect(card).to_be_in_viewport(ratio=1)
    await expect(card).to_have_class(re.compile("is-lit"))


async def test_a_phone_has_the_menu_the_filters_of_the_map_and_comes_back_to_where_it_was(open_page: OpenPage) -> None:
    page = await open_page(KINE, NARROW)
    await page.get_by_text("Menu").click()
    menu = page.get_by_role("navigation", name="Menu")
    await expect(menu.get_by_role("link", name="Aide")).to_be_visible()
    await expect(menu.get_by_role("link", name="Se connecter")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(menu).to_be_hidden()

    await page.locator(".result-link").nth(7).click()
    await page.get_by_role("link", name="Retour aux résultats").click()
    await expect(page.locator(".result-link").nth(7)).to_be_in_viewport()

    await page.get_by_role("button", name="Carte").click()
    await page.get_by_role("link", name="Filtrer").click()
    await page.get_by_role("dialog").get_by_label("Accepte de nouveaux patients").check()
    await page.wait_for_url(re.compile("accepts_new=1"))
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("link", name="Filtrer (1)")).to_be_focused()
    # The address before the filter was left on its map too.
    await page.go_back()
    await expect(page.get_by_role("button", name="Carte")).to_have_attribute("aria-pressed", "true")
    await page.locator(".pin-rank").first.focus()
    await page.keyboard.press("Enter")
    await page.locator(".leaflet-popup").get_by_role("link").first.click()
    await page.wait_for_url(re.compile("/(offres|sites)/"))
    await page.go_back()
    await expect(page.get_by_role("button", name="Carte")).to_have_attribute("aria-pressed", "true")
    await expect(page.locator(".pin-rank").first).to_be_visible()


async def test_distances_are_told_from_a_named_place_or_not_offered(open_page: OpenPage) -> None:
    page = await open_page("/recherche?q=kin%C3%A9&where=departement:78")
    await expect(page.locator(".results-count")).to_contain_text("distances depuis Versailles")
    await expect(page.get_by_role("link", name="Distance", exact=True)).to_be_visible()
    await page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    await page.goto("/recherche?q=kin%C3%A9")
    await expect(page.locator(".results-sort")).to_have_text("Indiquez un lieu pour trier par distance")
    await expect(page.get_by_role("link", name="Distance", exact=True)).to_have_count(0)
    await page.get_by_role("link", name="Indiquez un lieu").click()
    await expect(page.get_by_label("Où ?", exact=True)).to_be_focused()
    # A place that the text names is one to measure from.
    await page.goto("/recherche?q=kin%C3%A9+%C3%A0+limay")
    await expect(page.get_by_role("link", name="Distance", exact=True)).to_be_visible()


async def test_a_refused_position_is_said_in_full(open_page: OpenPage) -> None:
    page = await open_page(KINE)
    await page.context.clear_permissions()
    await page.get_by_role("button", name="Autour de moi").click()
    said = page.locator(".searchbox-status")
    await expect(said).to_have_text("Votre position n’est pas accessible : écrivez une commune.")
    await expect(said).not_to_have_class(re.compile("visually-hidden"))
    await page.get_by_label("Où ?", exact=True).fill("Limay")
    await expect(said).to_have_class(re.compile("visually-hidden"))


async def test_the_menu_of_files_closes_behind_a_download(open_page: OpenPage) -> None:
    page = await open_page(KINE)
    await page.get_by_text("Exporter").click()
    async with page.expect_download():
        await page.get_by_role("link", name="Tableau (.csv)").click()
    await expect(page.get_by_role("link", name="Tableau (.csv)")).to_be_hidden()


async def test_a_map_out_of_sight_asks_for_nothing_and_asks_again_once_it_is_seen(open_page: OpenPage) -> None:
    views: list[list[float]] = []

    def note(request: Request) -> None:
        if urlsplit(request.url).path == "/api/v1/map":
            views.append([float(part) for part in parse_qs(urlsplit(request.url).query)["view"][0].split(",")])

    page = await open_page(KINE, NARROW)
    page.on("request", note)
    await page.get_by_role("button", name="Carte").click()
    await expect(page.locator("[data-map-status]")).to_contain_text("dans cette vue")
    # To the middle width and back: the phone shows its list again, behind which the map has no room.
    for width in (1000, NARROW[0], 1366, NARROW[0], 800):
        await page.set_viewport_size({"width": width, "height": 844})
        await page.wait_for_timeout(400)
        await settled(page)
    await expect(page.locator("[data-map]")).to_be_visible()
    assert len(views) >= 2, "the map did not follow the window"
    assert all(west < east and south < north for west, south, east, north in views), views
    shown = await page.locator("[data-map]").evaluate("one => one.clientWidth / one.clientHeight")
    west, south, east, north = views[-1]
    asked = (east - west) / (north - south) * cos(radians(north))
    assert asked == pytest.approx(shown, rel=0.05), "the last view asked for is the one in sight"


@pytest.mark.parametrize("path", [KINE, "/maillage/mantes?q=kin%C3%A9"])
async def test_without_scripts_the_moment_stays_in_its_field_and_the_list_still_decides(
    open_page: OpenPage, path: str
) -> None:
    page = await open_page(path, scripts=False)
    await page.get_by_text("Choisir un jour et une heure").click()
    moment = page.get_by_label("Jour et heure")
    await moment.fill("2026-11-28T10:15")
    apply = page.locator(".filters-actions").get_by_role("button")
    await apply.click()
    await page.wait_for_url(re.compile("open_at=2026-11-28T10:15"))
    await expect(moment).to_be_visible()
    await expect(moment).to_have_value("2026-11-28T10:15")
    await page.get_by_label("Accepte de nouveaux patients").check()
    await apply.click()
    await page.wait_for_url(re.compile("open_at=2026-11-28T10:15&.*accepts_new=1"))
    await page.get_by_label("Ouvert", exact=True).select_option("maintenant")
    await apply.click()
    await page.wait_for_url(re.compile("open_at=maintenant"))
    await expect(moment).to_have_value("")
