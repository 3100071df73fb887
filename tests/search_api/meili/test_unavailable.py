"""A server that is silent, slow, refuses, or was never loaded: another engine answers, and the reason is French."""

import os
import subprocess
import sys

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy.engine import URL

from core.db import unit_of_work
from search_api import engines
from search_api.engine import EngineQuery, EngineUnavailable, SuggestArea
from search_api.fallback import WithFallback
from search_api.meili import client
from search_api.meili.engine import MeiliEngine
from search_api.meili.settings import MeiliSettings, configured
from search_api.postgis import PostgisEngine
from tests.conftest import ROOT
from tests.search_api.meili.conftest import settings_of
from tests.search_api.meili.documented import KEY, Documented

NOWHERE = "http://admin:mot-de-passe@127.0.0.1:9"


async def refused(engine: MeiliEngine, query: EngineQuery) -> str:
    async with unit_of_work() as session:
        with pytest.raises(EngineUnavailable) as caught:
            await engine.answer(session, query)
        # The session serves the other engine.
        await PostgisEngine().count(session, query)
    return caught.value.detail


async def test_a_server_that_is_not_there_is_named_without_its_password(loaded: Documented) -> None:
    chosen = settings_of(loaded).model_copy(update={"meili_url": NOWHERE})
    said = await refused(MeiliEngine(chosen), EngineQuery())
    assert "http://127.0.0.1:9." in said and "REPERE_MEILI_URL" in said and "mot-de-passe" not in said


async def test_a_slow_server_is_not_waited_for_and_then_left_alone(
    engine: MeiliEngine, loaded: Documented, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "SEARCH_SECONDS", 0.2)
    loaded.delay = 1.0
    assert "ne répond pas" in await refused(engine, EngineQuery())
    asked = len(loaded.requests)
    loaded.delay = 0.0
    assert "Meilisearch vient d’échouer" in await refused(engine, EngineQuery())
    assert len(loaded.requests) <= asked + 1
    monkeypatch.setattr(client, "REST_SECONDS", 0.0)
    other = MeiliEngine(settings_of(loaded))
    loaded.delay = 1.0
    await refused(other, EngineQuery())
    loaded.delay = 0.0
    monkeypatch.setattr(client, "SEARCH_SECONDS", 10)
    async with unit_of_work() as session:
        assert (await other.count(session, EngineQuery())).offers


async def test_a_wrong_key_is_told_and_never_shown(loaded: Documented) -> None:
    wrong = settings_of(loaded).model_copy(update={"meili_key": SecretStr("clef-fausse")})
    said = await refused(MeiliEngine(wrong), EngineQuery())
    assert "REPERE_MEILI_KEY" in said and "clef-fausse" not in said + repr(wrong)


async def test_an_index_that_was_never_loaded_answers_nothing(loaded: Documented) -> None:
    other = settings_of(loaded).model_copy(update={"meili_index": "autre"})
    assert "./repere index meilisearch" in await refused(MeiliEngine(other), EngineQuery())
    async with unit_of_work() as session:
        assert await MeiliEngine(other).position(session) == 0
        with pytest.raises(EngineUnavailable):
            await MeiliEngine(other).suggest(session, frozenset({1}), (), SuggestArea(), 1)


async def test_what_the_server_does_not_understand_is_unavailable_too(engine: MeiliEngine, loaded: Documented) -> None:
    index = next(iter(loaded.indexes.values()))
    kept = index.settings["filterableAttributes"]
    index.settings["filterableAttributes"] = []
    try:
        assert "invalid_search_filter" in await refused(engine, EngineQuery())
    finally:
        index.settings["filterableAttributes"] = kept


async def test_pages_are_answered_by_postgresql_when_meilisearch_is_down(
    api: httpx.AsyncClient, loaded: Documented, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = {"where": "commune:78361", "explain": "true"}
    monkeypatch.setattr(engines, "engine", lambda: PostgisEngine())
    before = (await api.get("/api/v1/search", params=parameters)).json()
    dead = MeiliSettings(meili_url=NOWHERE, meili_index="essai")
    monkeypatch.setattr(engines, "engine", lambda: WithFallback(MeiliEngine(dead), PostgisEngine()))
    answer = await api.get("/api/v1/search", params=parameters)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["total"], found["items"], found["facets"]) == (before["total"], before["items"], before["facets"])
    assert any("réponse de postgis" in line for line in found["explain"])
    monkeypatch.setattr(engines, "engine", lambda: WithFallback(MeiliEngine(settings_of(loaded)), PostgisEngine()))
    alive = (await api.get("/api/v1/search", params=parameters)).json()
    assert (alive["total"], alive["items"], alive["facets"]) == (before["total"], before["items"], before["facets"])
    assert alive["engine"] == "meilisearch" and not any("réponse de postgis" in line for line in alive["explain"])


def test_a_variable_selects_the_engine(filled: URL) -> None:
    said = subprocess.run(
        [sys.executable, "-c", "from search_api import engines; print(engines.engine().name)"],
        cwd=ROOT,
        env=os.environ | {"REPERE_MEILI_URL": NOWHERE, "REPERE_MEILI_KEY": KEY},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == "meilisearch"
    assert not configured()
    assert engines.engine().name == PostgisEngine.name
