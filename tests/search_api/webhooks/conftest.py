"""A receiver on this machine, and an administrator who has notices sent to it."""

from collections.abc import Iterator

import httpx
import pytest

from core.settings import load
from tests.accounts.clients import make_client
from tests.accounts.helpers import signed_in
from tests.directory.conftest import Registers
from tests.directory.conftest import registers as registers
from tests.search_api.fhir.town import town
from tests.search_api.webhooks.desk import SCOPES, Administrator
from tests.search_api.webhooks.receiver import Receiver, listening


@pytest.fixture(autouse=True)
def local(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine may be written to, and notices may follow one another."""
    monkeypatch.setenv("REPERE_WEBHOOKS_LOCAL", "true")
    monkeypatch.setenv("REPERE_PUBLIC_URL", "http://repere.test")
    load.cache_clear()
    yield
    monkeypatch.undo()
    load.cache_clear()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as found:
        yield found


@pytest.fixture
async def someone(client: httpx.AsyncClient, registers: Registers) -> Administrator:
    """An administrator, a client that may be told, and a small directory."""
    town(registers)
    await signed_in(client, ("administrator", ""))
    owner, _ = await make_client(*SCOPES)
    return Administrator(client, owner)
