"""« Où ? » on the page of the search, without scripts: what is typed is found, or asked about, never guessed."""

import html
import re

import httpx
import pytest

pytestmark = pytest.mark.usefixtures("places")

PAGE = {"Accept": "text/html"}


async def led_to(client: httpx.AsyncClient, **params: str) -> str:
    answer = await client.get("/recherche", params=params, headers=PAGE)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


@pytest.mark.parametrize(
    ("typed", "ref"),
    [
        ("78200 (Mantes-la-Jolie, Magnanville…)", "cp:78200"),
        ("78200 (Mantes-la-Jolie", "cp:78200"),
        ("Mantes-la-Jolie (78200)", "commune:78361"),
        ("Yvelines (78)", "departement:78"),
        ("78201", "commune:78361"),
        ("78014", "commune:78646"),
        ("75000", "commune:75056"),
        ("Paris Cedex 08", "commune:75108"),
        ("versaille", "commune:78646"),
    ],
)
async def test_what_is_typed_leads_to_its_place(client: httpx.AsyncClient, typed: str, ref: str) -> None:
    assert await led_to(client, lieu=typed) == f"/recherche?where={ref}"


async def test_a_place_that_merely_resembles_is_asked_about(client: httpx.AsyncClient) -> None:
    answer = await client.get(
        "/recherche", params={"q": "kiné", "lieu": "vresailes", "where": "commune:78361"}, headers=PAGE
    )
    assert answer.status_code == 422
    text = html.unescape(answer.text)
    assert "Aucun lieu ne s’appelle « vresailes ». Vouliez-vous dire Versailles (78000)" in text
    assert 'value="vresailes"' in text and 'value="kiné"' in text
    assert re.search(r'href="/recherche\?q=kin%C3%A9&where=commune:78646">Versailles \(78000\)<', text)
    assert "commune:78361" not in text


async def test_a_postal_code_with_a_town_that_is_not_there_is_asked_about(client: httpx.AsyncClient) -> None:
    answer = await client.get("/recherche", params={"lieu": "78200 nullepartville"}, headers=PAGE)
    assert answer.status_code == 422
    assert "78200 (Mantes-la-Jolie, Magnanville…)" in answer.text


async def test_a_town_of_visits_that_merely_resembles_is_asked_about(client: httpx.AsyncClient) -> None:
    assert await led_to(client, q="a", visits_lieu="versaille") == "/recherche?q=a&visits=78646"
    answer = await client.get("/recherche", params={"q": "a", "visits_lieu": "vresailes"}, headers=PAGE)
    assert answer.status_code == 422
    assert "Aucune commune ne s’appelle « vresailes ». Vouliez-vous dire Versailles (78000)" in answer.text
    nowhere = await client.get("/recherche", params={"q": "a", "visits_lieu": "nullepartville"}, headers=PAGE)
    assert nowhere.status_code == 422
    assert "Aucune commune ne s’appelle « nullepartville »." in nowhere.text
    assert "Vouliez-vous dire" not in nowhere.text


async def test_a_town_is_named_with_its_article(client: httpx.AsyncClient) -> None:
    text = html.unescape((await client.get("/recherche", params={"q": "a", "visits": "78440"}, headers=PAGE)).text)
    assert "Se déplace aux Mureaux (78130)" in text


async def test_a_refused_place_leaves_a_way_on(client: httpx.AsyncClient) -> None:
    answer = await client.get("/recherche", params={"q": "kiné", "lieu": "zzzzzz", "accepts_new": "1"}, headers=PAGE)
    assert answer.status_code == 422
    link = re.search(r'href="([^"]+)">Chercher «\u00a0kiné\u00a0» dans toute la France', html.unescape(answer.text))
    assert link and link[1] == "/recherche?q=kin%C3%A9&accepts_new=1&where=france"
    assert (await client.get(link[1], headers=PAGE)).status_code == 200
    for params in ({"lieu": "zzzzzz"}, {"q": "kiné", "lieu": "zzzzzz", "age": "999"}):
        assert "dans toute la France" not in (await client.get("/recherche", params=params, headers=PAGE)).text


async def test_a_town_to_tell_distances_from_is_read_like_one_of_visits(client: httpx.AsyncClient) -> None:
    zone = {"q": "a", "where": "departement:78"}
    typed = await led_to(client, **zone, origin_lieu="limay", origin_label="")
    assert typed == "/recherche?q=a&origin=commune:78335&where=departement:78"
    shown = (await client.get(typed, headers=PAGE)).text
    assert 'value="Limay (78520)" placeholder="Commune"' in shown and 'name="origin" value="commune:78335"' in shown
    kept = await led_to(
        client, **zone, origin="commune:78335", origin_lieu="Limay (78520)", origin_label="Limay (78520)"
    )
    assert kept == typed
    answer = await client.get("/recherche", params={**zone, "origin_lieu": "zzzz"}, headers=PAGE)
    assert answer.status_code == 422
    assert 'href="#origin_lieu"' in answer.text and 'id="origin_lieu-erreur"' in answer.text
    assert 'value="zzzz" placeholder="Commune"' in answer.text, "what was typed is not lost"
    # Where « Où ? » is a town, that is where distances are told from.
    town = (await client.get("/recherche?q=a&where=commune:78361", headers=PAGE)).text
    assert 'name="origin_lieu"' not in town
