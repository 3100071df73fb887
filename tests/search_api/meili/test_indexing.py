"""Loading of the index, whole and event by event: what it holds, in what order, and what an accident leaves."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import delete, select, text, update
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncSession

from core.db import unit_of_work
from core.errors import Conflict, Unavailable
from core.events import NewEvent, record
from core.models import Event
from directory.api import LoadChange, Offer, OfferSearch, refresh_search
from search_api.engine import EngineQuery
from search_api.meili import indexing, tasks
from search_api.meili.client import Server
from search_api.meili.documents import document, rows
from search_api.meili.engine import MeiliEngine
from search_api.models import IndexState
from tests.conftest import ROOT
from tests.search_api.conftest import dsn
from tests.search_api.meili.conftest import settings_of
from tests.search_api.meili.documented import KEY, Documented, serving

LIVE = "essai-offers-1"


@pytest.fixture
async def fresh(filled: URL) -> AsyncIterator[Documented]:
    """A server that holds nothing, and no trace of a former load."""
    async with unit_of_work() as session:
        await session.execute(delete(IndexState).where(IndexState.name.startswith("meilisearch")))
    async with serving() as documented:
        yield documented


async def load(documented: Documented) -> indexing.LoadReport:
    async with unit_of_work() as session:
        return await indexing.load(session, Server(settings_of(documented)))


async def catch_up(documented: Documented) -> int:
    async with unit_of_work() as session:
        return await indexing.catch_up(session, Server(settings_of(documented)))


async def newest(session: AsyncSession) -> int:
    return int(await session.scalar(text("SELECT coalesce(max(position), 0) FROM core.event")) or 0)


async def documents(ids: list[int] | None = None) -> dict[int, dict[str, Any]]:
    async with unit_of_work() as session:
        return {row.offer_id: document(row) for row in await session.execute(rows(ids))}


async def test_a_load_prepares_an_index_apart_then_exchanges_it(fresh: Documented) -> None:
    report = await load(fresh)
    steps = [(method, path) for method, path, _ in fresh.requests if method != "GET" and not path.startswith("/tasks")]
    new = f"/indexes/{LIVE}-new"
    assert steps == [
        ("POST", "/indexes"),
        ("PATCH", f"{new}/settings"),
        ("POST", f"{new}/documents"),
        ("POST", "/indexes"),
        ("POST", "/swap-indexes"),
        ("DELETE", new),
    ]
    assert list(fresh.indexes) == [LIVE]
    assert fresh.indexes[LIVE].settings == {
        "rankingRules": ["sort"],
        "searchableAttributes": ["id"],
        "filterableAttributes": [
            "_geo", "accepts_new", "age_max", "age_min", "cells", "codes", "level", "names", "open", "places",
            "site_id", "territory",
        ],
        "sortableAttributes": ["_geo", "approximate", "merit", "site_id"],
        "typoTolerance": {"enabled": False},
        "faceting": {"maxValuesPerFacet": 10_000_000},
        "pagination": {"maxTotalHits": 10_000_000},
        "proximityPrecision": "byAttribute",
        "searchCutoffMs": 60_000,
        "facetSearch": False,
        "prefixSearch": "disabled",
    }  # fmt: skip
    assert fresh.indexes[LIVE].documents == await documents()
    async with unit_of_work() as session:
        assert report.position == await newest(session)
        assert await MeiliEngine(settings_of(fresh)).position(session) == report.position
        sensitive = set(await session.scalars(select(OfferSearch.offer_id).where(OfferSearch.sensitive)))
    assert report.documents == len(fresh.indexes[LIVE].documents)
    held = fresh.indexes[LIVE].documents
    assert sensitive and {key for key, one in held.items() if one["level"] == 2} == sensitive
    assert set().union(*held.values()) == {
        "id", "site_id", "level", "approximate", "places", "codes", "territory", "age_min", "age_max", "accepts_new",
        "open", "names", "merit", "_geo", "cells",
    }  # fmt: skip


async def test_a_load_in_small_batches_holds_the_same(fresh: Documented, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "BATCH", 7)
    monkeypatch.setattr(indexing, "QUEUED", 2)
    await load(fresh)
    bodies = fresh.asked(f"/indexes/{LIVE}-new/documents")
    assert len(bodies) > 10 and max(map(len, bodies)) == 7
    assert fresh.indexes[LIVE].documents == await documents()


async def test_a_load_that_fails_leaves_what_is_searched_as_it_was(fresh: Documented) -> None:
    await load(fresh)
    held = dict(fresh.indexes[LIVE].documents)
    async with unit_of_work() as session:
        state = (await session.execute(select(IndexState.name, IndexState.built_at))).all()
    fresh.failing = "no_space_left_on_device"
    with pytest.raises(Unavailable, match="no_space_left_on_device"):
        await load(fresh)
    assert fresh.indexes[LIVE].documents == held
    async with unit_of_work() as session:
        assert (await session.execute(select(IndexState.name, IndexState.built_at))).all() == state
    fresh.failing = ""
    await load(fresh)
    assert list(fresh.indexes) == [LIVE]


async def test_only_one_load_at_a_time(fresh: Documented) -> None:
    async with unit_of_work() as holding:
        await indexing.load(holding, Server(settings_of(fresh)))
        with pytest.raises(Conflict):
            await load(fresh)
        assert await catch_up(fresh) == 0


async def test_events_are_taken_in_once_and_again_without_harm(fresh: Documented) -> None:
    await load(fresh)
    index = fresh.indexes[LIVE]
    changed, gone, moved = sorted(index.documents)[:3]
    site = index.documents[moved]["site_id"]
    async with unit_of_work() as session:
        await session.execute(update(Offer).where(Offer.id == changed).values(age_min=44, age_max=45))
        await session.execute(update(Offer).where(Offer.id == gone).values(status="unpublished"))
        await refresh_search(session, [changed, gone])
        events = [
            NewEvent("offer_described", "offer", changed),
            NewEvent("offer_unpublished", "offer", gone),
            NewEvent("site_described", "site", site),
            NewEvent("ad_published", "ad", 1),
        ]
        position = await record(session, events)
    index.documents[moved]["codes"] = []
    assert await catch_up(fresh) == position
    assert index.documents == await documents()
    assert (index.documents[changed]["age_min"], gone in index.documents) == (44, False)
    sent = len(fresh.requests)
    assert await catch_up(fresh) == position
    assert [path for _, path, _ in fresh.requests[sent:]] == [f"/indexes/{LIVE}"]
    async with unit_of_work() as session:
        written = list(await session.scalars(select(Event).order_by(Event.position.desc()).limit(4)))
        assert await indexing.apply(session, Server(settings_of(fresh)), written) >= 3
    assert index.documents == await documents()
    async with unit_of_work() as session:
        await session.execute(update(Offer).where(Offer.id == gone).values(status="published"))
        await refresh_search(session, [gone])
        await record(session, [NewEvent("offer_published", "offer", gone)])
    await catch_up(fresh)
    assert gone in index.documents


@pytest.mark.parametrize("entity", ["offer", "site", "role", "practitioner"])
async def test_a_publication_is_taken_in_by_what_it_changed(fresh: Documented, entity: str) -> None:
    await load(fresh)
    index = fresh.indexes[LIVE]
    async with unit_of_work() as session:
        row = (
            await session.execute(
                text(
                    "SELECT o.id AS offer, o.site_id AS site, r.id AS role, r.practitioner_id AS practitioner"
                    " FROM directory.offer_search s JOIN directory.offer o ON o.id = s.offer_id"
                    " JOIN directory.role r ON r.id = o.role_id ORDER BY o.id LIMIT 1"
                )
            )
        ).one()
        load_id = await session.scalar(text("INSERT INTO ingest.load (status) VALUES ('published') RETURNING id"))
        change = LoadChange(load_id=load_id, entity=entity, entity_id=getattr(row, entity), change="changed")
        session.add(change)
        position = await record(session, [NewEvent("published", "load", load_id=load_id)])
    others = {key: one for key, one in index.documents.items() if key != row.offer}
    index.documents[row.offer]["merit"] = -1
    assert await catch_up(fresh) == position
    assert index.documents == await documents()
    assert {key: index.documents[key] for key in others} == others


async def test_a_whole_publication_a_missing_index_and_a_first_start_load_everything(fresh: Documented) -> None:
    assert await catch_up(fresh) > 0
    assert fresh.indexes[LIVE].documents == await documents()
    fresh.indexes.clear()
    await catch_up(fresh)
    assert fresh.indexes[LIVE].documents == await documents()
    fresh.indexes[LIVE].documents.clear()
    async with unit_of_work() as session:
        position = await record(session, [NewEvent("published_full", "load", load_id=1)])
    assert await catch_up(fresh) == position
    assert fresh.indexes[LIVE].documents == await documents()


async def test_a_failed_task_is_tried_again_and_no_position_told_before(fresh: Documented) -> None:
    report = await load(fresh)
    index = fresh.indexes[LIVE]
    first = min(index.documents)
    async with unit_of_work() as session:
        position = await record(session, [NewEvent("offer_described", "offer", first)])
    index.documents[first]["merit"] = -1
    fresh.failing = "internal"
    with pytest.raises(Unavailable):
        await catch_up(fresh)
    async with unit_of_work() as session:
        assert await MeiliEngine(settings_of(fresh)).position(session) == report.position
    fresh.failing = ""
    assert await catch_up(fresh) == position
    assert index.documents == await documents()


async def test_totals_that_were_kept_are_not_told_after_an_event(fresh: Documented) -> None:
    await load(fresh)
    engine = MeiliEngine(settings_of(fresh))
    async with unit_of_work() as session:
        before = await engine.count(session, EngineQuery())
        asked = len(fresh.requests)
        assert await engine.count(session, EngineQuery()) == before
        assert len(fresh.requests) == asked
    first = min(key for key, one in fresh.indexes[LIVE].documents.items() if one["level"] == 1)
    async with unit_of_work() as session:
        await session.execute(delete(OfferSearch).where(OfferSearch.offer_id == first))
        await record(session, [NewEvent("offer_unpublished", "offer", first)])
    await catch_up(fresh)
    async with unit_of_work() as session:
        assert (await engine.count(session, EngineQuery())).offers == before.offers - 1
        await refresh_search(session, [first])


async def test_the_task_waits_for_a_server_that_is_down(fresh: Documented, monkeypatch: pytest.MonkeyPatch) -> None:
    dead = settings_of(fresh).model_copy(update={"meili_url": "http://127.0.0.1:9"})
    monkeypatch.setattr(tasks, "meili_settings", lambda: dead)
    await tasks.follow()
    async with unit_of_work() as session:
        assert await MeiliEngine(dead).position(session) == 0
    monkeypatch.setattr(tasks, "meili_settings", lambda: settings_of(fresh))
    await tasks.follow()
    assert fresh.indexes[LIVE].documents == await documents()


async def command(filled: URL, **environ: str) -> tuple[int | None, str, str]:
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "cli.py",
        "index",
        "meilisearch",
        "--json",
        cwd=ROOT,
        env=os.environ | {"REPERE_DATABASE_URL": filled.render_as_string(hide_password=False)} | environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await running.communicate()
    return running.returncode, out.decode(), err.decode()


async def test_the_command_loads_and_says_what_it_did(filled: URL, fresh: Documented) -> None:
    named = {"REPERE_MEILI_URL": fresh.url, "REPERE_MEILI_KEY": KEY, "REPERE_MEILI_INDEX": "essai"}
    code, out, err = await command(filled, **named)
    assert code == 0, err
    with psycopg.connect(dsn(filled)) as conn:
        row = conn.execute("SELECT count(*) FROM directory.offer_search").fetchone()
    assert (json.loads(out)["documents"],) == row
    code, out, err = await command(filled, **named | {"REPERE_MEILI_KEY": "clef-fausse"})
    assert (code, out) == (1, "") and "REPERE_MEILI_KEY" in err and "clef-fausse" not in err
    code, out, err = await command(filled)
    assert (code, out) == (1, "") and "REPERE_MEILI_URL" in err
