"""One's own ads: the list, and every passage that an author makes of them."""

import re
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select, text

from accounts.models import Account
from core import clock
from core.db import unit_of_work
from modules.ads import life
from modules.ads.models import Ad, AdHistory
from tests.accounts.helpers import form_token, sign_in
from tests.modules.ads.desk import Desk
from tests.modules.ads.makers import as_reader, make_ad, make_moderator, make_person, reread

MINE = "/annonces/mes-annonces"


@pytest.fixture
async def author(places: None, client: httpx.AsyncClient) -> Account:
    account = await make_person()
    await sign_in(client, account)
    return account


async def act(client: httpx.AsyncClient, ad: Ad, word: str, **values: str) -> httpx.Response:
    """Open the question and answer it."""
    page = await client.get(f"/annonces/{ad.number}/{word}")
    assert page.status_code == 200, page.text
    version = re.search(r'name="version" value="(\d+)"', page.text)
    assert version
    data = {"_csrf": form_token(page.text), "version": version[1]} | values
    return await client.post(f"/annonces/{ad.number}/{word}", data=data)


async def day(days: int) -> str:
    async with unit_of_work() as session:
        return (clock.today(await clock.now(session)) + timedelta(days=days)).isoformat()


async def actions_of(ad: Ad) -> list[str]:
    async with unit_of_work() as session:
        wanted = select(AdHistory.action).where(AdHistory.ad_id == ad.id).order_by(AdHistory.id)
        return list(await session.scalars(wanted))


async def accept(ad: Ad, council: str = "78") -> None:
    judge = await as_reader(await make_moderator(council))
    async with unit_of_work() as session:
        await life.accept(session, judge, await life.moderated(session, judge, ad.number, (await reread(ad)).version))


async def refuse(ad: Ad, reason: str = "") -> None:
    judge = await as_reader(await make_moderator(name=("Nom", "Secret")))
    async with unit_of_work() as session:
        held = await life.moderated(session, judge, ad.number, (await reread(ad)).version)
        await life.refuse(session, judge, held, reason)


async def test_the_list_says_states_and_filters_them(author: Account, client: httpx.AsyncClient) -> None:
    made = {state: await make_ad(author, state) for state in ("draft", "pending", "published", "unpublished")}
    refused = await make_ad(author, "refused", category="adjuvat", reason="Un téléphone\nest écrit dans le texte.")
    await make_ad(author, "deleted")
    other = await make_ad(await make_person(name=("Une", "Autre")), "published")
    page = (await client.get(MINE)).text
    assert "1 – 5 sur 5" in page
    assert "Un téléphone\nest écrit dans le texte." in page
    assert f"annonce-{other.number}" not in page
    assert "Réinitialiser" not in page
    for label in ("Brouillon", "En attente", "Publiée", "Dépubliée", "Refusée"):
        assert f">{label}</span>" in page
    page = (await client.get(f"{MINE}?etat=pending")).text
    assert f'id="annonce-{made["pending"].number}"' in page
    assert "1 – 1 sur 1" in page
    assert f"/annonces/{made['pending'].number}/modifier" not in page
    page = (await client.get(f"{MINE}?categorie=adjuvat")).text
    assert f'id="annonce-{refused.number}"' in page
    assert "Réinitialiser" in page
    assert "Aucune de vos annonces" in (await client.get(f"{MINE}?categorie=succession")).text
    assert (await client.get(f"{MINE}?etat=deleted")).status_code == 422
    assert (await client.get(f"{MINE}?page=99")).status_code == 200


async def test_thirty_a_page(author: Account, client: httpx.AsyncClient) -> None:
    for _ in range(31):
        await make_ad(author, "draft")
    page = (await client.get(MINE)).text
    assert "1 – 30 sur 31" in page
    assert page.count('class="mine-ad"') == 30
    assert (await client.get(f"{MINE}?page=2")).text.count('class="mine-ad"') == 1


