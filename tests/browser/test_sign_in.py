"""Signing in by card and out again, in a real browser between two sites."""

import psycopg
import pytest
from sqlalchemy.engine import URL

from tests.browser.conftest import OpenPage, Watch

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
async def test_a_card_signs_in_and_out_of_both_sites(
    open_page: OpenPage, watch: Watch, directory_database: URL, scripts: bool
) -> None:
    dsn = directory_database.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "INSERT INTO accounts.account (status, first_name, last_name, psc_subject, rpps)"
            " VALUES ('active', 'Anne', 'Durand', '810101010101', '10101010101') ON CONFLICT DO NOTHING"
        )
    # The provider is another site of this machine.
    watch.allow("third party: http://127.0.0.1:")
    page = await open_page("/connexion?suite=/accueil", scripts=scripts)
    await page.get_by_role("link", name="S’identifier avec Pro Santé Connect").click()
    await page.get_by_role("button", name="ANNE DURAND").click()
    await page.wait_for_url("**/accueil")
    assert await page.get_by_role("heading", level=1).inner_text() == "Bienvenue, Anne Durand"
    await page.get_by_role("button", name="Se déconnecter").first.click()
    await page.get_by_role("button", name="Me déconnecter").click()
    await page.wait_for_url("**/deconnexion/psc")
    assert await page.get_by_role("heading", level=1).inner_text() == "Vous êtes déconnecté"
    await page.goto("/accueil")
    await page.wait_for_url("**/connexion?suite=*")
