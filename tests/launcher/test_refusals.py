"""What the launcher says when it cannot: at once, in French, with the way out, and nothing half done."""

import json
import socket
import subprocess
from pathlib import Path

import pytest

from core.local.supervisor import listen
from tests.launcher.conftest import ROOT, Launcher


@pytest.fixture
def nowhere(tmp_path: Path) -> Launcher:
    """A REPERE_HOME where nothing was ever installed."""
    return Launcher(tmp_path / "home")


def test_a_taken_port_is_named_before_anything_is_installed(nowhere: Launcher) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", nowhere.port))
        other.listen(1)
        code, output = nowhere("demo", "--detach")
    assert code == 1
    assert f"Le port {nowhere.port} est déjà pris" in output
    assert "REPERE_PORT=" in output
    assert not (nowhere.home / "venv").exists()


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1", "８０"])
def test_a_port_that_is_none_is_refused(nowhere: Launcher, port: str) -> None:
    code, output = nowhere("up", REPERE_PORT=port)
    assert code == 2
    assert "n’est pas un numéro de port" in output
    assert not nowhere.home.exists()


def test_an_unknown_option_is_refused(nowhere: Launcher) -> None:
    code, output = nowhere("stop", "--force")
    assert code == 2
    assert "Option inconnue de ./repere stop : --force" in output


def test_the_doctor_says_where_to_begin(nowhere: Launcher) -> None:
    code, output = nowhere("doctor", "--json")
    answer = json.loads(output)
    assert code == 1
    assert answer["ok"] is False
    first = next(check for check in answer["checks"] if check["check"] == "Instance")
    assert first["mend"] == "./repere demo"
    assert not nowhere.home.exists()


def test_stop_status_and_reset_of_nothing(nowhere: Launcher) -> None:
    assert nowhere("stop")[0] == 0
    code, output = nowhere("status", "--json")
    assert code == 1
    assert json.loads(output)["running"] is False
    assert nowhere("reset", "--yes")[0] == 0
    assert not nowhere.home.exists()


def test_reset_wants_a_word_and_an_instance_of_ours(nowhere: Launcher) -> None:
    nowhere.home.mkdir()
    treasure = nowhere.home / "thèse.odt"
    treasure.write_text("unique")
    assert nowhere("reset", "--yes", "--all")[0] == 0
    assert treasure.read_text() == "unique"
    (nowhere.home / "instance.json").write_text('{"id": "x", "services": "' + str(nowhere.home / "services") + '"}')
    code, output = nowhere("reset")
    assert code == 2
    assert "--yes" in output
    assert treasure.exists()


def test_a_file_in_the_place_of_the_home(nowhere: Launcher) -> None:
    nowhere.home.write_text("")
    code, output = nowhere("up", "--detach")
    assert code == 1
    assert "REPERE_HOME" in output
    assert "Traceback" not in output


def test_too_small_a_disk_is_refused_before_anything_is_written(nowhere: Launcher) -> None:
    nowhere.home.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(nowhere.home)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("this account may not mount a small disk")
    try:
        code, output = nowhere("demo", "--detach")
        left = list(nowhere.home.iterdir())
    finally:
        subprocess.run(["umount", str(nowhere.home)], check=True)
    assert code == 1
    assert "Espace insuffisant" in output
    assert not left


def test_help_is_in_french_and_needs_nothing(nowhere: Launcher) -> None:
    code, output = nowhere("--help")
    assert code == 0
    for command in ("demo", "up", "stop", "status", "doctor", "install", "reset", "test"):
        assert f"  {command} " in output
    assert "Usage : ./repere COMMANDE" in output
    assert nowhere("demo", "--help")[0] == 0
    assert not nowhere.home.exists()


def test_the_launcher_runs_on_the_oldest_python_without_packages() -> None:
    import ast

    for path in (ROOT / "core" / "local").glob("*.py"):
        tree = ast.parse(path.read_text(), feature_version=(3, 11))
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            import sys

            for name in names:
                assert name.split(".")[0] in sys.stdlib_module_names or name.startswith("core.local"), (path, name)


def test_the_connections_of_the_shared_address_wait_for_no_acknowledgement() -> None:
    with listen("127.0.0.1", 0) as shared, socket.create_connection(shared.getsockname()), shared.accept()[0] as taken:
        assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
