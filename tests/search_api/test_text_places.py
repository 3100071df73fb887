"""The place inside a free text: with its codes and numbers, mistyped, or beside a mistyped profession."""

from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy.engine import URL

from maps import api as maps
from tests.search_api.conftest import dsn

pytestmark = pytest.mark.usefixtures("country")


@pytest.fixture(scope="module")
def country(filled: URL) -> Iterator[None]:
    """The directory around Mantes in a larger country."""
    with psycopg.connect(dsn(filled)) as conn:
        maps.load_places(conn, ["36", "44", "57", "67", "69", "75", "78", "83", "91", "92", "93", "95"], contours=False)
        conn.commit()
    maps.invalidate()
    yield
    maps.invalidate()


async def asked(api: httpx.AsyncClient, q: str, **params: Any) -> dict[str, Any]:
    answer = await api.get("/api/v1/search", params={"q": q, **params})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("kiné 75008 paris", "commune:75108"),
        ("kiné paris 75008", "commune:75108"),
        ("kiné paris 8e", "commune:75108"),
        ("kiné Paris 8ème", "commune:75108"),
        ("kiné à Paris 8", "commune:75108"),
        ("kiné lyon 3e", "commune:69383"),
        ("kiné mantes-la-jolie 78200", "commune:78361"),
        ("kiné 78200 Mantes-la-Jolie", "commune:78361"),
        ("kiné Mantes-la-Jolie (78200)", "commune:78361"),
        ("kiné 78 200", "cp:78200"),
        ("kiné 78201", "commune:78361"),
        ("dentiste argenteuil 95", "commune:95018"),
        ("dentiste saint denis 93", "commune:93066"),
        ("dentiste le blanc 36", "commune:36018"),
        ("dentiste rosny 78", "commune:78531"),
        ("dentiste épône 78680", "commune:78217"),
        ("kiné 78", "departement:78"),
        ("kiné dans le 78", "departement:78"),
        ("kiné dupont 78", "departement:78"),
        ("kinésiterapeute versailles", "commune:78646"),
        ("kinésiterapeute à versailles", "commune:78646"),
        ("kinesi versailles", "commune:78646"),
        ("infirmière versaille", "commune:78646"),
        ("infirmière à versaille", "commune:78646"),
        ("infirmiére versailes", "commune:78646"),
        ("infirmière mantes la jolei", "commune:78361"),
        ("infirmiere versaille 78000", "commune:78646"),
        ("kiné grand paris seine et oise", "epci:200059889"),
        ("kiné evry cedex", "commune:91228"),
        ("kiné évry", "commune:91228"),
        ("kiné 92974 paris la défense cedex", "commune:92062"),
        ("kiné la défense", "commune:92062"),
        ("kiné idf", "region:11"),
        ("kiné aux Mureaux", "commune:78440"),
        ("kiné à côté des mureaux", "commune:78440"),
        ("kiné au pecq", "commune:78481"),
        ("kiné près du Vésinet", "commune:78650"),
        ("kiné saint germain en lay", "commune:78551"),
        ("paris kiné", "commune:75056"),
        ("Paris 8e, kiné", "commune:75108"),
        ("mantes la jolie infirmière", "commune:78361"),
        ("versailles kinésiterapeute", "commune:78646"),
        ("78200 kiné", "cp:78200"),
        ("yvelines sage-femme", "departement:78"),
    ],
)
async def test_a_profession_and_a_place_are_both_understood(api: httpx.AsyncClient, text: str, ref: str) -> None:
    answer = await asked(api, text)
    assert answer["understood"][0]["code"] == ref
    assert answer["understood"][0]["label"].startswith("Lieu : ")
    assert answer["centre"]["ref"] == ref
    assert answer["total"] > 0


async def test_the_rest_of_the_text_is_the_profession_alone(api: httpx.AsyncClient) -> None:
    kine = await asked(api, "kiné", where="commune:78646")
    for text in ("kiné versaille", "kinésiterapeute versailles", "kiné 78000 versailles", "kiné versailles cedex"):
        assert (await asked(api, text))["total_offers"] == kine["total_offers"] > 0, text
    inside = await asked(api, "kiné", where="departement:78")
    assert (await asked(api, "kiné 78"))["total_offers"] == inside["total_offers"]


@pytest.mark.parametrize(
    "text",
    [
        "centre hospitalier mantes",
        "kiné martin",
        "versailles dupont kiné",
        "centre dentaire",
        "12 ans kiné",
        "kiné ouvert le 14",
        "kiné dimanche 14",
        "kiné en ligne",
        "kiné à l’hôpital",
        "kiné en ville",
        "lagarde kiné",
        "kiné saint-martin",
        "kiné blanc",
        "kiné lagarde",
        "kiné bernad",
        "kiné brenard",
        "dupont versailles",
        "vaccin covid 19",
        "rdv kiné dans 15 jours",
        "enfants de moins de 18",
        "kiné 12345678901",
        "kiné 1945",
        "kiné 20",
        "sages-femmes",
        "vresailes",
    ],
)
async def test_names_and_numbers_are_not_taken_for_places(api: httpx.AsyncClient, text: str) -> None:
    answer = await asked(api, text)
    assert answer["centre"] is None
    assert not any(one["label"].startswith("Lieu") for one in answer["understood"])


async def test_a_city_is_meant_though_somebody_has_its_mistyped_name(api: httpx.AsyncClient, filled: URL) -> None:
    with psycopg.connect(dsn(filled)) as conn:
        conn.execute("INSERT INTO search_api.token (token, offers) VALUES ('versaille', 1), ('limey', 1)")
    answer = await asked(api, "infirmière versaille")
    assert answer["centre"]["ref"] == "commune:78646"
    assert (await asked(api, "infirmière limey"))["centre"] is None


async def test_a_name_with_a_number_keeps_the_name(api: httpx.AsyncClient) -> None:
    assert (await asked(api, "kiné dupont 78"))["total_offers"] == (await asked(api, "kiné dupont"))["total_offers"]
