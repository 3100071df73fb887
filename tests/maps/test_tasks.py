"""The monthly refresh, off unless asked for."""

import subprocess
import sys

import pytest

from core.tasks import app
from maps import tasks


def test_nothing_is_asked_of_the_network_by_default() -> None:
    tasks.refresh()


def test_the_refresh_is_planned_once_a_month() -> None:
    app.loader.import_default_modules()
    assert app.conf.beat_schedule["maps.refresh"]["task"] in app.tasks
    assert app.conf.beat_schedule["maps.refresh"]["schedule"].day_of_month == {10}


@pytest.mark.usefixtures("clean_database")
def test_an_api_out_of_reach_is_no_failure_of_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPERE_PLACES_REFRESH", "true")
    monkeypatch.setenv("REPERE_PLACES_URL", "http://127.0.0.1:9")
    code = "from maps import tasks; tasks.refresh()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "places_refresh_failed" in done.stdout + done.stderr
