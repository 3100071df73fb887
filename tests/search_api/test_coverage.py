"""Coverage of a territory: the same figures by brute force, refusals, one report for one question."""

import asyncio
import statistics
from typing import Any

import httpx
import numpy as np
import psycopg
import pytest
from pyproj import Geod
from sqlalchemy.engine import URL

from search_api.coverage import nearest, scales
from tests.search_api import oracle
from tests.search_api.conftest import dsn
from tests.search_api.coverage import COVERAGE, PAGE, ask, features
from tests.search_api.seed import CANARY

GEOD = Geod(ellps="WGS84")


def by_hand(filled: URL, container: str, codes: set[str]) -> dict[str, dict[str, Any]]:
    """The figures of each commune, in plain Python over the rows of the projection."""
    rows = [row for row in oracle.load(dsn(filled)).rows if not row.sensitive]
    with psycopg.connect(dsn(filled)) as conn:
        wanted = {
            row[0]
            for row in conn.execute(
                "SELECT id FROM directory.concept WHERE system || '|' || code = ANY(%s)", (sorted(codes),)
            )
        }
        homes: dict[int, int | None] = dict(
            conn.execute("SELECT offer_id, commune_id FROM directory.offer_search").fetchall()
        )
        communes = conn.execute(
            "SELECT p.id, p.code, p.population, ST_X(p.point::geometry), ST_Y(p.point::geometry),"
            " ARRAY(SELECT container_id FROM maps.place_containment WHERE place_id = p.id)"
            " FROM maps.place p JOIN maps.place_containment c ON c.place_id = p.id"
            " JOIN maps.place q ON q.id = c.container_id"
            " WHERE p.kind = 'commune' AND q.kind || ':' || q.code = %s",
            (container,),
        ).fetchall()
    found = [row for row in rows if wanted & row.codes]
    figures = {}
    for key, code, population, lon, lat, around in communes:
        here = [row for row in found if homes[row.offer_id] == key]
        metres = [
            round(GEOD.inv(lon, lat, row.point.lon, row.point.lat)[2])
            for row in found
            if row.point is not None and lon is not None
        ]
        figures[code] = {
            "population": population,
            "offers": len(here),
            "sites": len({row.site_id for row in here}),
            "nearest_m": min(metres, default=None),
            "visited": any(row.territory & {key, *around} for row in found),
        }
    return figures


