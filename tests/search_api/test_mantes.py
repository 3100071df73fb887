"""Ten searches on the Mantes fixture, ingested end to end; their numbers were counted on paper.

The counts follow from `ingest/sample/data/mantes/*.tsv` and from the rules written in `ingest/sample/mantes.py`:
n independent roles of one line in one town make ceil(n / 2) sites. Distances are those of the addresses (number n
of street k at lon + 0.0001 n, lat + 0.001 k of the town's point) to the place that the search names.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import pytest_asyncio
from sqlalchemy.engine import URL

from tests.conftest import truncate_all
from tests.search_api.conftest import dsn, indexed

DEPARTEMENTS = ["13", "27", "2A", "75", "78", "971", "972", "973", "974", "975", "976", "977", "978"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def mantes(database: URL, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[URL]:
    """The fixture written as register files, then loaded as an operator loads them."""
    from core.db import unit_of_work
    from directory import nomenclature
    from ingest.pipeline import load
    from ingest.sample.mantes_files import write_mantes
    from maps.api import invalidate, load_ban, load_places
    from search_api import indexing

    folder: Path = tmp_path_factory.mktemp("mantes")
    write_mantes(folder)
    truncate_all(dsn(database))
    with psycopg.connect(dsn(database)) as conn:
        load_places(conn, DEPARTEMENTS, contours=False)
        nomenclature.load(conn)
        conn.commit()
        load_ban(conn, [folder / "ban"])
    invalidate()
    report = load([folder])
    assert report.status == "published"
    async with unit_of_work() as session:
        await indexing.build(session)
    yield database
    truncate_all(dsn(database))
    invalidate()


@pytest.fixture(params=["postgis", "columns"])
async def api(request: pytest.FixtureRequest, mantes: URL, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application, answered by each engine in turn."""
    from search_api import engines
    from web.app import app

    if request.param == "columns":
        indexed(mantes, tmp_path)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://repere.test") as opened:
        answer = await opened.get("/api/v1/search")
        assert answer.headers["X-Repere-Engine"] == request.param
        yield opened
    engines.use(None)


