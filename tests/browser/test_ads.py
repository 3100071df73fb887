"""The life of an ad as the manual tells it: an intern, their council, a doctor, mails, and the clock."""

import asyncio
import re
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import psycopg
import pytest
from playwright.async_api import Locator, Page, expect
from sqlalchemy.engine import URL

from core.ui.filters import long_date
from tests.browser import conftest
from tests.browser.ads_seed import email_of, rpps_of
from tests.browser.conftest import NARROW, WIDE, Watch, moving_clock
from tests.browser.test_accessibility import check
from tests.browser.test_offer import press, reach
from tests.conftest import made_once, make_database
from tests.modules.ads.desk import picture
from tests.smtp import SmtpSink, text_of

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Awaitable[Page]]
PARIS = ZoneInfo("Europe/Paris")
TITLE = "Remplaçante disponible l’été et les samedis"
DESCRIPTION = "Interne en fin de cursus, je remplace en cabinet ou en maison de santé.\nVéhicule et logiciel métier."


@pytest.fixture(scope="session")
def ads_database(database: URL) -> Iterator[URL]:
    """A database of its own for the people of `ads_seed`: these tests write, and move its clock."""
    with made_once(database, "browser_ads") as (connection, name, _):
        target = database.set(database=name)
        make_database(connection, name, name.removesuffix("browser_ads") + "template")
        command = [sys.executable, "-m", "tests.browser.ads_seed"]
        subprocess.run(command, cwd=conftest.ROOT, env=conftest._environment(target), check=True, timeout=170)
    yield target


@pytest.fixture(scope="session")
def sink() -> Iterator[SmtpSink]:
    """The server that takes the mails of the site."""
    taking = SmtpSink()
    taking.start()
    yield taking
    taking.stop()


