"""An ad is written in one form that loses nothing."""

import re
from datetime import date
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from accounts.person import cookie_name
from core.db import unit_of_work
from modules.ads.models import Ad, AdHistory, AdPeriod, AdPlace
from tests.accounts.helpers import sign_in
from tests.modules.ads.desk import FULL, Desk, written
from tests.modules.ads.makers import ALLERGY, GENERAL, make_ad, make_person, place, reread


async def ads() -> list[Ad]:
    async with unit_of_work() as session:
        return list(await session.scalars(select(Ad).order_by(Ad.id)))


@pytest.fixture
async def author(places: None, client: httpx.AsyncClient) -> int:
    account = await make_person()
    await sign_in(client, account)
    return account.id


async def test_an_intern_writes_a_draft_then_transmits_it(places: None, client: httpx.AsyncClient) -> None:
    await sign_in(client, await make_person("licensed", council="78", specialty=ALLERGY))
    desk = await Desk(client).open()
    assert desk.fields["specialite"] == [ALLERGY]
    assert re.search(r'value="adjuvat"', desk.page)
    # Nothing is lost of what was typed while the situations are drawn for the category.
    desk.fill(categorie="remplacement", titre="Remplaçant disponible", description="Je me déplace.")
    assert (await desk.press("continuer")).status_code == 200
    assert desk.fields["situation"] == ["offers"]
    assert "Je cherche un remplacement" in desk.page
    assert "Disponible immédiatement" in desk.page
    assert desk.fields["titre"] == ["Remplaçant disponible"]
    saved = await desk.press("brouillon")
    assert saved.status_code == 303
    (ad,) = await ads()
    assert (ad.state, ad.side, saved.headers["location"]) == (
        "draft",
        "offers",
        f"/annonces/{ad.number}/modifier?fait=brouillon",
    )
    await desk.open(saved.headers["location"])
    assert "Votre brouillon est enregistré" in desk.page
    sent = await desk.press("transmettre")
    assert sent.status_code == 422
    assert "Ajoutez au moins un lieu." in desk.page
    assert "Indiquez au moins une date de début." in desk.page
    desk.fill(lieu_saisi="Mantes-la-Jolie", debut=["2030-06-01"], fin=["2030-09-30"], urgent="oui")
    sent = await desk.press("transmettre")
    assert sent.status_code == 303, desk.page
    page = (await client.get(sent.headers["location"])).text
    assert f"n°\u00a0{ad.number} a bien été transmise au conseil départemental des Yvelines" in page
    ad = await reread(ad)
    assert (ad.state, ad.council, ad.urgent, ad.specialty) == ("pending", "78", True, ALLERGY)


async def test_each_standing_is_offered_what_it_may_publish(places: None, client: httpx.AsyncClient) -> None:
    for kind, seen in (("doctor", 6), ("junior", 6), ("licensed", 3), ("intern", 1)):
        await sign_in(client, await make_person(kind))
        page = (await Desk(client).open()).page
        assert len(re.findall(r'<option value="(?:adj|ass|col|rem|suc)', page)) == seen
    # What a browser is made to say counts for nothing.
    desk = (await Desk(client).open()).fill(**(FULL | {"situation": "seeks"}))
    assert (await desk.press("transmettre")).status_code == 422
    assert "Votre statut ne permet pas de publier cette annonce." in desk.page


async def test_nobody_else_writes(places: None, client: httpx.AsyncClient) -> None:
    assert (await client.get("/annonces/deposer", headers={"accept": "text/html"})).status_code == 303
    await sign_in(client, await make_person(None, None))
    assert (await client.get("/annonces/deposer")).status_code == 403
    moderator = await make_person(None, None, grants=(("moderator", "council:78"),))
    await sign_in(client, moderator)
    assert (await client.get("/annonces/deposer")).status_code == 403
    assert (await client.get("/annonces/mes-annonces")).status_code == 403