async def search(api: httpx.AsyncClient, **params: Any) -> dict[str, Any]:
    answer = await api.get("/api/v1/search", params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def totals(answer: dict[str, Any]) -> tuple[int, int]:
    return answer["total"], answer["total_offers"]


def facet(answer: dict[str, Any], key: str) -> dict[str, int]:
    return {v["code"]: v["count"] for f in answer["facets"] if f["key"] == key for v in f["values"]}


def towns(answer: dict[str, Any]) -> list[str]:
    return [item["site"]["commune"] for item in answer["items"]]


async def test_1_physiotherapists_near_mantes_la_jolie(api: httpx.AsyncClient) -> None:
    # 48 in the table, one in Marseille. Sites: 5+3+2+1+1+1+1+1+1+2+3+3+3 = 27, and Marseille.
    answer = await search(api, q="kinésithérapeute près de Mantes-la-Jolie")
    assert totals(answer) == (28, 49)
    assert answer["centre"]["ref"] == "commune:78361"
    # Practices 4 to 8 of Mantes-la-Jolie: (street, number) = (1, 3) (2, 3) (0, 5) (1, 5) (2, 5). One ten-thousandth of
    # a degree is 7.32 m eastwards and 11.12 m northwards at 49°; the town's point is (1.715374, 48.989372).
    assert towns(answer)[:5] == ["Mantes-la-Jolie"] * 5
    for item, metres in zip(answer["items"], (39, 117, 121, 227, 229), strict=False):
        assert abs(item["distance_m"] - metres) <= 1
    last = await search(api, q="kinésithérapeute près de Mantes-la-Jolie", page=2)
    assert last["items"][-1]["site"]["commune"].startswith("Marseille")


async def test_2_physiotherapists_within_five_kilometres(api: httpx.AsyncClient) -> None:
    # Mantes-la-Jolie 9, Mantes-la-Ville 5 (1.3 km), Limay 4 (1.5), Buchelay 2 (3.4), Magnanville 2 (3.6); Rosny is
    # at 6.3 km. Sites 5 + 3 + 2 + 1 + 1.
    answer = await search(api, q="kiné", where="commune:78361", radius_km=5)
    assert totals(answer) == (12, 22)
    assert set(towns(answer)) == {"Mantes-la-Jolie", "Mantes-la-Ville", "Limay", "Buchelay", "Magnanville"}


async def test_3_nurses_of_the_yvelines(api: httpx.AsyncClient) -> None:
    # Table: 46 less 4 at Vernon; with Port-Villez, Saint-Martin-la-Garenne, the locum of Limay, and two places of one
    # person. Sites: 4+3+2+1+1+1+1+1+1+2+3+3 = 23, and five. The salaried nurses have no offer of their own.
    answer = await search(api, where="departement:78", professions="G15|60")
    assert totals(answer) == (28, 47)
    assert facet(answer, "kind") == {"liberal": 47}


async def test_4_pharmacies_of_the_yvelines(api: httpx.AsyncClient) -> None:
    # Six are open (the seventh closed in 2025), each with its own offer and that of its owner.
    answer = await search(api, q="pharmacie", where="departement:78")
    assert totals(answer) == (6, 12)
    assert facet(answer, "kind") == {"liberal": 6, "establishment": 6}
    assert not any("FERMEE" in item["site"]["name"] for item in answer["items"])


async def test_5_establishments_within_three_kilometres(api: httpx.AsyncClient) -> None:
    # Mantes-la-Jolie: hospital (2 offers), 2 pharmacies, laboratory, health centre (2), SSIAD, HAD, CMP; Mantes-la-
    # Ville: EHPAD, dialysis; Limay: pharmacy, maison de santé.
    answer = await search(api, kind="establishment", where="commune:78361", radius_km=3)
    assert totals(answer) == (12, 14)
    names = {item["site"]["name"]: item["offers_count"] for item in answer["items"]}
    assert names["CH DE MANTES LA JOLIE"] == 2 and names["CENTRE DE SANTE DU VAL FOURRE"] == 2


async def test_6_ophthalmologists_from_the_nearest_to_paris(api: httpx.AsyncClient) -> None:
    # 7 in the table (Mantes 2 in one site, Limay, Meulan, Poissy 2 in one site, Vernon) and one in Paris.
    answer = await search(api, q="ophtalmo", where="commune:78361")
    assert totals(answer) == (6, 8)
    assert towns(answer) == [
        "Mantes-la-Jolie",
        "Limay",
        "Meulan-en-Yvelines",
        "Vernon",
        "Poissy",
        "Paris 12e arrondissement",
    ]


async def test_7_sectors_of_the_ophthalmologists(api: httpx.AsyncClient) -> None:
    # The specialists of odd rank in a town are in sector 3: all but the second ones of Mantes and of Poissy.
    answer = await search(api, q="ophtalmologue", convention="R282|3")
    assert totals(answer) == (6, 6)
    assert facet(answer, "convention") == {"R282|3": 6, "R282|1": 2}


async def test_8_homonyms_are_two_people(api: httpx.AsyncClient) -> None:
    # mk/78498/1 and mk/78498/3: two practices of Poissy.
    answer = await search(api, q="claire dupin")
    assert totals(answer) == (2, 2)
    assert towns(answer) == ["Poissy", "Poissy"]
    assert {offer["practitioner"] for item in answer["items"] for offer in item["offers"]} <= {
        "Claire DUPIN",
        "CLAIRE DUPIN",
    }


async def test_9_midwives_of_france(api: httpx.AsyncClient) -> None:
    # 10 in the table: 2 in Mantes-la-Jolie (one site), 2 in Poissy (one site), six alone.
    answer = await search(api, q="sage-femme", where="france")
    assert totals(answer) == (8, 10)
    assert facet(answer, "professions") == {"G15|50": 10}


async def test_10_general_practitioners_by_their_three_codes(api: httpx.AsyncClient) -> None:
    # SM26, SM54 and SM53 in turn in each town: 21, 18 and 11; a second role of mg/78361/1 (SM26) in Limay and
    # Saint-Barthélemy (SM54). Sites: 4+2+2+1+1+1+1+1+1+2+3+4+3 = 26, Limay and Saint-Barthélemy.
    codes = ["R38|SM26", "R38|SM53", "R38|SM54"]
    answer = await search(api, specialties=codes)
    assert totals(answer) == (28, 52)
    counted = facet(answer, "specialties")
    assert [counted[code] for code in codes] == [22, 11, 19]
    # In words, the health centres of Mantes and Cayenne offer general practice too.
    spoken = await search(api, q="médecin généraliste")
    assert totals(spoken) == (30, 54)


async def test_an_address_that_nobody_knows_is_where_its_town_is(api: httpx.AsyncClient) -> None:
    # The third practice of Bonnières, that of its two nurses, is in the street that BAN does not have.
    answer = await search(api, where="commune:78089", radius_km=1, professions="G15|60")
    assert totals(answer) == (1, 2)
    (item,) = answer["items"]
    assert (item["approximate"], item["distance_m"]) == (True, 0)
