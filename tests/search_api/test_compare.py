"""The comparator: who may use it, what it shows at each level, hostile choices."""

import html
import re
import uuid

import httpx
import pytest
from sqlalchemy import select

from accounts.api import add_favourite
from core.db import unit_of_work
from directory.api import ContactIn, Offer, OfferDescription, describe_offer
from search_api.compare import COOKIE
from tests.accounts.helpers import signed_in, submit


async def offers(count: int) -> list[Offer]:
    async with unit_of_work() as session:
        rows = await session.scalars(
            select(Offer)
            .where(Offer.sensitive.is_(False), Offer.closed_on.is_(None), Offer.status == "published")
            .order_by(Offer.id)
            .limit(count)
        )
        return list(rows)


def columns(page: str) -> list[str]:
    """Return the offers that a page shows side by side."""
    head = page.partition('<table class="compare">')[2].partition("</thead>")[0]
    return re.findall(r'href="/offres/([0-9a-f-]{36})', head)


def waiting(page: str) -> list[str]:
    """Return the addresses that take an offer off a choice of too many."""
    return re.findall(r'<a class="btn[^"]*" href="([^"]+)">', page.partition("compare-many")[2].partition("</ol>")[0])


async def test_only_people_signed_in_compare(api: httpx.AsyncClient) -> None:
    asked = await api.get("/comparer", headers={"Accept": "text/html"})
    assert asked.headers["location"].startswith("/connexion")
    first = (await offers(1))[0]
    assert "/comparer/ajouter" not in (await api.get(f"/offres/{first.uid}")).text


async def test_offers_are_chosen_on_their_sheets_and_read_side_by_side(api: httpx.AsyncClient) -> None:
    account = await signed_in(api)
    assert "Le comparateur est vide" in (await api.get("/comparer")).text
    chosen = await offers(5)
    for offer in chosen:
        answer = await submit(api, f"/offres/{offer.uid}", "/comparer/ajouter", {"offre": str(offer.uid)})
        assert answer.headers["location"] == "/comparer"
    page = (await api.get("/comparer")).text
    assert "5 offres sont choisies, 4 au plus se lisent côte à côte" in page
    assert all(str(o.uid) in page for o in chosen), "the fifth waits, and none has left"
    assert columns(page) == [str(o.uid) for o in chosen[:4]]
    await submit(api, "/comparer", "/comparer/retirer", {"offre": str(chosen[1].uid)})
    page = (await api.get("/comparer")).text
    assert columns(page) == [str(o.uid) for o in (chosen[0], *chosen[2:])]
    assert "sont choisies" not in page
    await submit(api, "/comparer", "/comparer/vider", {})
    assert "Le comparateur est vide" in (await api.get("/comparer")).text
    assert account.id


async def test_offers_are_ticked_on_results_and_favourites(api: httpx.AsyncClient) -> None:
    results = "/recherche?q=kine&where=commune:78361"
    assert 'name="o"' not in (await api.get(results)).text
    account = await signed_in(api)
    page = (await api.get(results)).text
    assert re.search(r'<form id="comparer"[^>]* action="/comparer" method="get" data-compare-most="4">', page)
    ticked = re.findall(r'form="comparer" name="o" value="([^"]+)"', page)
    assert len(ticked) == len(set(ticked)) > 4
    side = (await api.get("/comparer", params={"o": ticked[:2]})).text
    assert all(uid in side for uid in ticked[:2]) and "Une seule offre" not in side
    many = await api.get("/comparer", params={"o": ticked})
    assert many.status_code == 200 and f"{len(ticked)} offres sont choisies, 4 au plus" in many.text
    async with unit_of_work() as session:
        for uid in ticked[:2]:
            await add_favourite(session, account.id, "offer", uid)
    kept = (await api.get("/favoris")).text
    assert set(re.findall(r'form="comparer" name="o" value="([^"]+)"', kept)) == set(ticked[:2])
    assert 'href="/comparer"' in (await api.get("/accueil")).text