async def test_unpublish_as_filled_then_publish_again_at_once(author: Account, client: httpx.AsyncClient) -> None:
    ad = await make_ad(author, "published")
    assert (await act(client, ad, "depublier", raison="parce que")).status_code == 422
    done = await act(client, ad, "depublier", raison="filled")
    assert done.headers["location"] == f"{MINE}?fait=depubliee&annonce={ad.number}"
    page = (await client.get(done.headers["location"])).text
    assert f"n°\u00a0{ad.number} est dépubliée" in page
    assert (await reread(ad)).unpublish_reason == "filled"
    history = (await client.get(f"/annonces/{ad.number}/historique")).text
    assert "Raison : Pourvue" in history
    done = await act(client, ad, "republier", fin_publication=await day(30))
    assert done.headers["location"].startswith(f"{MINE}?fait=publiee")
    assert (await reread(ad)).state == "published"
    assert await actions_of(ad) == ["create", "submit", "accept", "unpublish", "republish"]


async def test_an_end_that_is_past_is_asked_again(author: Account, client: httpx.AsyncClient) -> None:
    ad = await make_ad(author, "unpublished", ends_in=3)
    async with unit_of_work() as session:
        await session.execute(text("UPDATE ads.ad SET ends_on = '2020-01-01'"))
    page = (await client.get(f"/annonces/{ad.number}/republier")).text
    assert "2020-01-01" not in page
    refused = await act(client, ad, "republier", fin_publication="2020-01-01")
    assert refused.status_code == 422
    assert "Cette date est passée" in refused.text
    assert (await act(client, ad, "republier", fin_publication="30/02/2027")).status_code == 422
    assert (await act(client, ad, "republier", fin_publication="")).status_code == 422
    assert (await act(client, ad, "republier", fin_publication=await day(0))).status_code == 303
    assert (await reread(ad)).state == "published"


async def test_a_changed_content_goes_back_to_the_council(author: Account, client: httpx.AsyncClient) -> None:
    ad = await make_ad(author, "unpublished")
    desk = await Desk(client).open(f"/annonces/{ad.number}/modifier")
    assert (await desk.fill(titre="Un autre titre").press("brouillon")).status_code == 303
    done = await act(client, ad, "republier", fin_publication=await day(30))
    assert done.headers["location"].startswith(f"{MINE}?fait=transmise")
    await accept(ad)
    desk = await Desk(client).open(f"/annonces/{ad.number}/modifier")
    assert "elle est dépubliée et vérifiée de nouveau" in desk.page
    assert 'value="brouillon"' not in desk.page
    assert (await desk.press("brouillon")).status_code == 409
    sent = await desk.fill(description="Autre chose.").press("transmettre")
    assert sent.headers["location"].startswith(f"{MINE}?fait=transmise")
    assert (await reread(ad)).state == "pending"
    assert await actions_of(ad) == ["create", "submit", "accept", "unpublish", "submit", "accept", "revise"]


async def test_the_end_alone_changes_at_once(author: Account, client: httpx.AsyncClient) -> None:
    ad = await make_ad(author, "published")
    later = await day(300)
    desk = await Desk(client).open(f"/annonces/{ad.number}/modifier")
    done = await desk.fill(fin_publication=later).press("transmettre")
    assert done.headers["location"] == f"{MINE}?fait=prolongee&annonce={ad.number}"
    kept = await reread(ad)
    assert (kept.state, kept.ends_on and kept.ends_on.isoformat()) == ("published", later)
    done = await act(client, ad, "prolonger", fin_publication=await day(20))
    assert done.status_code == 303
    assert (await act(client, ad, "prolonger", fin_publication=await day(400))).status_code == 422
    assert await actions_of(ad) == ["create", "submit", "accept", "extend", "extend"]


async def test_a_change_that_lacks_something_leaves_what_is_published(
    author: Account, client: httpx.AsyncClient
) -> None:
    ad = await make_ad(author, "published")
    desk = await Desk(client).open(f"/annonces/{ad.number}/modifier")
    assert (await desk.fill(titre="Autre", description="").press("transmettre")).status_code == 422
    assert desk.fields["titre"] == ["Autre"]
    kept = await reread(ad)
    assert (kept.state, kept.title, kept.version) == ("published", ad.title, ad.version)


