"""Long coverage reports: the work in a process of its own, its silence, its failures, the purge."""

import os
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy.engine import URL

from core import files
from core.settings import core_settings
from search_api.coverage import service
from tests.conftest import ROOT
from tests.search_api.conftest import dsn
from tests.search_api.coverage import COVERAGE, PAGE, ask


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
                "UPDATE search_api.coverage_report SET state = %s, touched_at = now() - interval '10 min'"
                " WHERE uid = %s",
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


async def test_a_report_whose_files_are_lost_is_made_again(api: httpx.AsyncClient, filled: URL) -> None:
    report = await ask(api, code=["G15|91"], where="departement:78")
    with psycopg.connect(dsn(filled)) as conn:
        row = conn.execute("SELECT files FROM search_api.coverage_report WHERE uid = %s", (report["id"],)).fetchone()
    assert row is not None
    files.discard(row[0]["xlsx"], grace=-1)
    lost = await api.get(report["files"]["xlsx"])
    assert lost.status_code == 404 and "ne sont plus gardés" in lost.json()["detail"]
    again = await ask(api, code=["G15|91"], where="departement:78")
    assert again["id"] == report["id"]
    assert (await api.get(report["files"]["xlsx"])).status_code == 200