@pytest.mark.parametrize(
    ("where", "container"),
    [("departement:78", "departement:78"), ("epci:200059889", "epci:200059889"), ("france", "pays:france")],
)
@pytest.mark.parametrize("codes", [["G15|60"], ["G15|70"], ["R38|SM54"]])
async def test_figures_are_those_of_brute_force(
    api: httpx.AsyncClient, filled: URL, where: str, container: str, codes: list[str]
) -> None:
    report = await ask(api, code=codes, where=where)
    expected = by_hand(filled, container, set(codes))
    found = {one["code"]: one for one in await features(api, report)}
    assert found.keys() == expected.keys()
    for code, figures in expected.items():
        assert {name: found[code][name] for name in figures} == figures, code
        density = figures["offers"] * 10_000 / figures["population"] if figures["population"] else None
        assert found[code]["offers_per_10000"] == (None if density is None else pytest.approx(density, abs=0.001))

    summary = report["summary"]
    people = sum(one["population"] for one in expected.values())
    assert summary["communes"] == len(expected) > 10
    assert summary["population"] == people
    assert summary["offers"] == sum(one["offers"] for one in expected.values()) > 0
    assert summary["density"] == pytest.approx(summary["offers"] * 10_000 / people)
    assert summary["communes_unvisited"] == sum(not one["visited"] for one in expected.values())
    far = sum(one["population"] for one in expected.values() if one["nearest_m"] > 10_000)
    assert summary["population_far"] == far
    assert summary["share_far"] == pytest.approx(far / people)
    assert summary["farthest_m"] == max(one["nearest_m"] for one in expected.values())
    people_at = [one["nearest_m"] for one in expected.values() for _ in range(one["population"] // 10)]
    assert summary["median_m"] == pytest.approx(statistics.median(people_at), abs=60)

    searched = (await api.get("/api/v1/search", params={"code": codes, "where": where})).json()
    assert (summary["offers"], summary["sites"]) == (searched["total_offers"], searched["total"])


async def test_a_text_and_filters_are_read_as_the_search_reads_them(api: httpx.AsyncClient) -> None:
    body = {"q": "kiné", "where": "departement:78", "facets": {"convention": ["R282|1"]}, "age": 40}
    report = await ask(api, **body)
    params = {"q": "kiné", "where": "departement:78", "convention": "R282|1", "age": "40"}
    searched = (await api.get("/api/v1/search", params=params)).json()
    assert report["summary"]["offers"] == searched["total_offers"] > 0
    assert "« kiné »" in report["title"] and "40 ans" in report["title"] and "Yvelines" in report["title"]


async def test_a_commune_means_its_intercommunalite(api: httpx.AsyncClient) -> None:
    by_town = await ask(api, code=["G15|60"], where="commune:78361")
    assert by_town["id"] == (await ask(api, code=["G15|60"], where="epci:200059889"))["id"]
    assert by_town["id"] == (await ask(api, code=["G15|60"], where="cp:78200"))["id"]


async def test_nothing_found_is_a_report_that_says_so(api: httpx.AsyncClient) -> None:
    report = await ask(api, facets={"professions": ["G15|28"]}, where="departement:78")
    summary = report["summary"]
    assert summary["offers"] == summary["sites"] == 0
    assert summary["communes_without_offer"] == summary["communes_unvisited"] == summary["communes"]
    assert summary["median_m"] is None and summary["farthest_m"] is None
    assert summary["share_far"] is None and summary["population_far"] is None
    assert "Aucune offre ne répond à la question, ni dans ce territoire ni ailleurs" in report["message"]
    assert all(one["nearest_m"] is None and one["nearest_commune"] is None for one in await features(api, report))
    page = (await api.get(report["page"], headers=PAGE)).text
    assert "Aucune offre ne répond à la question, ni dans ce territoire ni ailleurs" in page
    assert "Habitants à plus de" not in page
    for name in report["files"].values():
        assert (await api.get(name)).status_code == 200


async def test_sensitive_offers_are_never_counted(api: httpx.AsyncClient, filled: URL) -> None:
    with psycopg.connect(dsn(filled)) as conn:
        row = conn.execute(
            "SELECT c.code, count(*) FILTER (WHERE o.sensitive), count(*) FILTER (WHERE NOT o.sensitive)"
            " FROM directory.offer o JOIN directory.concept c ON c.id = ANY(o.acts) WHERE c.system = 'J16'"
            " AND c.id = (SELECT max(id) FROM directory.concept WHERE system = 'J16' AND active) GROUP BY c.code"
        ).fetchone()
    assert row is not None and row[1] > 0 and row[2] == 0
    report = await ask(api, code=[f"J16|{row[0]}"], where="departement:78")
    assert report["summary"]["offers"] == report["summary"]["offers_visiting"] == 0
    assert report["summary"]["communes_unvisited"] == report["summary"]["communes"]
    assert report["summary"]["farthest_m"] is None
    named = await api.post(COVERAGE, json={"q": CANARY, "where": "departement:78"})
    assert named.status_code == 422, "a name that may not be found is a word that nothing knows"


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"where": "departement:78"}, "q", "Indiquez ce dont vous voulez mesurer"),
        ({"code": ["G15|60"], "where": "nulle part"}, "where", "Ce lieu n’est pas compris"),
        ({"code": ["G15|60"], "where": "departement:999"}, "where", "Aucun lieu ne répond"),
        ({"code": ["G15|60"], "where": "epci:000000000"}, "where", "Aucun lieu ne répond"),
        ({"code": ["G15|ZZZ"], "where": "departement:78"}, "code", "n’existe dans aucune nomenclature"),
        ({"code": ["n'importe"], "where": "departement:78"}, "code", "Un code s’écrit"),
        ({"code": ["G15|60"], "where": "departement:78", "age": 200}, "age", "L’âge va de 0 à 150 ans"),
        ({"q": "x" * 300, "where": "departement:78"}, "q", "Ce texte est trop long"),
        ({"q": "kiné", "where": "departement:78", "radius_km": 3}, "radius_km", "Ce paramètre est inconnu"),
        ({"q": "zzzzqq", "where": "departement:78"}, "q", "Le mot « zzzzqq » ne figure ni dans"),
        ({"q": "kiné zzzzqq", "where": "departement:78"}, "q", "Le mot « zzzzqq » ne figure ni dans"),
        ({"q": "kiné"}, "where", "Ce champ est obligatoire"),
    ],
)
async def test_a_refused_question_says_why_at_its_field(
    api: httpx.AsyncClient, body: dict[str, Any], field: str, message: str
) -> None:
    answer = await api.post(COVERAGE, json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    errors = {one["field"]: one["detail"] for one in answer.json()["errors"]}
    assert message in errors[field]


@pytest.mark.parametrize(
    ("content", "media_type", "status", "message"),
    [
        (b"{bad", "application/json", 422, "illisible à partir du caractère 2 "),
        (b'{"q": "a",}', "application/json", 422, "illisible à partir du caractère"),
        (b'{"q": "a", "where": "departement:78"}', "text/plain", 422, "Content-Type: application/json"),
        (b"[1]", "application/json", 422, "Un objet JSON est attendu"),
        (b"", "application/json", 422, "Un objet JSON est attendu"),
        (b'{"q": "a", "where": "departement:78", "facets": [1]}', "application/json", 422, "facets : Un objet JSON"),
        (b'{"q": 1, "where": "departement:78"}', "application/json", 422, "q : Un texte est attendu"),
        (b"\xff{", "application/json", 400, "encodage (UTF-8)"),
    ],
)
async def test_what_is_not_json_is_said_to_be_so(
    api: httpx.AsyncClient, content: bytes, media_type: str, status: int, message: str
) -> None:
    answer = await api.post(COVERAGE, content=content, headers={"Content-Type": media_type})
    assert answer.status_code == status
    assert message in answer.json()["detail"]
    assert all(not error["field"].isdigit() for error in answer.json().get("errors", []))


async def test_the_same_question_on_the_same_data_is_one_report(api: httpx.AsyncClient, filled: URL) -> None:
    body = {"code": ["G15|80"], "where": "departement:78"}
    both = await asyncio.gather(*(api.post(COVERAGE, json=body) for _ in range(4)))
    assert len({answer.json()["id"] for answer in both}) == 1
    first = await ask(api, **body)
    assert first["id"] == both[0].json()["id"]
    with psycopg.connect(dsn(filled)) as conn:
        conn.execute("INSERT INTO core.event (kind, entity) VALUES ('changed', 'offer')")
    assert (await ask(api, **body))["id"] != first["id"]


def test_the_nearest_is_exact_near_and_far() -> None:
    """From towns of the mainland and overseas, to points everywhere: the same as measuring every pair."""
    rng = np.random.default_rng(5)
    lon = np.concatenate([rng.uniform(-5, 9, 60), [-61.5, 55.5, -176.2, 166.4, -149.6, 45.2, np.nan]])
    lat = np.concatenate([rng.uniform(42, 51, 60), [16.2, -21.1, -13.3, -22.3, -17.5, -12.8, 48.0]])
    to_lon = np.concatenate([rng.uniform(-5, 9, 800), lon[:1], lon[:1], [-61.4]])
    to_lat = np.concatenate([rng.uniform(42, 51, 800), lat[:1], lat[:1], [16.3]])
    exact = np.ones(len(to_lon), dtype=bool)
    exact[800] = False
    points = nearest.Points(to_lon, to_lat, exact, np.arange(len(to_lon)))
    found = nearest.nearest(lon, lat, points)
    for row in range(len(lon) - 1):
        pairs = [round(GEOD.inv(lon[row], lat[row], x, y)[2]) for x, y in zip(to_lon, to_lat, strict=True)]
        assert found.metres[row] == min(pairs)
    # Of two at the same place, the exact position is told.
    assert found.index[0] == 801 and found.metres[0] == 0
    assert found.index[-1] == -1 and np.isnan(found.metres[-1])
    none = np.empty(0)
    nothing = nearest.nearest(lon, lat, nearest.Points(none, none, none.astype(bool), none.astype(np.int64)))
    assert np.isnan(nothing.metres).all()


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_colour_carries_a_text() -> None:
    for fill, ink in (*scales.DENSITY, *scales.NEAR, scales.NOTHING, scales.SOME):
        dark, light = sorted((_luminance(fill), _luminance(ink)))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, fill
