"""Draw the pictures of the README from a running demo: `python docs/screenshots.py [address] [folder]`.

Needs Chromium (REPERE_CHROMIUM) and the test dependencies.
"""

import argparse
import os
import sys
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

WIDE = (1366, 860)
_TODAY = date.today()
MONDAY = _TODAY + timedelta(days=7 - _TODAY.weekday())
OPEN = f"/api/v1/search?q=kin%C3%A9sith%C3%A9rapeute&where=commune:78361&open_at={MONDAY}T10:00"
"""Offers whose hours are known, so that there is a week to show."""
NARROW = (390, 844)


@dataclass(frozen=True)
class Shot:
    """A picture: its file, the address of the page, the size of the window, what to do before, as which persona."""

    name: str
    path: str
    size: tuple[int, int] = WIDE
    act: str = ""
    who: str = ""


SHOTS = (
    Shot("accueil", "/"),
    Shot("suggestions", "/", act="suggest"),
    Shot("resultats", "/recherche?q=kin%C3%A9sith%C3%A9rapeute&where=commune:78361"),
    Shot("departement", "/recherche?q=infirmier&where=departement:78"),
    Shot("fiche", "/recherche?q=kin%C3%A9sith%C3%A9rapeute&where=commune:78361", act="offer"),
    Shot("couverture", "/couverture", act="coverage"),
    Shot("portail", "/maillage/78?q=kin%C3%A9sith%C3%A9rapeute"),
    Shot("integrateurs", "/integrateurs"),
    Shot("applications", "/administration/applications", who="administrateur"),
    Shot("telephone-liste", "/recherche?q=kin%C3%A9sith%C3%A9rapeute&where=commune:78361", NARROW),
    Shot("telephone-carte", "/recherche?q=kin%C3%A9sith%C3%A9rapeute&where=commune:78361", NARROW, act="map"),
    Shot("telephone-filtres", "/recherche?q=kin%C3%A9sith%C3%A9rapeute&where=commune:78361", NARROW, act="filters"),
    *(
        Shot(f"{prefix}{name}", path, size, act, who)
        for prefix, size in (("", WIDE), ("telephone-", NARROW))
        for name, path, act, who in (
            ("connexion", "/connexion", "", ""),
            ("services", "/accueil", "", "kine"),
            ("mon-offre", "/mon-offre", "", "kine"),
            ("mon-offre-1", "/mon-offre", "step:mon-offre-1", "kine"),
            ("horaires", "/mon-offre", "step:horaires", "kine"),
            ("contacts", "/mon-offre", "step:contacts", "kine"),
            ("comparer", "/comparer", "compare", "kine"),
            ("completude", "/completude", "", "coordinateur"),
            ("annonces", "/annonces?category=remplacement&side=seeks&place=departement:78", "", "interne"),
            ("annonce", "/annonces?category=remplacement&side=seeks&place=departement:78", "ad", "interne"),
            ("annonces-deposer", "/annonces/deposer", "write", "interne"),
            ("mes-annonces", "/annonces/mes-annonces", "", "interne"),
            ("moderation", "/annonces/moderation", "", "moderateur"),
            ("moderation-annonce", "/annonces/moderation", "judge", "moderateur"),
        )
    ),
)


def become(page: Page, persona: str) -> None:
    """Sign in as one of the invented people of the demonstration."""
    page.goto("/connexion")
    chosen = page.locator("form[action='/demo/connexion']").filter(has=page.locator(f"input[value='{persona}']"))
    with page.expect_navigation():
        chosen.get_by_role("button").click()


def open_step(page: Page, step: str) -> None:
    """Open a step of the guided path; the former steps are walked when the offer was never described."""
    if page.url.endswith("/mon-offre"):
        page.locator("main a[href^='/mon-offre/']").first.click()
        page.wait_for_url("**/mon-offre/*")
    base = page.url.partition("?")[0]
    page.goto(f"{base}/modifier")
    begin = page.get_by_role("button", name="Commencer le peuplement")
    if begin.count():
        begin.click()
    page.goto(f"{base}/modifier/{step}", wait_until="networkidle")
    for _ in range(5):
        if page.url.partition("?")[0].endswith(f"/{step}"):
            return
        with page.expect_navigation(wait_until="networkidle"):
            page.get_by_role("button", name="Suivant").click()
    raise SystemExit(f"Step {step} cannot be opened: {page.url}")


def act(page: Page, what: str) -> None:
    """Bring the page to the state that the picture shows."""
    if what == "suggest":
        page.get_by_label("Qui, quoi ?", exact=True).press_sequentially("rééducation", delay=30)
        page.get_by_role("option").first.wait_for()
    elif what == "offer":
        found = page.request.get(OPEN).json()
        page.goto(f"/offres/{found['items'][0]['offers'][0]['id']}?where=commune:78361", wait_until="networkidle")
    elif what == "ad":
        with_photo = page.locator("li.ad-card").filter(has=page.locator("img"))
        (with_photo if with_photo.count() else page.locator("li.ad-card")).first.get_by_role("link").click()
        page.locator("[data-ad-map] .leaflet-marker-icon, [data-ad-map] path").first.wait_for(state="attached")
    elif what == "write":
        page.get_by_label("Catégorie", exact=True).select_option(label="Remplacement")
        page.get_by_text("Je cherche un remplacement", exact=True).wait_for()
    elif what == "judge":
        page.locator(".moderation-table tbody").get_by_role("link").first.click()
        page.wait_for_url("**/annonces/moderation/*")
    elif what.startswith("step:"):
        open_step(page, what.removeprefix("step:"))
    elif what == "compare":
        found = page.request.get(OPEN).json()
        offers = [item["offers"][0]["id"] for item in found["items"][:3]]
        page.goto("/comparer?" + "&".join(f"o={offer}" for offer in offers), wait_until="networkidle")
    elif what == "coverage":
        body = {"code": ["G15|60"], "where": "departement:78"}
        found = page.request.post("/api/v1/coverage", data=body).json()
        page.goto(found["page"], wait_until="networkidle")
        page.locator("[data-coverage-map] path").first.wait_for(state="attached")
    elif what == "map":
        page.get_by_role("button", name="Carte").click()
        page.locator(".pin-rank").first.wait_for()
    elif what == "filters":
        page.get_by_role("link", name="Filtrer").click()


def draw(browser: Browser, address: str, folder: Path, shot: Shot) -> Path:
    """Open the page, wait until it is still, and write its picture."""
    context = browser.new_context(
        viewport={"width": shot.size[0], "height": shot.size[1]}, base_url=address, locale="fr-FR"
    )
    page = context.new_page()
    if shot.who:
        become(page, shot.who)
    page.goto(shot.path, wait_until="networkidle")
    act(page, shot.act)
    page.wait_for_load_state("networkidle")
    target = folder / f"{shot.name}.png"
    page.screenshot(path=target)
    context.close()
    return target


def main() -> int:
    """Draw every picture; return 0."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", nargs="?", default="http://127.0.0.1:8000")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent / "images")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    executable = os.environ.get("REPERE_CHROMIUM") or "/usr/bin/chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        for shot in SHOTS:
            target = draw(browser, options.address, options.folder, shot)
            sys.stdout.write(f"{target} ({target.stat().st_size // 1024} kB)\n")
        browser.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
