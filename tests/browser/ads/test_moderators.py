"""Moderators: two of them at once, and one on a phone."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.ads.steps import banner, decided, seen, written
from tests.browser.conftest import NARROW, Watch
from tests.browser.test_accessibility import check
from tests.browser.test_offer import press

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Awaitable[Page]]


async def test_a_second_moderator_is_told(open_page: OpenPage, watch: Watch) -> None:
    number = await written(await open_page("/annonces/deposer", who="medecin"), "Cherche un remplaçant à Voiron")
    first = await open_page(f"/annonces/moderation/{number}", who="cd38")
    second = await open_page(f"/annonces/moderation/{number}", who="cd38-bis")
    await first.get_by_role("button", name="Accepter").click()
    await first.get_by_role("dialog").get_by_role("button", name="Publier l’annonce").click()
    await expect(banner(first)).to_contain_text("acceptée")
    watch.allow("409")
    await second.locator("#refus").get_by_text("Refuser", exact=True).click()
    await second.get_by_label("Explication du refus").fill("Précisez les dates.")
    await second.get_by_role("button", name="Refuser l’annonce").click()
    summary = second.get_by_role("alert")
    await expect(summary).to_be_focused()
    await expect(summary).to_contain_text("Paule Conseil 38")
    await expect(second.get_by_label("Explication du refus")).to_have_value("Précisez les dates.")
    await expect(second.locator(".moderation-state")).to_contain_text("Publiée")
    await seen(second)
    # Whoever knows better may still refuse it, now that they were told.
    await second.get_by_role("button", name="Refuser et dépublier l’annonce").click()
    await expect(banner(second)).to_contain_text("refusée")


async def in_sight(page: Page, wanted: Locator) -> None:
    """Expect an element to be on the screen whole, with nothing over it."""
    await expect(wanted).to_be_in_viewport(ratio=1)
    assert await wanted.evaluate(
        "element => { const at = element.getBoundingClientRect();"
        " return element.contains(document.elementFromPoint(at.x + at.width / 2, at.y + at.height / 2)) }"
    )


async def test_on_a_phone_the_decision_is_at_hand(open_page: OpenPage) -> None:
    author = await open_page("/annonces/deposer", who="medecin")
    number = await written(author, "Cherche un remplaçant pour un an", "Cabinet de groupe, secrétariat.\n" * 60)
    page = await open_page(f"/annonces/moderation/{number}", NARROW, who="cd38")
    choices = page.get_by_role("navigation", name="Décider").get_by_role("link", name="Refuser")
    accepts = page.get_by_role("button", name="Accepter")
    for share in (0, 0.5, 1):
        await page.evaluate("share => window.scrollTo(0, share * document.body.scrollHeight)", share)
        await in_sight(page, accepts)
        await in_sight(page, choices)
        await check(page)
    # By the keyboard, both come before the ad, and the bar is over nothing that has the focus.
    await page.evaluate("window.scrollTo(0, 0)")
    await press(page, "Accepter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await check(page)
    await page.keyboard.press("Escape")
    await page.keyboard.press("Tab")
    await expect(choices).to_be_focused()
    await page.keyboard.press("Enter")
    reason = page.get_by_label("Explication du refus")
    await expect(page.locator("#refus").locator("select, textarea").first).to_be_focused()
    await in_sight(page, page.locator("#refus").locator("select, textarea").first)
    await check(page)
    await reason.fill("Précisez les dates.")
    await page.get_by_role("button", name="Refuser l’annonce").click()
    await decided(page, number, "refusée")


async def test_without_scripts_the_decision_is_at_hand_too(open_page: OpenPage) -> None:
    author = await open_page("/annonces/deposer", who="medecin")
    number = await written(author, "Cherche un remplaçant l’hiver", "Cabinet de groupe, secrétariat.\n" * 60)
    page = await open_page(f"/annonces/moderation/{number}", NARROW, scripts=False, who="cd38")
    await page.get_by_role("navigation", name="Décider").get_by_role("link", name="Refuser").click()
    await expect(page.get_by_label("Explication du refus")).to_be_in_viewport()
    await page.get_by_role("navigation", name="Décider").get_by_role("link", name="Accepter").click()
    await page.get_by_role("button", name="Publier l’annonce").click()
    await decided(page, number, "acceptée")
    await author.goto(f"/annonces/{number}/supprimer")
    await author.get_by_role("button", name="Supprimer l’annonce").click()
    await expect(banner(author)).to_contain_text("L’annonce est supprimée.")
