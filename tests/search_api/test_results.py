"""The page of results on a filled directory: pages that no longer exist, searches that limits leave empty."""

import html
import re

import httpx
import pytest

PAGE = {"Accept": "text/html"}


async def test_a_page_past_the_last_leads_to_the_last(api: httpx.AsyncClient) -> None:
    params = {"q": "kiné", "sort": "relevance", "age": "40", "where": "commune:78361"}
    answer = (await api.get("/api/v1/search", params={**params, "page": 14})).json()
    assert answer["items"] == [] == answer["widen"] and answer["pages"] < 14 and answer["total"] > 0
    last = f"&page={answer['pages']}" if answer["pages"] > 1 else ""
    kept = f"/recherche?q=kin%C3%A9&sort=relevance&age=40&where=commune:78361{last}"
    for more in ({}, {"HX-Request": "true"}):
        past = await api.get("/recherche", params={**params, "page": 14}, headers=PAGE | more)
        assert (past.status_code, past.headers["location"]) == (303, kept)
    shown = await api.get(kept, headers=PAGE)
    assert shown.status_code == 200 and "Aucune offre ne correspond" not in shown.text
    one = await api.get("/recherche?q=galsirelle&page=5", headers=PAGE)
    assert one.status_code == 200 and "Aucune offre ne correspond" in one.text, "nothing found is no page past the last"


@pytest.mark.parametrize(
    ("within", "advice", "links"),
    [
        (["commune:78418"], "Retirez la limite « Dans »", 1),
        (["commune:78361", "commune:78646"], "Retirez l’une des limites « Dans »", 2),
    ],
)
async def test_limits_that_leave_nothing_are_said_to(
    api: httpx.AsyncClient, within: list[str], advice: str, links: int
) -> None:
    params = {"where": "commune:78361", "within": within}
    answer = (await api.get("/api/v1/search", params=params)).json()
    assert answer["total"] == 0
    assert len(answer["widen"]) == 1 and answer["widen"][0].startswith(advice)
    page = (await api.get("/recherche", params=params, headers=PAGE)).text
    assert 'href="/recherche?where=commune:78361">Tout effacer' in page
    assert page.count("Retirer le filtre « Dans") == links


async def ways(api: httpx.AsyncClient, **params: object) -> dict[str, str]:
    """Return the ways out of an empty answer: what each says, and its address."""
    page = await api.get("/recherche", params=params, headers=PAGE)  # type: ignore[arg-type]
    assert page.status_code == 200 and "Aucune offre ne correspond" in page.text
    listed = re.search(r'<ul class="empty-links">(.*?)</ul>', page.text, re.DOTALL)
    links = re.findall(r'<a href="([^"]+)">([^<]+)</a>', listed[1]) if listed else []
    return {html.unescape(text): html.unescape(href) for href, text in links}


async def test_every_way_out_of_an_empty_answer_finds_what_it_announces(api: httpx.AsyncClient) -> None:
    for params in (
        {"q": "kiné galsirelle", "where": "commune:78361"},
        {"q": "kiné zzzz dupont"},
        {"q": "kiné", "where": "commune:78361", "radius_km": "0.1", "age": "40"},
        {"q": "kiné", "where": "commune:78361", "within": "commune:78418"},
    ):
        found = await ways(api, **params)
        assert 1 <= len(found) <= 6, params
        for text, href in found.items():
            number = re.search(r"\((\d+)\u00a0sites?\)$", text)
            assert number, text
            answer = (await api.get(href.replace("/recherche", "/api/v1/search"))).json()
            assert answer["total"] == int(number[1]) > 0, text


async def test_a_word_too_many_is_named(api: httpx.AsyncClient) -> None:
    found = await ways(api, q="kiné zzzz", where="commune:78361")
    assert any(text.startswith("Chercher sans « zzzz » (") for text in found)
    assert not any("sans « kiné »" in text for text in found)


async def test_the_plan_of_the_engine_is_for_the_api_alone(api: httpx.AsyncClient) -> None:
    params = {"q": "kiné", "where": "commune:78361", "explain": "1"}
    lines = (await api.get("/api/v1/search", params=params)).json()["explain"]
    assert any(line.startswith("Plan du moteur") for line in lines)
    page = (await api.get("/recherche", params=params, headers=PAGE)).text
    assert "Comment cet ordre est obtenu" in page and lines[0][:12] in html.unescape(page)
    assert "Plan du moteur" not in page
