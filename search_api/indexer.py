"""The node's indexer: the one process that writes its index. Web processes read it and follow the events themselves.

A snapshot is cut after a load, or when much has changed since the last; texts follow each event.
"""

import threading
from pathlib import Path

import psycopg
import structlog

from core.db import connect_direct
from core.errors import Conflict
from core.events import CHANNEL
from search_api.columns import builder, changes
from search_api.columns.builder import SnapshotReport
from search_api.columns.follower import CHUNK, LONGEST_PAUSE, LOOK_SECONDS
from search_api.settings import COLUMNS, TEXTS, index_folder
from search_api.texts.reader import TextReader
from search_api.texts.writer import TextReport, TextWriter

log = structlog.get_logger("repere.search.indexer")

PAUSE_SECONDS = 20.0
"""Between two snapshots: a series of loads makes one."""


def build_texts(root: Path) -> TextReport:
    """Build the names and words of a node again.

    Raises:
        Conflict: another process is writing them.
    """
    with TextWriter(root / TEXTS) as writer, connect_direct() as conn:
        position = newest(conn)
        # What is committed from now on is in the events that come after.
        conn.commit()
        return writer.rebuild(conn, position)


def build(root: Path) -> tuple[SnapshotReport | None, TextReport]:
    """Build the whole index of a node again.

    Raises:
        Conflict: another process is writing it.
    """
    return builder.build(root / COLUMNS), build_texts(root)


def newest(conn: psycopg.Connection) -> int:
    """Return the position of the last event, 0 when there is none."""
    row = conn.execute("SELECT coalesce(max(position), 0) FROM core.event").fetchone()
    return int(row[0]) if row else 0


class Indexer:
    """The supervised process: woken by every event, and each second in case one was lost."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or index_folder()
        self.stopping = threading.Event()

    def run(self) -> None:
        """Write what is due, until `stopping` is set; a lost database or another writer is waited for."""
        pause = 0.1
        while not self.stopping.is_set():
            try:
                with connect_direct(autocommit=True) as conn:
                    conn.execute(f"LISTEN {CHANNEL}")
                    while not self.stopping.is_set():
                        self.look(conn)
                        pause = 0.1
                        for _ in conn.notifies(timeout=LOOK_SECONDS, stop_after=1):
                            pass
            except (psycopg.Error, OSError, Conflict) as error:
                log.warning("indexer_waits", error=type(error).__name__, detail=str(error))
                self.stopping.wait(pause)
                pause = min(LONGEST_PAUSE, pause * 2)

    def look(self, conn: psycopg.Connection) -> SnapshotReport | None:
        """Cut a snapshot if one is due, with texts to go with it; else let the texts follow the events."""
        why = builder.due(conn, self.root / COLUMNS)
        if why is None:
            self._follow_texts(conn)
            return None
        report, texts = build(self.root)
        if report is not None:
            log.info(
                "index_built",
                why=why,
                offers=report.offers,
                position=report.position,
                seconds=report.seconds,
                texts_seconds=texts.seconds,
            )
        self.stopping.wait(PAUSE_SECONDS)
        return report

    def _follow_texts(self, conn: psycopg.Connection) -> None:
        folder = self.root / TEXTS
        position = TextReader(folder).position
        last = newest(conn)
        if position is None or position > last:
            if last:
                build_texts(self.root)
            return
        while position < last and not self.stopping.is_set():
            events = changes.since(conn, position, CHUNK)
            if not events:
                return
            position = events[-1].position
            if changes.heavy(conn, events):
                # A snapshot is due too, and texts come with it.
                return
            found = changes.touched(conn, events)
            with TextWriter(folder) as writer:
                writer.update(conn, found.sites, changes.people(conn, events, found), position)
