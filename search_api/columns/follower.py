"""The index of a process: opens the node's snapshot, follows the events, and gives the present state.

A thread of its own listens to the events with a connection of its own; NOTIFY wakes it, and it looks every second
in case one was lost. Requests read `state`, which is replaced and never changed.
"""

import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
import structlog

from core.db import connect_direct
from core.events import CHANNEL
from search_api.columns import batch, changes, snapshot
from search_api.columns.state import State

log = structlog.get_logger("repere.search.index")

LOOK_SECONDS = 1.0
CHUNK = 2_000
"""Events taken in at a time."""
LONGEST_PAUSE = 5.0
SMALL_ROWS = 20_000
"""Segments up to this size are made into one when there are many."""


@dataclass(frozen=True, slots=True)
class Health:
    """What `/readyz` says of the index of a process."""

    ready: bool
    snapshot: str | None
    position: int | None
    offers: int | None
    digest: str | None
    behind: bool
    problem: str | None


def database_of(conn: psycopg.Connection) -> str:
    """Return what tells this database from others of the same name, before or elsewhere."""
    row = conn.execute(
        "SELECT current_database() || '/' || oid || '/' || coalesce((SELECT extract(epoch FROM at)::text"
        " FROM core.event ORDER BY position LIMIT 1), '') FROM pg_database WHERE datname = current_database()"
    ).fetchone()
    return str(row[0]) if row else ""


class Follower:
    """Keeps a `State` up to date. `start` and `stop` run it in a thread; `catch_up` does one round in the caller's."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.state: State | None = None
        self._problem: str | None = None
        self._refused: set[str] = set()
        self._behind = False
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._round = threading.Lock()

    def start(self) -> None:
        """Follow in a thread until `stop`."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="index-follower", daemon=True)
            self._thread.start()

    def stop(self, *, wait: bool = True) -> None:
        """End the thread; without waiting, it ends at its next look, or with the process."""
        self._stopping.set()
        if self._thread is not None and wait:
            self._thread.join(timeout=LONGEST_PAUSE)
        self._thread = None

    @property
    def health(self) -> Health:
        """How the index stands."""
        state = self.state
        return Health(
            ready=state is not None,
            snapshot=state.snapshot if state else None,
            position=state.position if state else None,
            offers=state.offers if state else None,
            digest=f"{state.digest:016x}" if state else None,
            behind=self._behind,
            problem=self._problem,
        )

    def catch_up(self, conn: psycopg.Connection) -> bool:
        """Open a newer snapshot if there is one, and take in every event that is known; tell whether any was left.

        The connection is in autocommit: each chunk of events is read after the rows that it speaks of are visible.
        """
        with self._round:
            self._open_newest(conn)
            while self.state is not None and not self._stopping.is_set():
                events = changes.since(conn, self.state.position, CHUNK)
                if not events:
                    return False
                self._take_in(conn, events)
            return self.state is None

    def _open_newest(self, conn: psycopg.Connection) -> None:
        folder = snapshot.current(self.root)
        if folder is None or folder.name in self._refused:
            return
        if self.state is not None and self.state.snapshot == folder.name:
            return
        try:
            known = snapshot.manifest(folder)
            if known.database != database_of(conn):
                raise snapshot.SnapshotRefused(f"{folder.name} est celui d’une autre base")
            begun = time.perf_counter()
            segment = snapshot.open_segment(folder, known)
        except snapshot.SnapshotRefused as refused:
            # Said once; the last good one goes on serving, or the database itself.
            self._refused.add(folder.name)
            self._problem = f"Instantané refusé : {refused}."
            log.error("snapshot_refused", snapshot=folder.name, reason=str(refused))
            return
        self.state = self._continued(conn, State.of(segment, known.position, folder.name))
        self._problem, self._behind = None, False
        log.info(
            "snapshot_opened",
            snapshot=folder.name,
            offers=known.offers,
            position=known.position,
            seconds=round(time.perf_counter() - begun, 2),
        )

    def _continued(self, conn: psycopg.Connection, fresh: State) -> State:
        """Take into a newer snapshot what the state in use knows already, before it replaces it."""
        former = self.state
        if former is None:
            return fresh
        while fresh.position < former.position:
            events = changes.since(conn, fresh.position, CHUNK)
            if not events:
                break
            fresh, _ = _taken_in(conn, fresh, events)
        return fresh

    def _take_in(self, conn: psycopg.Connection, events: list[changes.Seen]) -> None:
        assert self.state is not None  # noqa: S101 - the caller looked
        state, rebuild = _taken_in(conn, self.state, events)
        if state.crowded:
            state = _condensed(conn, state)
        self._behind = self._behind or rebuild
        self.state = state

    def _run(self) -> None:
        pause = 0.1
        while not self._stopping.is_set():
            try:
                with connect_direct(autocommit=True) as conn:
                    conn.execute(f"LISTEN {CHANNEL}")
                    while not self._stopping.is_set():
                        self.catch_up(conn)
                        pause = 0.1
                        for _ in conn.notifies(timeout=LOOK_SECONDS, stop_after=1):
                            pass
            except (psycopg.Error, OSError) as error:
                log.warning("index_connection_lost", error=type(error).__name__)
                self._stopping.wait(pause)
                pause = min(LONGEST_PAUSE, pause * 2)
            except Exception:
                # A fault here must not stop the following for good: what was read stays, the round is tried again.
                log.exception("index_follower_failed")
                self._stopping.wait(LONGEST_PAUSE)


def _taken_in(conn: psycopg.Connection, state: State, events: list[changes.Seen]) -> tuple[State, bool]:
    found = changes.touched(conn, events)
    sites = found.sites | state.sites_of_offers(found.offers)
    last = events[-1].position
    if not sites:
        return state.at(last), found.rebuild
    return state.patched(sites, batch.read_sites(conn, sorted(sites)), last), found.rebuild


def _condensed(conn: psycopg.Connection, state: State) -> State:
    """Make the small segments into one."""
    sites = {site for part in state.parts[1:] if part.alive <= SMALL_ROWS for site in part.site_ids()}
    return state.patched(sites, batch.read_sites(conn, sorted(sites)), state.position)
