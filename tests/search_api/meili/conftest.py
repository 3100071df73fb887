"""The documented API on a local port, and an engine whose index it holds."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pydantic import SecretStr
from sqlalchemy.engine import URL

from core.db import unit_of_work
from search_api.meili import indexing
from search_api.meili.engine import MeiliEngine
from search_api.meili.settings import MeiliSettings
from tests.search_api.meili.documented import KEY, Documented, serving


def settings_of(documented: Documented) -> MeiliSettings:
    return MeiliSettings(meili_url=documented.url, meili_key=SecretStr(KEY), meili_index="essai")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def loaded(filled: URL) -> AsyncIterator[Documented]:
    """The documented API with the small directory loaded."""
    async with serving() as documented:
        engine = MeiliEngine(settings_of(documented))
        async with unit_of_work() as session:
            await indexing.load(session, engine.server)
        yield documented


@pytest.fixture
def engine(loaded: Documented) -> MeiliEngine:
    """An engine on the loaded index, that nothing failed yet."""
    loaded.requests.clear()
    loaded.failing, loaded.delay, loaded.canned = "", 0.0, None
    return MeiliEngine(settings_of(loaded))
