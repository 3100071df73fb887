"""Snapshots of the index: cut, taken up, broken, of another database, verified, built by one at a time."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from sqlalchemy.engine import URL

from core.errors import Conflict
from search_api import engines, indexer
from search_api.columns import builder, changes, snapshot
from search_api.columns.follower import Follower
from tests.conftest import ROOT
from tests.search_api import following
from tests.search_api.following import connect, eventually, last_position, same_as_database

root = following.root
follower = following.follower
web = following.web


def test_a_restart_takes_up_where_the_snapshot_ends(root: Path, filled: URL) -> None:
    with connect(filled) as conn:
        conn.execute("UPDATE directory.offer_search SET age_min = 1")
        conn.execute("INSERT INTO core.event (kind, entity, entity_id)"
                     " SELECT 'offer_described', 'offer', offer_id FROM directory.offer_search")  # fmt: skip
        for _ in range(2):
            again = Follower(root)
            again.catch_up(conn)
            assert again.state and again.state.position == last_position(filled)
            assert same_as_database(again, filled)


def test_after_a_heavy_load_the_indexer_cuts_a_snapshot_and_the_followers_open_it(
    follower: Follower, filled: URL
) -> None:
    process = indexer.Indexer(follower.root.parent)
    with connect(filled) as conn:
        assert process.look(conn) is None
        conn.execute("UPDATE directory.offer_search SET age_min = 2")
        load = conn.execute("INSERT INTO ingest.load (status) VALUES ('done') RETURNING id").fetchone()
        assert load
        conn.execute(
            "INSERT INTO directory.load_change (load_id, entity, entity_id, change)"
            " SELECT %s, 'offer', number, 'changed' FROM generate_series(1, %s) number", (load[0], changes.HEAVY),
        )  # fmt: skip
        conn.execute("INSERT INTO core.event (kind, entity, load_id) VALUES ('published', 'load', %s)", load)
        eventually(lambda: follower.health.behind)
        # An indexer that is told to stop ends what it does, and rests no more.
        process.stopping.set()
        assert process.look(conn) is not None
        assert process.look(conn) is None
    eventually(lambda: not follower.health.behind)
    assert same_as_database(follower, filled)


@pytest.mark.parametrize("harm", ["cut", "altered", "missing", "no manifest", "other format"])
async def test_a_broken_snapshot_is_refused_and_the_last_good_one_serves(
    harm: str, follower: Follower, filled: URL, web: httpx.AsyncClient
) -> None:
    good = follower.state.snapshot if follower.state else ""
    assert builder.build(follower.root.parent / "second")
    broken = snapshot.current(follower.root.parent / "second")
    assert broken
    target = broken / "codes.npy" if (broken / "codes.npy").exists() else broken / "offer.npy"
    if harm == "cut":
        target.write_bytes(target.read_bytes()[:-40])
    elif harm == "altered":
        data = bytearray(target.read_bytes())
        data[-3] ^= 0xFF
        target.write_bytes(data)
    elif harm == "missing":
        target.unlink()
    elif harm == "no manifest":
        (broken / "manifest.json").unlink()
    else:
        known = json.loads((broken / "manifest.json").read_text())
        (broken / "manifest.json").write_text(json.dumps(known | {"format": 999}))
    broken.rename(follower.root / broken.name)
    (follower.root / "current.json").write_text(json.dumps({"folder": broken.name}))
    eventually(lambda: follower.health.problem is not None)
    ready = (await web.get("/readyz")).json()
    assert ready["search"]["engine"] == "columns" and not ready["search"]["degraded"]
    assert ready["search"]["index"]["snapshot"] == good
    assert "refusé" in ready["search"]["index"]["problem"]
    alone = Follower(follower.root)
    engines.use(alone)
    with connect(filled) as conn:
        alone.catch_up(conn)
        assert alone.state is None
        wanted = builder.due(conn, follower.root)
    ready = (await web.get("/readyz")).json()
    assert ready["status"] == "ready"
    assert ready["search"]["engine"] == "postgis" and ready["search"]["degraded"]
    answer = await web.get("/api/v1/search", params={"q": "infirmier"})
    assert answer.status_code == 200 and answer.headers["X-Repere-Engine"] == "postgis"
    if harm in ("no manifest", "other format"):
        assert wanted == "refused"


def test_a_snapshot_of_another_database_is_refused(root: Path, filled: URL) -> None:
    folder = snapshot.current(root)
    assert folder
    known = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(known | {"database": "autre/1/"}))
    with connect(filled) as conn:
        found = Follower(root)
        found.catch_up(conn)
        assert found.state is None and "autre base" in (found.health.problem or "")
        assert builder.due(conn, root) == "other database"
        # What a build leaves when it is cut short is never named, and goes with the next one.
        (root / ".17-abc.part").mkdir()
        report = builder.build(root)
        assert report and not (root / ".17-abc.part").exists()
        found.catch_up(conn)
        assert found.state and found.state.snapshot == report.folder


def test_the_command_says_equal_or_what_differs(root: Path, filled: URL) -> None:
    command = [sys.executable, "cli.py", "index", "verify", "--json"]
    env = os.environ | {
        "REPERE_INDEX_FOLDER": str(root.parent),
        "REPERE_DATABASE_URL": filled.render_as_string(hide_password=False),
    }
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["equal"] is True
    with connect(filled) as conn:
        conn.execute("DELETE FROM directory.offer_search WHERE offer_id IN"
                     " (SELECT offer_id FROM directory.offer_search ORDER BY offer_id DESC LIMIT 2)")  # fmt: skip
    done = subprocess.run(command[:-1], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "2 offres sont de trop" in done.stdout


def test_two_builds_at_once_are_refused(root: Path) -> None:
    with builder._alone(root), pytest.raises(Conflict, match="déjà en cours"):
        builder.build(root)
