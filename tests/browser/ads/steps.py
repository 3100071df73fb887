"""What authors, readers and councils do again and again in a browser."""

import asyncio
import re
from datetime import date, datetime, timedelta
from email.message import EmailMessage

from playwright.async_api import Locator, Page, expect

from tests.browser.ads.conftest import PARIS
from tests.browser.ads_seed import email_of
from tests.browser.conftest import NARROW, WIDE
from tests.browser.test_accessibility import check
from tests.browser.test_offer import reach
from tests.smtp import SmtpSink


class Mails:
    """The mails that the Ordre writes to somebody, in the order in which they arrive."""

    def __init__(self, sink: SmtpSink, who: str) -> None:
        self.sink, self.who, self.read = sink, who, 0

    async def next(self, word: str, number: int) -> EmailMessage:
        """Wait for the next mail, and expect it to say that of the ad."""
        for _ in range(100):
            if len(self.sink.to(email_of(self.who))) > self.read:
                break
            await asyncio.sleep(0.1)
        mails = self.sink.to(email_of(self.who))
        assert len(mails) == self.read + 1, [str(mail["Subject"]) for mail in mails]
        self.read += 1
        assert str(mails[-1]["Subject"]) == f"Ordre des médecins – Annonce n°\u00a0{number}\u00a0: {word}"
        return mails[-1]


def today() -> date:
    return datetime.now(PARIS).date()


async def seen(page: Page) -> None:
    """Check a page as it stands, wide and narrow."""
    before = page.viewport_size
    assert before is not None
    for width, height in (WIDE, NARROW):
        await page.set_viewport_size({"width": width, "height": height})
        await check(page)
    await page.set_viewport_size(before)


async def add_place(page: Page, text: str, wanted: str) -> None:
    """Search a place and choose it among those that are found."""
    await page.locator("#lieu_saisi").fill(text)
    await page.locator("#lieux-trouves").get_by_role("button").filter(has_text=wanted).first.click()
    await expect(page.get_by_role("list", name="Lieux de l’annonce")).to_contain_text(wanted)


def banner(page: Page) -> Locator:
    return page.locator(".notice[role=status]")


async def decided(page: Page, number: int, text: str) -> None:
    """Expect the table of the council to say that a decision was taken, and that nothing waits."""
    await expect(banner(page)).to_contain_text(f"n° {number}")
    await expect(banner(page)).to_contain_text(text)
    await expect(page.get_by_role("link", name=re.compile("^À traiter"))).to_have_text(re.compile(r"À traiter\s+0"))


async def accept(page: Page, number: int) -> None:
    """Open what waits first in the table of the council, and publish it."""
    await page.goto("/annonces/moderation")
    await page.get_by_role("link", name=re.compile("^À traiter")).click()
    await page.locator(".moderation-table tbody").get_by_role("link").first.click()
    await page.wait_for_url(f"**/annonces/moderation/{number}")
    await page.get_by_role("button", name="Accepter").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Êtes-vous sûr de vouloir continuer ?")
    await dialog.get_by_role("button", name="Publier l’annonce").click()
    await decided(page, number, "acceptée")


async def search(page: Page, starts: date, ends: date, town: str = "Voiron") -> Locator:
    """Look for somebody who replaces in a town, on a period; return the cards."""
    await page.goto("/annonces")
    await page.get_by_label("Je recherche").select_option(label="Remplacement")
    await page.get_by_label("Ma situation").select_option(label="Je cherche un remplaçant")
    await page.get_by_label("Saisir un lieu").press_sequentially(town, delay=20)
    await page.get_by_role("option").filter(has_text=town).first.click()
    await page.locator("#start-0").fill(starts.isoformat())
    await page.locator("#end-0").fill(ends.isoformat())
    await page.get_by_role("button", name="Rechercher").click()
    await page.wait_for_url(re.compile("category=remplacement"))
    return page.locator("li.ad-card")


async def typed(page: Page, wanted: Locator, text: str) -> None:
    """Go to a field and type into it, by the keyboard alone."""
    await reach(page, wanted)
    await page.keyboard.type(text)


async def written(page: Page, title: str, description: str = "Cabinet de groupe, secrétariat sur place.") -> int:
    """Write the simplest ad and transmit it, with or without scripts; return its number."""
    await page.get_by_label("Catégorie", exact=True).select_option(label="Remplacement")
    go = page.get_by_role("button", name="Continuer")
    if await go.is_visible():
        await go.click()
    # What is typed while the situations are drawn for the category stays.
    await page.get_by_label("Titre").fill(title)
    await expect(page.get_by_text("Je cherche un remplacement", exact=True)).to_be_visible()
    sought = page.get_by_label("Je cherche un remplaçant")
    if await sought.count():
        await sought.check()
    await page.get_by_label("Description").fill(description)
    await page.locator("#lieu_saisi").fill("Limay" if "Limay" in title else "Voiron")
    await page.locator("#lieux").get_by_role("button", name="Ajouter", exact=True).click()
    await expect(page.get_by_role("list", name="Lieux de l’annonce").get_by_role("listitem")).to_have_count(1)
    await page.locator("#debut-0").fill((today() + timedelta(days=20)).isoformat())
    await page.get_by_role("button", name="Transmettre au conseil").click()
    await expect(banner(page)).to_contain_text("a bien été transmise")
    return int(re.search(r"annonce=(\d+)", page.url)[1])  # type: ignore[index]
