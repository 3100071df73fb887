"""The pages of the search: what is found, shown again, refused; contacts, favourites, reports."""

import re
from collections.abc import Mapping

import httpx
import pytest

from accounts.models import Account
from core.db import unit_of_work
from modules.ads import reports
from modules.ads.models import Ad
from tests.accounts.helpers import form_token, sign_in, signed_in
from tests.modules.ads.makers import ALLERGY, make_ad, make_moderator, make_person

SECRET = "+33611223344"
SHOWN = "06\u00a011\u00a022\u00a033\u00a044"


def titles(page: str) -> list[str]:
    return re.findall(r'class="ad-card-link"[^>]*>([^<]*)<', page)


async def reader(client: httpx.AsyncClient, kind: str = "doctor") -> Account:
    account = await make_person(kind, name=("Léa", "Lectrice"))
    await sign_in(client, account)
    return account


async def post(client: httpx.AsyncClient, page: str, action: str, values: Mapping[str, str]) -> httpx.Response:
    opened = await client.get(page)
    assert opened.status_code == 200, opened.text
    return await client.post(action, data={"_csrf": form_token(opened.text), **values})


async def test_nobody_else_reads_ads(places: None, client: httpx.AsyncClient) -> None:
    ad = await make_ad(await make_person(), title="Annonce de Mantes")
    addresses = ["/annonces", f"/annonces/{ad.number}", "/annonces/favoris", "/annonces/recherches"]
    api = ["/api/v1/ads", f"/api/v1/ads/{ad.number}", "/api/v1/ads/map", "/api/v1/ads/searches"]
    for address in addresses:
        answer = await client.get(address, headers={"accept": "text/html"})
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/connexion?suite=")
    for address in api:
        assert (await client.get(address)).status_code == 401
    # A nurse is a professional of health, and none of ours.
    await signed_in(client, ("professional", "rpps:10109999999"), rpps="10109999999")
    for address in [*addresses, *api]:
        answer = await client.get(address, headers={"accept": "text/html"})
        assert answer.status_code == 403
        assert "Annonce de Mantes" not in answer.text


@pytest.mark.parametrize("kind", ["doctor", "junior", "licensed", "intern"])
async def test_those_who_are_known_read_what_is_published(places: None, client: httpx.AsyncClient, kind: str) -> None:
    author = await make_person()
    ads = {state: await make_ad(author, state, title=state) for state in ("draft", "pending", "published", "refused")}
    await reader(client, kind)
    page = await client.get("/annonces")
    assert page.status_code == 200
    assert titles(page.text) == ["published"]
    for state, ad in ads.items():
        assert (await client.get(f"/annonces/{ad.number}")).status_code == (200 if state == "published" else 404)
        assert (await client.get(f"/api/v1/ads/{ad.number}")).status_code == (200 if state == "published" else 404)


async def test_a_first_visit_comes_before_ads(places: None, client: httpx.AsyncClient) -> None:
    await sign_in(client, await make_person(visited=False))
    answer = await client.get("/annonces?category=remplacement", headers={"accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"] == ("/coordonnees/premiere-visite?suite=%2Fannonces%3Fcategory%3Dremplacement")


async def test_a_form_leads_to_an_address_that_can_be_shared(places: None, client: httpx.AsyncClient) -> None:
    author = await make_person()
    await make_ad(author, title="À Mantes", places=("commune:78361",))
    await make_ad(author, title="À Marseille", places=("commune:13055",))
    await reader(client)
    sent = {
        "category": "remplacement",
        "side": "seeks",
        "specialty": "",
        "lieu": "mantes la jolie",
        "radius_km": "20",
        "start": ["2030-07-15", "2031-01-01"],
        "end": ["", "2031-02-01"],
        "q": "",
    }
    answer = await client.get("/annonces", params=sent)
    assert answer.status_code == 303
    location = answer.headers["location"]
    assert location == (
        "/annonces?category=remplacement&side=seeks&place=commune:78361"
        "&period=2030-07-15/..&period=2031-01-01/2031-02-01"
    )
    page = await client.get(location)
    assert page.status_code == 200
    assert titles(page.text) == ["À Mantes"]
    for chip in ("Remplacement", "Je suis remplaçant", "Mantes-la-Jolie (78200) et 20\u00a0km autour"):
        assert chip in page.text
    assert 'value="2030-07-15"' in page.text


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ("category=poste", "category", "Cette catégorie n’existe pas."),
        ("side=both", "side", "Cette situation n’existe pas."),
        ("specialty=XX1", "specialty", "Cette spécialité n’existe pas"),
        ("lieu=Zzzqqqxw", "lieu", "Aucun lieu ne s’appelle"),
        ("lieu=Vresailes", "lieu", "Vouliez-vous dire Versailles"),
        ("place=commune:00000", "lieu", "n’est pas connu"),
        ("radius_km=7", "radius_km", "Choisissez une distance"),
        ("start=2030-07-31&end=2030-07-01", "start-0", "ne peut pas précéder"),
        ("start=&end=2030-07-01", "start-0", "Indiquez la date de début"),
        ("start=31/02/2030&end=", "start-0", "n’est pas une date"),
        ("q=" + "a" * 201, "q", "trop long"),
    ],
)
async def test_bad_input_is_refused_at_its_field(
    places: None, client: httpx.AsyncClient, query: str, field: str, said: str
) -> None:
    await reader(client)
    answer = await client.get(
        f"/annonces?{query}&category=remplacement" if "category" not in query else f"/annonces?{query}"
    )
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert f'id="{field}"' in answer.text
    assert said in answer.text
    if "category" not in query:
        assert '<option value="remplacement" selected>' in answer.text


