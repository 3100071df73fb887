"""The Meilisearch engine against a real server, with the queries and the brute force of every engine.

Runs where REPERE_MEILI_URL (and REPERE_MEILI_KEY) name a server; `meili/` checks the requests without one.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy.engine import URL

from core.db import unit_of_work
from core.events import NewEvent, record
from search_api.engine import EngineQuery
from search_api.meili import indexing, order
from search_api.meili.client import Server
from search_api.meili.documents import index_name
from search_api.meili.engine import MeiliEngine
from search_api.meili.settings import MeiliSettings
from tests.conftest import MEILI_KEY, MEILI_URL
from tests.search_api import oracle as brute
from tests.search_api.meili.few import FEW, compare_few
from tests.search_api.test_engine import compare, oracle, point, queries

__all__ = ["oracle"]

pytestmark = pytest.mark.skipif(not MEILI_URL, reason="REPERE_MEILI_URL names no Meilisearch server")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def engine(filled: URL) -> AsyncIterator[MeiliEngine]:
    chosen = MeiliSettings(
        meili_url=MEILI_URL, meili_key=SecretStr(MEILI_KEY), meili_index=f"repere-test-{filled.database}"
    )
    server = Server(chosen)
    async with unit_of_work() as session:
        await indexing.load(session, server)
    yield MeiliEngine(chosen)
    async with server.writing() as client:
        await client.delete_index_if_exists(index_name(chosen))


@settings(max_examples=120)
@given(data=st.data())
async def test_random_queries_have_the_answers_of_brute_force(
    oracle: brute.Oracle,
    engine: MeiliEngine,
    data: st.DataObject,
) -> None:
    await compare(oracle, data.draw(queries(oracle)), engine)


@pytest.mark.parametrize("way", FEW)
@settings(max_examples=60)
@given(data=st.data())
async def test_few_documents_at_a_time_give_the_same_answers(
    oracle: brute.Oracle, engine: MeiliEngine, monkeypatch: pytest.MonkeyPatch, way: str, data: st.DataObject
) -> None:
    for name, value in FEW[way].items():
        monkeypatch.setattr(order.Search if name == "enough" else order, name, value)
    await compare_few(oracle, data.draw(queries(oracle)), engine, way)


async def test_the_whole_directory_page_by_page(oracle: brute.Oracle, engine: MeiliEngine) -> None:
    for offset in range(0, 120, 15):
        query = EngineQuery(origins=(point("78361"),), offset=offset, facet_of=oracle.facet_of)
        await compare(oracle, query, engine)


async def test_an_event_is_taken_in_and_told(oracle: brute.Oracle, engine: MeiliEngine) -> None:
    async with unit_of_work() as session:
        position = await record(session, [NewEvent("offer_described", "offer", oracle.rows[0].offer_id)])
    async with unit_of_work() as session:
        assert await indexing.catch_up(session, engine.server) == position
    async with unit_of_work() as session:
        assert await engine.position(session) == position
    await compare(oracle, EngineQuery(facet_of=oracle.facet_of), engine)
