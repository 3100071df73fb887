"""Rows between duckdb and PostgreSQL at full speed: COPY through a pipe, nothing held in memory."""

import contextlib
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import duckdb
import psycopg
from psycopg import sql

from core.db import connect_direct
from ingest.readers.tables import sql_text

BLOCK = 1 << 20
_NULL = "\\N"


def copy_in(
    con: duckdb.DuckDBPyConnection,
    conn: psycopg.Connection,
    select: str,
    target: tuple[str, str],
    columns: Sequence[str],
    folder: Path,
) -> int:
    """Copy the rows of a duckdb query into a PostgreSQL table; the number of rows is returned.

    The query must return text, numbers, dates, or arrays already written as PostgreSQL literals.
    """
    pipe = folder / f"{target[1]}.pipe"
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    failure: list[BaseException] = []

    def produce() -> None:
        try:
            con.cursor().execute(f"COPY ({select}) TO {sql_text(pipe)} (FORMAT csv, HEADER false, NULLSTR '{_NULL}')")
        except BaseException as error:
            failure.append(error)
            # The reader waits for a writer: open and close the pipe so that it sees the end.
            with contextlib.suppress(OSError):
                os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))

    producer = threading.Thread(target=produce, daemon=True)
    producer.start()
    with conn.cursor() as cursor:
        with cursor.copy(_copy_statement(target, columns)) as copy, pipe.open("rb") as stream:
            while block := stream.read(BLOCK):
                copy.write(block)
            producer.join()
            if failure:
                raise failure[0]
        count = cursor.rowcount
    pipe.unlink(missing_ok=True)
    return count


class BackgroundCopy:
    """Copies files into PostgreSQL in a thread, while the linkage takes its minute of another core."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._jobs: list[tuple[Path, sql.Composed]] = []
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    def add(self, con: duckdb.DuckDBPyConnection, select: str, target: tuple[str, str], columns: Sequence[str]) -> None:
        """Write the rows of a duckdb query to a file, to be copied once the thread starts."""
        path = self._folder / f"{target[1]}.copy"
        con.execute(f"COPY ({select}) TO {sql_text(path)} (FORMAT csv, HEADER false, NULLSTR '{_NULL}')")
        self._jobs.append((path, _copy_statement(target, columns)))

    def start(self) -> None:
        """Start copying, on a connection of its own."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            with connect_direct() as conn:
                for path, statement in self._jobs:
                    with conn.cursor().copy(statement) as copy, path.open("rb") as stream:
                        while block := stream.read(BLOCK):
                            copy.write(block)
                    path.unlink()
        except BaseException as error:
            self._error = error

    def wait(self) -> None:
        """Wait for the end; what went wrong is raised here."""
        if self._thread is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error


def _copy_statement(target: tuple[str, str], columns: Sequence[str]) -> sql.Composed:
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, NULL {})").format(
        sql.Identifier(*target), sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Literal(_NULL)
    )


def copy_out(
    con: duckdb.DuckDBPyConnection,
    conn: psycopg.Connection,
    query: str,
    table: str,
    columns: dict[str, str],
    folder: Path,
) -> None:
    """Copy the rows of a PostgreSQL query into a new duckdb table; `columns` gives duckdb types by name."""
    path = folder / f"{table}.csv"
    with conn.cursor() as cursor, path.open("wb") as stream:
        statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, NULL {})").format(
            sql.SQL(query),
            sql.Literal(_NULL),
        )
        with cursor.copy(statement) as copy:
            for block in copy:
                stream.write(block)
    types = "{" + ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items()) + "}"
    if path.stat().st_size:
        con.execute(
            f"""CREATE OR REPLACE TABLE {table} AS SELECT * FROM read_csv({sql_text(path)}, delim=',', quote='"',
            escape='"', header=false, auto_detect=false, columns={types}, nullstr='{_NULL}', max_line_size=4000000)"""  # noqa: S608
        )
    else:
        con.execute(f"CREATE OR REPLACE TABLE {table} ({', '.join(f'{n} {k}' for n, k in columns.items())})")
    path.unlink()
