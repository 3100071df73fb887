"""What a reader hands over: how much was read, from which file, and how duckdb loads the rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingest.readers.detection import Detected


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file read to its end: the counts of its report and the checksum of its unwrapped bytes."""

    detected: Detected
    sha256: str
    size: int
    lines: int


def sql_text(value: str | Path) -> str:
    """A SQL literal."""
    return "'" + str(value).replace("'", "''") + "'"


def load_rows(con: duckdb.DuckDBPyConnection, path: Path, table: str, columns: Sequence[str]) -> None:
    """Load a `RowFile` into `table(line BIGINT, …columns)`, trimmed, empty as NULL; the file is deleted."""
    declared = "{'line': 'BIGINT', " + ", ".join(f"'{c}': 'VARCHAR'" for c in columns) + "}"
    chosen = ", ".join(f"nullif(trim({c}), '') AS {c}" for c in columns)
    if path.stat().st_size:
        source = (
            f"read_csv({sql_text(path)}, delim='\t', quote='', escape='', comment='', header=false,"
            f" columns={declared}, auto_detect=false, max_line_size=1000000, new_line='\\n')"
        )
        con.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT line, {chosen} FROM {source}")  # noqa: S608
    else:
        con.execute(f"CREATE OR REPLACE TABLE {table} (line BIGINT, {', '.join(f'{c} VARCHAR' for c in columns)})")
    path.unlink()