async def test_a_form_of_another_site_is_refused(author: int, client: httpx.AsyncClient) -> None:
    desk = (await Desk(client).open()).fill(**FULL)
    desk.fields.pop("_csrf")
    answer = await desk.press("transmettre")
    assert answer.status_code == 403
    assert await ads() == []


async def test_places_are_added_and_taken_off_by_buttons(author: int, client: httpx.AsyncClient) -> None:
    desk = await Desk(client).open()
    desk.fill(lieu_saisi="  mantes la jolie ")
    assert (await desk.press("ajouter-lieu")).status_code == 200
    assert desk.fields["lieu"] == ["commune:78361"]
    # Paris is a town and a département: the page asks which.
    desk.fill(lieu_saisi="Paris", titre="Un titre")
    assert (await desk.press("ajouter-lieu")).status_code == 422
    assert 'name="choisir-lieu" value="commune:75056"' in desk.page
    assert 'name="choisir-lieu" value="departement:75"' in desk.page
    await desk.press(choisir_lieu="departement:75")
    assert desk.fields["lieu"] == ["commune:78361", "departement:75"]
    assert (desk.fields["titre"], desk.fields["lieu_saisi"]) == (["Un titre"], [""])
    desk.fill(lieu_saisi="Mantes-la-Jolie")
    await desk.press("ajouter-lieu")
    assert desk.fields["lieu"] == ["commune:78361", "departement:75"]
    desk.fill(lieu_saisi="france")
    await desk.press("transmettre")
    assert "france" in desk.fields["lieu"]
    await desk.press(retirer_lieu="departement:75")
    assert "departement:75" not in desk.fields["lieu"]
    desk.fill(lieu_saisi="Xyzzyville")
    assert (await desk.press("ajouter-lieu")).status_code == 422
    assert "Aucun lieu ne répond à « Xyzzyville »" in desk.page
    assert desk.fields["lieu_saisi"] == ["Xyzzyville"]


async def test_periods_are_added_and_taken_off_by_buttons(author: int, client: httpx.AsyncClient) -> None:
    desk = (await Desk(client).open()).fill(debut=["2030-07-01"], fin=["2030-07-31"])
    await desk.press("ajouter-periode")
    assert desk.fields["debut"] == ["2030-07-01", ""]
    desk.fill(debut=["2030-07-01", "01/12/2030"], fin=["2030-07-31", ""])
    await desk.press("ajouter-periode")
    await desk.press(retirer_periode="0")
    assert desk.fields["debut"] == ["2030-12-01", ""]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"debut": ["2030-07-31"], "fin": ["2030-07-01"]}, "La fin ne peut pas précéder le début."),
        ({"debut": ["29/02/2031"], "fin": [""]}, "« 29/02/2031 » n’est pas une date qui existe"),
        ({"debut": [""], "fin": ["2030-07-01"]}, "Indiquez le début de cette période"),
        ({"debut": ["2020-07-01"], "fin": ["2020-07-31"]}, "Cette période est passée"),
        ({"debut": ["9999-07-01"], "fin": [""]}, "Cette date est trop lointaine"),
        ({"fin_publication": "2020-01-01"}, "Cette date est passée"),
        ({"fin_publication": "2099-01-01"}, "Une annonce est publiée un an au plus"),
        ({"fin_publication": ""}, "Indiquez la date de fin de publication."),
        ({"titre": "  \u200b\x07 "}, "Donnez un titre à l’annonce."),
        ({"titre": "t" * 121}, "120 caractères au plus, il y en a 121"),
        ({"description": "d" * 5001}, "5000 caractères au plus, il y en a 5001"),
        ({"categorie": "vente"}, "Choisissez une catégorie de la liste."),
        ({"situation": "both"}, "Choisissez l’une des situations."),
        ({"specialite": "R38|SM99"}, "Choisissez une spécialité de la liste."),
        ({"lieu": ["commune:99999"]}, "Un lieu de la liste n’est plus connu"),
        ({"lieu": ["cp:78200"]}, "Un lieu de la liste n’est plus connu"),
        ({"fichier": ["00000000-0000-4000-8000-000000000000"]}, "Un fichier ajouté il y a longtemps n’est plus là"),
        ({"fichier": ["../../etc/passwd"]}, "Un fichier n’est plus là"),
    ],
)
async def test_what_is_wrong_is_said_and_kept(
    author: int, client: httpx.AsyncClient, typed: dict[str, str], said: str
) -> None:
    desk = (await Desk(client).open()).fill(**(FULL | typed))
    answer = await desk.press("transmettre")
    assert answer.status_code == 422
    assert said in desk.page
    assert 'class="error-summary"' in desk.page
    assert desk.page.count('<li><a href="#') == 1
    assert await ads() == []
    if "titre" not in typed:
        assert desk.fields["titre"] == [FULL["titre"]]


