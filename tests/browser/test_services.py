"""The home of services and the back office in a browser: the star keeps the focus, every page wide and narrow."""

import hashlib
import json
import re
import secrets
from collections.abc import Awaitable, Callable

import psycopg
import pytest
from playwright.async_api import Page, expect
from sqlalchemy.engine import URL

from tests.accounts.key_holder import P384, RSA, public
from tests.browser.conftest import NARROW, WIDE, Watch
from tests.browser.test_accessibility import check

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Awaitable[Page]]
SIZES = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


@pytest.fixture
async def signed_in(open_page: OpenPage, directory_database: URL, site: str) -> Callable[..., Awaitable[Page]]:
    """Open a page as a professional who also administers."""
    token = secrets.token_urlsafe(32)
    rpps = f"1{secrets.randbelow(10**10):010d}"
    address = directory_database.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        made = connection.execute(
            "INSERT INTO accounts.account (status, last_name, first_name, email, rpps_claimed)"
            " VALUES ('active', 'Dumas-Lefèvre de la Tour', 'Claire', %s, %s) RETURNING id",
            (f"une-adresse-vraiment-tres-longue-{token[:8]}@hopital.exemple.fr", rpps),
        ).fetchone()
        assert made is not None
        connection.execute(
            "INSERT INTO accounts.sign_in (account_id, token, method, device, expires_at)"
            " VALUES (%s, %s, 'password', 'essai', now() + interval '1 day')",
            (made[0], hashlib.sha256(token.encode()).digest()),
        )
        for role, scope in (("administrator", ""), ("professional", f"rpps:{rpps}"), ("delegate", "rpps:10999999999")):
            connection.execute(
                "INSERT INTO accounts.grant (account_id, role, scope, origin, given_by)"
                " VALUES (%s, %s, %s, 'administrator', 'essai')",
                (made[0], role, scope),
            )
        connection.execute(
            "INSERT INTO accounts.message (account_id, kind, key, subject, body, link)"
            " SELECT %s, 'essai', n::text, 'Un message ' || n, 'Deux mots.', '/aide' FROM generate_series(1, 33) n",
            (made[0],),
        )

    async def opened(path: str, size: tuple[int, int] = WIDE, *, scripts: bool = True) -> Page:
        page = await open_page("/conditions", size, scripts=scripts)
        await page.context.add_cookies([{"name": "repere_session", "value": token, "url": site}])
        await page.goto(path)
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        return page

    return opened


@SIZES
async def test_pages(signed_in: Callable[..., Awaitable[Page]], size: tuple[int, int]) -> None:
    page = await signed_in("/accueil", size)
    await check(page)
    for path in ("/messages", "/compte/delegations", "/assistance", "/assistance/mes-demandes"):
        await page.goto(path)
        await check(page)
    await page.goto("/administration/comptes?texte=Dumas-Lefèvre")
    await check(page)
    await page.locator(".data-table a[href*='/administration/comptes/']").first.click()
    await expect(page.get_by_role("heading", name="Donner un droit")).to_be_visible()
    await check(page)


@SIZES
async def test_the_pages_of_programs(
    signed_in: Callable[..., Awaitable[Page]], watch: Watch, size: tuple[int, int]
) -> None:
    watch.allow("422")
    page = await signed_in("/administration/applications/nouvelle", size)
    await check(page)
    await page.get_by_role("button", name="Enregistrer et montrer").click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await check(page)
    await page.get_by_label("Nom").fill("Portail des établissements de la région, au nom vraiment très long")
    await page.get_by_label("Adresse électronique du contact").fill("portail@exemple.fr")
    await page.get_by_label("Être prévenue des changements").check()
    await page.get_by_label("Chercher une commune").fill("yvelines")
    await page.keyboard.press("Enter")
    await page.get_by_label("Yvelines").first.check()
    await page.get_by_role("button", name="Ajouter à la zone").click()
    await check(page)
    await page.get_by_role("button", name="Enregistrer et montrer").click()
    await expect(page.get_by_label("Clé d’API")).to_have_value(re.compile("^rpk_"))
    await check(page)
    await page.get_by_role("link", name="C’est noté").click()
    await expect(page.get_by_role("heading", name="Clés et secrets")).to_be_visible()
    await check(page)
    await page.get_by_role("link", name="Enregistrer des clés publiques").click()
    await page.get_by_label("Jeu de clés collé").fill("{")
    await page.get_by_role("button", name="Enregistrer ces clés").click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await check(page)
    await page.get_by_label("Jeu de clés collé").fill(json.dumps(public(RSA, P384)))
    await page.get_by_role("button", name="Enregistrer ces clés").click()
    await expect(page.get_by_text(RSA.thumbprint()).first).to_be_visible()
    await check(page)
    await page.get_by_role("link", name="Webhooks").click()
    await page.get_by_label("Adresse", exact=True).fill("https://portail.exemple.fr/" + "notifications/" * 12)
    await check(page)
    await page.get_by_role("button", name="Ajouter et montrer le secret").click()
    await expect(page.get_by_label("Secret de signature")).to_have_value(re.compile("^whsec_"))
    await check(page)
    await page.get_by_role("link", name="C’est noté").click()
    await check(page)
    await page.goto("/administration/applications")
    await check(page)


