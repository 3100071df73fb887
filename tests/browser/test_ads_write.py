"""An intern writes an ad: by the keyboard with scripts, and without any script."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import FilePayload, Page, Route, expect

from tests.browser.conftest import NARROW, WIDE, Watch
from tests.browser.seed import INTERN
from tests.browser.test_accessibility import check
from tests.browser.test_offer import press, reach
from tests.modules.ads.desk import pdf, picture

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Awaitable[Page]]


async def test_by_the_keyboard_the_form_follows_what_is_chosen(open_page: OpenPage) -> None:
    page = await open_page("/annonces/deposer", who=INTERN)
    await check(page)
    await page.locator("#titre").fill("Remplaçante disponible de juin à septembre")
    await reach(page, page.locator("#categorie"), "Shift+Tab")
    await page.keyboard.type("Rempl")
    await page.keyboard.press("Tab")
    # The only situation that an intern may take is chosen, and the flag says what it means of them.
    await expect(page.get_by_label("Je cherche un remplacement")).to_be_checked()
    await expect(page.get_by_label("Disponible immédiatement")).to_be_visible()
    await expect(page.locator("#titre")).to_have_value("Remplaçante disponible de juin à septembre")
    await reach(page, page.locator("#lieu_saisi"))
    await page.keyboard.type("mantes la j", delay=20)
    found = page.locator("#lieux-trouves").get_by_role("button", name="Mantes-la-Jolie")
    await reach(page, found)
    await page.keyboard.press("Enter")
    await expect(page.locator("input[name=lieu]")).to_have_value("commune:78361")
    await expect(page.locator("#lieu_saisi")).to_be_focused()
    await press(page, "Ajouter une période")
    await expect(page.locator("#debut-1")).to_be_focused()
    await page.locator("#debut-0").fill("2030-06-01")
    await page.locator("#fin-0").fill("2030-09-30")
    await page.locator("#fichiers").set_input_files(
        [
            FilePayload(name="Cabinet.png", mimeType="image/png", buffer=picture((60, 40), "PNG")),
            FilePayload(name="Parcours.pdf", mimeType="application/pdf", buffer=pdf()),
        ]
    )
    await page.locator("#fichiers-partie").get_by_role("button", name="Ajouter", exact=True).click()
    await expect(page.get_by_role("link", name="Cabinet.jpg")).to_be_visible()
    await page.locator("#description").fill("Je me déplace dans tout le département.")
    await check(page)
    await press(page, "Prévisualiser")
    await expect(page.get_by_role("heading", name="Aperçu de votre annonce")).to_be_visible()
    await expect(page.get_by_text("Du 1er juin au 30 septembre 2030")).to_be_visible()
    await check(page)
    await press(page, "Transmettre au conseil")
    await expect(page.get_by_role("status")).to_contain_text("transmise au conseil départemental des Yvelines")
    await check(page)
    number = (page.url.partition("annonce=")[2]).partition("&")[0]
    await page.goto(f"/annonces/{number}/modifier")
    await expect(page.get_by_role("status")).to_contain_text("est en attente de vérification")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_what_is_typed_while_an_answer_is_on_its_way_stays(open_page: OpenPage, size: tuple[int, int]) -> None:
    page = await open_page("/annonces/deposer", size, who=INTERN)
    arrived, released = asyncio.Event(), asyncio.Event()

    async def slowly(route: Route) -> None:
        if route.request.method == "POST":
            arrived.set()
            await released.wait()
        await route.continue_()

    await page.route("**/annonces/deposer", slowly)

    async def meanwhile(name: str, text: str, within: str = "#depot") -> None:
        """Press a button, and write the title before the answer comes."""
        arrived.clear()
        released.clear()
        await page.locator(within).get_by_role("button", name=name, exact=True).click()
        await arrived.wait()
        await page.locator("#urgent").set_checked(not await page.locator("#urgent").is_checked())
        await page.locator("#titre").fill(text)

    # A period: another button waits its turn, and what is typed of a place is not looked up for that.
    await page.locator("#lieu_saisi").evaluate("input => { input.value = 'un lieu inconnu' }")
    await page.locator("#fichiers").set_input_files(
        [FilePayload(name="Cabinet.png", mimeType="image/png", buffer=picture((60, 40), "PNG"))]
    )
    await meanwhile("Ajouter une période", "Pendant la période")
    released.set()
    await expect(page.locator("#debut-1")).to_be_visible()
    await expect(page.locator("#titre")).to_have_value("Pendant la période")
    await expect(page.locator("#urgent")).to_be_checked()
    # The title was being written: the focus stays there.
    await expect(page.locator("#titre")).to_be_focused()
    await expect(page.locator("#lieu_saisi")).to_have_value("un lieu inconnu")
    await expect(page.locator("#lieux .field-error")).to_have_count(0)
    assert await page.locator("#fichiers").evaluate("input => input.files.length") == 1

    await meanwhile("Ajouter", "Pendant les fichiers", "#fichiers-partie")
    released.set()
    await expect(page.get_by_role("link", name="Cabinet.jpg")).to_be_visible()
    await expect(page.locator("#titre")).to_have_value("Pendant les fichiers")
    await expect(page.locator("#urgent")).not_to_be_checked()

    # A place that is not known: the field says so, and takes the focus of who waits for it.
    await page.locator("#lieux").get_by_role("button", name="Ajouter", exact=True).click()
    await expect(page.locator("#lieu_saisi-erreur")).to_contain_text("Aucun lieu ne répond")
    await expect(page.locator("#lieu_saisi")).to_be_focused()
    await page.locator("#lieu_saisi").fill("Mantes-la-Jolie")
    await meanwhile("Ajouter", "Pendant le lieu", "#lieux")
    # A second part is asked for before the first has come: both come.
    await page.get_by_role("button", name="Ajouter une période").click()
    released.set()
    await expect(page.locator("input[name=lieu]")).to_have_value("commune:78361")
    await expect(page.locator("#debut-2")).to_be_focused()
    await expect(page.locator("#titre")).to_have_value("Pendant le lieu")
    await check(page)


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_without_any_script_nothing_typed_is_lost(
    open_page: OpenPage, watch: Watch, size: tuple[int, int]
) -> None:
    watch.allow("422")
    page = await open_page("/annonces/deposer", size, scripts=False, who=INTERN)
    await page.locator("#titre").fill("Cherche un poste")
    await page.locator("#categorie").select_option("adjuvat")
    await page.locator("#quoi").get_by_role("button", name="Continuer").click()
    await expect(page.get_by_label("Je cherche un poste d’adjoint")).to_be_checked()
    await page.locator("#lieu_saisi").fill("Yvelines")
    # The Enter key adds the place, and sends nothing.
    await page.locator("#lieu_saisi").press("Enter")
    await expect(page.locator("input[name=lieu]")).to_have_value("departement:78")
    await expect(page.locator("#titre")).to_have_value("Cherche un poste")
    await page.locator("#debut-0").fill("2030-06-01")
    await page.get_by_role("button", name="Ajouter une période").click()
    await expect(page.locator("#debut-0")).to_have_value("2030-06-01")
    await page.get_by_role("button", name="Retirer la période 2").click()
    await page.locator("#fichiers").set_input_files(
        [FilePayload(name="photo.jpg", mimeType="image/jpeg", buffer=picture((60, 40)))]
    )
    await page.get_by_role("button", name="Transmettre au conseil").click()
    await expect(page.get_by_role("alert")).to_contain_text("Décrivez l’annonce.")
    await expect(page.get_by_role("link", name="photo.jpg")).to_be_visible()
    await page.locator("#description").fill("Disponible tout de suite.")
    await page.get_by_role("button", name="Enregistrer en brouillon").click()
    await expect(page.get_by_role("status")).to_contain_text("Votre brouillon est enregistré")
    await page.get_by_role("link", name="Gérer", exact=True).click()
    await expect(page.get_by_role("heading", name="Cherche un poste").first).to_be_visible()