async def test_texts_are_cleaned_and_shown_as_they_were_typed(author: int, client: httpx.AsyncClient) -> None:
    said = "<script>alert(1)</script>\r\nDeux\x00 lignes 👩‍⚕️\u202e\r\n\r\n" + "é" * 100
    number = await written(client, titre=" Un\ttitre <b>gras</b> ", description=said)
    (ad,) = await ads()
    assert ad.title == "Un titre <b>gras</b>"
    assert ad.description == "<script>alert(1)</script>\nDeux lignes 👩‍⚕️\n\n" + "é" * 100
    page = (await client.get("/annonces/mes-annonces")).text
    assert "<b>gras</b>" not in page
    assert f"annonce-{number}" in page


async def test_exactly_five_thousand_characters_fit_with_the_ends_of_lines_of_browsers(
    author: int, client: httpx.AsyncClient
) -> None:
    await written(client, description="a\r\n" * 2499 + "bb")
    (ad,) = await ads()
    assert len(ad.description) == 5000


async def test_pressing_twice_makes_one_ad(author: int, client: httpx.AsyncClient) -> None:
    desk = (await Desk(client).open()).fill(**FULL)
    first = await desk.press("transmettre")
    second = await desk.press("transmettre")
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    assert len(await ads()) == 1
    async with unit_of_work() as session:
        done = list(await session.scalars(select(AdHistory.action).order_by(AdHistory.id)))
    assert done == ["create", "submit"]


async def test_pressing_twice_at_once_makes_one_ad(author: int, client: httpx.AsyncClient) -> None:
    import asyncio

    desk = (await Desk(client).open()).fill(**FULL)
    answers = await asyncio.gather(*(desk.press("transmettre") for _ in range(3)))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert len(await ads()) == 1


async def test_the_form_found_again_by_the_back_button_does_not_undo_what_followed(
    author: int, client: httpx.AsyncClient
) -> None:
    desk = (await Desk(client).open()).fill(**FULL)
    await desk.press("brouillon")
    later = await Desk(client).open(f"/annonces/{(await ads())[0].number}/modifier")
    assert (await later.fill(titre="Un autre titre").press("brouillon")).status_code == 303
    back = await desk.fill(titre="Le titre d’avant").press("brouillon")
    assert back.status_code == 409
    assert desk.fields["titre"] == ["Le titre d’avant"]
    assert (await ads())[0].title == "Un autre titre"
    # The page that says so is one that can be sent again.
    assert (await desk.press("brouillon")).status_code == 303
    assert [ad.title for ad in await ads()] == ["Le titre d’avant"]


