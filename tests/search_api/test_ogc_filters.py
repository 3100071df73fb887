"""OGC API – Features: filters against brute force, refusals at the parameter."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy.engine import URL

from tests.search_api.conftest import dsn
from tests.search_api.ogc import ITEMS, ask, ids, offers, pages


def inside(west: float, south: float, east: float, north: float) -> Callable[[Any], bool]:
    def keep(row: Any) -> bool:
        if row.lon is None:
            return False
        across = west <= row.lon <= east if west <= east else row.lon >= west or row.lon <= east
        return bool(across and south <= row.lat <= north)

    return keep


@pytest.mark.parametrize(
    ("params", "keep"),
    [
        ({"commune": "78361"}, lambda row: row.commune == "78361"),
        ({"departement": "78"}, lambda row: True),
        ({"departement": "75"}, lambda row: False),
        ({"profession": "70"}, lambda row: row.profession == "70"),
        ({"commune": "78361", "departement": "78"}, lambda row: row.commune == "78361"),
        ({"commune": "78361", "departement": "75"}, lambda row: False),
        ({"profession": "G15|70", "commune": "78646"}, lambda row: row.profession == "70" and row.commune == "78646"),
        ({"category": "355"}, lambda row: row.category == "355"),
        ({"category": "R66|500"}, lambda row: row.category == "500"),
        ({"bbox": "1.65,48.95,1.76,49.02"}, inside(1.65, 48.95, 1.76, 49.02)),
        ({"bbox": "1.65,48.95,-500,1.76,49.02,500"}, inside(1.65, 48.95, 1.76, 49.02)),
        ({"bbox": "1.75,48,1.65,50"}, inside(1.75, 48, 1.65, 50)),
        ({"bbox": "170,-60,-170,60"}, lambda row: False),
        ({"bbox": "-180,-90,180,90"}, inside(-180, -90, 180, 90)),
        ({"bbox": "0,0,0,0"}, lambda row: False),
        ({"datetime": "../2020-01-01"}, lambda row: False),
        ({"datetime": "2020-01-01T00:00:00Z/.."}, lambda row: True),
        ({"datetime": "../.."}, lambda row: True),
        (
            {"bbox": "1.65,48.95,1.76,49.02", "bbox_crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"},
            inside(1.65, 48.95, 1.76, 49.02),
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
async def test_filters_keep_what_they_say(
    api: httpx.AsyncClient, filled: URL, params: dict[str, str], keep: Callable[[Any], bool]
) -> None:
    expected = offers(filled, keep)
    assert ids(await pages(api, "offers", limit=13, **params)) == [row.id for row in expected]
    assert set(ids(await pages(api, "sites", limit=13, **params))) == {row.site for row in expected}
    hits = await ask(api, ITEMS.format("offers"), resultType="hits", **params)
    assert (hits["features"], hits["numberReturned"], hits["numberMatched"]) == ([], 0, len(expected))


async def test_kinds_are_those_of_the_collection(api: httpx.AsyncClient, filled: URL) -> None:
    for kind in ("liberal", "establishment"):
        expected = [row.id for row in offers(filled) if row.kind == kind]
        assert ids(await pages(api, "offers", kind=kind)) == expected != []
    for kind in ("practice", "establishment"):
        expected = [row.site for row in offers(filled) if row.site_kind == kind]
        assert set(ids(await pages(api, "sites", kind=kind))) == set(expected) != set()


async def test_the_date_of_change_filters_to_the_second(api: httpx.AsyncClient, filled: URL) -> None:
    with psycopg.connect(dsn(filled)) as conn:
        conn.execute(
            "UPDATE directory.offer_search SET updated_at = timestamptz '2026-03-01 12:00:00.4Z'"
            " + (offer_id % 5) * interval '1 day'"
        )
    rows = offers(filled)
    for value, first, last in (
        ("2026-03-02T12:00:00Z", "2026-03-02T12:00:00", "2026-03-02T12:00:01"),
        ("2026-03-02T13:00:00+01:00", "2026-03-02T12:00:00", "2026-03-02T12:00:01"),
        ("2026-03-02", "2026-03-02T00:00:00", "2026-03-03T00:00:00"),
        ("2026-03-02T12:00:01Z/..", "2026-03-02T12:00:01", "2100-01-01T00:00:00"),
        ("/2026-03-02T12:00:00Z", "1970-01-01T00:00:00", "2026-03-02T12:00:01"),
        ("2026-03-02/2026-03-03", "2026-03-02T00:00:00", "2026-03-04T00:00:00"),
    ):
        low, high = (datetime.fromisoformat(f"{text}+00:00") for text in (first, last))
        expected = [row.id for row in rows if low <= row.updated_at < high]
        assert 0 < len(expected) < len(rows)
        assert ids(await pages(api, "offers", datetime=value)) == expected
    changed = max(row.site_updated_at for row in rows)
    tomorrow = (changed + timedelta(days=1)).astimezone(UTC).strftime("%Y-%m-%d")
    assert await pages(api, "sites", datetime=f"{tomorrow}/..") == []
    assert len(await pages(api, "sites", datetime=f"../{tomorrow}")) == len({row.site for row in rows})


async def test_an_empty_answer_says_why(api: httpx.AsyncClient) -> None:
    for params, words in (
        ({"commune": "99999"}, "Aucune commune ne porte le code 99999"),
        ({"departement": "99"}, "Aucun département ne porte le numéro 99"),
        ({"profession": "zz"}, "Aucune nomenclature chargée ne contient le code G15|zz"),
    ):
        document = await ask(api, ITEMS.format("sites"), **params)
        assert (document["features"], document["numberMatched"]) == ([], 0)
        assert words in document["message"]
    assert "message" not in await ask(api, ITEMS.format("sites"), commune="78362")


@pytest.mark.parametrize(
    ("params", "field", "words"),
    [
        ({"couleur": "bleu"}, "couleur", "inconnu"),
        ({"f": "html"}, "f", "json"),
        ({"f": ["json", "json"]}, "f", "une fois"),
        ({"a" * 10_000: "1"}, "a" * 40, "inconnu"),
        ({"limit": "0"}, "limit", "à partir de 1"),
        ({"limit": "000"}, "limit", "à partir de 1"),
        ({"limit": "-5"}, "limit", "à partir de 1"),
        ({"limit": "dix"}, "limit", "à partir de 1"),
        ({"limit": "1e3"}, "limit", "à partir de 1"),
        ({"limit": ["1", "2"]}, "limit", "une fois"),
        ({"bbox": "1,2,3"}, "bbox", "Quatre ou six"),
        ({"bbox": "a,b,c,d"}, "bbox", "Quatre ou six"),
        ({"bbox": "nan,48,2,49"}, "bbox", "Quatre ou six"),
        ({"bbox": "1,48,inf,49"}, "bbox", "Quatre ou six"),
        ({"bbox": "1,48,1e400,49"}, "bbox", "Quatre ou six"),
        ({"bbox": "1," * 5_000}, "bbox", "Quatre ou six"),
        ({"bbox": "1,49,2,48"}, "bbox", "sud"),
        ({"bbox": "-181,48,2,49"}, "bbox", "longitude"),
        ({"bbox": "1,48,2,91"}, "bbox", "latitude"),
        ({"bbox": "1,48,5,2,49,0"}, "bbox", "bas"),
        ({"bbox-crs": "EPSG:2154"}, "bbox-crs", "CRS84"),
        ({"datetime": "hier"}, "datetime", "2026-11-01"),
        ({"datetime": "2026-02-30"}, "datetime", "2026-11-01"),
        ({"datetime": "9999-12-31"}, "datetime", "2026-11-01"),
        ({"datetime": "2026-01-02/2026-01-01"}, "datetime", "précéder"),
        ({"datetime": "2026-01-02/2026-01-03/2026-01-04"}, "datetime", "2026-11-01"),
        ({"after": "abc"}, "after", "next"),
        ({"after": "00000000-0000-0000-0000-000000000000"}, "after", "next"),
        ({"commune": "Mantes"}, "commune", "78361"),
        ({"departement": "999999"}, "departement", "78"),
        ({"profession": "' OR 1=1"}, "profession", "G15"),
        ({"profession": "R66|70"}, "profession", "G15"),
        ({"kind": "autre"}, "kind", "liberal"),
        ({"resultType": "tout"}, "resultType", "hits"),
        ({"limit": "0", "bbox": "1"}, "bbox", "Quatre ou six"),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_what_is_refused_says_why_at_the_parameter(
    api: httpx.AsyncClient, params: dict[str, Any], field: str, words: str
) -> None:
    answer = await api.get(ITEMS.format("offers"), params=params)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["title"] == "Requête invalide"
    assert words in {error["field"]: error["detail"] for error in body["errors"]}[field]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/ogc?x=1", 400),
        ("/ogc/api?f=html", 400),
        ("/ogc/collections?f=json&f=json", 400),
        ("/ogc/conformance?x=1", 400),
        ("/ogc/collections?x=1", 400),
        ("/ogc/collections/sites?x=1", 400),
        ("/ogc/collections/routes", 404),
        ("/ogc/collections/routes/items", 404),
        ("/ogc/collections/routes/schema", 404),
        ("/ogc/collections/sites/items/abc", 404),
        ("/ogc/collections/sites/items/00000000-0000-0000-0000-000000000000", 404),
        ("/ogc/collections/offers/items/00000000-0000-0000-0000-000000000000", 404),
        ("/ogc/collections/communes/items/99999", 404),
        ("/ogc/collections/communes/items/'; --", 404),
        ("/ogc/collections/communes/items/%00", 404),
        ("/ogc/collections/sites/items/%00", 404),
        ("/ogc/rien", 404),
    ],
)
async def test_what_does_not_exist_says_so(api: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await api.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


async def test_a_page_larger_than_the_largest_is_cut(api: httpx.AsyncClient) -> None:
    for limit in ("10001", "999999999999999999", f"{10**30}", "9" * 5_000):
        assert (await ask(api, ITEMS.format("sites"), limit=limit))["numberReturned"] > 50
    assert (await ask(api, ITEMS.format("sites"), limit="0" * 20 + "3"))["numberReturned"] == 3


async def test_the_only_format_may_be_asked_for_everywhere(api: httpx.AsyncClient) -> None:
    root = "/ogc/collections/sites"
    [feature] = (await ask(api, f"{root}/items", limit=1))["features"]
    for path in (
        "/ogc",
        "/ogc/api",
        "/ogc/conformance",
        "/ogc/collections",
        root,
        f"{root}/schema",
        f"{root}/items/{feature['id']}",
    ):
        assert await ask(api, path, f="json") == await ask(api, path), path
    page = await ask(api, f"{root}/items", limit=2, f="json")
    assert page["numberReturned"] == 2
    [following] = [link["href"] for link in page["links"] if link["rel"] == "next"]
    assert "f=json" in following and (await api.get(following)).status_code == 200


async def test_a_hostile_host_makes_no_error(api: httpx.AsyncClient) -> None:
    for host in ('a"b', "<script>", "a b", "[::1", "x" * 3_000):
        answer = await api.get("/ogc", headers={"Host": host})
        assert answer.status_code in (200, 400)
        assert "<script>" not in answer.text or "json" in answer.headers["content-type"]