@pytest.mark.parametrize("query", ["%00", "q=%00%00&place=%00", "page=99", "page=0", "page=a", "place=" + "x" * 5000])
async def test_hostile_input_is_never_an_error_of_ours(places: None, client: httpx.AsyncClient, query: str) -> None:
    await reader(client)
    assert (await client.get(f"/annonces?{query}")).status_code in (200, 303, 422)
    assert (await client.get(f"/api/v1/ads?{query}")).status_code in (200, 422)


async def test_an_empty_answer_proposes_to_widen(places: None, client: httpx.AsyncClient) -> None:
    await make_ad(await make_person())
    await reader(client)
    page = await client.get("/annonces?category=succession&place=commune:13055")
    assert "Aucune annonce ne correspond" in page.text
    assert 'href="/annonces?category=succession&amp;place=commune:13055&amp;radius_km=50"' in page.text
    assert 'href="/annonces?category=succession"' in page.text
    assert "/annonces/recherches/enregistrer?category=succession" in page.text


async def test_pages_stop_at_two_hundred(places: None, client: httpx.AsyncClient) -> None:
    author = await make_person()
    for number in range(17):
        await make_ad(
            author, title=f"Annonce {number}", places=("departement:78",) if number < 2 else ("commune:78361",)
        )
    await reader(client)
    first, second = await client.get("/annonces"), await client.get("/annonces?page=2")
    assert titles(first.text) == [f"Annonce {number}" for number in range(16, 1, -1)]
    assert titles(second.text) == ["Annonce 1", "Annonce 0"]
    assert "1 – 15 sur 17" in first.text
    assert "2\u00a0annonces valent pour tout un département" in first.text
    assert (await client.get("/annonces?page=14")).headers["location"] == "/annonces?page=2"


async def test_the_api_finds_as_the_page_does(places: None, client: httpx.AsyncClient) -> None:
    author = await make_person()
    near = await make_ad(author, places=("commune:78118",))
    here = await make_ad(author, places=("commune:78361",), anonymous=True)
    await make_ad(author, specialty=ALLERGY)
    await reader(client)
    answer = await client.get("/api/v1/ads?place=commune:78361&sort=distance&specialty=SM54")
    assert answer.status_code == 200
    assert [item["number"] for item in answer.json()["items"]] == [here.number, near.number]
    assert answer.json()["items"][0]["distance_m"] == 0
    assert 3000 < answer.json()["items"][1]["distance_m"] < 4000
    mapped = (await client.get("/api/v1/ads/map?place=commune:78361&zoom=12")).json()
    assert mapped["total"] == 3
    assert (await client.get("/api/v1/ads?nom=x")).status_code == 422
    assert (await client.get("/api/v1/ads?sort=distance")).status_code == 422


async def test_contacts_are_shown_at_the_press_of_a_button(places: None, client: httpx.AsyncClient) -> None:
    author = await make_person(phone=SECRET, shown_email="cabinet@exemple.test")
    ad = await make_ad(author)
    await reader(client)
    page = await client.get(f"/annonces/{ad.number}")
    assert SHOWN not in page.text
    assert "cabinet@exemple.test" not in page.text
    shown = await post(client, f"/annonces/{ad.number}", f"/annonces/{ad.number}/coordonnees", {})
    assert shown.status_code == 200
    assert SHOWN in shown.text
    assert "cabinet@exemple.test" in shown.text
    contact = await client.get(f"/api/v1/ads/{ad.number}/contact")
    assert contact.json()["mobile"] == SECRET
    for _ in range(40):
        contact = await client.get(f"/api/v1/ads/{ad.number}/contact")
    assert contact.status_code == 429
    reloaded = await client.get(f"/annonces/{ad.number}/coordonnees")
    assert reloaded.headers["location"] == f"/annonces/{ad.number}"
    refused = await post(client, f"/annonces/{ad.number}", f"/annonces/{ad.number}/coordonnees", {})
    assert refused.status_code == 429
    assert SHOWN not in refused.text


