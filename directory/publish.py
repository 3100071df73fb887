"""Publication of a load: the only door for bulk changes (DESIGN §3)."""

from collections.abc import Callable, Set

import psycopg

from directory.schemas import PublishReport

Progress = Callable[[str, float], None]
"""Told of each phase: French label, share done between 0 and 1."""


def publish(
    conn: psycopg.Connection, load_id: int, registers: Set[str], progress: Progress | None = None
) -> PublishReport:
    """Publish the four staging tables in one transaction, with one event at its end.

    Args:
        conn: a direct connection without a transaction under way (`core.db.connect_direct()`).
        load_id: the load's number in `ingest.load`.
        registers: which registers the load brings, among `rpps`, `finess`, `ameli`; what is missing from a
            register that was brought is closed, the entities of the others stay as they are.
        progress: called at each phase.

    Raises:
        core.errors.Conflict: another publication is under way.
        core.errors.InvalidInput: a publication table holds a key twice or refers to nothing.
    """
    raise NotImplementedError