async def test_a_comparison_shows_what_its_reader_may_see(api: httpx.AsyncClient) -> None:
    first, second = await offers(2)
    async with unit_of_work() as session:
        hidden = OfferDescription(contacts=[ContactIn(purpose="pro_phone", value="0639982233")])
        await describe_offer(session, first.uid, hidden, "essai", first.version)
    address = f"/comparer?o={first.uid}&o={second.uid}"
    await signed_in(api)
    assert "39 98 22 33" not in (await api.get(address)).text.replace("\u00a0", " ")
    await signed_in(api, ("professional", "rpps:10101010101"))
    assert "39 98 22 33" in (await api.get(address)).text.replace("\u00a0", " ")


async def test_the_table_tells_how_far_each_offer_is_from_the_place_of_the_search(api: httpx.AsyncClient) -> None:
    await signed_in(api)
    results = "http://repere.test/recherche?q=kine&where=commune:78361"
    found = (await api.get("/api/v1/search", params={"q": "kine", "where": "commune:78361"})).json()["items"]
    uids = [item["offers"][0]["id"] for item in found if not item["approximate"]][:2]
    ask = "/comparer?" + "&".join(f"o={uid}" for uid in uids)
    assert '<th scope="row">Distance</th>' not in (await api.get(ask)).text
    page = html.unescape((await api.get(ask, headers={"Referer": results})).text)
    assert '<th scope="row">Distance</th>' in page and page.count("depuis Mantes-la-Jolie") == 2
    link = re.search(r'href="(/comparer\?[^"]+)">[^<]*(?:<svg.*?</svg>)?\s*Adresse de cette', page, re.DOTALL)
    assert link and link[1].endswith("&where=commune:78361")
    assert "depuis Mantes-la-Jolie" in (await api.get(link[1])).text, "the address alone says it too"
    assert "Distance</th>" not in (await api.get(f"{ask}&where=nulle:part")).text


async def test_with_nothing_ticked_the_page_leads_back(api: httpx.AsyncClient) -> None:
    await signed_in(api)
    back = "/recherche?q=kine&where=commune:78361"
    page = html.unescape((await api.get("/comparer?", headers={"Referer": f"http://repere.test{back}"})).text)
    assert "Aucune offre n’est cochée" in page and f'href="{back}"' in page
    for hostile in ("http://mal.test/recherche", "http://repere.test//mal.test/recherche", "http://[", "é"):
        answer = await api.get("/comparer", headers={b"Referer": hostile.encode()})
        assert answer.status_code == 200 and "Le comparateur est vide" in answer.text, hostile


async def test_a_fifth_offer_waits_until_one_is_taken_off(api: httpx.AsyncClient) -> None:
    await signed_in(api)
    uids = [str(offer.uid) for offer in await offers(23)]
    place = "where=commune:78361"
    five = (await api.get("/comparer?" + "&".join(f"o={uid}" for uid in uids[:5]) + f"&{place}")).text
    assert "5 offres sont choisies" in five and "la suivante attend" in five and five.count("en attente") == 1
    links = dict(zip(uids, (html.unescape(link) for link in waiting(five)), strict=False))
    assert len(links) == 5, "each of the five may be taken off"
    for uid, link in links.items():
        left = [other for other in uids[:5] if other != uid]
        assert link == "/comparer?" + "&".join(f"o={other}" for other in left) + f"&{place}"
        page = (await api.get(link)).text
        assert columns(page) == left and "sont choisies" not in page

    many = (await api.get("/comparer", params={"o": uids})).text
    assert "23 offres sont choisies" in many and "les 19 suivantes attendent" in many
    assert len(waiting(many)) == 20 and "3\u00a0autres offres" in many
    assert html.unescape(waiting(many)[0]).count("o=") == 22, "those that are not named are not lost"

    gone = str(uuid.UUID(int=5))
    page = (await api.get("/comparer", params={"o": [gone, *uids[:4]]})).text
    assert "sont choisies" not in page and columns(page) == uids[:4], "what nobody may read takes no room"


@pytest.mark.parametrize("cookie", ["", "x", "." * 500, f"{uuid.UUID(int=1)}.{uuid.UUID(int=2)}"])
async def test_a_hostile_or_stale_choice_is_told(api: httpx.AsyncClient, cookie: str) -> None:
    await signed_in(api)
    api.cookies.set(COOKIE, cookie)
    page = await api.get("/comparer")
    assert page.status_code == 200
    assert "Le comparateur est vide" in page.text
    assert (await api.get("/comparer?o=abc")).status_code == 422
