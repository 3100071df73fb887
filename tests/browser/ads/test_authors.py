"""Authors by the keyboard on a phone and without scripts, and somebody who may not be one."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from tests.browser.ads.steps import banner, decided, seen, today, typed, written
from tests.browser.conftest import NARROW, WIDE, Watch
from tests.browser.test_accessibility import check
from tests.browser.test_offer import press, reach

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Awaitable[Page]]


async def test_the_author_by_the_keyboard_on_a_phone(open_page: OpenPage, watch: Watch) -> None:
    watch.allow("422")
    page = await open_page("/annonces/deposer", NARROW, who="interne-clavier")
    # Days that read the same whatever the order in which the browser wants their parts.
    year = today().year + 1
    await press(page, "Transmettre au conseil")
    summary = page.get_by_role("alert")
    await expect(summary).to_be_focused()
    await expect(summary).to_contain_text("Ajoutez au moins un lieu.")
    await check(page)
    await press(page, "Choisissez une catégorie.", "link")
    await expect(page.get_by_label("Catégorie", exact=True)).to_be_focused()
    await page.keyboard.type("Rem")
    await expect(page.get_by_label("Je cherche un remplacement")).to_be_checked()
    await typed(page, page.get_by_label("Titre"), "Remplaçant dans le Mantois")
    await typed(page, page.get_by_label("Description"), "Je remplace en ville.")
    await typed(page, page.locator("#lieu_saisi"), "limay")
    limay = page.locator("#lieux-trouves").get_by_role("button").filter(has_text="Limay")
    await reach(page, limay)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("list", name="Lieux de l’annonce")).to_contain_text("Limay")
    await expect(page.locator("#lieu_saisi")).to_be_focused()
    await typed(page, page.locator("#debut-0"), f"0505{year}")
    await expect(page.locator("#debut-0")).to_have_value(f"{year}-05-05")
    await press(page, "Ajouter une période")
    await expect(page.locator("#debut-1")).to_be_focused()
    await page.keyboard.type(f"0909{year}")
    await press(page, "Enregistrer en brouillon")
    await expect(banner(page)).to_contain_text("Votre brouillon est enregistré.")
    await check(page)
    await press(page, "Transmettre au conseil")
    await expect(banner(page)).to_contain_text("a bien été transmise au conseil départemental des Yvelines")
    number = int(str(await page.locator(".mine-ad").get_attribute("id")).removeprefix("annonce-"))
    await check(page)

    council = await open_page("/annonces/moderation?statut=pending", NARROW, who="cd78")
    await press(council, "Remplaçant dans le Mantois", "link")
    await council.wait_for_url(f"**/annonces/moderation/{number}")
    await press(council, "Accepter")
    await expect(council.get_by_role("dialog")).to_be_visible()
    await check(council)
    await press(council, "Publier l’annonce")
    await decided(council, number, "acceptée")

    await page.reload()
    mine = page.locator(f"#annonce-{number}")
    await expect(mine).to_contain_text("Publiée")
    await press(page, f"Dépublier l’annonce {number}", "link")
    await page.wait_for_url("**/depublier")
    await check(page)
    await reach(page, page.get_by_label("Pourvue"))
    await press(page, "Dépublier l’annonce")
    await expect(banner(page)).to_contain_text("est dépubliée")
    await press(page, f"Publier de nouveau l’annonce {number}", "link")
    await page.wait_for_url("**/republier")
    await check(page)
    await press(page, "Publier de nouveau")
    await expect(banner(page)).to_contain_text("est de nouveau publiée")
    await press(page, f"Supprimer l’annonce {number}", "link")
    await page.wait_for_url("**/supprimer")
    await check(page)
    await press(page, "Supprimer l’annonce")
    await expect(banner(page)).to_contain_text("L’annonce est supprimée.")
    await expect(page.get_by_text("Vous n’avez pas encore d’annonce.")).to_be_visible()


async def test_a_nurse_is_refused(open_page: OpenPage, watch: Watch) -> None:
    watch.allow("403")
    page = await open_page("/annonces", who="infirmiere")
    for address in ("/annonces", "/annonces/deposer", "/annonces/mes-annonces", "/annonces/1", "/annonces/moderation"):
        answer = await page.goto(address)
        assert answer is not None and answer.status == 403, address
        await expect(page.get_by_text("réservée")).to_be_visible()
    await page.goto("/annonces")
    await expect(page.get_by_text("réservées aux médecins, aux docteurs juniors et aux internes")).to_be_visible()
    await seen(page)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_without_scripts_an_author_writes_and_submits(open_page: OpenPage, size: tuple[int, int]) -> None:
    page = await open_page("/annonces/deposer", size, scripts=False, who="interne-simple")
    number = await written(page, "Remplaçant à Limay")
    mine = page.locator(f"#annonce-{number}")
    await expect(mine).to_contain_text("En attente")
    await mine.get_by_role("link", name="Supprimer").click()
    await page.get_by_role("button", name="Supprimer l’annonce").click()
    await expect(banner(page)).to_contain_text("L’annonce est supprimée.")
