"""Edits, loads, kills and restarts for a minute, with the real processes: nothing is lost, nothing is left over."""

import asyncio
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy.engine import URL

from directory.api import publish
from search_api.columns import builder
from search_api.columns.follower import Follower
from search_api.columns.verify import verify
from tests.conftest import ROOT
from tests.search_api.conftest import dsn
from tests.search_api.test_contract import change

SECONDS = 60.0
SETTLED_SECONDS = 30.0


class Processes:
    """An indexer and a web process, killed and started again at will."""

    def __init__(self, url: URL, folder: Path) -> None:
        self.env = os.environ | {
            "REPERE_DATABASE_URL": url.render_as_string(hide_password=False),
            "REPERE_INDEX_FOLDER": str(folder),
        }
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        web = ["-m", "uvicorn", "web.app:app", "--port", str(self.port), "--log-level", "warning"]
        self.commands = {"indexer": ["cli.py", "index", "run"], "web": web}
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        for name in self.commands:
            self.start(name)

    def start(self, name: str) -> None:
        self.running[name] = subprocess.Popen([sys.executable, *self.commands[name]], cwd=ROOT, env=self.env)

    def kill(self, name: str) -> None:
        self.running[name].send_signal(signal.SIGKILL)
        self.running[name].wait()

    def stop(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.wait(timeout=20)


@pytest.fixture
def processes(filled: URL, tmp_path: Path) -> Iterator[Processes]:
    running = Processes(filled, tmp_path)
    yield running
    running.stop()


def load(url: URL, rng: random.Random) -> None:
    """Publish the registers again with some practitioners renamed, some sites moved and some roles gone."""
    with psycopg.connect(dsn(url)) as conn:
        row = conn.execute("INSERT INTO ingest.load (status) VALUES ('running') RETURNING id").fetchone()
        assert row
        turn = rng.randrange(1 << 20)
        conn.execute(
            "UPDATE staging.pub_site SET lon = lon + 0.001, hash = hash + %s WHERE hash %% 5 = %s", (turn, turn % 5)
        )
        conn.execute(
            "UPDATE staging.pub_practitioner SET last_name = %s, hash = hash + %s WHERE hash %% 7 = %s",
            (f"NOM{turn}", turn, turn % 7),
        )
        conn.execute(
            "DELETE FROM staging.pub_role WHERE key = (SELECT key FROM staging.pub_role ORDER BY md5(key) LIMIT 1)"
        )
        conn.commit()
        publish(conn, row[0], {"rpps", "finess", "ameli"})


@pytest.mark.slow
async def test_a_minute_of_edits_kills_and_reloads_leaves_the_index_equal(
    filled: URL, processes: Processes, tmp_path: Path
) -> None:
    rng = random.Random(17)
    with psycopg.connect(dsn(filled)) as conn:
        rows = conn.execute("SELECT code FROM directory.concept WHERE system = 'J16' AND active ORDER BY id LIMIT 9")
        acts = [f"J16|{row[0]}" for row in rows.fetchall()]
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for _ in range(rng.randint(1, 20)):
            await change(rng, filled, acts)
        event = rng.random()
        if event < 0.15:
            name = rng.choice(["indexer", "web"])
            processes.kill(name)
            processes.start(name)
        elif event < 0.3:
            load(filled, rng)
        elif event < 0.4:
            await asyncio.to_thread(builder.build, tmp_path / "aside")
    with psycopg.connect(dsn(filled)) as conn:
        row = conn.execute("SELECT max(position) FROM core.event").fetchone()
    assert row
    fresh = builder.build(tmp_path / "fresh")
    assert fresh
    told = await settled(processes.port, row[0])
    with psycopg.connect(dsn(filled), autocommit=True) as conn:
        built = Follower(tmp_path / "fresh")
        built.catch_up(conn)
    assert (told["offers"], told["digest"]) == (fresh.offers, built.health.digest)
    assert verify(tmp_path / "columns").equal


async def settled(port: int, position: int) -> dict[str, object]:
    """Return what the web process says of its index once it has heard of everything."""
    deadline = time.monotonic() + SETTLED_SECONDS
    async with httpx.AsyncClient() as client:
        while True:
            try:
                told = (await client.get(f"http://127.0.0.1:{port}/readyz")).json()["search"]["index"]
                if told and told["position"] is not None and told["position"] >= position:
                    return dict(told)
            except (httpx.TransportError, KeyError):
                pass
            assert time.monotonic() < deadline, "the web process did not catch up"
            await asyncio.sleep(0.2)