async def test_of_two_tabs_the_second_is_told_and_keeps_what_it_typed(author: int, client: httpx.AsyncClient) -> None:
    number = await written(client, "brouillon")
    one, two = (
        await Desk(client).open(f"/annonces/{number}/modifier"),
        await Desk(client).open(f"/annonces/{number}/modifier"),
    )
    assert (await one.fill(titre="Par le premier").press("brouillon")).status_code == 303
    assert (await two.fill(titre="Par le second").press("transmettre")).status_code == 409
    assert "a changé dans un autre onglet" in two.page
    assert two.fields["titre"] == ["Par le second"]
    (ad,) = await ads()
    assert (ad.title, ad.state) == ("Par le premier", "draft")
    assert (await two.press("transmettre")).status_code == 303
    # Transmitted elsewhere, it can no longer be written, but what was typed is still there to copy.
    assert (await one.fill(titre="Trop tard").press("brouillon")).status_code == 409
    assert one.fields["titre"] == ["Trop tard"]
    assert 'value="transmettre"' not in one.page
    assert (await client.get(f"/annonces/{number}/modifier")).status_code == 303


async def test_what_was_typed_outlives_the_session(author: int, client: httpx.AsyncClient) -> None:
    desk = (await Desk(client).open()).fill(**(FULL | {"titre": "Saisi trop longtemps"}))
    token = client.cookies[cookie_name()]
    client.cookies.delete(cookie_name())
    answer = await desk.press("transmettre")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/connexion?suite=%2Fannonces%2Fdeposer%3Freprise%3D1"
    # Somebody else on the same computer reads nothing of it.
    await sign_in(client, await make_person(name=("Une", "Autre")))
    assert "Saisi trop longtemps" not in (await client.get("/annonces/deposer?reprise=1")).text
    client.cookies.set(cookie_name(), token)
    await desk.open("/annonces/deposer?reprise=1")
    assert "Ce que vous aviez saisi est repris" in desk.page
    assert desk.fields["titre"] == ["Saisi trop longtemps"]
    assert (await desk.press("transmettre")).status_code == 303
    assert "Saisi trop longtemps" not in (await client.get("/annonces/deposer?reprise=1")).text


async def test_an_ad_wants_a_way_to_answer_and_a_council(places: None, client: httpx.AsyncClient) -> None:
    await sign_in(client, await make_person(phone=None, shown_email=None, confirmed=False))
    desk = (await Desk(client).open()).fill(**FULL)
    assert (await desk.press("transmettre")).status_code == 422
    assert "Affectez d’abord une adresse mail ou un téléphone aux annonces" in desk.page
    assert "Confirmez d’abord le conseil départemental" in desk.page
    assert (await desk.press("brouillon")).status_code == 303


async def test_an_anonymous_ad_wants_an_address_to_relay_to(places: None, client: httpx.AsyncClient) -> None:
    await sign_in(client, await make_person(phone="+33600000001", email=None))
    desk = (await Desk(client).open()).fill(**FULL, anonyme="oui")
    assert (await desk.press("transmettre")).status_code == 422
    assert "Les réponses à une annonce anonyme arrivent à votre adresse mail" in desk.page
    await sign_in(client, await make_person(phone=None, shown_email=None))
    desk = (await Desk(client).open()).fill(**FULL, anonyme="oui")
    assert (await desk.press("transmettre")).status_code == 303


async def test_a_preview_writes_nothing_and_comes_back(author: int, client: httpx.AsyncClient) -> None:
    desk = (await Desk(client).open()).fill(**FULL, urgent="oui")
    desk.fill(description="Ligne 1\nLigne 2 & <i>suite</i>")
    seen = await desk.press("previsualiser")
    assert seen.status_code == 200
    assert "Aperçu de votre annonce" in desk.page
    assert "Mantes-la-Jolie" in desk.page
    assert "Du 1er au 31\u00a0juillet 2030" in desk.page
    assert await ads() == []
    await desk.press("continuer")
    assert desk.fields["description"] == ["Ligne 1\nLigne 2 & <i>suite</i>"]
    assert desk.fields["urgent"] == ["oui"]
    await desk.press("previsualiser")
    assert (await desk.press("transmettre")).status_code == 303
    assert [ad.state for ad in await ads()] == ["pending"]


