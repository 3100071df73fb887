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
