"""A client written by others, against the real server: pages, inclusions, links, references, a bulk export."""

import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.local.environment import node_of
from search_api.fhir import export_work
from tests.conftest import ROOT
from tests.search_api.fhir.conftest import Feed
from tests.search_api.fhir.test_resources import PUBLIC, everything
from tests.search_api.fhir.test_validators import HOME, MODULES

pytestmark = pytest.mark.skipif(
    not (node_of(HOME).is_file() and (MODULES / "fhir-kit-client").is_dir()),
    reason="fhir-kit-client is not installed (./repere test installs it)",
)


@pytest.fixture(scope="module")
def served(feed: Feed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the feed on a real server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("fhir") / "server.log"
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "uvicorn", "web.app:app", "--host", "127.0.0.1", "--port", str(port)]
    # No worker of the machine may take the export before the test does.
    env = {**os.environ, "REPERE_BROKER_URL": "memory://"}
    with log.open("w") as output:
        server = subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT)
        try:
            _wait_ready(address, server, log)
            yield f"{address}/fhir"
        finally:
            server.terminate()
            server.wait(timeout=20)


def _wait_ready(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(300):
        if server.poll() is not None:
            break
        try:
            if httpx.get(f"{address}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")


def run(served: str, *task: str) -> Any:
    """Run the client and return what it printed."""
    script = Path(__file__).with_name("client.mjs")
    done = subprocess.run(
        [node_of(HOME), script, MODULES, served, *task], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def test_a_stranger_walks_everything(served: str, feed: Feed) -> None:
    told = run(served, "search")
    people = {one["id"] for one in (await everything("practitioner", PUBLIC)).values()}
    plain = told["plain"]
    assert {one[2] for one in plain["found"]} == people
    assert plain["total"] == len(plain["found"]) == len(people)
    assert plain["pages"] == -(-len(people) // 40) and len(plain["before"]) == 40
    filtered = told["filtered"]["found"]
    matches = [one[2] for one in filtered if one[0] == "match"]
    assert len(matches) == len(set(matches)) == told["filtered"]["total"] > 30
    assert {one[1] for one in filtered if one[0] == "include"} == {"Organization", "PractitionerRole"}
    assert told["posted"]["total"] == len(told["posted"]["found"]) > 15
    assert told["same"] and told["person"] == "Practitioner"
    assert told["refusal"]["status"] == 400
    assert told["refusal"]["data"]["issue"][0]["expression"] == ["unknown"]
    assert {"specialty", "near", "_has", "_filter"} - set(told["parameters"]) == {"near"}


async def test_a_stranger_takes_an_export(served: str, feed: Feed) -> None:
    location = run(served, "ask")
    await export_work.carry_out(uuid.UUID(location.rpartition("/")[2]))
    people = {one["id"] for one in (await everything("practitioner", PUBLIC)).values()}
    found = run(served, "take", location)
    assert len(found) == len(set(found)) and set(found) == people
