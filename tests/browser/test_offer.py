"""The guided path as a physiotherapist takes it with the keyboard, and a midwife on her telephone."""

import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import NARROW, Watch
from tests.browser.test_accessibility import check

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Awaitable[Page]]


async def press(page: Page, name: str) -> None:
    """Press a button by the keyboard."""
    button = page.get_by_role("button", name=name, exact=True)
    await button.focus()
    await button.press("Enter")


async def at(page: Page, key: str) -> None:
    """Wait for a step and check it."""
    await page.wait_for_url(re.compile(f"/modifier/{key}"))
    await check(page)


async def choose(page: Page, field: str, text: str, count: int) -> None:
    """Search a list, tick the first results and add them, by the keyboard alone."""
    search = page.locator(f"#q-{field}")
    await search.focus()
    await page.keyboard.type(text, delay=15)
    results = page.locator(f"#resultats-{field}").get_by_role("checkbox")
    await expect(results.first).to_be_visible()
    await expect(page.locator(f"#resultats-{field} [role=status]")).to_contain_text("cochez, puis ajoutez")
    for number in range(count):
        await results.nth(number).focus()
        await page.keyboard.press("Space")
    add = page.locator(f"#resultats-{field}").get_by_role("button", name="Ajouter la sélection")
    await add.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(f"#bloc-{field} input[type=hidden][name='{field}']")).to_have_count(count)
    await expect(search).to_be_focused()


async def test_a_physiotherapist_describes_her_offer_with_the_keyboard(open_page: OpenPage, watch: Watch) -> None:
    watch.allow("422")
    page = await open_page("/mon-offre", who="kine")
    await page.wait_for_url(re.compile("/mon-offre/[0-9a-f-]{36}$"))
    await expect(page.get_by_role("heading", name=re.compile("Fiche complète à"))).to_be_visible()
    await check(page)
    await page.get_by_role("link", name="Modifier votre offre").press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Peuplement de mon offre")
    await check(page)
    await press(page, "Commencer le peuplement")
    await at(page, "informations")
    await expect(page.get_by_text("Ordre des masseurs-kinésithérapeutes").first).to_be_visible()
    await press(page, "Suivant")

    await at(page, "mon-offre-1")
    await page.get_by_label("Âge minimum").fill("18")
    await choose(page, "acts", "reeducation pelvi", 1)
    await expect(page.locator("#etat")).to_contain_text("Enregistré à")
    await page.get_by_label("J’accepte de nouveaux patients").check()
    await check(page)
    await press(page, "Suivant")

    await at(page, "mon-offre-2")
    await expect(page.locator("#bloc-territory")).to_be_hidden()
    await page.get_by_label("Visite et soins à domicile").check()
    await expect(page.locator("#bloc-territory")).to_be_visible()
    await press(page, "Suivant")
    await expect(page.locator(".error-summary")).to_be_focused()
    await page.get_by_role("link", name=re.compile("ajoutez au moins une commune")).press("Enter")
    await expect(page.locator("#champ-territory")).to_be_focused()
    await choose(page, "territory", "78200", 3)
    await expect(
        page.locator("#carte-territoire path.leaflet-interactive, #carte-territoire svg path")
    ).not_to_have_count(0)
    await check(page)
    await press(page, "Suivant")

    await at(page, "contacts")
    phone = page.get_by_label("Tél. prise de rendez-vous")
    await phone.fill("01 99")
    await press(page, "Suivant")
    await expect(page.locator(".error-summary")).to_be_focused()
    await expect(phone).to_have_value("01 99")
    await expect(phone).to_have_attribute("aria-invalid", "true")
    await check(page)
    await phone.fill("01 99 00 12 34")
    await press(page, "Suivant")

    await at(page, "horaires")
    await page.locator("#ajouter-1").press("Enter")
    await page.locator("#h-0-de").fill("09:00")
    await page.locator("#h-0-a").fill("12:30")
    await check(page)
    await press(page, "Suivant")

    await at(page, "recapitulatif")
    await page.get_by_role("link", name="Tél. prise de rendez-vous").press("Enter")
    await page.wait_for_url(re.compile("/modifier/contacts#champ-booking_phone"))
    await expect(phone).to_be_focused()
    await page.get_by_role("link", name="Récapitulatif").press("Enter")
    await press(page, "Enregistrer")
    await page.wait_for_url(re.compile("fait=enregistre"))
    await expect(page.get_by_role("status").filter(has_text="Votre offre est enregistrée")).to_be_visible()
    await check(page)
    name = await page.get_by_role("heading", level=1).inner_text()

    # The next search of the same browser shows it at once.
    await page.goto("/recherche?code=J16|1341&where=departement:78")
    await expect(page.locator(".results-count")).to_contain_text("1 site")
    await page.goto("/mon-offre")
    await page.get_by_role("link", name="Historique").click()
    await expect(page.get_by_text("Actes spécifiques réalisés en cabinet").first).to_be_visible()
    await check(page)
    assert "Consultation kinésithérapie" in name


async def test_a_midwife_describes_her_offer_on_a_telephone(open_page: OpenPage) -> None:
    page = await open_page("/mon-offre", NARROW, who="sage-femme")
    await check(page)
    await page.get_by_role("link", name="Modifier votre offre").click()
    await check(page)
    await page.get_by_role("button", name="Commencer le peuplement").click()
    await at(page, "informations")
    await expect(page.get_by_text("Ordre des sages-femmes").first).to_be_visible()
    await page.get_by_role("button", name="Suivant").click()
    await at(page, "mon-offre-1")
    await choose(page, "outside_acts", "accouchement", 2)
    await check(page)
    await page.get_by_role("button", name="Suivant").click()
    await at(page, "mon-offre-2")
    await choose(page, "languages", "anglais", 1)
    await page.get_by_role("button", name="Suivant").click()
    await at(page, "contacts")
    secure = page.get_by_label("Boîte de Messagerie Sécurisée de Santé")
    await secure.fill("camille@sage-femme.mssante.fr")
    # What is typed is kept without asking, even by who leaves at once.
    await page.goto("/recherche")
    await page.goto("/mon-offre")
    await expect(page.get_by_text("Un brouillon attend")).to_be_visible()
    await page.get_by_role("link", name="Reprendre").click()
    await page.get_by_role("link", name=re.compile("Reprendre le peuplement")).click()
    await at(page, "contacts")
    await expect(page.get_by_label("Boîte de Messagerie Sécurisée de Santé")).to_have_value(
        "camille@sage-femme.mssante.fr"
    )
    await page.get_by_role("button", name="Suivant").click()
    await at(page, "horaires")
    await page.get_by_role("button", name="Suivant").click()
    await at(page, "recapitulatif")
    await page.get_by_role("button", name="Enregistrer").click()
    await page.wait_for_url(re.compile("fait=enregistre"))
    await check(page)
    for address in ("apercu", "apercu?vue=portail", "signaler", "depublier", "historique", "modifier"):
        await page.goto(f"{page.url.split('?')[0].split('/mon-offre/')[0]}/mon-offre")
        await page.goto(f"{page.url.split('?')[0]}/{address}")
        await check(page)
