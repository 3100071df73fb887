"""The index follows the directory: edits, loads, lost connections, bursts."""

import uuid
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy.engine import URL

from core.db import unit_of_work
from directory.api import OfferDescription, describe_offer, publish, unpublish_offer
from search_api import engines, indexer, words
from search_api.columns.follower import Follower
from search_api.columns.verify import verify
from search_api.texts.reader import TextReader
from tests.search_api import following
from tests.search_api.conftest import dsn
from tests.search_api.following import connect, eventually, last_position, published, same_as_database

root = following.root
follower = following.follower
web = following.web


async def describe(uid: uuid.UUID, version: int, age_min: int) -> int:
    async with unit_of_work() as session:
        written = await describe_offer(session, uid, OfferDescription(age_min=age_min, age_max=150), "test", version)
    assert written.position is not None
    return written.position


async def found_at_age(web: httpx.AsyncClient, uid: uuid.UUID, age: int, position: int) -> bool:
    """Search as the person who just wrote: the answer must take their event into account."""
    answer = await web.get(
        "/api/v1/search",
        params={"age": str(age), "where": "commune:78361"},
        headers={"X-Repere-Position": str(position)},
    )
    assert answer.status_code == 200, answer.text
    pages = [answer.json()]
    for page in range(2, pages[0]["pages"] + 1):
        more = await web.get(
            "/api/v1/search",
            params={"age": str(age), "where": "commune:78361", "page": str(page)},
            headers={"X-Repere-Position": str(position)},
        )
        pages.append(more.json())
    return any(offer["id"] == str(uid) for one in pages for item in one["items"] for offer in item["offers"])


async def test_a_person_sees_at_once_what_they_wrote(follower: Follower, web: httpx.AsyncClient, filled: URL) -> None:
    uid, version, _ = published(filled)
    position = await describe(uid, version, 40)
    assert not await found_at_age(web, uid, 20, position)
    assert await found_at_age(web, uid, 41, position)
    position = await describe(uid, version + 1, 0)
    assert await found_at_age(web, uid, 20, position)
    eventually(lambda: follower.state is not None and follower.state.position >= position)
    answer = await web.get("/api/v1/search", params={"q": "infirmier"})
    assert answer.headers["X-Repere-Engine"] == answer.json()["engine"] == "columns"


async def test_an_index_that_lags_leaves_the_answer_to_the_database(
    root: Path, web: httpx.AsyncClient, filled: URL
) -> None:
    stopped = Follower(root)
    with connect(filled) as conn:
        stopped.catch_up(conn)
    engines.use(stopped)
    uid, version, _ = published(filled)
    position = await describe(uid, version, 40)
    assert not await found_at_age(web, uid, 20, position)
    answer = await web.get("/api/v1/search", params={"age": "20"}, headers={"X-Repere-Position": str(position)})
    assert answer.headers["X-Repere-Engine"] == "postgis"
    assert (await web.get("/api/v1/search", params={"age": "20"})).headers["X-Repere-Engine"] == "columns"


@pytest.mark.parametrize("way", ["header", "cookie"])
async def test_a_position_that_no_event_reached_leaves_the_index_alone(
    follower: Follower, web: httpx.AsyncClient, filled: URL, way: str
) -> None:
    for position in (999_999_999_999_999_999, last_position(filled) + 1):
        given = {"X-Repere-Position": str(position)} if way == "header" else {"Cookie": f"repere_position={position}"}
        for path in ("/api/v1/search?age=20", "/recherche?age=20"):
            answer = await web.get(path, headers=given)
            assert answer.status_code == 200
            assert answer.headers["X-Repere-Engine"] == "columns"


async def test_a_lost_connection_and_a_lost_wake_up_leave_no_hole(follower: Follower, filled: URL) -> None:
    uid, version, offer_id = published(filled)
    with connect(filled) as conn:
        ended = conn.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'repere-bulk'"
        ).fetchone()
        assert ended and ended[0] >= 1
    position = await describe(uid, version, 3)
    eventually(lambda: follower.state is not None and follower.state.position >= position)
    with connect(filled) as conn:
        # An event without its NOTIFY.
        conn.execute("UPDATE directory.offer_search SET age_min = 7 WHERE offer_id = %s", (offer_id,))
        row = conn.execute(
            "INSERT INTO core.event (kind, entity, entity_id)"
            " VALUES ('offer_described', 'offer', %s) RETURNING position",
            (offer_id,),
        ).fetchone()
        assert row
        eventually(lambda: follower.state is not None and follower.state.position >= row[0])
    assert same_as_database(follower, filled)