async def test_the_contacts_of_an_anonymous_ad_are_nowhere(places: None, client: httpx.AsyncClient) -> None:
    author = await make_person(
        name=("Secrète", "Autrice"), phone=SECRET, shown_email="secrete@exemple.test", email="ordre@exemple.test"
    )
    ad = await make_ad(author, anonymous=True)
    await reader(client)
    found = [
        await client.get("/annonces"),
        await client.get(f"/annonces/{ad.number}"),
        await client.get("/annonces?q=secrete"),
        await client.get("/api/v1/ads"),
        await client.get(f"/api/v1/ads/{ad.number}"),
        await client.get(f"/api/v1/ads/{ad.number}/contact"),
        await client.get("/api/v1/ads/map"),
        await post(client, f"/annonces/{ad.number}", f"/annonces/{ad.number}/coordonnees", {}),
    ]
    by_phone, by_name = await client.get("/api/v1/ads?q=0611223344"), await client.get("/api/v1/ads?q=Autrice")
    assert by_phone.json()["total"] == by_name.json()["total"] == 0
    for answer in found:
        assert answer.status_code == 200
        for canary in (SECRET, SHOWN, "611223344", "secrete@exemple.test", "ordre@exemple.test", "Autrice"):
            assert canary not in answer.text


async def test_an_ad_that_ended_says_only_that(places: None, client: httpx.AsyncClient) -> None:
    ad = await make_ad(await make_person(), "unpublished", title="Titre retiré")
    await reader(client)
    answer = await client.get(f"/annonces/{ad.number}", headers={"accept": "text/html"})
    assert answer.status_code == 410
    assert "n’est plus publiée" in answer.text
    assert "Titre retiré" not in answer.text
    assert (await client.get("/annonces/99999999999999")).status_code == 404


async def test_a_moderator_of_another_council_reads_as_a_reader(places: None, client: httpx.AsyncClient) -> None:
    author = await make_person(council="78")
    pending, public = await make_ad(author, "pending"), await make_ad(author)
    await sign_in(client, await make_moderator("13"))
    assert (await client.get(f"/annonces/{pending.number}")).status_code == 404
    other = await client.get(f"/annonces/{public.number}")
    assert other.status_code == 200
    assert "/annonces/moderation/" not in other.text
    await sign_in(client, await make_moderator("78"))
    assert (await client.get(f"/annonces/{pending.number}")).status_code == 200
    assert f"/annonces/moderation/{public.number}" in (await client.get(f"/annonces/{public.number}")).text


async def test_what_is_written_is_shown_as_text(places: None, client: httpx.AsyncClient) -> None:
    ad = await make_ad(
        await make_person(),
        title="<b>Gras</b>",
        description="<script>alert(1)</script>\nDeuxième ligne",
        places=("france",),
    )
    await reader(client)
    page = (await client.get(f"/annonces/{ad.number}")).text
    assert "<script>alert" not in page
    assert "&lt;b&gt;Gras&lt;/b&gt;" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\nDeuxième ligne" in page


async def test_favourites_are_kept_and_say_what_is_gone(places: None, client: httpx.AsyncClient) -> None:
    author = await make_person()
    kept, gone = await make_ad(author, title="Gardée"), await make_ad(author, "unpublished", title="Partie")
    account = await reader(client)
    await post(client, f"/annonces/{kept.number}", f"/annonces/{kept.number}/favori", {"garder": "1"})
    async with unit_of_work() as session:
        from accounts.api import add_favourite

        await add_favourite(session, account.id, "ad", str(gone.number))
    page = (await client.get("/annonces/favoris")).text
    assert titles(page) == ["Gardée"]
    assert "Cette annonce n’est plus publiée." in page
    assert "Partie" not in page
    assert "Retirer des favoris" in (await client.get(f"/annonces/{kept.number}")).text
    await post(client, "/annonces/favoris", f"/annonces/{kept.number}/favori", {"suite": "/annonces/favoris"})
    assert titles((await client.get("/annonces/favoris")).text) == []


async def test_an_ad_is_reported_to_its_council_once(places: None, client: httpx.AsyncClient) -> None:
    ad: Ad = await make_ad(await make_person())
    await reader(client)
    address = f"/annonces/{ad.number}"
    refused = await post(client, address, f"{address}/signaler", {"reason": " "})
    assert refused.status_code == 422
    assert 'href="#reason"' in refused.text
    for _ in range(2):
        sent = await post(client, address, f"{address}/signaler", {"reason": "Cette annonce est une publicité."})
        assert sent.status_code == 303
    async with unit_of_work() as session:
        waiting = await reports.open_reports(session, [ad.id])
    assert [(one.reporter, one.reason) for one in waiting[ad.id]] == [
        ("Léa Lectrice", "Cette annonce est une publicité.")
    ]
