"""Coverage of a territory: the same figures by brute force, the files as people open them, the work and its failures."""

import asyncio
import html
import io
import json
import os
import re
import statistics
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import openpyxl
import psycopg
import pytest
from pyproj import Geod
from sqlalchemy.engine import URL
from typer.testing import CliRunner

from cli import assemble
from core import files
from core.settings import core_settings
from maps.api import invalidate
from search_api.coverage import nearest, scales, service
from search_api.coverage.writing import COLUMNS
from tests.conftest import ROOT
from tests.search_api import oracle
from tests.search_api.conftest import dsn
from tests.search_api.seed import CANARY

GEOD = Geod(ellps="WGS84")
PAGE = {"Accept": "text/html"}
COVERAGE = "/api/v1/coverage"


@pytest.fixture(scope="module", autouse=True)
def _no_file_left(filled: URL) -> Iterator[None]:
    """Remove from REPERE_HOME what the reports of this module put there."""
    yield
    with psycopg.connect(dsn(filled)) as conn:
        for (named,) in conn.execute("SELECT files FROM search_api.coverage_report").fetchall():
            for digest in named.values():
                files.discard(digest, grace=-1)


async def ask(api: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await api.post(COVERAGE, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert found["state"] == "ready", found
    return found


async def features(api: httpx.AsyncClient, report: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await api.get(report["files"]["geojson"])
    assert answer.status_code == 200
    found: list[dict[str, Any]] = [one["properties"] for one in answer.json()["features"]]
    return found


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
        homes = dict(conn.execute("SELECT offer_id, commune_id FROM directory.offer_search").fetchall())
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
    assert "« kiné »" in report["title"] and "40 ans" in report["title"] and "Yvelines" in report["title"]


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
    assert summary["share_far"] == 1
    assert all(one["nearest_m"] is None and one["nearest_commune"] is None for one in await features(api, report))
    page = (await api.get(report["page"], headers=PAGE)).text
    assert "Aucune offre du territoire ne répond à la question." in page
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
    named = await ask(api, q=CANARY, where="departement:78")
    assert named["summary"]["offers"] == 0


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


async def test_the_same_question_on_the_same_data_is_one_report(api: httpx.AsyncClient, filled: URL) -> None:
    body = {"code": ["G15|80"], "where": "departement:78"}
    both = await asyncio.gather(*(api.post(COVERAGE, json=body) for _ in range(4)))
    assert len({answer.json()["id"] for answer in both}) == 1
    first = await ask(api, **body)
    assert first["id"] == both[0].json()["id"]
    with psycopg.connect(dsn(filled)) as conn:
        conn.execute("INSERT INTO core.event (kind, entity) VALUES ('changed', 'offer')")
    assert (await ask(api, **body))["id"] != first["id"]


async def test_the_sheet_is_typed_and_defines_its_figures(api: httpx.AsyncClient) -> None:
    report = await ask(api, code=["G15|60"], where="departement:78")
    answer = await api.get(report["files"]["xlsx"])
    assert re.search(
        r'attachment; filename="repere-couverture-infirmier[\w.-]+\.xlsx"', answer.headers["content-disposition"]
    )
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    sheet = book["Communes"]
    assert [cell.value for cell in sheet[1]] == [title for title, _, _ in COLUMNS]
    assert sheet.freeze_panes == "C2" and sheet.auto_filter.ref is not None
    rows = {one["code"]: one for one in await features(api, report)}
    assert sheet.max_row - 1 == len(rows)
    for line in sheet.iter_rows(min_row=2):
        expected = rows[line[0].value]
        assert line[0].data_type == "s"
        assert (line[3].value, line[4].value, line[5].value) == (
            expected["population"],
            expected["offers"],
            expected["sites"],
        )
        assert line[7].value == pytest.approx(expected["nearest_m"] / 1000)
        assert line[10].value == ("oui" if expected["visited"] else "non déclarée")
    about = {row[0].value: row[1].value for row in book["Rapport"].iter_rows()}
    assert about["Ce qui est mesuré"] == "Infirmier" and about["Territoire"] == "Yvelines (78)"
    assert isinstance(about["Établi le"], datetime)
    assert about["Offres"] == report["summary"]["offers"]
    assert "n’a pas décrit son territoire" in about["Définition : Visites à domicile"]
    assert not any(cell.data_type == "f" for one in book.worksheets for row in one.iter_rows() for cell in row)


async def test_geojson_has_a_box_and_the_classes_of_the_map(api: httpx.AsyncClient) -> None:
    report = await ask(api, code=["G15|60"], where="departement:78")
    answer = await api.get(report["files"]["geojson"])
    assert answer.headers["content-type"] == "application/geo+json"
    body = answer.json()
    west, south, east, north = body["bbox"]
    for feature in body["features"]:
        # The seed loads no contours: a commune then stands at its point.
        assert feature["geometry"]["type"] == "Point"
        lon, lat = feature["geometry"]["coordinates"]
        assert west <= lon <= east and south <= lat <= north
    measures = {one["key"]: one["classes"] for one in body["measures"]}
    assert measures.keys() == {"density", "distance", "visits"}
    for key, classes in measures.items():
        used = {feature["properties"]["classes"][key] for feature in body["features"]}
        assert used <= set(range(-1, len(classes)))
    for feature in body["features"]:
        properties = feature["properties"]
        assert (properties["classes"]["density"] == 0) == (properties["offers"] == 0)
        assert properties["classes"]["visits"] == int(properties["visited"])
    drawn = [f["properties"] for f in body["features"] if f["properties"]["classes"]["density"] > 0]
    ranked = sorted(drawn, key=lambda one: one["offers_per_10000"])
    assert [one["classes"]["density"] for one in ranked] == sorted(one["classes"]["density"] for one in ranked)


def _outside(page: str) -> list[str]:
    """What a browser would fetch to show a page."""
    # A link to leafletjs.com stands in Leaflet's own text; following it is up to the reader.
    tags = re.findall(r"<(?:script|link|img|iframe|object|embed|source)\b[^>]*\b(?:src|href|data)\s*=[^>]*>", page)
    return tags + re.findall(r"@import[^;]*;", page) + re.findall(r"url\(\s*[\"']?(?!data:|#)[^)]*\)", page)


async def test_the_standalone_map_needs_nothing_else(api: httpx.AsyncClient) -> None:
    report = await ask(api, code=["G15|60"], where="departement:78")
    answer = await api.get(report["files"]["html"])
    assert answer.headers["content-disposition"].startswith("attachment")
    page = answer.text
    assert _outside(page) == []
    assert "Infirmier · Yvelines (78)" in page and "Contours IGN, Insee" in page and "Rosny-sur-Seine" in page
    shown = await api.get(report["files"]["html"], params={"view": "1"})
    assert shown.headers["content-disposition"].startswith("inline")
    policy = shown.headers["content-security-policy"]
    assert "sandbox allow-scripts" in policy and "default-src 'none'" in policy and "unsafe-inline" not in policy
    assert shown.text == page
    again = await api.get(report["files"]["html"], headers={"If-None-Match": shown.headers["etag"]})
    assert again.status_code == 304


def rename(filled: URL, place: int, name: str) -> None:
    with psycopg.connect(dsn(filled)) as conn:
        conn.execute("UPDATE maps.place SET name = %s WHERE id = %s", (name, place))
        conn.execute("UPDATE maps.place_state SET token = gen_random_uuid()")
    invalidate()


async def test_a_hostile_name_is_only_text(api: httpx.AsyncClient, filled: URL, tmp_path: Path) -> None:
    name = "<script>alert(1)</script>{{ 7*191 }}{% raw %}"
    path = tmp_path / "territoires.csv"
    path.write_text(f"code;nom;type;commune\nMAL-1;{name};CPTS;78361\nMAL-1;{name};CPTS;78335\n", "utf-8")
    assert CliRunner().invoke(assemble(), ["places", "territory", "load", str(path)]).exit_code == 0
    with psycopg.connect(dsn(filled)) as conn:
        former = conn.execute("SELECT id, name FROM maps.place WHERE kind = 'commune' AND code = '78335'").fetchone()
        assert former
    rename(filled, former[0], "=1+1</script><img src=x onerror=a>")
    try:
        report = await ask(api, code=["G15|60"], where="territory:MAL-1")
        assert report["summary"]["communes"] == 2
        answer = await api.get(report["files"]["html"])
        page = (await api.get(report["page"], headers=PAGE)).text
        for drawn in (answer.text, page):
            assert "<script>alert" not in drawn and "<img src=x" not in drawn
            assert "1337" not in drawn
        assert "&lt;script&gt;alert(1)&lt;/script&gt;{{ 7*191 }}{% raw %}" in answer.text
        assert _outside(answer.text) == []
        book = openpyxl.load_workbook(io.BytesIO((await api.get(report["files"]["xlsx"])).content))
        assert not any(cell.data_type == "f" for one in book.worksheets for row in one.iter_rows() for cell in row)
    finally:
        rename(filled, *former)


# -- The page ----------------------------------------------------------------------------------------------


def cells(page: str) -> list[str]:
    found = re.findall(r'<th scope="row">([^<]+?) <span class="soft">(?:\d|2[AB])', page)
    return [html.unescape(name) for name in found]


async def test_the_form_leads_to_the_report_and_its_table(api: httpx.AsyncClient) -> None:
    answer = await api.post(
        "/couverture",
        data={"q": "Infirmier", "code": "G15|60", "code_label": "Infirmier", "lieu": "yvelines", "where_label": ""},
        headers=PAGE,
    )
    assert answer.status_code == 303
    path = answer.headers["location"]
    report = (await api.get(f"{COVERAGE}/{path.rpartition('/')[2]}")).json()
    assert report["title"] == "Infirmier · Yvelines (78)"
    rows = await features(api, report)
    page = (await api.get(path, headers=PAGE)).text
    far = sorted(rows, key=lambda one: -one["nearest_m"])
    assert {name for name in cells(page)} <= {one["name"] for one in rows}
    assert cells(page)[0] == far[0]["name"]
    assert len(cells(page)) == 30
    seen = []
    for number in range(1, -(-len(rows) // 30) + 1):
        shown = await api.get(path, params={"tri": "commune", "page": number}, headers=PAGE)
        seen += cells(shown.text)
    assert len(seen) == len(rows) and set(seen) == {one["name"] for one in rows}
    assert seen[0].startswith("Ablis")
    few = (await api.get(path, params={"tri": "offres", "montrer": "non-visitees"}, headers=PAGE)).text
    assert f"sur {report['summary']['communes_unvisited']}" in few
    # The way back keeps the filter and the order.
    assert "tri=offres&amp;montrer=non-visitees&amp;page=2" in few


@pytest.mark.parametrize(
    "query", ["tri=nulle", "montrer=rien", "page=0", "page=deux", "page=9999", "sens=haut", "carte=relief", "autre=1"]
)
async def test_a_page_of_the_table_that_does_not_exist_is_refused(api: httpx.AsyncClient, query: str) -> None:
    report = await ask(api, code=["G15|60"], where="departement:78")
    answer = await api.get(f"{report['page']}?{query}", headers=PAGE)
    assert answer.status_code == 422
    assert "Erreur 422" in answer.text


async def test_the_form_is_shown_again_with_what_was_typed(api: httpx.AsyncClient) -> None:
    for data, messages in (
        ({"q": "", "lieu": ""}, ["Indiquez ce dont vous voulez", "Indiquez le territoire"]),
        ({"q": "kiné", "lieu": "Nullepartville"}, ["Aucun territoire ne s’appelle « Nullepartville »", 'value="kiné"']),
        ({"q": "kiné", "lieu": "x" * 300}, ["Ce texte est trop long"]),
    ):
        answer = await api.post("/couverture", data=data, headers=PAGE)
        assert answer.status_code == 422
        for message in messages:
            assert message in answer.text
    answer = await api.post("/couverture", content=b"\xff\xfe", headers=PAGE)
    assert answer.status_code == 422
    answer = await api.post("/couverture", data={"q": "x" * 70_000}, headers=PAGE)
    assert answer.status_code == 422


async def test_a_form_of_another_site_asks_for_nothing(api: httpx.AsyncClient) -> None:
    data = {"q": "kiné", "lieu": "yvelines"}
    answer = await api.post("/couverture", data=data, headers=PAGE | {"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


async def test_a_search_leads_to_its_report_with_its_filters(api: httpx.AsyncClient) -> None:
    results = await api.get("/recherche?q=kin%C3%A9&where=departement:78&convention=R282%7C1", headers=PAGE)
    link = re.search(r'href="(/couverture\?[^"]+)"', results.text)
    assert link is not None
    form = (await api.get(link[1].replace("&amp;", "&"), headers=PAGE)).text
    assert 'value="kiné"' in form and "Yvelines (78)" in form
    assert "secteur 1" in form and 'name="convention" value="R282|1"' in form
    nothing = await api.get("/recherche?where=departement:78", headers=PAGE)
    assert "/couverture?" not in nothing.text


async def test_suggestions_of_where_are_territories(api: httpx.AsyncClient) -> None:
    found = (await api.get(f"{COVERAGE}/territories", params={"q": "mantes-la-jol"})).json()
    assert found[0]["ref"] == "epci:200059889" and "Mantes-la-Jolie" in found[0]["context"]
    assert all(one["kind"] in ("epci", "departement", "region", "territory", "france") for one in found)
    assert (await api.get(f"{COVERAGE}/territories", params={"q": "yvelines"})).json()[0]["ref"] == "departement:78"
    assert (await api.get(f"{COVERAGE}/territories", params={"q": ""})).json() == []
    assert (await api.get(f"{COVERAGE}/territories", params={"q": "x", "lon": "2"})).status_code == 422


# -- Long reports ------------------------------------------------------------------------------------------


def in_a_worker(filled: URL, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a line of a task module in a process of its own, as a worker does."""
    env = os.environ | {
        "REPERE_DATABASE_URL": filled.render_as_string(hide_password=False),
        "REPERE_HOME": str(core_settings().home.absolute()),
        "REPERE_BROKER_URL": "redis://127.0.0.1:9/0",
    }
    program = "import sys; from core.tasks import app; app.loader.import_default_modules(); " + code
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )


@pytest.fixture
async def long_report(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, filled: URL
) -> AsyncIterator[dict[str, Any]]:
    """A report over too many communes for one request, on a machine whose broker is down."""
    from core import tasks

    monkeypatch.setattr(service, "AT_ONCE", 10)
    monkeypatch.setattr(tasks.app.conf, "broker_url", "redis://127.0.0.1:9/0")
    with psycopg.connect(dsn(filled)) as conn:
        # Another state of the data: a report that an earlier test made must not answer.
        conn.execute("INSERT INTO core.event (kind, entity) VALUES ('changed', 'offer')")
    answer = await api.post(COVERAGE, json={"code": ["G15|50"], "where": "departement:78"})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"{COVERAGE}/{answer.json()['id']}"
    yield answer.json()


async def test_a_long_report_waits_for_a_worker_and_says_where_it_stands(
    api: httpx.AsyncClient, filled: URL, long_report: dict[str, Any]
) -> None:
    assert (long_report["state"], long_report["progress"], long_report["files"]) == ("asked", 0, None)
    page = await api.get(long_report["page"], headers=PAGE)
    assert "Demandé" in page.text and "Actualiser" in page.text
    assert '<noscript><meta http-equiv="refresh"' in page.text
    early = await api.get(f"{COVERAGE}/{long_report['id']}/map.html")
    assert early.status_code == 404 and "pas prêt" in early.json()["detail"]
    again = await api.post(COVERAGE, json={"code": ["G15|50"], "where": "departement:78"})
    assert again.json()["id"] == long_report["id"]

    worker = "app.tasks['search_api.coverage_report'].apply(args=[sys.argv[1]], throw=True)"
    done = in_a_worker(filled, worker, long_report["id"])
    assert done.returncode == 0, done.stderr
    ready = (await api.get(f"{COVERAGE}/{long_report['id']}")).json()
    assert (ready["state"], ready["progress"], ready["state_label"]) == ("ready", 100, "Prêt")
    searched = (await api.get("/api/v1/search", params={"code": "G15|50", "where": "departement:78"})).json()
    assert ready["summary"]["offers"] == searched["total_offers"]
    # Delivered twice, it is made once.
    assert in_a_worker(filled, worker, long_report["id"]).returncode == 0
    assert (await api.get(f"{COVERAGE}/{long_report['id']}")).json() == ready
    with psycopg.connect(dsn(filled)) as conn:
        row = conn.execute(
            "SELECT history FROM search_api.coverage_report WHERE uid = %s", (long_report["id"],)
        ).fetchone()
    assert row is not None
    assert [(one["from"], one["to"]) for one in row[0]] == [("asked", "running"), ("running", "ready")]


async def test_without_a_worker_the_page_says_so(
    api: httpx.AsyncClient, filled: URL, long_report: dict[str, Any]
) -> None:
    def silence(state: str) -> None:
        with psycopg.connect(dsn(filled)) as conn:
            conn.execute(
                "UPDATE search_api.coverage_report SET state = %s, touched_at = now() - interval '10 min' WHERE uid = %s",
                (state, long_report["id"]),
            )

    silence("asked")
    found = (await api.get(f"{COVERAGE}/{long_report['id']}")).json()
    assert found["stalled"] and "n’a pas commencé" in found["message"]
    assert "n’a pas commencé" in (await api.get(long_report["page"], headers=PAGE)).text
    silence("running")
    found = (await api.get(f"{COVERAGE}/{long_report['id']}")).json()
    assert found["stalled"] and "n’avance plus" in found["message"]
    # A work whose process died is taken up by the next one.
    worker = "app.tasks['search_api.coverage_report'].apply(args=[sys.argv[1]], throw=True)"
    assert in_a_worker(filled, worker, long_report["id"]).returncode == 0
    found = (await api.get(f"{COVERAGE}/{long_report['id']}")).json()
    assert found["state"] == "ready" and not found["stalled"]


async def test_a_failure_is_told_and_may_be_tried_again(
    api: httpx.AsyncClient, filled: URL, long_report: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(dsn(filled)) as conn:
        conn.execute(
            'UPDATE search_api.coverage_report SET question = \'[["where", "departement:999"], ["q", "x"]]\''
            " WHERE uid = %s",
            (long_report["id"],),
        )
    worker = "app.tasks['search_api.coverage_report'].apply(args=[sys.argv[1]], throw=True)"
    assert in_a_worker(filled, worker, long_report["id"]).returncode == 0
    found = (await api.get(f"{COVERAGE}/{long_report['id']}")).json()
    assert found["state"] == "failed" and "Aucun lieu ne répond" in found["message"]
    page = (await api.get(long_report["page"], headers=PAGE)).text
    assert "Relancer le calcul" in page and "http-equiv" not in page
    with psycopg.connect(dsn(filled)) as conn:
        conn.execute(
            'UPDATE search_api.coverage_report SET question = \'[["code", "G15|50"], ["where", "departement:78"]]\''
            " WHERE uid = %s",
            (long_report["id"],),
        )
    monkeypatch.setattr(service, "AT_ONCE", 300)
    again = await ask(api, code=["G15|50"], where="departement:78")
    assert again["id"] == long_report["id"]


async def test_old_reports_leave_with_their_files(api: httpx.AsyncClient, filled: URL) -> None:
    report = await ask(api, code=["G15|40"], where="departement:78")
    kept = await ask(api, code=["G15|60"], where="departement:78")
    with psycopg.connect(dsn(filled)) as conn:
        row = conn.execute(
            "UPDATE search_api.coverage_report SET asked_at = now() - interval '31 days' WHERE uid = %s"
            " RETURNING files",
            (report["id"],),
        ).fetchone()
    assert row is not None and row[0].keys() == {"rows", "geojson", "html", "xlsx"}
    for digest in row[0].values():
        assert files.path_of(digest).is_file()
        os.utime(files.path_of(digest), (0, 0))
    done = in_a_worker(filled, "app.tasks['search_api.coverage_purge'].apply(throw=True)")
    assert done.returncode == 0, done.stderr
    assert not any(files.path_of(digest).exists() for digest in row[0].values())
    gone = await api.get(f"{COVERAGE}/{report['id']}")
    assert gone.status_code == 404 and "n’est plus gardé" in gone.json()["detail"]
    assert (await api.get(report["page"], headers=PAGE)).status_code == 404
    assert (await api.get(kept["files"]["xlsx"])).status_code == 200


async def test_too_many_waiting_reports_are_refused_politely(
    api: httpx.AsyncClient, filled: URL, long_report: dict[str, Any]
) -> None:
    with psycopg.connect(dsn(filled)) as conn:
        conn.execute(
            "INSERT INTO search_api.coverage_report (fingerprint, question, title, communes)"
            " SELECT 'plein-' || n, '[]', 'Attente', 1000 FROM generate_series(1, 25) n"
        )
    try:
        answer = await api.post(COVERAGE, json={"code": ["G15|70"], "where": "departement:78", "age": 3})
        assert answer.status_code == 503 and "réessayez" in answer.json()["detail"]
    finally:
        with psycopg.connect(dsn(filled)) as conn:
            conn.execute("DELETE FROM search_api.coverage_report WHERE fingerprint LIKE 'plein-%'")


async def test_unknown_reports_are_not_found(api: httpx.AsyncClient) -> None:
    for suffix in ("", "/map.html", "/report.xlsx", "/communes.geojson"):
        assert (await api.get(f"{COVERAGE}/{uuid.uuid4()}{suffix}")).status_code == 404
    assert (await api.get(f"{COVERAGE}/pas-un-identifiant")).status_code == 422


def test_the_tasks_are_planned_and_known_to_workers() -> None:
    program = (
        "print([e['task'] in app.tasks for e in app.conf.beat_schedule.values() if 'coverage' in e['task']],"
        " app.tasks['search_api.coverage_report'].acks_late)"
    )
    done = in_a_worker(URL.create("postgresql+psycopg"), program)
    assert done.stdout.strip() == "[True, True] True", done.stderr


# -- Parts -------------------------------------------------------------------------------------------------


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
    nothing = nearest.nearest(
        lon, lat, nearest.Points(*(np.empty(0) for _ in range(2)), exact[:0], exact[:0].astype(int))
    )
    assert np.isnan(nothing.metres).all()


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_colour_carries_a_text() -> None:
    for fill, ink in (*scales.DENSITY, *scales.NEAR, scales.NOTHING, scales.SOME):
        dark, light = sorted((_luminance(fill), _luminance(ink)))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, fill


async def test_the_kept_rows_are_json_of_the_report(api: httpx.AsyncClient) -> None:
    answer = await api.get(f"{COVERAGE}/{(await ask(api, code=['G15|60'], where='departement:78'))['id']}/report.xlsx")
    assert answer.headers["cache-control"] == "private, no-cache"
    assert json.loads((await api.get("/api/openapi.json")).text)["paths"][COVERAGE]["post"]["summary"]