@SIZES
async def test_coordinates_and_standings(
    signed_in: Callable[..., Awaitable[Page]], watch: Watch, size: tuple[int, int]
) -> None:
    watch.allow("422")
    page = await signed_in("/coordonnees/premiere-visite?suite=/coordonnees", size)
    await check(page)
    await page.get_by_role("button", name="Confirmer et continuer").click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await check(page)
    await page.get_by_label("Conseil de l’Ordre").select_option("2A")
    await page.get_by_role("button", name="Confirmer et continuer").click()
    await expect(page.get_by_role("heading", name="Mes coordonnées", exact=True)).to_be_visible()
    await check(page)
    await page.get_by_label("Ajouter un mobile").fill("01 99 00 12 34")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_be_focused()
    await check(page)
    for label, value in (
        ("Ajouter un mobile", "06 39 98 12 34"),
        (
            "Ajouter une adresse",
            "12 avenue du Général-Leclerc-de-Hauteclocque, Les Trois-Fontaines, 78200 Mantes",
        ),
        ("Ajouter une adresse mail", f"une.adresse.vraiment.tres.longue{secrets.token_hex(4)}@hopital.exemple.fr"),
    ):
        await page.get_by_label(label, exact=True).fill(value)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status")).to_contain_text("est ajoutée")
    await page.get_by_label("Annonces, Mobile").select_option(label="06 39 98 12 34")
    await page.get_by_role("button", name="Enregistrer l’affectation").click()
    await expect(page.get_by_role("status")).to_contain_text("est enregistrée")
    await check(page)
    await page.get_by_role("link", name="Modifier 06 39 98 12 34").click()
    await check(page)
    await page.goto("/coordonnees")
    await page.get_by_role("link", name="Supprimer 06 39 98 12 34").click()
    await check(page)
    await page.goto("/moderation/internes?conseil=2A")
    await check(page)
    await page.goto("/administration/comptes?texte=voisine")
    await page.locator(".data-table a[href*='/administration/comptes/']").first.click()
    await page.get_by_role("link", name="Situation et conseil").click()
    await expect(page.get_by_role("heading", name="Changer de conseil")).to_be_visible()
    await page.get_by_role("button", name="Enregistrer la situation").click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await check(page)


async def test_the_star_works_by_keyboard_with_and_without_scripts(signed_in: Callable[..., Awaitable[Page]]) -> None:
    page = await signed_in("/accueil")
    star = page.get_by_role("button", name="Aide en favori")
    await star.focus()
    await page.keyboard.press("Enter")
    await expect(star).to_have_attribute("aria-pressed", "true")
    await expect(star).to_be_focused()
    await expect(page.locator("#favoris + .service-grid")).to_contain_text("Aide")
    await check(page)
    plain = await signed_in("/accueil", NARROW, scripts=False)
    star = plain.get_by_role("button", name="Aide en favori")
    await expect(star).to_have_attribute("aria-pressed", "true")
    await star.click()
    await expect(star).to_have_attribute("aria-pressed", "false")


async def test_services_are_dragged_into_the_favourites_in_order_and_out(
    signed_in: Callable[..., Awaitable[Page]],
) -> None:
    # Tall enough to show both lists: nothing scrolls while a card is held.
    page = await signed_in("/accueil", (1366, 1800))
    kept = page.locator("[data-zone='placer'] [data-service]")
    cards = {name: page.locator(f"[data-service='{name}']") for name in ("compte", "aide")}
    await cards["compte"].drag_to(page.locator("[data-zone='placer']"))
    await expect(kept).to_have_count(1)
    await cards["aide"].drag_to(kept.first, target_position={"x": 10, "y": 20})
    await expect(kept).to_have_count(2)
    await expect(kept.first).to_contain_text("Aide")
    await check(page)
    await kept.first.drag_to(page.locator("#autres"))
    await expect(kept).to_have_count(1)
    await expect(kept.first).to_contain_text("Mon compte")


@SIZES
async def test_a_request_is_asked_and_answered(
    signed_in: Callable[..., Awaitable[Page]], watch: Watch, size: tuple[int, int]
) -> None:
    watch.allow("422")
    page = await signed_in("/assistance?objet=search", size)
    await page.get_by_role("button", name="Envoyer la demande").click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await check(page)
    await page.get_by_label("Votre demande").fill("La carte reste blanche.")
    await page.get_by_role("button", name="Envoyer la demande").click()
    await expect(page.get_by_role("status")).to_contain_text("Votre demande est arrivée")
    await check(page)
    number = page.url.split("/")[-1].split("?")[0]
    await page.goto(f"/assistance/demandes?texte=A-{number}")
    await check(page)
    await page.get_by_role("link", name=f"A-{number}").click()
    await page.get_by_label("Répondre au demandeur").fill("Rechargez la page.")
    await page.get_by_role("button", name="Envoyer la réponse").click()
    await expect(page.locator(".thread-operator")).to_contain_text("Rechargez la page.")
    await check(page)