async def test_a_long_transaction_elsewhere_holds_nothing_back(follower: Follower, filled: URL) -> None:
    uid, version, _ = published(filled)
    with psycopg.connect(dsn(filled)) as elsewhere:
        elsewhere.execute("CREATE TEMP TABLE busy AS SELECT pg_current_xact_id()")
        elsewhere.execute("INSERT INTO search_api.token (token, offers) VALUES ('zzlong', 1)")
        position = await describe(uid, version, 5)
        eventually(lambda: follower.state is not None and follower.state.position >= position)
        elsewhere.rollback()
    assert same_as_database(follower, filled)


def test_fifty_thousand_events_are_all_taken_in(follower: Follower, filled: URL) -> None:
    with connect(filled) as conn:
        for turn in range(10):
            with conn.transaction():
                conn.execute("UPDATE directory.offer_search SET age_max = 100 + (offer_id + %s) %% 50", (turn,))
                conn.execute("SELECT pg_advisory_xact_lock(%s)", (0x52455045,))
                conn.execute(
                    "INSERT INTO core.event (kind, entity, entity_id) SELECT 'offer_described', 'offer', s.offer_id"
                    " FROM generate_series(1, 5000) n JOIN LATERAL (SELECT offer_id FROM directory.offer_search"
                    " OFFSET n % 200 LIMIT 1) s ON true"
                )
                conn.execute("UPDATE directory.offer_search s SET age_max = 90 WHERE offer_id = ANY("
                             "SELECT entity_id FROM core.event ORDER BY position DESC LIMIT 5000)")  # fmt: skip
                conn.execute("SELECT pg_notify('repere_events', '')")
        conn.execute("UPDATE directory.offer_search SET age_max = 120")
        conn.execute("INSERT INTO core.event (kind, entity, entity_id)"
                     " SELECT 'offer_described', 'offer', offer_id FROM directory.offer_search")  # fmt: skip
    position = last_position(filled)
    eventually(lambda: follower.state is not None and follower.state.position >= position)
    assert same_as_database(follower, filled)


def test_a_load_reaches_the_index_by_its_change_table(follower: Follower, filled: URL) -> None:
    with psycopg.connect(dsn(filled)) as conn:
        load = conn.execute("INSERT INTO ingest.load (status) VALUES ('running') RETURNING id").fetchone()
        assert load
        conn.execute(
            "DELETE FROM staging.pub_role WHERE key IN (SELECT key FROM staging.pub_role ORDER BY key LIMIT 9)"
        )
        conn.execute("UPDATE staging.pub_site SET lon = lon + 0.01, hash = hash + 1000 WHERE hash % 7 = 0")
        conn.execute("UPDATE staging.pub_practitioner SET last_name = 'RENOMMÉE', hash = hash + 1000 WHERE hash = 12")
        conn.commit()
        report = publish(conn, load[0], {"rpps", "finess", "ameli"})
    assert report.position and report.changed
    eventually(lambda: follower.state is not None and follower.state.position >= (report.position or 0))
    assert same_as_database(follower, filled)
    assert not follower.health.behind


async def test_a_renamed_person_is_suggested_by_the_new_name(
    follower: Follower, filled: URL, web: httpx.AsyncClient
) -> None:
    process = indexer.Indexer(follower.root.parent)
    with connect(filled) as conn:
        process.look(conn)
    with psycopg.connect(dsn(filled)) as conn:
        load = conn.execute("INSERT INTO ingest.load (status) VALUES ('running') RETURNING id").fetchone()
        assert load
        conn.execute(
            "UPDATE staging.pub_practitioner SET last_name = 'ZYGOMATIQUE', hash = hash + 5000"
            " WHERE key = (SELECT p.national_id FROM directory.practitioner p JOIN directory.role r"
            " ON r.practitioner_id = p.id JOIN directory.offer o ON o.role_id = r.id JOIN directory.offer_search s"
            " ON s.offer_id = o.id WHERE NOT s.sensitive ORDER BY p.id LIMIT 1)"
        )
        conn.commit()
        assert publish(conn, load[0], {"rpps", "finess", "ameli"}).changed
    with connect(filled) as conn:
        process.look(conn)
        follower.catch_up(conn)
    reader = TextReader(follower.root.parent / "texts")
    assert reader.position == last_position(filled)
    words.use(reader)
    try:
        for typed in ("zygomatique", "zygo", "zigomatique"):
            groups = (await web.get("/api/v1/suggest", params={"q": typed, "where": "departement:78"})).json()
            people = [one for group in groups if group["group"] == "practitioners" for one in group["items"]]
            assert people and "ZYGOMATIQUE" in people[0]["label"].upper() and people[0]["count"] >= 1, typed
    finally:
        words.use(None)


async def test_an_unpublished_offer_is_gone(root: Path, filled: URL) -> None:
    uid, version, _ = published(filled)
    found = Follower(root)
    with connect(filled) as conn:
        found.catch_up(conn)
        assert found.state
        before = found.state.offers
        async with unit_of_work() as session:
            await unpublish_offer(session, uid, "test", version)
        found.catch_up(conn)
    assert found.state and found.state.offers == before - 1
    assert verify(root).equal
