"""The JSON API: what it answers, what it refuses and how it says so."""

import json
import uuid
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy.engine import URL

from core.db import unit_of_work
from directory.api import refresh_search
from search_api.labels import FACETS
from tests.search_api.conftest import dsn
from tests.search_api.seed import CANARY

SNAPSHOT = Path(__file__).with_name("openapi.json")


async def ask(api: httpx.AsyncClient, path: str = "/api/v1/search", **params: Any) -> Any:
    answer = await api.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_search_near_a_commune_excludes_nothing_and_sorts_by_distance(api: httpx.AsyncClient) -> None:
    everywhere = await ask(api)
    near = await ask(api, where="commune:78361")
    assert near["total"] == everywhere["total"] > 15
    assert near["total_offers"] == everywhere["total_offers"] > near["total"]
    metres = [item["distance_m"] for item in near["items"]]
    assert metres == sorted(metres) and metres[0] < 2_000
    assert near["centre"]["label"].startswith("Mantes-la-Jolie")
    assert near["capped_at"] == 200 and near["page"] == 1 and len(near["items"]) == 15
    assert near["pages"] == min(14, -(-near["total"] // 15))
    first = near["items"][0]
    assert first["rank"] == 1 and first["distance_km"] == first["distance_m"] / 1000
    assert first["site"]["departement"] == "Yvelines" and first["offers"]
    assert [facet["key"] for facet in near["facets"]] == [key.value for key in FACETS]


async def test_pages_follow_one_another_without_repeating_and_end_with_the_last_result(api: httpx.AsyncClient) -> None:
    first = await ask(api, where="commune:78361")
    seen: list[str] = []
    for page in range(1, first["pages"] + 1):
        answer = await ask(api, where="commune:78361", page=page)
        assert [item["rank"] for item in answer["items"]] == list(
            range(1 + 15 * (page - 1), 1 + 15 * (page - 1) + len(answer["items"]))
        )
        seen += [item["site"]["id"] for item in answer["items"]]
    assert len(seen) == len(set(seen)) == first["total"]
    beyond = await ask(api, where="commune:78361", page=first["pages"] + 1)
    assert beyond["items"] == [] and beyond["total"] == first["total"]


async def test_a_commune_limits_only_with_a_radius_and_a_departement_always(api: httpx.AsyncClient) -> None:
    wide = await ask(api, where="commune:78361")
    near = await ask(api, where="commune:78361", radius_km=5)
    assert 0 < near["total"] < wide["total"]
    assert all(item["distance_m"] <= 5_000 for item in near["items"])
    epci = await ask(api, where="epci:200059889")
    departement = await ask(api, where="departement:78")
    assert epci["total"] < departement["total"] == wide["total"]
    both = await ask(api, where=["commune:78646", "epci:200059889"])
    assert both["total"] == epci["total"]
    assert both["centre"]["ref"] == "commune:78646"


async def test_ticked_values_are_or_inside_a_group_and_and_between_groups(api: httpx.AsyncClient) -> None:
    everything = await ask(api)
    counts = {value["code"]: value["count"] for facet in everything["facets"] for value in facet["values"]}
    one = await ask(api, professions="G15|70")
    two = await ask(api, professions=["G15|70", "G15|60"])
    assert one["total_offers"] == counts["G15|70"]
    assert two["total_offers"] == counts["G15|70"] + counts["G15|60"]
    professions = next(facet for facet in one["facets"] if facet["key"] == "professions")
    assert {v["code"]: v["count"] for v in professions["values"]} == {
        code: count for code, count in counts.items() if code.startswith("G15|")
    }
    assert [v["selected"] for v in professions["values"] if v["code"] == "G15|70"] == [True]
    both = await ask(api, professions="G15|70", patients="enfant")
    assert both["total_offers"] < one["total_offers"]
    kinds = {v["code"]: v["count"] for f in everything["facets"] if f["key"] == "kind" for v in f["values"]}
    assert kinds["liberal"] + kinds["establishment"] == everything["total_offers"]


async def test_a_ticked_value_stays_shown_when_nothing_has_it(api: httpx.AsyncClient) -> None:
    answer = await ask(api, professions="G15|28")
    assert answer["total"] == 0 and answer["items"] == [] and answer["pages"] == 0
    professions = next(facet for facet in answer["facets"] if facet["key"] == "professions")
    assert [v for v in professions["values"] if v["selected"]] == [
        {"code": "G15|28", "label": "Opticien-lunetier", "count": 0, "selected": True}
    ]
    assert answer["widen"]


@pytest.mark.parametrize(
    ("params", "field", "words"),
    [
        ({"lat": "91", "lon": "2"}, "lat", "latitude"),
        ({"lat": "48", "lon": "181"}, "lon", "longitude"),
        ({"lat": "nan", "lon": "2"}, "lat", "nombre"),
        ({"lat": "1e400", "lon": "2"}, "lat", "nombre"),
        ({"lat": "48"}, "lon", "latitude et une longitude"),
        ({"where": "commune:78361", "radius_km": "0"}, "radius_km", "0,1 à 1 000 km"),
        ({"where": "commune:78361", "radius_km": "10000"}, "radius_km", "0,1 à 1 000 km"),
        ({"where": "departement:78", "radius_km": "10"}, "radius_km", "centre"),
        ({"page": "0"}, "page", "1 à 14"),
        ({"page": "15"}, "page", "1 à 14"),
        ({"page": "deux"}, "page", "entier"),
        ({"page": ["1", "2"]}, "page", "une fois"),
        ({"sort": "prix"}, "sort", "relevance"),
        ({"age": "-1"}, "age", "0 à 150"),
        ({"age": "151"}, "age", "0 à 150"),
        ({"open_at": "samedi"}, "open_at", "2026-11-28T09:30"),
        ({"open_at": "2026-02-30T09:30"}, "open_at", "2026-11-28T09:30"),
        ({"open_at": "2026-11-28"}, "open_at", "2026-11-28T09:30"),
        ({"visits": "Mantes"}, "visits", "INSEE"),
        ({"visits": "99999"}, "visits", "Aucun lieu"),
        ({"where": "ville:78361"}, "where", "sorte"),
        ({"where": "commune:00000"}, "where", "Aucun lieu"),
        ({"where": "departement:xx"}, "where", "forme"),
        ({"origin": "commune:1"}, "origin", "forme"),
        ({"bbox": "1,2,3"}, "bbox", "Quatre"),
        ({"bbox": "3,48,1,49"}, "bbox", "ouest"),
        ({"code": "J17"}, "code", "nomenclature|code"),
        ({"code": "J17|zzz999"}, "code", "aucune nomenclature"),
        ({"modes": "J17|001"}, "modes", "J19"),
        ({"kind": "autre"}, "kind", "liberal"),
        ({"scope": "J99"}, "scope", "inconnu"),
        ({"q": "a" * 201}, "q", "trop long"),
        ({"q": "a\x00b"}, "q", "commande"),
        ({"accepts_new": "peut-être"}, "accepts_new", "1"),
        ({"couleur": "bleu"}, "couleur", "inconnu"),
        ({"where": [f"commune:{n:05d}" for n in range(21)]}, "where", "Trop"),
    ],
    ids=str,
)
async def test_what_is_refused_says_why_at_the_field(
    api: httpx.AsyncClient, params: dict[str, Any], field: str, words: str
) -> None:
    answer = await api.get("/api/v1/search", params=params)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == 422 and body["title"] == "Données invalides"
    messages = {error["field"]: error["detail"] for error in body["errors"]}
    assert words in messages[field]


@pytest.mark.parametrize(
    "text",
    [
        "kiné 😀",
        "'; DROP TABLE directory.offer; --",
        "%' OR 1=1",
        "\u202ekiné",
        "a" * 200,
        "é" * 100,
        " ".join(["kiné"] * 30),
        "J16|../../etc",
        "<script>alert(1)</script>",
        "１２３",
        "ŒUF",
    ],
)
async def test_hostile_text_is_answered_calmly(api: httpx.AsyncClient, text: str) -> None:
    for path in ("/api/v1/search", "/api/v1/suggest", "/api/v1/places"):
        answer = await api.get(path, params={"q": text})
        assert answer.status_code == 200, (path, answer.text)


@pytest.mark.parametrize("text", ["😀", "中文", "d’", "& | ! ( ) : * <->", "\\", "'", "''''", "%"])
async def test_a_text_without_a_word_is_refused_rather_than_answered_by_the_whole_directory(
    api: httpx.AsyncClient, text: str
) -> None:
    answer = await api.get("/api/v1/search", params={"q": text})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["q"]
    assert "aucun mot que la recherche" in answer.json()["errors"][0]["detail"]
    page = await api.get("/recherche", params={"q": text, "where": "commune:78361"})
    assert page.status_code == 422
    assert "aucun mot que la recherche" in page.text
    # Whoever is still typing is suggested nothing, and is not refused.
    for path in ("/api/v1/suggest", "/api/v1/places"):
        assert (await api.get(path, params={"q": text})).status_code == 200


async def test_empty_values_of_a_form_count_as_absent(api: httpx.AsyncClient) -> None:
    empty = {"q": "", "where": "", "lat": "", "lon": "", "radius_km": "", "age": "", "sort": "", "page": ""}
    assert (await ask(api, **empty))["total"] == (await ask(api))["total"]


async def test_filters_narrow_and_say_what_they_found(api: httpx.AsyncClient) -> None:
    everything = await ask(api)
    young = await ask(api, age=2)
    assert 0 < young["total_offers"] < everything["total_offers"]
    visited = await ask(api, visits="78361")
    assert visited["total"] and all(
        offer["visits_searched"] == "Mantes-la-Jolie" and offer["visits"]
        for item in visited["items"]
        for offer in item["offers"]
    )
    accepting = await ask(api, accepts_new="1")
    assert all(offer["accepts_new"] for item in accepting["items"] for offer in item["offers"])
    monday = await ask(api, open_at="2026-11-23T09:30")
    aware = await ask(api, open_at="2026-11-23T08:30:00Z")
    assert 0 < monday["total"] == aware["total"] < everything["total"]
    box = await ask(api, bbox="1.65,48.95,1.76,49.02")
    assert 0 < box["total"] < everything["total"]
    assert box["items"][0]["distance_m"] is not None


async def test_explain_says_in_french_how_the_order_came_about(api: httpx.AsyncClient) -> None:
    answer = await ask(api, where="commune:78361", q="kiné", sort="relevance", explain="1")
    assert any("kine" in line and "Masseur-kinésithérapeute" in line for line in answer["explain"])
    assert any(line.startswith("Ordre : pertinence") for line in answer["explain"])
    assert any(line.startswith("Pertinence :") for line in answer["items"][0]["explanation"])
    assert (await ask(api))["explain"] is None


async def test_approximate_and_unknown_positions_are_told_apart(api: httpx.AsyncClient) -> None:
    items = []
    for page in range(1, 15):
        items += (await ask(api, where="commune:78361", page=page))["items"]
    assert any(item["approximate"] and item["distance_m"] == 0 for item in items)
    unknown = [item for item in items if item["distance_m"] is None]
    assert unknown and items[-len(unknown) :] == unknown
    assert all(item["site"]["lat"] is None for item in unknown)


async def test_the_map_counts_every_site_of_the_view(api: httpx.AsyncClient) -> None:
    whole = await ask(api)
    france = await ask(api, "/api/v1/map", view="-5,41,10,52", zoom=5)
    pages = [await ask(api, page=page) for page in range(1, 15)]
    without = sum(item["site"]["lat"] is None for page in pages for item in page["items"])
    assert france["total"] == whole["total"] - without and france["outside"] == without
    assert sum(feature["properties"]["count"] for feature in france["features"]) == france["total"]
    assert sum(feature["properties"]["offers"] for feature in france["features"]) == france["total_offers"]
    near = await ask(api, "/api/v1/map", view="1.65,48.95,1.76,49.02", zoom=14, q="kiné")
    kinds = {feature["properties"]["kind"] for feature in near["features"]}
    assert kinds <= {"site", "town", "cluster"} and "town" in kinds
    towns = [feature for feature in near["features"] if feature["properties"]["kind"] == "town"]
    assert len({tuple(feature["geometry"]["coordinates"]) for feature in towns}) == len(towns)
    for feature in near["features"]:
        properties = feature["properties"]
        assert len(properties["sites"]) == (0 if properties["kind"] == "cluster" else properties["count"])
    close = await ask(api, "/api/v1/map", view="1.65,48.95,1.76,49.02", zoom=19)
    assert close["total"] == sum(f["properties"]["count"] for f in close["features"])
    assert (await api.get("/api/v1/map", params={"view": "1,2", "zoom": 3})).status_code == 422
    assert (await api.get("/api/v1/map", params={"view": "1,2,3,4", "zoom": 30})).status_code == 422


async def test_sheets_answer_by_public_id(api: httpx.AsyncClient) -> None:
    item = (await ask(api, q="kiné"))["items"][0]
    site = await ask(api, f"/api/v1/sites/{item['site']['id']}")
    assert site["name"] == item["site"]["name"]
    offer = await ask(api, f"/api/v1/offers/{item['offers'][0]['id']}")
    assert offer["name"] == item["offers"][0]["name"]
    for path in ("/api/v1/sites/", "/api/v1/offers/"):
        missing = await api.get(f"{path}00000000-0000-0000-0000-000000000000")
        assert missing.status_code == 404 and missing.json()["title"] == "Introuvable"
        assert (await api.get(f"{path}abc")).status_code == 422
        assert (await api.get(f"{path}{item['site']['id']}", params={"x": "1"})).status_code == 422


async def test_places_are_suggested(api: httpx.AsyncClient) -> None:
    found = await ask(api, "/api/v1/places", q="mantes la j")
    assert found[0]["ref"] == "commune:78361"
    assert (await api.get("/api/v1/places", params={"q": "m", "limit": 21})).status_code == 422
    assert (await api.get("/api/v1/places")).status_code == 422


async def test_no_restricted_offer_is_found_counted_or_hinted_at(api: httpx.AsyncClient) -> None:
    for text in (CANARY, f"{CANARY}39", CANARY[:-1], CANARY.lower()):
        answer = await ask(api, q=text)
        assert answer["total"] == 0
        assert CANARY.lower() not in json.dumps({**answer, "widen": [], "understood": []}).lower()
        assert not any("lu «" in one["label"] for one in answer["understood"])
        assert CANARY not in json.dumps(await ask(api, "/api/v1/suggest", q=text))
    everything = await ask(api)
    last_act = [v for f in everything["facets"] for v in f["values"] if v["code"].startswith("J16|")]
    assert last_act == []
    for page in range(1, 15):
        assert CANARY not in json.dumps(await ask(api, page=page))
    for extension in ("csv", "geojson"):
        assert CANARY not in (await api.get(f"/api/v1/search.{extension}")).text
    assert CANARY not in json.dumps(await ask(api, "/api/v1/map", view="-5,41,10,52", zoom=19))


async def test_a_zone_limits_whatever_is_asked(api: httpx.AsyncClient) -> None:
    towns = ["commune:78361", "commune:78335"]
    alone = [(await ask(api, within=one))["total"] for one in towns]
    assert (await ask(api, within=",".join(towns)))["total"] == sum(alone) > 0
    assert (await ask(api, within=towns))["total"] == 0, "in both at once"
    everything = await ask(api, within="departement:78")
    assert everything["total"] == (await ask(api, where="departement:78"))["total"]
    assert (await ask(api, within="cp:78200"))["total"] >= alone[0]
    near = await ask(api, within="commune:78361", where="commune:78646", radius_km=1000)
    assert near["total"] <= alone[0] and near["centre"]["ref"] == "commune:78646"
    for wrong in ("commune:99999", "x", ",", "commune:78361,y", ",".join(["commune:78361"] * 21)):
        refused = await api.get("/api/v1/search", params={"within": wrong})
        assert refused.status_code == 422, wrong
        assert [one["field"] for one in refused.json()["errors"]] == ["within"]
    exported = await api.get("/api/v1/search.csv", params={"within": "commune:78335"})
    assert "Limay" in exported.text and "Versailles" not in exported.text
    assert "within=commune:78335" in str((await api.get("/recherche?within=commune:78335")).text)


async def test_places_of_a_zone_and_names_of_references(api: httpx.AsyncClient) -> None:
    zone = {"within": "epci:200059889"}
    found = await ask(api, "/api/v1/places", q="versailles", **zone)
    assert "commune:78646" not in [place["ref"] for place in found]
    assert "commune:78335" in [place["ref"] for place in await ask(api, "/api/v1/places", q="limay", **zone)]
    kinds = await ask(api, "/api/v1/places", q="yvelines", kind="departement")
    assert {place["kind"] for place in kinds} == {"departement"}
    refs = ["commune:78646", "departement:78", "commune:78361", "commune:99999"]
    named = await ask(api, "/api/v1/places", ref=refs)
    assert [place["ref"] for place in named] == refs[:3]
    assert [place["ref"] for place in await ask(api, "/api/v1/places", ref=refs, **zone)] == ["commune:78361"]
    for wrong in ({"ref": "x"}, {"kind": "x"}, {"within": "x", "q": "a"}, {"ref": ["commune:78361"] * 21}):
        assert (await api.get("/api/v1/places", params=wrong)).status_code == 422, wrong
    labels = await ask(api, "/api/v1/concepts", code=["G15|70", "G15|zz", "J19|32"])
    assert [one["code"] for one in labels] == ["G15|70", "J19|32"] and all(one["label"] for one in labels)
    for wrong in ({}, {"code": "x"}, {"code": ["G15|70"] * 21}):
        assert (await api.get("/api/v1/concepts", params=wrong)).status_code == 422, wrong


async def test_the_territory_of_an_offer(api: httpx.AsyncClient) -> None:
    some = await ask(api, visits="78361")
    uid = next(offer["id"] for item in some["items"] for offer in item["offers"] if offer["visits"])
    answer = await api.get(f"/api/v1/offers/{uid}/territory.geojson")
    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.json()["type"] == "FeatureCollection"
    assert (await api.get(f"/api/v1/offers/{uuid.UUID(int=3)}/territory.geojson")).status_code == 404


async def test_the_description_of_the_api_is_the_one_kept(api: httpx.AsyncClient) -> None:
    """Run with REPERE_UPDATE_SNAPSHOTS=1 to keep a change that was meant."""
    import os

    whole = (await api.get("/api/openapi.json")).json()
    paths = {
        path: operations
        for path, operations in sorted(whole["paths"].items())
        if path.startswith("/api/v1/") and not path.startswith("/api/v1/outlines")
    }
    kept = json.dumps({"paths": paths}, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    if os.environ.get("REPERE_UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(kept, encoding="utf-8")
    assert SNAPSHOT.read_text(encoding="utf-8") == kept
    for operations in paths.values():
        for operation in operations.values():
            assert operation["summary"] and {"404", "422"} & operation["responses"].keys()


async def test_answers_to_the_public_may_be_kept_for_a_short_while(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/v1/search")
    assert answer.headers["cache-control"].startswith("public, max-age=30")


async def test_a_database_that_does_not_answer_in_time_is_a_503_in_french(api: httpx.AsyncClient, filled: URL) -> None:
    with psycopg.connect(dsn(filled)) as conn:
        conn.execute("LOCK TABLE directory.offer_search IN ACCESS EXCLUSIVE MODE")
        answer = await api.get("/api/v1/search", params={"where": "commune:78361"})
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert "réessayez" in answer.json()["detail"].lower() or "précisez" in answer.json()["detail"]
    assert (await api.get("/api/v1/search")).status_code == 200


async def test_a_change_is_seen_by_the_next_search(api: httpx.AsyncClient, filled: URL) -> None:
    before = await ask(api, professions="G15|70")
    assert await ask(api, professions="G15|70") == before
    with psycopg.connect(dsn(filled)) as conn:
        gone = conn.execute(
            "DELETE FROM directory.offer_search WHERE offer_id = (SELECT min(o.offer_id) FROM directory.offer_search o"
            " JOIN directory.concept c ON c.id = ANY(o.codes) WHERE c.system = 'G15' AND c.code = '70'"
            " AND NOT o.sensitive) RETURNING offer_id"
        ).fetchone()
        assert gone
        during = await ask(api, professions="G15|70")
        assert during["total_offers"] == before["total_offers"]
        conn.commit()
        after = await ask(api, professions="G15|70")
        assert after["total_offers"] == before["total_offers"] - 1
    async with unit_of_work() as session:
        await refresh_search(session, [gone[0]])
    assert (await ask(api, professions="G15|70"))["total_offers"] == before["total_offers"]
