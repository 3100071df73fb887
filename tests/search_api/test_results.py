"""The page of results on a filled directory: pages that no longer exist, searches that limits leave empty."""

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
    assert advice in page and page.count("Retirer le filtre « Dans") == links
