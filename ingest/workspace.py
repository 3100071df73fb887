"""The working place of one load: a folder under REPERE_HOME, a duckdb file that spills there, the rejects."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb

from core.settings import core_settings
from ingest.normalise.macros import create_macros
from ingest.readers.rows import Rejects
from ingest.settings import ingest_settings


def ingest_home() -> Path:
    """The folder of ingestion's own state: work, downloads, rejects."""
    home = core_settings().home.resolve() / "ingest"
    home.mkdir(parents=True, exist_ok=True)
    return home


class Workspace:
    """duckdb and temporary files of a load; everything is removed at its end, whatever happened."""

    def __init__(self, name: str) -> None:
        self.folder = ingest_home() / "work" / f"{os.getpid()}-{name}"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.rejects: dict[str, Rejects] = {}
        self.con = self._connect()
        create_macros(self.con)

    def _connect(self) -> duckdb.DuckDBPyConnection:
        settings = ingest_settings()
        con = duckdb.connect(str(self.folder / "load.duckdb"))
        con.execute(f"SET threads = {settings.ingest_threads}")
        con.execute(f"SET temp_directory = '{self.folder / 'spill'}'")
        con.execute(f"SET memory_limit = '{settings.ingest_memory}'")
        return con

    @contextmanager
    def released(self) -> Iterator[None]:
        """Close duckdb meanwhile, so that its memory serves something else; `con` is another one afterwards."""
        self.con.close()
        yield
        self.con = self._connect()

    def rejects_of(self, register: str) -> Rejects:
        """The rejected lines of a register, an empty list at first."""
        return self.rejects.setdefault(register, Rejects())

    def count(self, table: str) -> int:
        """Number of rows of a duckdb table."""
        row = self.con.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
        assert row is not None  # noqa: S101 - an aggregate always returns a row
        return int(row[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.con.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def sweep() -> None:
    """Remove what killed runs left in the work folder: their names start with the number of a dead process."""
    for folder in (ingest_home() / "work").glob("*-*"):
        owner = folder.name.split("-")[0]
        if not owner.isdigit() or not _alive(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
