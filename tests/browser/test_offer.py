"""The guided path from the card to the search: a physiotherapist by real keys, a midwife on her telephone."""

import re
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import holidays
import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import NARROW, Watch
from tests.browser.test_accessibility import check

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Awaitable[Page]]


async def reach(page: Page, wanted: Locator, key: str = "Tab") -> None:
    """Move the focus to something as the keyboard alone can; a list of radio buttons is one stop."""
    await expect(wanted).to_be_visible()
    for _ in range(150):
        if await wanted.evaluate("element => element === document.activeElement"):
            return
        await page.keyboard.press(key)
    raise AssertionError(f"{key} never reaches {wanted}")


async def press(page: Page, name: str, role: str = "button") -> None:
    """Press a button, or follow a link, by the keyboard alone."""
    pressed = page.get_by_role("link" if role == "link" else "button", name=name, exact=True)
    await reach(page, pressed)
    await page.keyboard.press("Enter")


async def at(page: Page, key: str) -> None:
    """Wait for a step and check it."""
    await page.wait_for_url(re.compile(f"/modifier/{key}"))
    await check(page)


async def choose(page: Page, field: str, text: str, count: int, *, keys: bool) -> list[str]:
    """Search a list, tick the first results and add them, by the keyboard alone or by touch; return the values."""
    search = page.locator(f"#q-{field}")
    if keys:
        await reach(page, search)
    else:
        await search.click()
    await page.keyboard.type(text, delay=15)
    results = page.locator(f"#resultats-{field}").get_by_role("checkbox")
    await expect(results.first).to_be_visible()
    await expect(page.locator(f"#resultats-{field} [role=status]")).to_contain_text("cochez, puis ajoutez")
    for number in range(count):
        if keys:
            await reach(page, results.nth(number))
            await page.keyboard.press("Space")
            await expect(results.nth(number)).to_be_checked()
        else:
            await results.nth(number).check()
    add = page.locator(f"#resultats-{field}").get_by_role("button", name="Ajouter la sélection")
    if keys:
        await reach(page, add)
        await page.keyboard.press("Enter")
    else:
        await add.click()
    chosen = page.locator(f"#bloc-{field} input[type=hidden][name='{field}']")
    await expect(chosen).to_have_count(count)
    await expect(search).to_be_focused()
    return [str(await chosen.nth(number).get_attribute("value")) for number in range(count)]


def saturday() -> date:
    """Return the next Saturday that is no public holiday: on those, offers are closed unless they say otherwise."""
    day = datetime.now(ZoneInfo("Europe/Paris")).date() + timedelta(days=1)
    closed = holidays.country_holidays("FR", years=range(day.year, day.year + 2))
    while day.isoweekday() != 6 or day in closed:
        day += timedelta(days=1)
    return day


async def found(page: Page, act: str, commune: str, day: date, hour: str) -> Locator:
    """Search an act at home in a commune, open at an hour of a day; return the results."""
    asked = {"code": act, "visits": commune.removeprefix("commune:"), "open_at": f"{day}T{hour}"}
    await page.goto(f"/recherche?{urlencode(asked)}")
    return page.locator("li.result")


async def is_found(page: Page, act: str, communes: list[str]) -> None:
    """Expect the only offer with an act, in its territory, in its hours of Saturday, and nothing out of them."""
    places = await page.request.get("/api/v1/places", params={"q": communes[0].removeprefix("commune:")})
    label = next(place["name"] for place in await places.json() if place["ref"] == communes[0])
    results = await found(page, act, communes[0], saturday(), "09:30")
    await expect(page.locator(".results-count")).to_contain_text("1 site")
    await expect(results).to_have_count(1)
    await expect(results.locator(".card-facts")).to_contain_text(f"se déplace à {label}")
    await check(page)
    for commune, hour in ((communes[0], "12:30"), ("commune:78440", "09:30")):
        await expect(await found(page, act, commune, saturday(), hour)).to_have_count(0)