async def test_a_refused_ad_is_corrected_and_proposed_again(author: Account, client: httpx.AsyncClient) -> None:
    ad = await make_ad(author, "pending")
    await refuse(ad, "Votre annonce ne respecte pas les règles.")
    page = (await client.get(MINE)).text
    assert "Votre annonce ne respecte pas les règles." in page
    assert "Secret" not in page
    desk = await Desk(client).open(f"/annonces/{ad.number}/modifier")
    assert "Proposer de nouveau à la publication" in desk.page
    assert (await desk.fill(titre="Corrigée").press("transmettre")).status_code == 303
    await accept(ad)
    await refuse(ad)
    history = (await client.get(f"/annonces/{ad.number}/historique")).text
    assert "Motif : Votre annonce ne respecte pas les règles." in history
    assert "CD78" in history
    assert "Secret" not in history
    assert "Le conseil n’a pas indiqué de motif." in (await client.get(MINE)).text
    # Refused once published, the same content is no longer one that a council accepted.
    desk = await Desk(client).open(f"/annonces/{ad.number}/modifier")
    assert (await desk.press("transmettre")).headers["location"].startswith(f"{MINE}?fait=transmise")


@pytest.mark.parametrize("state", ["draft", "pending", "published", "unpublished", "refused"])
async def test_an_ad_is_deleted_from_every_state(author: Account, client: httpx.AsyncClient, state: str) -> None:
    ad = await make_ad(author, state)
    assert "Vous ne pourrez pas revenir en arrière" in (await client.get(f"/annonces/{ad.number}/supprimer")).text
    done = await act(client, ad, "supprimer")
    assert "L’annonce est supprimée." in (await client.get(done.headers["location"])).text
    kept = await reread(ad)
    assert (kept.state, kept.title, kept.description, kept.number) == ("deleted", "", "", ad.number)
    for word in ("modifier", "historique", "supprimer"):
        assert (await client.get(f"/annonces/{ad.number}/{word}")).status_code == 404


@pytest.mark.parametrize(
    ("state", "word"),
    [
        ("draft", "depublier"),
        ("draft", "republier"),
        ("draft", "prolonger"),
        ("pending", "depublier"),
        ("pending", "prolonger"),
        ("published", "republier"),
        ("refused", "republier"),
        ("refused", "prolonger"),
    ],
)
async def test_what_a_state_does_not_allow_is_refused(
    author: Account, client: httpx.AsyncClient, state: str, word: str
) -> None:
    ad = await make_ad(author, state)
    assert (await client.get(f"/annonces/{ad.number}/{word}")).status_code == 303
    page = await client.get(f"/annonces/{ad.number}/supprimer")
    data = {"_csrf": form_token(page.text), "version": str(ad.version), "raison": "filled"}
    answer = await client.post(f"/annonces/{ad.number}/{word}", data=data | {"fin_publication": await day(20)})
    assert answer.status_code == 409
    assert "Rien n’a été modifié." in answer.text
    assert (await reread(ad)).version == ad.version


async def test_acting_on_a_version_that_was_not_seen_is_refused(author: Account, client: httpx.AsyncClient) -> None:
    ad = await make_ad(author, "published")
    page = (await client.get(f"/annonces/{ad.number}/supprimer")).text
    await act(client, ad, "prolonger", fin_publication=await day(20))
    for version in (str(ad.version), "", "x", "9" * 30):
        data = {"_csrf": form_token(page), "version": version}
        answer = await client.post(f"/annonces/{ad.number}/supprimer", data=data)
        assert answer.status_code in (409, 422)
    assert (await reread(ad)).state == "published"


async def test_the_banner_says_nothing_of_what_is_not_so(author: Account, client: httpx.AsyncClient) -> None:
    ad = await make_ad(author, "draft")
    other = await make_ad(await make_person(name=("Une", "Autre")), "pending")
    for number in (ad.number, other.number, 999_999):
        page = (await client.get(f"{MINE}?fait=transmise&annonce={number}")).text
        assert "a bien été transmise" not in page
    assert (await client.get(f"{MINE}?fait=transmise&annonce=x")).status_code == 422


async def test_whoever_may_write_finds_the_service_at_home(author: Account, client: httpx.AsyncClient) -> None:
    assert 'href="/annonces"' in (await client.get("/accueil")).text
    await sign_in(client, await make_person(None, None, grants=(("coordinator", "departement:78"),)))
    assert 'href="/annonces"' not in (await client.get("/accueil")).text
