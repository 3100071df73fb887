"""The compose file and the image: well formed, no default secret, prepared by the launcher itself."""

import os
import re
import shlex
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from core.local.main import COMMANDS
from tests.launcher.conftest import ROOT

_SECRETS = {"REPERE_DATABASE_PASSWORD", "REPERE_SECRET_KEY"}


@pytest.fixture
def compose() -> dict[str, Any]:
    """The compose file as data."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def test_every_secret_is_asked_for(compose: dict[str, Any]) -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for secret in _SECRETS:
        assert re.search(rf"\$\{{{secret}:\?[^}}]+}}", text), secret
        assert not re.search(rf"\$\{{{secret}:?-", text), secret
    assert compose["services"]["database"]["environment"]["POSTGRES_PASSWORD"].startswith(
        "${REPERE_DATABASE_PASSWORD:?"
    )


def test_the_parts_fit_together(compose: dict[str, Any]) -> None:
    services = compose["services"]
    app = services["repere"]
    assert set(app["depends_on"]) == {"database", "broker"}
    for name, wait in app["depends_on"].items():
        assert wait == {"condition": "service_healthy"}
        assert services[name]["healthcheck"]["test"]
    environment = app["environment"]
    assert "@database:5432/" in environment["REPERE_DATABASE_URL"]
    assert environment["REPERE_BROKER_URL"] == "redis://broker:6379/0"
    named = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])}
    assert named == set(compose["volumes"])
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert published == ["${REPERE_PUBLISH:-127.0.0.1:8000}:8000"]


def test_meilisearch_is_there_for_those_who_ask_for_it(compose: dict[str, Any]) -> None:
    services = compose["services"]
    meilisearch = services["meilisearch"]
    assert [name for name, service in services.items() if service.get("profiles")] == ["meilisearch"]
    assert meilisearch["profiles"] == ["meilisearch"]
    assert re.fullmatch(r"getmeili/meilisearch:v1\.\d+\.\d+", meilisearch["image"])
    assert meilisearch["healthcheck"]["test"]
    # In production mode the server refuses to start without a key: none has a working default.
    assert meilisearch["environment"] == {
        "MEILI_ENV": "production",
        "MEILI_MASTER_KEY": "${REPERE_MEILI_KEY:-}",
        "MEILI_NO_ANALYTICS": "true",
    }
    environment = services["repere"]["environment"]
    assert environment["REPERE_MEILI_URL"] == "${REPERE_MEILI_URL:-}"
    assert environment["REPERE_MEILI_KEY"] == "${REPERE_MEILI_KEY:-}"


def test_the_image_is_made_by_the_launcher() -> None:
    lines = (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    calls = [line for line in lines if "./repere" in line and not line.startswith("#")]
    for call in calls:
        words = shlex.split(re.sub(r"^.*?\./repere", "", call.replace('"', " ").replace(",", " ").replace("]", " ")))
        words = words[: words.index("&&")] if "&&" in words else words
        assert words[0] in COMMANDS
        assert set(words[1:]) <= set(COMMANDS[words[0]].options)
    assert sum("install" in call for call in calls) == 2
    assert lines.index("USER repere") < next(i for i, line in enumerate(lines) if line.startswith("CMD"))


def test_docker_accepts_the_compose_file() -> None:
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode != 0:
        pytest.skip("the compose plugin of docker is not on this machine")
    command = [docker, "compose", "--file", str(ROOT / "docker-compose.yml"), "config", "--quiet"]
    environ = {name: value for name, value in os.environ.items() if name not in _SECRETS}
    assert subprocess.run(command, env=environ, capture_output=True, check=False).returncode != 0
    given = environ | dict.fromkeys(_SECRETS, "0123456789abcdef")
    subprocess.run(command, env=given, check=True)
    subprocess.run(command, env=given | {"COMPOSE_PROFILES": "meilisearch"}, check=True)
