"""Pages around an offer in a browser, wide and narrow: its place, two tabs, its history, what people keep of it."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest
from playwright.async_api import Page, expect
from sqlalchemy.engine import URL

from directory.freshness import link_token
from tests.browser.conftest import NARROW, WIDE, Watch
from tests.browser.seed import COORDINATOR
from tests.browser.test_accessibility import check

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Awaitable[Page]]


async def check_both(page: Page) -> None:
    """Check a page at both widths, and leave it wide."""
    for width, height in (NARROW, WIDE):
        await page.set_viewport_size({"width": width, "height": height})
        await check(page)


async def own(open_page: OpenPage, who: str) -> tuple[Page, str]:
    """Open the only offer of somebody; return its page and its address."""
    page = await open_page("/mon-offre", who=who)
    await page.wait_for_url(re.compile("/mon-offre/[0-9a-f-]{36}$"))
    return page, page.url


async def test_a_pin_is_dragged_and_saved(open_page: OpenPage) -> None:
    page, base = await own(open_page, "voisine")
    await page.goto(f"{base}/position")
    pin = page.locator(".pin-mark")
    await expect(pin).to_be_visible()
    await check_both(page)
    lat, lon = page.get_by_label("Latitude"), page.get_by_label("Longitude")
    before = float(await lat.input_value()), float(await lon.input_value())
    await pin.scroll_into_view_if_needed()
    box = await pin.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + 10, y - 15, steps=4)
    await page.mouse.move(x + 20, y - 30, steps=4)
    await page.mouse.up()
    await expect(lat).not_to_have_value(f"{before[0]:.6f}")
    after = float(await lat.input_value()), float(await lon.input_value())
    assert 0 < after[0] - before[0] < 0.01
    assert 0 < after[1] - before[1] < 0.01
    await expect(page.get_by_label("Au point placé sur la carte")).to_be_checked()
    await page.get_by_role("button", name="Placer le lieu ici").click()
    await expect(page.get_by_role("status").filter(has_text="Le lieu est situé")).to_be_visible()
    await page.goto(f"{base}/position")
    await expect(lat).to_have_value(f"{after[0]:.6f}")
    await expect(page.get_by_role("button", name="Revenir à la position du registre")).to_be_visible()
    await check_both(page)


async def test_two_tabs_and_a_draft_that_is_dropped(open_page: OpenPage, watch: Watch) -> None:
    watch.allow("409")
    page, base = await own(open_page, "voisine")
    await page.goto(f"{base}/modifier")
    await page.get_by_role("button", name="Commencer le peuplement").click()
    await page.get_by_role("button", name="Suivant").click()
    await page.wait_for_url(re.compile("/modifier/mon-offre-1"))
    other = await page.context.new_page()
    await other.goto(page.url)
    for tab, age in ((other, "10"), (page, "12")):
        await tab.get_by_label("Âge minimum").fill(age)
        await tab.get_by_role("button", name="Suivant").click()
        if tab is other:
            await tab.wait_for_url(re.compile("/modifier/mon-offre-2"))
    await expect(page.get_by_role("heading", level=1)).to_have_text("Cette étape a changé entre-temps")
    await expect(page.get_by_role("group", name="Âge minimum")).to_contain_text("12")
    await expect(page.get_by_role("group", name="Âge minimum")).to_contain_text("10")
    await check_both(page)
    await page.goto(f"{base}/annuler")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Abandonner le brouillon ?")
    await check_both(page)
    await page.get_by_role("button", name="Abandonner le brouillon").click()
    await expect(page.get_by_role("status").filter(has_text="Le brouillon est abandonné")).to_be_visible()


async def test_what_is_kept_and_compared(open_page: OpenPage) -> None:
    page = await open_page("/favoris", who="voisine")
    await check_both(page)
    answer = await page.request.get("/api/v1/search", params={"q": "kiné", "where": "commune:78361"})
    offers = [offer for item in (await answer.json())["items"] for offer in item["offers"]]
    # The richest sheet, beside one that its practitioner never described.
    first, second = (next(o["id"] for o in offers if o["described"] is wanted) for wanted in (True, False))
    await page.goto(f"/offres/{first}")
    await page.get_by_role("button", name="Garder").click()
    await expect(page.get_by_role("button", name="Gardée")).to_be_visible()
    await page.goto("/favoris")
    await page.get_by_label("Note privée").fill("Rappeler lundi. " + "Une-note-sans-espace-" * 8)
    await page.get_by_role("button", name="Enregistrer la note").click()
    await page.wait_for_url(re.compile(r"/favoris\?page=1#note-"))
    await expect(page.get_by_label("Note privée")).to_have_value(re.compile("^Rappeler lundi"))
    await check_both(page)
    await page.get_by_role("button", name="Retirer").click()
    await expect(page.get_by_text("Vous n’avez pas d’offre favorite")).to_be_visible()
    await page.goto(f"/comparer?o={first}&o={second}")
    await expect(page.locator("table.compare thead a[href^='/offres/']")).to_have_count(2)
    await check_both(page)


async def test_offers_are_ticked_counted_and_compared(open_page: OpenPage) -> None:
    results = "/recherche?q=kin%C3%A9&where=commune:78361"
    page = await open_page(results, who="voisine")
    compare = page.get_by_role("button", name="Comparer les offres cochées")
    await compare.click()
    await page.get_by_role("link", name="Retour aux résultats").click()
    await expect(page).to_have_url(re.compile("/recherche.q=kin%C3%A9&where=commune:78361$"))
    boxes = page.get_by_role("checkbox", name=re.compile("^Comparer"))
    hint = page.locator("#comparer-aide")
    for number in range(4):
        await expect(hint).to_have_text("Cochez deux offres ou plus, 4 au plus.")
        await boxes.nth(number).check()
    said = await page.locator(".compare-bar p").evaluate("one => getComputedStyle(one, '::after').content")
    assert "Cochées" in said, "what is ticked is counted"
    # Full: the others wait, the bar in sight says why, and those that are ticked can be left.
    full = "4 offres au plus se lisent côte à côte : décochez-en une pour en choisir une autre."
    await expect(hint).to_have_text(full)
    await expect(hint).to_be_in_viewport()
    await expect(boxes.nth(4)).to_be_disabled()
    await expect(boxes.nth(4)).to_have_accessible_description(full)
    await expect(boxes.nth(0)).to_be_enabled()
    # Where the bar has its own place: above, it covers a part of what is about to be scrolled to.
    await page.evaluate("scrollTo(0, document.body.scrollHeight)")
    await check(page)
    await boxes.nth(0).focus()
    await page.keyboard.press("Space")
    await expect(hint).to_have_text("Cochez deux offres ou plus, 4 au plus.")
    await boxes.nth(4).check()
    await expect(boxes.nth(0)).to_be_disabled()
    # Results drawn again have boxes of their own.
    await page.get_by_label("Accepte de nouveaux patients").check()
    await page.wait_for_url(re.compile("accepts_new=1"))
    await expect(page.locator(".compare-box :checked")).to_have_count(0)
    await page.go_back()
    await expect(boxes.nth(6)).to_be_visible()
    await expect(page.locator(".compare-box :disabled")).to_have_count(0)
    for number in range(4):
        await boxes.nth(number).check()
    await compare.click()
    await expect(page.locator("table.compare thead a[href^='/offres/']")).to_have_count(4)
    await expect(page.get_by_role("rowheader", name="Distance")).to_be_visible()


async def test_without_scripts_a_fifth_offer_waits_until_one_is_taken_off(open_page: OpenPage) -> None:
    page = await open_page("/recherche?q=kin%C3%A9&where=commune:78361", scripts=False, who="voisine")
    boxes = page.get_by_role("checkbox", name=re.compile("^Comparer"))
    for number in range(5):
        await boxes.nth(number).check()
    await page.get_by_role("button", name="Comparer les offres cochées").click()
    many = page.get_by_role("region", name="5 offres sont choisies, 4 au plus se lisent côte à côte")
    await expect(many).to_be_focused()
    await expect(many.get_by_role("listitem")).to_have_count(5)
    columns = page.locator("table.compare thead a[href^='/offres/']")
    fifth = await many.get_by_role("listitem").nth(4).locator("strong").inner_text()
    await expect(columns).to_have_count(4)
    await expect(columns.filter(has_text=fifth)).to_have_count(0)
    await many.get_by_role("link", name="Retirer").nth(1).click()
    await expect(many).to_have_count(0)
    await expect(columns).to_have_count(4)
    await expect(columns.filter(has_text=fifth)).to_have_count(1)
    # The search is not lost either.
    await expect(page.get_by_role("rowheader", name="Distance")).to_be_visible()


async def test_too_many_offers_are_listed_wide_and_narrow(open_page: OpenPage) -> None:
    page = await open_page("/", who="voisine")
    answer = await page.request.get("/api/v1/search", params={"q": "kiné", "where": "commune:78361"})
    uids = [offer["id"] for item in (await answer.json())["items"] for offer in item["offers"]][:6]
    await page.goto("/comparer?" + "&".join(f"o={uid}" for uid in uids))
    await expect(page.get_by_role("region", name=re.compile("^6 offres sont choisies"))).to_be_visible()
    await check_both(page)
    await page.goto("/maillage/mantes/favoris?" + "&".join(f"o={uid}" for uid in uids))
    boxes = page.get_by_role("checkbox", name=re.compile("^Comparer"))
    await expect(boxes.nth(4)).to_be_disabled()
    await boxes.nth(0).uncheck()
    await expect(boxes.nth(4)).to_be_enabled()
    await check_both(page)


@pytest.mark.parametrize("profession", ["", "70"])
async def test_completeness(open_page: OpenPage, profession: str) -> None:
    page = await open_page(f"/completude?profession={profession}", who=COORDINATOR)
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Yvelines")
    await expect(page.get_by_role("heading", name="Par commune")).to_be_visible()
    await check_both(page)


async def test_the_link_of_a_reminder_and_the_history(open_page: OpenPage, directory_database: URL) -> None:
    dsn = directory_database.set(drivername="postgresql").render_as_string(hide_password=False)
    page, base = await own(open_page, "relancee")
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "UPDATE directory.offer SET updated_at = now() - interval '7 months' WHERE uid = %s", (base[-36:],)
        )
        row = connection.execute("SELECT uid FROM accounts.account WHERE last_name = 'RELANCEE'").fetchone()
    assert row is not None
    await page.goto(f"/exact/{link_token(UUID(str(row[0])), datetime.now(UTC).toordinal())}")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Votre offre est-elle toujours exacte ?")
    await check_both(page)
    await page.get_by_role("button", name=re.compile("exact")).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Tout est à jour")
    await check_both(page)
    await page.goto(f"{base}/historique")
    await expect(page.locator(".history-entry").nth(1)).to_be_visible()
    for closed in await page.locator(".history details:not([open]) summary").all():
        await closed.click()
    await check_both(page)