async def test_a_physiotherapist_describes_her_offer_with_the_keyboard(open_page: OpenPage, watch: Watch) -> None:
    watch.allow("422")
    # The provider is another site of this machine.
    watch.allow("third party: http://127.0.0.1:")
    page = await open_page("/connexion?suite=/mon-offre")
    await press(page, "S’identifier avec Pro Santé Connect", "link")
    await reach(page, page.get_by_role("button", name="CAMILLE KINE"))
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile("/mon-offre/[0-9a-f-]{36}$"))
    await expect(page.get_by_role("heading", name=re.compile("Fiche complète à"))).to_be_visible()
    await check(page)
    await press(page, "Modifier votre offre", "link")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Peuplement de mon offre")
    await check(page)
    await press(page, "Commencer le peuplement")
    await at(page, "informations")
    await expect(page.get_by_text("Ordre des masseurs-kinésithérapeutes").first).to_be_visible()
    await press(page, "Suivant")

    await at(page, "mon-offre-1")
    await reach(page, page.get_by_label("Âge minimum"))
    await page.keyboard.press("ControlOrMeta+a")
    await page.keyboard.type("18")
    act = (await choose(page, "acts", "reeducation pelvi", 1, keys=True))[0]
    await expect(page.locator("#etat")).to_contain_text("Enregistré à")
    accepts = page.get_by_label("J’accepte de nouveaux patients")
    await reach(page, page.locator("[name=accepts_new]:checked"), "Shift+Tab")
    for _ in range(3):
        if not await accepts.is_checked():
            await page.keyboard.press("ArrowDown")
    await expect(accepts).to_be_checked()
    await check(page)
    await press(page, "Suivant")

    await at(page, "mon-offre-2")
    await expect(page.locator("#bloc-territory")).to_be_hidden()
    await reach(page, page.get_by_label("Visite et soins à domicile"))
    await page.keyboard.press("Space")
    await expect(page.locator("#bloc-territory")).to_be_visible()
    await press(page, "Suivant")
    await expect(page.locator(".error-summary")).to_be_focused()
    await reach(page, page.get_by_role("link", name=re.compile("ajoutez au moins une commune")))
    await page.keyboard.press("Enter")
    await expect(page.locator("#champ-territory")).to_be_focused()
    communes = await choose(page, "territory", "78200", 3, keys=True)
    await expect(
        page.locator("#carte-territoire path.leaflet-interactive, #carte-territoire svg path")
    ).not_to_have_count(0)
    await check(page)
    await press(page, "Suivant")

    await at(page, "contacts")
    phone = page.get_by_label("Tél. prise de rendez-vous")
    await reach(page, page.get_by_role("button", name="Suivant", exact=True))
    await reach(page, phone, "Shift+Tab")
    await page.keyboard.type("01 99")
    await press(page, "Suivant")
    await expect(page.locator(".error-summary")).to_be_focused()
    await expect(phone).to_have_value("01 99")
    await expect(phone).to_have_attribute("aria-invalid", "true")
    await check(page)
    await reach(page, phone)
    await page.keyboard.press("End")
    await page.keyboard.type(" 00 12 34")
    await press(page, "Suivant")

    await at(page, "horaires")
    await press(page, "Ajouter une plage : Samedi")
    await expect(page.locator("#h-0-de")).to_be_focused()
    # The letter is the half of the day, for browsers that ask for it.
    await page.keyboard.type("0900A")
    await reach(page, page.locator("#h-0-a"))
    await page.keyboard.type("1200P")
    await expect(page.locator("#h-0-de")).to_have_value("09:00")
    await expect(page.locator("#h-0-a")).to_have_value("12:00")
    await check(page)
    await press(page, "Affichage à la semaine")
    await page.wait_for_url(re.compile(r"\?vue=semaine"))
    await check(page)
    await press(page, "Affichage au mois", "link")
    await page.wait_for_url(re.compile(r"\?vue=mois"))
    await expect(page.locator(".hc-day").filter(has_text="9 h – 12 h").first).to_be_visible()
    await check(page)
    await press(page, "Récapitulatif")

    await at(page, "recapitulatif")
    await press(page, "Tél. prise de rendez-vous", "link")
    await page.wait_for_url(re.compile("/modifier/contacts#champ-booking_phone"))
    await expect(phone).to_be_focused()
    await reach(page, page.get_by_role("link", name="Récapitulatif"), "Shift+Tab")
    await page.keyboard.press("Enter")
    await at(page, "recapitulatif")
    await press(page, "Enregistrer")
    await page.wait_for_url(re.compile("fait=enregistre"))
    await expect(page.get_by_role("status").filter(has_text="Votre offre est enregistrée")).to_be_visible()
    await check(page)
    name = await page.get_by_role("heading", level=1).inner_text()

    # The very next page of the same browser shows it.
    await is_found(page, act, communes)
    await page.goto("/mon-offre")
    await page.get_by_role("link", name="Historique").click()
    await expect(page.get_by_text("Actes spécifiques réalisés en cabinet").first).to_be_visible()
    await check(page)
    assert "Consultation kinésithérapie" in name


async def test_a_midwife_describes_her_offer_on_a_telephone(open_page: OpenPage, watch: Watch) -> None:
    watch.allow("third party: http://127.0.0.1:")
    page = await open_page("/connexion?suite=/mon-offre", NARROW)
    await page.get_by_role("link", name="S’identifier avec Pro Santé Connect").click()
    await page.get_by_role("button", name="CAMILLE SAGE-FEMME").click()
    await page.wait_for_url(re.compile("/mon-offre/[0-9a-f-]{36}$"))
    await check(page)
    await page.get_by_role("link", name="Modifier votre offre").click()
    await check(page)
    await page.get_by_role("button", name="Commencer le peuplement").click()
    await at(page, "informations")
    await expect(page.get_by_text("Ordre des sages-femmes").first).to_be_visible()
    await page.get_by_role("button", name="Suivant").click()
    await at(page, "mon-offre-1")
    acts = await choose(page, "outside_acts", "accouchement", 2, keys=False)
    await check(page)
    await page.get_by_role("button", name="Suivant").click()
    await at(page, "mon-offre-2")
    await choose(page, "languages", "anglais", 1, keys=False)
    await page.get_by_label("Visite et soins à domicile").check()
    communes = await choose(page, "territory", "78520", 2, keys=False)
    await check(page)
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
    await page.get_by_role("button", name="Ajouter une plage : Samedi").click()
    await page.locator("#h-0-de").fill("09:00")
    await page.locator("#h-0-a").fill("12:00")
    await check(page)
    await page.get_by_role("button", name="Récapitulatif").click()
    await at(page, "recapitulatif")
    await page.get_by_role("button", name="Enregistrer").click()
    await page.wait_for_url(re.compile("fait=enregistre"))
    await expect(page.get_by_role("status").filter(has_text="Votre offre est enregistrée")).to_be_visible()
    offer = page.url.split("?")[0]
    for act in acts:
        await is_found(page, act, communes)
    await page.goto(f"{offer}?fait=enregistre")
    await check(page)
    for address in ("apercu", "apercu?vue=portail", "signaler", "depublier", "historique", "modifier"):
        await page.goto(f"{offer}/{address}")
        await check(page)
