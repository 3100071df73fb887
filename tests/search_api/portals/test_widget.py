"""The search in other sites: who may frame it, what it shows, the script, the page that explains."""

import html
import re

import httpx

from tests.accounts.helpers import signed_in
from tests.search_api.portals.helpers import PAGE, VERSAILLES, make, sheets


async def test_only_the_sites_of_the_portal_frame_it(api: httpx.AsyncClient) -> None:
    await make("sans-site")
    await make("avec-site", hosts=("https://www.exemple.fr", "https://autre.exemple.fr:8443"))
    alone = (await api.get("/maillage/sans-site/widget")).headers["content-security-policy"]
    assert "frame-ancestors 'self';" in alone
    policy = (await api.get("/maillage/avec-site/widget")).headers["content-security-policy"]
    assert "frame-ancestors 'self' https://www.exemple.fr https://autre.exemple.fr:8443;" in policy
    assert policy.replace(" https://www.exemple.fr https://autre.exemple.fr:8443", "") == alone
    for path in ("", "/integrer", "/favoris"):
        others = (await api.get(f"/maillage/avec-site{path}")).headers["content-security-policy"]
        assert "frame-ancestors 'none'" in others, path


async def test_the_frame_shows_the_first_results_of_the_zone(api: httpx.AsyncClient) -> None:
    await make("cadre", filters=(("kind", "liberal"),))
    empty = (await api.get("/maillage/cadre/widget")).text
    assert "Qui, quoi" in empty and "widget-results" not in empty
    page = (await api.get("/maillage/cadre/widget?q=infirmier")).text
    assert 1 <= len(sheets(page, "sites")) <= 5
    assert page.count('href="http://repere.test/maillage/cadre/sites/') == len(sheets(page, "sites"))
    more = re.search(r'href="(http://repere\.test/maillage/cadre\?[^"]+)"', page)
    assert more and html.unescape(more[1]).endswith("?kind=liberal&q=infirmier")
    outside = (await api.get("/api/v1/search", params={"within": VERSAILLES})).json()
    foreign = {item["site"]["id"] for item in outside["items"]}
    for typed in ("versailles", "infirmier versailles", "<script>alert(1)</script>", "x" * 900, "\u0000"):
        answer = await api.get("/maillage/cadre/widget", params={"q": typed})
        assert answer.status_code == 200, typed
        assert "<script>alert" not in answer.text and foreign.isdisjoint(sheets(answer.text, "sites"))
    assert "Aucune offre" in (await api.get("/maillage/cadre/widget?q=zzzzzz")).text


async def test_the_frame_knows_nobody(api: httpx.AsyncClient) -> None:
    await make("cadre")
    before = (await api.get("/maillage/cadre/widget?q=infirmier")).text
    await signed_in(api, ("professional", "rpps:10101010101"))
    answer = await api.get("/maillage/cadre/widget?q=infirmier")
    assert answer.text == before
    assert "set-cookie" not in answer.headers and "_csrf" not in answer.text


async def test_the_script_is_one_for_all_and_says_no_name(api: httpx.AsyncClient) -> None:
    await make("cadre")
    answer = await api.get("/maillage/cadre/widget.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "event.origin !== address.origin" in answer.text and "event.source !== frame.contentWindow" in answer.text
    again = await api.get("/maillage/cadre/widget.js", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


async def test_the_page_that_explains(api: httpx.AsyncClient) -> None:
    await make("cadre")
    text = (await api.get("/maillage/cadre/integrer", headers=PAGE)).text
    assert html.escape('<script src="http://repere.test/maillage/cadre/widget.js" async></script>') in text.replace(
        "&#34;", "&quot;"
    )
    assert "Aucun site n’est encore autorisé" in text
    assert '<script src="/maillage/cadre/widget.js" async' in text