@pytest.fixture(scope="session")
def environment(ads_database: URL, sink: SmtpSink, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the site and its worker know."""
    return conftest._environment(ads_database) | {
        "REPERE_FILES": str(tmp_path_factory.mktemp("files")),
        "REPERE_SMTP_URL": sink.url,
        "REPERE_MAIL_FROM": "Repère <ne-pas-repondre@repere.test>",
    }


class Site:
    """The whole site, and what a worker beside it would do."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self.environment = environment | {"REPERE_PUBLIC_URL": self.address}
        self.command = [sys.executable, "-m", "uvicorn", "web.app:app", "--host", "127.0.0.1", "--port", str(port)]
        self.log = log

    @contextmanager
    def running(self) -> Iterator["Site"]:
        """Run it for the length of a block."""
        with self.log.open("w") as output:
            server = subprocess.Popen(
                self.command, cwd=conftest.ROOT, env=self.environment, stdout=output, stderr=subprocess.STDOUT
            )
            try:
                self._wait(server)
                yield self
            finally:
                server.terminate()
                server.wait(timeout=20)

    def _wait(self, server: "subprocess.Popen[bytes]") -> None:
        for _ in range(300):
            if server.poll() is not None:
                break
            try:
                if httpx.get(f"{self.address}/healthz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)
        raise RuntimeError(f"the server did not start:\n{self.log.read_text()}")

    def work(self) -> None:
        """Do what is due for ads, then send the mails of it."""
        due = "from core.mail import tasks as mails; from modules.ads import tasks as ads; ads.turn(); mails.deliver()"
        command = [sys.executable, "-c", due]
        subprocess.run(command, cwd=conftest.ROOT, env=self.environment, check=True, timeout=120)


@pytest.fixture(scope="session")
def running(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site, running."""
    with Site(environment, tmp_path_factory.mktemp("ads") / "server.log").running() as site:
        yield site


@pytest.fixture(scope="session")
def site(running: Site) -> str:
    """The address of the site."""
    return running.address


Passes = Callable[[date], None]


@pytest.fixture
def passes(running: Site, ads_database: URL) -> Iterator[Passes]:
    """Let time pass until noon of a day: the clock of the database moves, people sign in again, the worker works."""
    address = ads_database.set(drivername="postgresql").render_as_string(hide_password=False)
    with moving_clock(ads_database) as move:

        def until(day: date) -> None:
            noon = datetime(day.year, day.month, day.day, 12, tzinfo=PARIS)
            move(noon - datetime.now(UTC))
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute(
                    "UPDATE accounts.sign_in SET seen_at = core.now(), expires_at = core.now() + interval '10 hours'"
                )
            running.work()

        yield until
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("UPDATE accounts.sign_in SET seen_at = core.now()")


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


async def test_the_story_of_the_manual(
    open_page: OpenPage, passes: Passes, sink: SmtpSink, watch: Watch, tmp_path: Path
) -> None:
    mails = Mails(sink, "interne")
    summer = today() + timedelta(days=60), today() + timedelta(days=90)
    autumn = today() + timedelta(days=150)

    # The first visit: what the register knows may be shown, the council is confirmed.
    author = await open_page("/annonces", who="interne")
    await author.wait_for_url("**/coordonnees/premiere-visite?suite=*")
    await expect(author.get_by_label("Conseil de l’Ordre dont vous dépendez")).to_have_value("38")
    await seen(author)
    await author.get_by_role("button", name="Accepter").click()
    await author.wait_for_url("**/annonces")
    await expect(author.get_by_role("heading", level=1)).to_have_text("Trouver une annonce")
    await seen(author)

    # Written, kept as a draft, taken up again.
    menu = author.get_by_role("navigation", name="Annonces")
    await menu.get_by_role("link", name="Déposer").click()
    await seen(author)
    await author.get_by_label("Catégorie", exact=True).select_option(label="Remplacement")
    await expect(author.get_by_label("Je cherche un remplacement")).to_be_checked()
    await expect(author.get_by_label("Spécialité")).to_have_value("R38|SM54")
    await author.get_by_label("Disponible immédiatement").check()
    await author.get_by_label("Titre").fill(TITLE)
    await author.get_by_label("Description").fill(DESCRIPTION)
    await author.get_by_label("Conditions financières").fill("Rétrocession à discuter")
    await add_place(author, "voiron", "Voiron")
    await add_place(author, "isère", "Isère")
    await author.get_by_label("Du", exact=True).fill(summer[0].isoformat())
    await author.get_by_label("au", exact=False).and_(author.locator("#fin-0")).fill(summer[1].isoformat())
    await author.get_by_role("button", name="Ajouter une période").click()
    await expect(author.locator("#debut-1")).to_be_focused()
    await author.locator("#debut-1").fill(autumn.isoformat())
    photo = tmp_path / "cabinet.jpg"
    photo.write_bytes(picture())
    await author.get_by_label("Ajouter des fichiers").set_input_files(photo)
    await author.locator("#fichiers-partie").get_by_role("button", name="Ajouter", exact=True).click()
    await expect(author.get_by_role("list", name="Fichiers de l’annonce")).to_contain_text("cabinet.jpg")
    await expect(author.get_by_label("Titre")).to_have_value(TITLE)
    await seen(author)
    await author.get_by_role("button", name="Enregistrer en brouillon").click()
    await expect(banner(author)).to_contain_text("Votre brouillon est enregistré.")
    number = int(re.search(r"/annonces/(\d+)/modifier", author.url)[1])  # type: ignore[index]
    await menu.get_by_role("link", name="Gérer").click()
    mine = author.locator(f"#annonce-{number}")
    await expect(mine).to_contain_text("Brouillon")
    await seen(author)
    await mine.get_by_role("link", name="Reprendre").click()
    await expect(author.get_by_label("Description")).to_have_value(DESCRIPTION)
    await expect(author.get_by_role("list", name="Lieux de l’annonce").get_by_role("listitem")).to_have_count(2)
    await expect(author.locator("#debut-1")).to_have_value(autumn.isoformat())
    await author.get_by_role("button", name="Prévisualiser").click()
    await expect(author.get_by_role("heading", level=1)).to_have_text("Aperçu de votre annonce")
    await expect(author.get_by_role("img", name=re.compile("cabinet"))).to_be_visible()
    await seen(author)
    assert sink.to(email_of("interne")) == []
    await author.get_by_role("button", name="Transmettre au conseil").click()
    await expect(banner(author)).to_contain_text(f"L’annonce n° {number} a bien été transmise")
    await expect(banner(author)).to_contain_text("conseil départemental de l’Isère")
    await expect(mine).to_contain_text(f"Transmise le {long_date(today())}")
    await seen(author)
    sent = text_of(await mails.next("transmise", number))
    assert f"{TITLE} a été transmise au Conseil départemental de l’Isère" in sent

    # The council reads it with who wrote it, and publishes it.
    council = await open_page("/annonces/moderation", who="cd38")
    await expect(council.get_by_role("link", name=re.compile("^À traiter"))).to_have_text(re.compile(r"À traiter\s+1"))
    await seen(council)
    await council.locator(".moderation-table").get_by_role("link", name=TITLE).click()
    await expect(council.get_by_role("heading", level=1)).to_contain_text(rpps_of("interne"))
    await expect(council.get_by_role("heading", level=1)).to_contain_text("Alix Ferrand")
    await expect(council.get_by_role("complementary", name="Décision")).to_contain_text("licence de remplacement")
    await expect(council.get_by_role("link", name="Refus (0)")).to_be_visible()
    await seen(council)
    await accept(council, number)
    await seen(council)
    published = text_of(await mails.next("publiée", number))
    assert "jusqu’au" in published and "inclus" in published

    # A doctor finds it, by its place and by either of its periods.
    doctor = await open_page("/annonces", who="medecin")
    for starts, found in ((summer[0] + timedelta(days=10), 1), (summer[1] + timedelta(days=10), 0), (autumn, 1)):
        cards = await search(doctor, starts, starts + timedelta(days=5))
        await expect(cards).to_have_count(found)
    await expect(cards).to_contain_text("Disponible immédiatement")
    await seen(doctor)
    await cards.get_by_role("link", name=TITLE).click()
    await expect(doctor.get_by_role("heading", level=1)).to_have_text(TITLE)
    await expect(doctor.locator("#contact")).not_to_contain_text("06")
    await seen(doctor)
    await doctor.get_by_role("button", name="Afficher les coordonnées").click()
    await expect(doctor.locator("#contact").get_by_role("link", name=re.compile("^06"))).to_be_visible()
    await doctor.get_by_role("button", name="Ajouter aux favoris").click()
    await expect(doctor.get_by_role("button", name="Retirer des favoris")).to_be_visible()
    await doctor.goto("/annonces/favoris")
    await expect(doctor.get_by_role("link", name=TITLE)).to_be_visible()
    await seen(doctor)

    # Its content is edited: it is warned of, and goes back to the council.
    await menu.get_by_role("link", name="Gérer").click()
    await expect(mine).to_contain_text("Publiée")
    await mine.get_by_role("link", name="Modifier").click()
    await expect(author.get_by_text("elle est dépubliée et vérifiée de nouveau")).to_be_visible()
    await expect(author.get_by_label("Catégorie", exact=True)).to_have_count(0)
    await author.get_by_label("Description").fill(f"{DESCRIPTION}\nJoignable au 06 39 98 01 00.")
    await seen(author)
    await author.get_by_role("button", name="Transmettre les modifications").click()
    await expect(banner(author)).to_contain_text(f"L’annonce n° {number} a bien été transmise")
    await expect(mine).to_contain_text("En attente")
    await mails.next("transmise", number)
    await expect(await search(doctor, autumn, autumn)).to_have_count(0)
    await seen(doctor)
    watch.allow("410")
    await doctor.goto(f"/annonces/{number}")
    await expect(doctor.get_by_text("n’est plus")).to_be_visible()
    await seen(doctor)
    await doctor.goto("/annonces/favoris")
    await expect(doctor.get_by_text("Cette annonce n’est plus publiée.")).to_be_visible()

    # The council writes a model of reason, and refuses with it.
    await council.goto("/annonces/moderation/motifs")
    await seen(council)
    await council.get_by_label("Nom du modèle").fill("Coordonnées dans le texte")
    await council.get_by_label("Motif").fill("Retirez votre numéro de la description : il s’affiche à part.")
    await council.get_by_role("button", name="Ajouter le modèle").click()
    await expect(council.get_by_role("heading", name="Coordonnées dans le texte")).to_be_visible()
    await seen(council)
    await council.goto(f"/annonces/moderation/{number}")
    await expect(council.get_by_role("heading", name="Modifications depuis le dernier contenu accepté")).to_be_visible()
    await expect(council.get_by_role("heading", name="À regarder")).to_be_visible()
    await council.get_by_text("Refuser", exact=True).click()
    await council.get_by_label("Partir d’un modèle").select_option(label="Coordonnées dans le texte")
    await expect(council.get_by_label("Explication du refus")).to_have_value(re.compile("Retirez votre numéro"))
    await seen(council)
    await council.get_by_role("button", name="Refuser l’annonce").click()
    await decided(council, number, "refusée")
    assert "Retirez votre numéro de la description" in text_of(await mails.next("refusée", number))

    # The author reads why, corrects and proposes it again; it is accepted.
    await author.reload()
    await expect(mine).to_contain_text("Refusée")
    await expect(mine).to_contain_text("Retirez votre numéro de la description")
    await seen(author)
    await mine.get_by_role("link", name="Corriger").click()
    await expect(author.get_by_text("Retirez votre numéro de la description")).to_be_visible()
    await author.get_by_label("Description").fill(DESCRIPTION)
    await seen(author)
    await author.get_by_role("button", name="Proposer de nouveau à la publication").click()
    await expect(mine).to_contain_text("En attente")
    await mails.next("transmise", number)
    await council.goto(f"/annonces/moderation/{number}")
    await expect(council.get_by_text("Cette annonce a été refusée 1 fois")).to_be_visible()
    await accept(council, number)
    await mails.next("publiée", number)

    # Its end is moved: at once, without a look of the council.
    await author.reload()
    await mine.get_by_role("link", name="Fin de publication").click()
    await seen(author)
    last = today() + timedelta(days=300)
    await author.get_by_label("Fin de publication").fill(last.isoformat())
    await author.get_by_role("button", name="Enregistrer").click()
    await expect(banner(author)).to_contain_text("la date de fin de publication est modifiée")
    await expect(mine).to_contain_text(f"jusqu’au {long_date(last)} inclus")
    await expect(await search(doctor, autumn, autumn)).to_have_count(1)

    # The clock comes near the end, then passes it.
    passes(last - timedelta(days=5))
    await mails.next("bientôt dépubliée", number)
    passes(last)
    await expect(await search(doctor, last, last)).to_have_count(1)
    await doctor.wait_for_load_state("networkidle")
    passes(last + timedelta(days=1))
    assert "la date de fin de publication est passée" in text_of(await mails.next("dépubliée", number))
    await expect(await search(doctor, last, last + timedelta(days=5))).to_have_count(0)
    await author.goto("/annonces/mes-annonces")
    await expect(mine).to_contain_text("Dépubliée")
    await mine.get_by_role("link", name="Historique").click()
    await expect(author.locator(".mine-history li")).to_have_count(9)
    await seen(author)

    # The history of the council tells it all.
    await council.goto(f"/annonces/moderation/{number}")
    await council.get_by_role("link", name="Refus (1)").click()
    lines = council.locator(".moderation-history li")
    await expect(lines).to_have_count(1)
    await expect(lines).to_contain_text("CD38")
    await expect(lines).to_contain_text("Motif : Retirez votre numéro")
    await seen(council)
    await council.get_by_role("link", name="Statuts").click()
    newest = await lines.all_inner_texts()
    await council.get_by_role("link", name=re.compile("Les plus récents d’abord")).click()
    await expect(council.get_by_role("link", name=re.compile("Les plus anciens d’abord"))).to_be_visible()
    assert await lines.all_inner_texts() == newest[::-1]
    await seen(council)
    assert len(sink.to(email_of("interne"))) == mails.read


async def typed(page: Page, wanted: Locator, text: str) -> None:
    """Go to a field and type into it, by the keyboard alone."""
    await reach(page, wanted)
    await page.keyboard.type(text)


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


async def written(page: Page, title: str) -> int:
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
    await page.get_by_label("Description").fill("Cabinet de groupe, secrétariat sur place.")
    await page.locator("#lieu_saisi").fill("Limay" if "Limay" in title else "Voiron")
    await page.locator("#lieux").get_by_role("button", name="Ajouter", exact=True).click()
    await expect(page.get_by_role("list", name="Lieux de l’annonce").get_by_role("listitem")).to_have_count(1)
    await page.locator("#debut-0").fill((today() + timedelta(days=20)).isoformat())
    await page.get_by_role("button", name="Transmettre au conseil").click()
    await expect(banner(page)).to_contain_text("a bien été transmise")
    return int(re.search(r"annonce=(\d+)", page.url)[1])  # type: ignore[index]


async def test_a_second_moderator_is_told(open_page: OpenPage, watch: Watch) -> None:
    number = await written(await open_page("/annonces/deposer", who="medecin"), "Cherche un remplaçant à Voiron")
    first = await open_page(f"/annonces/moderation/{number}", who="cd38")
    second = await open_page(f"/annonces/moderation/{number}", who="cd38-bis")
    await first.get_by_role("button", name="Accepter").click()
    await first.get_by_role("dialog").get_by_role("button", name="Publier l’annonce").click()
    await expect(banner(first)).to_contain_text("acceptée")
    watch.allow("409")
    await second.get_by_text("Refuser", exact=True).click()
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
