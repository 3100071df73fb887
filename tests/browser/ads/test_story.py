"""The life of an ad as the manual tells it: an intern, their council, a doctor, mails, and the clock."""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from core.ui.filters import long_date
from tests.browser.ads.conftest import Passes
from tests.browser.ads.steps import Mails, accept, add_place, banner, decided, search, seen, today
from tests.browser.ads_seed import email_of, rpps_of
from tests.browser.conftest import Watch
from tests.modules.ads.desk import picture
from tests.smtp import SmtpSink, text_of

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Awaitable[Page]]
TITLE = "Remplaçante disponible l’été et les samedis"
DESCRIPTION = "Interne en fin de cursus, je remplace en cabinet ou en maison de santé.\nVéhicule et logiciel métier."


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
    await council.locator("#refus").get_by_text("Refuser", exact=True).click()
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
    # What the map still asks for would be refused once the clock has ended the doctor's visit.
    await doctor.wait_for_load_state("networkidle")

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
