"""Filling empty tables fast: constraints and secondary indexes are taken away and put back, in one transaction."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
from psycopg import sql

_CONSTRAINTS = """
    SELECT c.conrelid::regclass::text, c.conname, pg_get_constraintdef(c.oid)
    FROM pg_constraint c
    WHERE c.conrelid = ANY(%s::regclass[]) AND (c.contype = 'f' OR c.contype = ANY(%s::"char"[]))
      AND (c.contype = 'f' OR NOT EXISTS (
          SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = c.conindid))
    ORDER BY c.contype = 'f' DESC, c.conname
"""

_INDEXES = """
    SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
    FROM pg_index i
    WHERE i.indrelid = ANY(%s::regclass[])
      AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
    ORDER BY i.indrelid, i.indexrelid
"""


@contextmanager
def without_indexes(conn: psycopg.Connection, tables: Sequence[str], keyless: Sequence[str] = ()) -> Iterator[None]:
    """Run the block on tables bare of foreign keys, unique constraints and secondary indexes, then restore them all.

    Everything happens in the caller's transaction, so an interruption leaves the tables as they were. Primary
    keys stay, except those of the `keyless` tables.

    Raises:
        psycopg.errors.IntegrityError: what was written breaks a constraint.
    """
    names = list(tables)
    constraints = conn.execute(_CONSTRAINTS, (names, ["u"])).fetchall()
    constraints += conn.execute(_CONSTRAINTS, (list(keyless), ["p"])).fetchall() if keyless else []
    indexes = conn.execute(_INDEXES, (names,)).fetchall()
    seen: dict[tuple[str, str], str] = {(table, name): definition for table, name, definition in constraints}
    for table, name in seen:
        conn.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.SQL(table), sql.Identifier(name)))
    for name, _ in indexes:
        conn.execute(sql.SQL("DROP INDEX {}").format(sql.SQL(name)))
    yield
    for _, definition in indexes:
        conn.execute(sql.SQL(definition))
    for table, name in reversed(list(seen)):
        conn.execute(
            sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
                sql.SQL(table), sql.Identifier(name), sql.SQL(seen[table, name])
            )
        )
