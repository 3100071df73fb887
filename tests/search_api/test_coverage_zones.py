"""Coverage asked by programs that have a zone: figures from inside it only, and nothing of the reports of others."""

import statistics
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy.engine import URL

from tests.accounts.clients import make_client
from tests.accounts.helpers import signed_in
from tests.search_api.conftest import dsn
from tests.search_api.coverage import COVERAGE, ask, features
from tests.search_api.test_coverage import by_hand

GP = {"G15|60"}
WHAT = {"code": ["G15|60"]}
SCOPES = ("directory.read", "directory.read.professional")


async def _as(api: httpx.AsyncClient, *zone: str, scope: str = "directory.read") -> dict[str, str]:
    _, key = await make_client(scope, zone=list(zone))
    return {"X-API-Key": key}


async def _asked(api: httpx.AsyncClient, headers: dict[str, str], where: str) -> dict[str, Any]:
    answer = await api.post(COVERAGE, json=WHAT | {"where": where}, headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert found["state"] == "ready", found
    return found


async def _features(api: httpx.AsyncClient, headers: dict[str, str], report: dict[str, Any]) -> dict[str, Any]:
    answer = await api.get(report["files"]["geojson"], headers=headers)
    assert answer.status_code == 200
    return {one["properties"]["code"]: one["properties"] for one in answer.json()["features"]}


def _communes(filled: URL, refs: tuple[str, ...]) -> set[str]:
    with psycopg.connect(dsn(filled)) as conn:
        rows = conn.execute(
            "SELECT p.code FROM maps.place p WHERE p.kind = 'commune' AND (p.kind || ':' || p.code = ANY(%(refs)s) OR"
            " EXISTS (SELECT FROM maps.place_containment c JOIN maps.place q ON q.id = c.container_id"
            " WHERE c.place_id = p.id AND q.kind || ':' || q.code = ANY(%(refs)s)))",
            {"refs": list(refs)},
        ).fetchall()
    return {code for (code,) in rows}


@pytest.mark.parametrize("scope", SCOPES)
async def test_figures_are_those_of_the_zone_alone(filled: URL, api: httpx.AsyncClient, scope: str) -> None:
    zone = ("commune:78361", "commune:78362", "commune:78646")
    headers = await _as(api, *zone, scope=scope)
    report = await _asked(api, headers, "departement:78")
    found = await _features(api, headers, report)
    inside = _communes(filled, zone)
    assert set(found) == inside == {"78361", "78362", "78646"}
    everywhere = by_hand(filled, "departement:78", GP)
    for code, one in found.items():
        assert (one["offers"], one["sites"], one["population"]) == tuple(
            everywhere[code][name] for name in ("offers", "sites", "population")
        ), code
    total = report["summary"]
    assert total["communes"] == 3 and report["communes"] == 3
    for name in ("offers", "sites", "population"):
        assert total[name] == sum(one[name] for one in found.values())
    assert 0 < total["offers"] < sum(one["offers"] for one in everywhere.values())
    # The sums of the search, which has the zone too.
    searched = await api.get("/api/v1/search?code=G15|60&where=departement:78", headers=await _as(api, *zone))
    assert searched.json()["total_offers"] == total["offers"]
    assert "dans la zone de l’application" in report["title"] and len(total["zone"]) == 3


async def test_the_nearest_and_the_visits_are_those_of_the_zone(filled: URL, api: httpx.AsyncClient) -> None:
    """A town whose neighbours are outside of the zone knows nothing of them."""
    everybody = {one["code"]: one for one in await features(api, await ask(api, where="departement:78", **WHAT))}
    own = {code for code, one in everybody.items() if one["offers"]}
    alone = next(code for code, one in sorted(everybody.items()) if not one["offers"] and one["nearest_m"])
    headers = await _as(api, f"commune:{alone}")
    report = await _asked(api, headers, "departement:78")
    found = (await _features(api, headers, report))[alone]
    assert (found["offers"], found["nearest_m"], found["nearest_commune"], found["visited"]) == (0, None, None, False)
    assert report["summary"]["offers_visiting"] == 0
    near = everybody[alone]["nearest_commune"]
    far = next(code for code in sorted(own) if everybody[code]["name"] != near)
    headers = await _as(api, f"commune:{alone}", f"commune:{far}")
    report = await _asked(api, headers, "departement:78")
    found = (await _features(api, headers, report))[alone]
    assert found["nearest_commune"] == everybody[far]["name"]
    assert found["nearest_m"] >= everybody[alone]["nearest_m"]


async def test_a_zone_that_holds_the_territory_changes_no_figure(filled: URL, api: httpx.AsyncClient) -> None:
    headers = await _as(api, "departement:78")
    report = await _asked(api, headers, "epci:200059889")
    found = await _features(api, headers, report)
    figures = by_hand(filled, "epci:200059889", GP)
    assert {code: one["offers"] for code, one in found.items()} == {
        code: one["offers"] for code, one in figures.items()
    }
    weights = [one["population"] for one in figures.values()]
    assert report["summary"]["population"] == sum(weights) and statistics.mean(weights) > 0
    # The same question of the same zone, whatever its order, is one report; of another zone, another one.
    other = await _as(api, "departement:78")
    assert (await _asked(api, other, "epci:200059889"))["id"] == report["id"]
    wider = await _as(api, "departement:78", "departement:95")
    assert (await _asked(api, wider, "epci:200059889"))["id"] != report["id"]
    assert (await ask(api, where="epci:200059889", **WHAT))["id"] != report["id"]


async def test_a_territory_outside_of_the_zone_is_refused(filled: URL, api: httpx.AsyncClient) -> None:
    headers = await _as(api, "departement:95")
    for where in ("departement:78", "commune:78361", "epci:200059889"):
        answer = await api.post(COVERAGE, json=WHAT | {"where": where}, headers=headers)
        assert answer.status_code == 422, where
        assert "hors de la zone" in answer.text and "where" in answer.text
    # A place that is no longer known widens nothing.
    unknown = await _as(api, "commune:99999")
    answer = await api.post(COVERAGE, json=WHAT | {"where": "departement:78"}, headers=unknown)
    assert answer.status_code == 422


async def test_reports_of_others_do_not_exist_for_who_has_a_zone(filled: URL, api: httpx.AsyncClient) -> None:
    everywhere = await ask(api, where="epci:200059889", **WHAT)
    headers = await _as(api, "commune:78361")
    for address in (f"{COVERAGE}/{everywhere['id']}", *everywhere["files"].values()):
        assert (await api.get(address, headers=headers)).status_code == 404, address
    own = await _asked(api, headers, "epci:200059889")
    assert (await api.get(f"{COVERAGE}/{own['id']}", headers=headers)).status_code == 200
    foreign = await _as(api, "departement:78")
    assert (await api.get(own["files"]["xlsx"], headers=foreign)).status_code == 404
    # Programs without a zone and people read every report, which says what it is limited to.
    free = await _as(api)
    assert (await api.get(own["files"]["html"], headers=free)).status_code == 200
    page = await api.get(f"/couverture/{own['id']}", headers={"Accept": "text/html"})
    assert "Limité à la zone" in page.text
    await signed_in(api, ("professional", "rpps:10000000000"))
    assert (await ask(api, where="epci:200059889", **WHAT))["id"] == everywhere["id"]