async def test_the_back_button_from_a_preview_loses_nothing(author: int, client: httpx.AsyncClient) -> None:
    desk = (await Desk(client).open()).fill(**FULL)
    assert "Reprendre ce que vous aviez saisi" not in desk.page
    await desk.press("previsualiser")
    back = await Desk(client).open()
    assert back.fields["titre"] == [""]
    assert "Reprendre ce que vous aviez saisi" in back.page
    await back.open("/annonces/deposer?reprise=1")
    assert back.fields["titre"] == [FULL["titre"]]
    assert (await back.press("transmettre")).status_code == 303
    assert "Reprendre ce que vous aviez saisi" not in (await Desk(client).open()).page
    # The preview that is still open somewhere transmits nothing a second time.
    assert (await desk.press("transmettre")).status_code == 303
    assert len(await ads()) == 1


async def test_a_place_and_a_period_given_twice_are_kept_once(author: int, client: httpx.AsyncClient) -> None:
    twice: dict[str, Any] = {"lieu": ["commune:78361", "commune:78361"], "debut": ["2030-01-01"] * 2, "fin": [""] * 2}
    await written(client, **twice)
    async with unit_of_work() as session:
        assert len(list(await session.scalars(select(AdPlace.place_id)))) == 1
        assert [(p.starts_on, p.ends_on) for p in await session.scalars(select(AdPeriod))] == [(date(2030, 1, 1), None)]


async def test_category_and_side_stay_once_transmitted(author: int, client: httpx.AsyncClient) -> None:
    number = await written(client)
    async with unit_of_work() as session:
        ad = await session.scalar(select(Ad).where(Ad.number == number))
        assert ad is not None
        ad.state = "refused"
    desk = await Desk(client).open(f"/annonces/{number}/modifier")
    assert 'type="radio"' not in desk.page
    desk.fill(categorie="succession", situation="offers", titre="Corrigé")
    assert (await desk.press("transmettre")).status_code == 303
    (kept,) = await ads()
    assert (kept.category, kept.side, kept.title, kept.state) == ("remplacement", "seeks", "Corrigé", "pending")


async def test_the_ads_of_somebody_else_are_not_there(author: int, client: httpx.AsyncClient) -> None:
    other = await make_ad(await make_person(name=("Une", "Autre")), "draft")
    for word in ("modifier", "depublier", "republier", "prolonger", "supprimer", "historique"):
        assert (await client.get(f"/annonces/{other.number}/{word}")).status_code == 404
    desk = (await Desk(client).open()).fill(**FULL)
    desk.address = f"/annonces/{other.number}/modifier"
    assert (await desk.press("brouillon")).status_code == 404
    # Their form's mark begins an ad of one's own, and leaves theirs alone.
    desk = (await Desk(client).open()).fill(**FULL, uid=str(other.uid))
    assert (await desk.press("brouillon")).status_code == 303
    assert len(await ads()) == 2
    assert (await reread(other)).version == other.version


async def test_the_own_place_of_a_doctor_is_one_click_away(author: int, client: httpx.AsyncClient) -> None:
    from directory.models import Practitioner, Role, Site

    async with unit_of_work() as session:
        doctor = await session.scalar(select(Practitioner).limit(1))
        assert doctor is not None
        town = await place("commune:78361")
        site = Site(key="essai:1", name="CABINET", commune_id=town.id, commune_code="78361", kind="cabinet")
        session.add(site)
        await session.flush()
        session.add(Role(key="essai:1", practitioner_id=doctor.id, site_id=site.id, profession="10", mode="L"))
    desk = await Desk(client).open()
    assert "Mon lieu d’exercice : Mantes-la-Jolie" in desk.page
    await desk.press(choisir_lieu="commune:78361")
    assert desk.fields["lieu"] == ["commune:78361"]
    assert "Mon lieu d’exercice" not in desk.page
    assert desk.fields["specialite"] == [GENERAL]
