"""`within` where places are not simple: towns in arrondissements, short names that all of France shares."""

from collections.abc import Iterator

import httpx
import psycopg
import pytest
from sqlalchemy.engine import URL

from directory import nomenclature
from tests.search_api.conftest import dsn
from tests.search_api.seed import nurse_at

NURSES = ("75108", "75112", "75116", "75056", "13201", "13202", "78361")


@pytest.fixture
def nurses(places: None, clean_database: URL) -> Iterator[URL]:
    """Nurses in three arrondissements of Paris, somewhere in Paris, in two of Marseille, and in Mantes."""
    with psycopg.connect(dsn(clean_database)) as conn:
        nomenclature.load(conn)
        for number, code in enumerate(NURSES, 1):
            nurse_at(conn, number, code)
    yield clean_database


@pytest.mark.parametrize(
    ("within", "offers"),
    [
        ("cp:75008", 1),
        ("arrondissement:75108", 1),
        ("cp:75116", 1),
        ("cp:75008,cp:75012", 2),
        ("cp:13001", 1),
        ("cp:13003", 0),
        ("cp:78200", 1),
        ("commune:75056", 4),
        ("departement:13", 2),
    ],
)
async def test_a_postal_code_of_a_divided_town_is_its_arrondissement(
    nurses: URL, client: httpx.AsyncClient, within: str, offers: int
) -> None:
    answer = await client.get("/api/v1/search", params={"within": within})
    assert answer.json()["total_offers"] == offers


async def _places(client: httpx.AsyncClient, **params: str | int) -> list[str]:
    answer = await client.get("/api/v1/places", params=params)
    assert answer.status_code == 200, answer.text
    return [place["ref"] for place in answer.json()]


async def test_a_short_text_is_looked_up_in_the_zone_not_in_all_of_france(
    places: None, client: httpx.AsyncClient
) -> None:
    everywhere = await _places(client, q="b", limit=20, kind="commune")
    inside = await _places(client, q="b", limit=20, kind="commune", within="departement:78")
    assert len(inside) == 20 and all(ref.startswith("commune:78") for ref in inside)
    assert set(everywhere) != set(inside)
    saints = await _places(client, q="saint", limit=20, within="departement:78")
    assert {"commune:78551", "commune:78558", "commune:78567"} <= set(saints)
    assert "commune:78362" in await _places(client, q="m", limit=20, within="epci:200059889", kind="commune")
    two = await _places(client, q="m", limit=20, within="departement:2A,epci:200059889")
    assert "commune:78361" in two and any(ref.startswith("commune:2A") for ref in two)


async def test_the_places_of_a_postal_code_are_its_towns(places: None, client: httpx.AsyncClient) -> None:
    assert await _places(client, q="mantes", within="cp:78200") == ["commune:78361"]
    assert await _places(client, q="paris", kind="commune", within="cp:75008") == ["commune:75108"]
    assert await _places(client, ref="commune:78361", within="cp:78200") == ["commune:78361"]
    assert await _places(client, ref="commune:78362", within="cp:78200") == []
