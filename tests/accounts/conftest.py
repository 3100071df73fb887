"""An application that knows an identity provider."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from accounts import psc
from core.settings import load
from tests.accounts.provider import MISSING, Forger, environ, free_port, running

SITE = "http://repere.test"


@pytest.fixture(scope="session")
def provider_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of the real provider, run once for a worker."""
    if MISSING:
        pytest.skip(MISSING)
    port = free_port()
    with running(port, SITE, tmp_path_factory.mktemp("provider")):
        yield port


def _know(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        if name.startswith("REPERE_PSC_"):
            monkeypatch.setenv(name, value)
    monkeypatch.setenv("REPERE_PUBLIC_URL", SITE)
    load.cache_clear()
    psc.forget()


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, provider_port: int) -> Iterator[int]:
    """Settings that name the real provider."""
    _know(monkeypatch, environ(provider_port))
    yield provider_port
    monkeypatch.undo()
    load.cache_clear()
    psc.forget()


@pytest.fixture
def forger(monkeypatch: pytest.MonkeyPatch) -> Iterator[Forger]:
    """A provider that may lie, and settings that name it."""
    with Forger() as liar:
        _know(monkeypatch, environ(liar.port))
        yield liar
    monkeypatch.undo()
    load.cache_clear()
    psc.forget()


@pytest.fixture
async def outside(known: int) -> AsyncIterator[httpx.AsyncClient]:
    """The browser as the real provider knows it: it keeps that site's cookies only."""
    async with httpx.AsyncClient() as opened:
        yield opened


@pytest.fixture
def provider_folder(tmp_path: Path) -> Path:
    """A folder for another provider's files."""
    return tmp_path
