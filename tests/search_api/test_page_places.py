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
