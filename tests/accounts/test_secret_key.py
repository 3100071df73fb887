"""The secret of the service: nothing is signed with a known one."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from core.security import key_problem, signature
from core.settings import load

ROOT = Path(__file__).parents[2]


@pytest.fixture
def keyless(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    monkeypatch.setenv("REPERE_SECRET_KEY", getattr(request, "param", ""))
    load.cache_clear()
    yield
    monkeypatch.undo()
    load.cache_clear()


@pytest.mark.parametrize("keyless", ["", "short"], indirect=True)
async def test_without_a_secret_the_forms_that_need_one_say_so(client: httpx.AsyncClient, keyless: None) -> None:
    answer = await client.get("/inscription", headers={"Accept": "text/html"})
    assert answer.status_code == 503
    assert "REPERE_SECRET_KEY" in answer.text
    assert (await client.get("/aide")).status_code == 200


@pytest.mark.parametrize("keyless", ["", "short"], indirect=True)
def test_the_server_refuses_to_start_without_one(keyless: None) -> None:
    code = (
        "import asyncio\nfrom web.app import create_app\napp = create_app()\n"
        "async def main():\n    async with app.router.lifespan_context(app):\n        pass\nasyncio.run(main())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode != 0
    assert "REPERE_SECRET_KEY" in done.stderr
    assert "openssl rand" in done.stderr


def test_one_purpose_never_serves_another() -> None:
    assert key_problem() is None
    assert (
        len({signature(purpose, value) for purpose, value in (("a", "b"), ("a\0", "b"), ("b", "a"), ("", "ab"))}) == 4
    )
