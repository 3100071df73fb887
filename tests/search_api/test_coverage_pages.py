"""The pages of the coverage reports: question, table, suggestions."""

import html
import re

import httpx
import pytest

from tests.search_api.coverage import COVERAGE, PAGE, ask, features


def cells(page: str) -> list[str]:
    found = re.findall(r'<th scope="row"[^>]*>([^<]+?) <span class="soft">(?:\d|2[AB])', page)
    # As the places write them: pages set the apostrophes of French.
    return [html.unescape(name).replace("’", "'") for name in found]


async def test_the_form_leads_to_the_report_and_its_table(api: httpx.AsyncClient) -> None:
    answer = await api.post(
        "/couverture",
        data={"q": "Infirmier", "code": "G15|60", "code_label": "Infirmier", "lieu": "yvelines", "where_label": ""},
        headers=PAGE,
    )
    assert answer.status_code == 303
    path = answer.headers["location"]
    report = (await api.get(f"{COVERAGE}/{path.rpartition('/')[2]}")).json()
    assert report["title"] == "Infirmier · Yvelines (78)"
    rows = await features(api, report)
    page = (await api.get(path, headers=PAGE)).text
    far = sorted(rows, key=lambda one: -one["nearest_m"])
    assert set(cells(page)) <= {one["name"] for one in rows}
    assert cells(page)[0] == far[0]["name"]
    assert len(cells(page)) == 30
    seen = []
    for number in range(1, -(-len(rows) // 30) + 1):
        shown = await api.get(path, params={"tri": "commune", "page": number}, headers=PAGE)
        seen += cells(shown.text)
    assert len(seen) == len(rows) and set(seen) == {one["name"] for one in rows}
    assert seen[0].startswith("Ablis")
    few = (await api.get(path, params={"tri": "offres", "montrer": "non-visitees"}, headers=PAGE)).text
    assert f"sur {report['summary']['communes_unvisited']}" in few
    # The way back keeps the filter and the order.
    assert "tri=offres&amp;montrer=non-visitees&amp;page=2" in few


@pytest.mark.parametrize(
    "query", ["tri=nulle", "montrer=rien", "page=0", "page=deux", "page=9999", "sens=haut", "carte=relief", "autre=1"]
)
async def test_a_page_of_the_table_that_does_not_exist_is_refused(api: httpx.AsyncClient, query: str) -> None:
    report = await ask(api, code=["G15|60"], where="departement:78")
    answer = await api.get(f"{report['page']}?{query}", headers=PAGE)
    assert answer.status_code == 422
    assert "Erreur 422" in answer.text


async def test_the_form_is_shown_again_with_what_was_typed(api: httpx.AsyncClient) -> None:
    for data, messages in (
        ({"q": "", "lieu": ""}, ["Indiquez ce dont vous voulez", "Indiquez le territoire"]),
        ({"q": "kiné", "lieu": "Vresailes"}, ["« Vresailes »", "Vouliez-vous dire"]),
        ({"q": "kiné", "lieu": "Nullepartville"}, ["Aucun territoire ne s’appelle « Nullepartville »", 'value="kiné"']),
        ({"q": "kiné zzzzqq", "lieu": "yvelines"}, ["Le mot « zzzzqq » ne figure", 'value="kiné zzzzqq"']),
        ({"q": "kiné", "lieu": "x" * 300}, ["Ce texte est trop long"]),
    ):
        answer = await api.post("/couverture", data=data, headers=PAGE)
        assert answer.status_code == 422
        for message in messages:
            assert message in answer.text
    answer = await api.post("/couverture", content=b"\xff\xfe", headers=PAGE)
    assert answer.status_code == 422
    answer = await api.post("/couverture", data={"q": "x" * 70_000}, headers=PAGE)
    assert answer.status_code == 422


async def test_a_form_of_another_site_asks_for_nothing(api: httpx.AsyncClient) -> None:
    data = {"q": "kiné", "lieu": "yvelines"}
    answer = await api.post("/couverture", data=data, headers=PAGE | {"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


async def test_a_search_leads_to_its_report_with_its_filters(api: httpx.AsyncClient) -> None:
    results = await api.get("/recherche?q=kin%C3%A9&where=departement:78&convention=R282%7C1", headers=PAGE)
    link = re.search(r'href="(/couverture\?[^"]+)"', results.text)
    assert link is not None
    form = (await api.get(link[1].replace("&amp;", "&"), headers=PAGE)).text
    assert 'value="kiné"' in form and "Yvelines (78)" in form
    assert "secteur 1" in form and 'name="convention" value="R282|1"' in form
    nothing = await api.get("/recherche?where=departement:78", headers=PAGE)
    assert "/couverture?" not in nothing.text


async def test_suggestions_of_where_are_territories(api: httpx.AsyncClient) -> None:
    found = (await api.get(f"{COVERAGE}/territories", params={"q": "mantes-la-jol"})).json()
    assert found[0]["ref"] == "epci:200059889" and "Mantes-la-Jolie" in found[0]["context"]
    assert all(one["kind"] in ("epci", "departement", "region", "territory", "france") for one in found)
    assert (await api.get(f"{COVERAGE}/territories", params={"q": "yvelines"})).json()[0]["ref"] == "departement:78"
    assert (await api.get(f"{COVERAGE}/territories", params={"q": ""})).json() == []
    assert (await api.get(f"{COVERAGE}/territories", params={"q": "x", "lon": "2"})).status_code == 422
