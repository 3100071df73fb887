"""Building of snapshots: when one is due, and how it is cut. A lock on the folder keeps two builders apart."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from core.db import connect_direct
from core.errors import Conflict
from search_api.columns import batch, changes, snapshot
from search_api.columns.build import segment_arrays
from search_api.columns.follower import database_of
from search_api.settings import COLUMNS, index_folder

MANY = 20_000
"""Events since the last snapshot after which a new one is cut: a process takes them in in seconds at its start."""
SOME, SETTLED_SECONDS = 500, 900.0
"""A quarter of an hour after the last snapshot, this many events are worth a new one."""


@dataclass(frozen=True, slots=True)
class SnapshotReport:
    """What a build wrote."""

    folder: str
    offers: int
    sites: int
    position: int
    read_seconds: float
    seconds: float
    megabytes: float


def root() -> Path:
    """Return the folder of this node's snapshots."""
    return index_folder() / COLUMNS


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Conflict(
                "Une construction de l’index est déjà en cours sur cette machine : attendez sa fin."
            ) from None
        yield


def build(folder: Path, progress: Callable[[float], None] | None = None) -> SnapshotReport | None:
    """Write a snapshot of the whole directory and name it the current one; None when nothing was ever published.

    Raises:
        Conflict: another build is under way on this node.
    """
    begun = time.perf_counter()
    with _alone(folder), connect_direct() as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        conn.read_only = True
        # The first statement takes the picture: every event up to this position is in it, none after.
        row = conn.execute("SELECT max(position) FROM core.event").fetchone()
        if row is None or row[0] is None:
            return None
        database = database_of(conn)
        rows = batch.read_all(conn, progress)
        conn.rollback()
        read = time.perf_counter() - begun
        arrays = segment_arrays(rows)
        written = snapshot.write(
            folder, arrays, database=database, position=int(row[0]), built_at=datetime.now(UTC).isoformat()
        )
    return SnapshotReport(
        folder=written.name,
        offers=len(arrays["offer"]),
        sites=len(arrays["site"]),
        position=int(row[0]),
        read_seconds=round(read, 2),
        seconds=round(time.perf_counter() - begun, 2),
        megabytes=round(sum(path.stat().st_size for path in written.iterdir()) / 1e6, 1),
    )


def due(conn: psycopg.Connection, folder: Path) -> str | None:
    """Return why a new snapshot is wanted, None when the current one serves well."""
    row = conn.execute("SELECT max(position) FROM core.event").fetchone()
    if row is None or row[0] is None:
        return None
    found = snapshot.current(folder)
    if found is None:
        return "none"
    try:
        known = snapshot.manifest(found)
    except snapshot.SnapshotRefused:
        return "refused"
    if known.database != database_of(conn) or known.position > row[0]:
        return "other database"
    pending = changes.since(conn, known.position, MANY)
    if len(pending) >= MANY:
        return "many events"
    if changes.heavy(conn, pending):
        return "load"
    age = (datetime.now(UTC) - datetime.fromisoformat(known.built_at)).total_seconds()
    return "settled" if len(pending) >= SOME and age > SETTLED_SECONDS else None
