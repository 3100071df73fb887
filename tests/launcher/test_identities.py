"""Where the demonstration's identity provider stands, and when there is none."""

import socket
from pathlib import Path

import pytest

from core.local.home import Home
from core.local.identities import demo_identities
from core.local.supervisor import process_table
from tests.launcher.conftest import free_port


def _environ(port: int, **more: str) -> dict[str, str]:
    return {"REPERE_PORT": str(port), "REPERE_PUBLIC_URL": f"http://localhost:{port}"} | more


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    return made


def test_it_takes_a_free_port_beside_the_web(home: Home) -> None:
    port = free_port()
    environ = _environ(port)
    with socket.socket() as other:
        other.bind(("127.0.0.1", port + 1))
        other.listen()
        taken = demo_identities(home, environ)
        assert taken is not None
        with taken:
            near = taken.getsockname()[1]
            assert port + 1 < near <= port + 20
            assert environ["REPERE_PSC_ISSUER"] == f"http://localhost:{near}"
            assert len(environ["REPERE_PSC_CLIENT_SECRET"]) >= 43
            names = [spec.name for spec in process_table(home, environ, 0, taken.fileno())]
            assert names[-1] == "identities"
    again = _environ(port)
    second = demo_identities(home, again)
    assert second is not None
    second.close()
    assert again["REPERE_PSC_CLIENT_SECRET"] == environ["REPERE_PSC_CLIENT_SECRET"]


@pytest.mark.parametrize(
    "given",
    [
        {"REPERE_PSC_ISSUER": "https://auth.example.org"},
        {"REPERE_PUBLIC_URL": "https://demo.example.org"},
        {"REPERE_PUBLIC_URL": "http://demo.example.org"},
    ],
    ids=["a real provider", "behind HTTPS", "behind a proxy"],
)
def test_there_is_none_where_it_could_not_be_reached(home: Home, given: dict[str, str]) -> None:
    environ = _environ(free_port(), **given)
    before = dict(environ)
    assert demo_identities(home, environ) is None
    assert environ == before


def test_an_instance_without_sample_data_runs_no_provider(home: Home) -> None:
    assert "identities" not in [spec.name for spec in process_table(home, _environ(8000), 0)]
