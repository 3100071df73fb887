"""One instance from its first start to its end, killed in every place that a machine kills."""

import json
import os
import signal
import stat
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.launcher.conftest import Launcher, poll

# A whole set-up runs inside these tests, beside other tests on two cores.
pytestmark = pytest.mark.timeout(600)


def _pid(launcher: Launcher, name: str) -> int | None:
    # Read where `status` reads: a launcher started ten times a second would eat the processor it waits for.
    try:
        processes = json.loads((launcher.home / "run" / "supervisor.json").read_text())["processes"]
    except (OSError, ValueError):
        return None
    pid: int | None = next((one["pid"] for one in processes if one["name"] == name), None)
    return pid


def _postmaster(launcher: Launcher) -> int | None:
    try:
        return int((Path(launcher.services()) / "data" / "postmaster.pid").read_text().split()[0])
    except (OSError, IndexError):
        return None


def _answers(launcher: Launcher) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{launcher.port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_it_runs_and_a_second_launch_is_told_so(running: Launcher) -> None:
    assert _answers(running)
    status = running.status()
    assert status["running"] and status["answers"] and status["mode"] == "up"
    assert {one["name"] for one in status["processes"]} >= {"web-1", "web-2", "indexer", "worker", "scheduler"}
    code, output = running("up")
    assert code == 1
    assert f"Repère tourne déjà : http://localhost:{running.port}" in output
    code, output = running("demo", "--detach")
    assert code == 1
    assert "sans données d’exemple" in output


def test_the_doctor_finds_nothing_on_a_sound_instance(running: Launcher) -> None:
    code, output = running("doctor", "--json")
    answer = json.loads(output)
    assert code == 0, output
    assert answer["ok"] is True
    assert all(set(check) == {"check", "ok", "detail", "mend"} for check in answer["checks"])
    assert not [check for check in answer["checks"] if check["ok"] is False]


def test_secrets_are_for_their_owner_only(running: Launcher) -> None:
    secrets = running.home / "secrets.json"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    value = json.loads(secrets.read_text())["secret_key"]
    assert len(value) >= 48
    for log in (running.home / "logs").glob("*.log"):
        assert value not in log.read_text(errors="replace")
    secrets.chmod(0o644)
    code, output = running("doctor")
    assert code == 1
    assert f"chmod 600 {secrets}" in output
    secrets.chmod(0o600)


def test_the_database_role_cannot_run_programs(running: Launcher) -> None:
    import psycopg

    folder = json.loads((running.home / "instance.json").read_text()).get("sockets") or f"{running.services()}/s"
    with psycopg.connect(host=folder, port=5432, user="repere", dbname="repere", autocommit=True) as connection:
        assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = 'repere'").fetchone() == (False,)
        assert connection.execute("SELECT count(*) FROM pg_extension WHERE extname = 'postgis'").fetchone() == (1,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("COPY (SELECT 1) TO PROGRAM 'cat'")
        addresses = connection.execute("SHOW listen_addresses").fetchone()
        assert addresses == ("",)


def test_an_export_goes_by_the_broker_to_the_worker_and_its_result_is_served(running: Launcher) -> None:
    """With nothing put in the place of the broker, as the tests of exports do that must not wait for a worker."""
    base = f"http://127.0.0.1:{running.port}"
    asked = urllib.request.Request(f"{base}/fhir/$export?_type=Location", headers={"Prefer": "respond-async"})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        assert answer.status == 202
        followed = base + urlsplit(answer.headers["Content-Location"]).path
    results: list[dict[str, Any]] = []

    def done() -> bool:
        with urllib.request.urlopen(followed, timeout=10) as answer:
            if answer.status == 200:
                results.append(json.load(answer))
        return bool(results)

    assert poll(done, 60)
    assert results[0]["request"].endswith("/fhir/$export?_type=Location")
    assert not results[0]["error"]


def test_a_killed_process_comes_back(running: Launcher) -> None:
    for name in ("web-1", "worker", "scheduler"):
        before = _pid(running, name)
        assert before
        os.kill(before, signal.SIGKILL)
        assert poll(lambda name=name, before=before: _pid(running, name) not in (None, before)), name  # type: ignore[misc]
    assert poll(lambda: _answers(running))


def test_a_killed_database_comes_back(running: Launcher) -> None:
    postmaster = _postmaster(running)
    assert postmaster
    os.kill(postmaster, signal.SIGKILL)
    assert poll(lambda: _postmaster(running) not in (None, postmaster) and _answers(running), 60)
    valkey = json.loads((running.home / "run" / "valkey.json").read_text())["pid"]
    os.kill(valkey, signal.SIGKILL)
    assert poll(lambda: running.status()["valkey"] is True, 30)
    code, output = running("doctor")
    assert code == 0, output


def test_a_killed_supervisor_leaves_nobody_and_the_next_start_mends(running: Launcher) -> None:
    state = json.loads((running.home / "run" / "supervisor.json").read_text())
    os.kill(state["pid"], signal.SIGKILL)
    children = {one["pid"] for one in state["processes"]}
    assert poll(lambda: not children & running.pids(), 30)
    assert running.status()["running"] is False
    code, output = running("doctor")
    assert code == 1
    assert "tuée sans être arrêtée" in output
    code, output = running("up", "--detach")
    assert code == 0, output
    assert _answers(running)


def test_stop_leaves_no_process_and_can_be_said_twice(running: Launcher) -> None:
    code, output = running("stop")
    assert code == 0, output
    assert poll(lambda: not running.pids()), running.pids()
    code, output = running("stop")
    assert code == 0
    assert "Rien ne tournait" in output
    code, output = running("doctor", "--json")
    assert code == 0, output


def test_a_subcommand_brings_its_own_services_and_takes_them_away(installed: Launcher) -> None:
    installed("stop")
    code, output = installed("commande-inconnue")
    assert code == 2, output
    assert poll(lambda: not installed.pids()), installed.pids()


def test_in_the_foreground_an_interruption_stops_everything(installed: Launcher) -> None:
    installed("stop")
    process = installed.start("up")
    assert poll(lambda: _answers(installed) and _pid(installed, "scheduler"), 240)
    os.kill(process.pid, signal.SIGINT)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 0, output
    assert "Repère est arrêté" in output
    assert poll(lambda: not installed.pids()), installed.pids()


def test_an_interruption_during_the_set_up_says_how_to_go_on(installed: Launcher) -> None:
    installed("stop")
    (installed.home / "stamps" / "static").unlink()
    process = installed.start("up", "--detach")
    assert poll(lambda: "npm" in (installed.home / "logs" / "setup.log").read_text()[-400:], 30)
    os.killpg(process.pid, signal.SIGINT)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 130, output
    assert "Relancez la même commande" in output
    assert poll(lambda: not installed.pids()), installed.pids()


def test_a_stale_pid_file_does_not_stop_the_database(installed: Launcher) -> None:
    installed("stop")
    data = Path(installed.services()) / "data"
    (data / "postmaster.pid").write_text(f"{os.getppid()}\n{data}\n{int(time.time())}\n5432\n/tmp\n\n")
    code, output = installed("up", "--detach")
    assert code == 0, output
    assert _answers(installed)


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_a_set_up_killed_at_any_moment_is_mended(installed: Launcher) -> None:
    installed("stop")
    for moment in (0.3, 1, 2, 4, 7, 11, 16, 24):
        code, output = installed("reset", "--yes", *(["--all"] if moment in (2, 7, 16) else []))
        assert code == 0, output
        process = installed.start("up", "--detach")
        time.sleep(moment)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        code, output = installed("up", "--detach")
        assert code == 0, (moment, output)
        assert _answers(installed)


@pytest.mark.slow
def test_a_home_removed_by_hand_does_not_haunt_the_next_one(installed: Launcher) -> None:
    import shutil

    code, output = installed("up", "--detach")
    assert code == 0, output
    pid = json.loads((installed.home / "run" / "supervisor.json").read_text())["pid"]
    os.kill(pid, signal.SIGKILL)
    shutil.rmtree(installed.home)
    code, output = installed("up", "--detach")
    assert code == 0, output
    assert _answers(installed)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_demo_killed_while_it_loads_is_mended_and_spares_real_registers(installed: Launcher) -> None:
    installed("stop")
    process = installed.start("demo", "--detach")
    assert poll(lambda: "cli.py ingest all" in (installed.home / "logs" / "setup.log").read_text(), 400)
    time.sleep(8)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    code, output = installed("doctor")
    assert code == 1
    assert "Chargement des registres" in output
    code, output = installed("demo", "--detach")
    assert code == 0, output
    address = f"http://127.0.0.1:{installed.port}/api/v1/search?q=kin%C3%A9&where=commune:78361"
    with urllib.request.urlopen(address, timeout=30) as answer:
        assert json.loads(answer.read())["total"] > 1000
    assert installed("doctor")[0] == 0
    installed("stop")
    # What an operator loaded himself looks like this: published loads that no demo of this instance announced.
    (installed.home / "stamps" / "demo-database").unlink()
    code, output = installed("demo", "--detach")
    assert code == 1
    assert "les données d’exemple les remplaceraient" in output
    assert installed("up", "--detach")[0] == 0
