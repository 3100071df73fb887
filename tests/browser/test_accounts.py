"""Accounts in a browser: the proof of work under our strict CSP, forms without scripts, every page wide and narrow."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta

import psycopg
import pytest
from playwright.async_api import Browser, Page, expect
from sqlalchemy.engine import URL

from tests.browser.conftest import NARROW, WIDE, Watch, moving_clock
from tests.browser.test_accessibility import check

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Awaitable[Page]]
PAGES = {
    "sign in": "/connexion",
    "sign up": "/inscription",
    "sent": "/inscription/envoyee",
    "again": "/inscription/renvoyer",
    "forgotten": "/mot-de-passe-oublie",
    "forgotten sent": "/mot-de-passe-oublie/envoye",
    "terms": "/conditions",
}


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", PAGES)
async def test_page(open_page: OpenPage, name: str, size: tuple[int, int]) -> None:
    await check(await open_page(PAGES[name], size))


async def fill(page: Page, email: str) -> None:
    await page.get_by_label("Titre").select_option("Madame")
    await page.get_by_label("Nom", exact=True).fill("Durand")
    await page.get_by_label("Prénom").fill("Anne")
    await page.get_by_label("Adresse mail", exact=True).fill(email)
    await page.get_by_label("Confirmez l’adresse mail").fill(email)
    await page.get_by_label("Mot de passe", exact=True).fill("tournesol guitare vapeur")
    await page.get_by_label("Confirmez le mot de passe").fill("tournesol guitare vapeur")
    await page.get_by_role("checkbox").check()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_the_browser_proves_its_work_and_errors_take_the_focus(
    open_page: OpenPage, watch: Watch, size: tuple[int, int]
) -> None:
    watch.allow("422")
    page = await open_page("/inscription", size)
    await fill(page, "rien")
    await page.locator("form[data-challenged]").evaluate("form => { form.noValidate = true; }")
    # Sent at once: the script makes it wait for the proof.
    await page.get_by_role("button", name="Créer mon compte").click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await expect(page.get_by_role("alert")).to_contain_text("forme d’une adresse")
    await check(page)
    await fill(page, f"anne{size[0]}@exemple.fr")
    await expect(page.get_by_role("status")).to_have_text("Vérification faite : vous n’êtes pas un robot.")
    await page.get_by_role("button", name="Créer mon compte").click()
    await page.wait_for_url("**/inscription/envoyee")


async def test_a_browser_without_scripts_signs_up_after_a_while(
    browser: Browser, site: str, directory_database: URL
) -> None:
    context = await browser.new_context(java_script_enabled=False, base_url=site)
    page = await context.new_page()
    await page.goto("/inscription")
    await fill(page, "sans.script@exemple.fr")
    await page.get_by_role("button", name="Créer mon compte").click()
    assert "attendez" in await page.locator(".error-summary").inner_text()
    await page.get_by_label("Mot de passe", exact=True).fill("tournesol guitare vapeur")
    await page.get_by_label("Confirmez le mot de passe").fill("tournesol guitare vapeur")
    with moving_clock(directory_database) as move:
        move(timedelta(seconds=20))
        await page.get_by_role("button", name="Créer mon compte").click()
    assert page.url.endswith("/inscription/envoyee")
    await context.close()


OWN = ("", "/identite", "/adresse", "/mot-de-passe", "/journal", "/suppression")


def somebody(database: URL) -> str:
    """Make an account with rights, two browsers and an address to confirm; return the token of one browser."""
    tokens = [secrets.token_urlsafe(32) for _ in range(2)]
    address = database.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        made = connection.execute(
            "INSERT INTO accounts.account (status, title, last_name, first_name, email, email_wanted, password_hash)"
            " VALUES ('active', 'Madame', 'Durand-Lefèvre de la Tour', 'Anne-Laure', %s, %s, 'x') RETURNING id",
            (f"{tokens[0][:8]}@exemple.fr", f"une-adresse-vraiment-tres-longue-{tokens[0][:8]}@hopital.exemple.fr"),
        ).fetchone()
        assert made is not None
        for token in tokens:
            connection.execute(
                "INSERT INTO accounts.sign_in (account_id, token, method, device, expires_at)"
                " VALUES (%s, %s, 'password', %s, now() + interval '1 day')",
                (made[0], hashlib.sha256(token.encode()).digest(), "Mozilla/5.0 (X11; Linux) Firefox/140.0"),
            )
        connection.execute(
            "INSERT INTO accounts.grant (account_id, role, scope, origin, given_by)"
            " VALUES (%s, 'moderator', 'council:78', 'administrator', 'essai')",
            (made[0],),
        )
        connection.execute(
            "INSERT INTO accounts.account_history (account_id, actor, action)"
            " SELECT %s, 'essai', 'signed_in' FROM generate_series(1, 70)",
            (made[0],),
        )
    return tokens[0]


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("path", OWN)
async def test_own_page(
    open_page: OpenPage, directory_database: URL, path: str, size: tuple[int, int], site: str
) -> None:
    page = await open_page("/conditions", size)
    token = somebody(directory_database)
    await page.context.add_cookies([{"name": "repere_session", "value": token, "url": site}])
    await page.goto(f"/compte{path}")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.url.endswith(f"/compte{path}")
    await check(page)
