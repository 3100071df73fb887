"""Making of the files: one instant of the database, streamed to duckdb, which writes them in a flat memory."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import duckdb
import orjson
import psycopg

from core import files
from core.db import connect_direct
from core.errors import Conflict
from core.settings import core_settings
from search_api.dumps.catalogue import DATASETS, DUCK, FORMATS, LEVELS, Column, Dataset
from search_api.predicates import seen_sql

KEPT_DAYS: Final = 7
_MEMORY: Final = "512MB"
_BATCH: Final = 2_000
_PIECE: Final = 1 << 20

Progress = Callable[[str, float], None]

_POSITION = """
SELECT greatest(
    (SELECT c.position FROM directory.feed_change c
     WHERE c.position IS NOT NULL AND EXISTS (SELECT FROM directory.feed_state f WHERE f.change_{level} = c.id)
     ORDER BY c.position DESC LIMIT 1),
    (SELECT max(position) FROM directory.feed_floor), 0), core.now()
"""


@dataclass(frozen=True, slots=True)
class Made:
    """A file that was made."""

    dataset: str
    format: str
    level: int
    rows: int
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a making did: its instant and its files."""

    made_at: datetime
    made: list[Made]


def statement(dataset: Dataset, level: int) -> str:
    """Return the statement that reads a dataset at a level."""
    columns = ", ".join(f'{column.sql} AS "{column.name}"' for column in dataset.of(level))
    text = f"SELECT {columns} FROM {dataset.tables} ORDER BY {dataset.order}"
    return text.replace("{level}", str(level)).replace("{searchable}", f"({seen_sql(level)})")


def build(progress: Progress | None = None) -> Report:
    """Make every file from one instant of the database, then have addresses lead to them, and forget old ones.

    Raises:
        core.errors.Conflict: another making is under way.
    """
    tell = progress or (lambda label, share: None)
    with connect_direct(autocommit=True) as guard, _working_folder() as folder:
        taken = guard.execute("SELECT pg_try_advisory_lock(hashtext('repere-dumps'))").fetchone()
        if taken is None or not taken[0]:
            raise Conflict("Des fichiers sont déjà en cours de fabrication. Attendez leur fin.")
        made: list[Made] = []
        with connect_direct() as conn:
            conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            positions, made_at = _positions(conn)
            steps = [(level, dataset) for level in LEVELS for dataset in DATASETS]
            for number, (level, dataset) in enumerate(steps):
                tell(f"{dataset.label}, {LEVELS[level]}", number / len(steps))
                made += _files(conn, folder, dataset, level)
        _publish(guard, made, made_at, positions)
        forget(guard)
    tell("Terminé", 1.0)
    return Report(made_at, made)


@contextmanager
def _working_folder() -> Iterator[Path]:
    home = core_settings().home.absolute()
    home.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="dumps-", dir=home))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _positions(conn: psycopg.Connection) -> tuple[dict[int, int], datetime]:
    found, at = {}, None
    for level in LEVELS:
        row = conn.execute(_POSITION.format(level=level)).fetchone()
        assert row is not None  # noqa: S101 - a SELECT without FROM has a row
        found[level], at = int(row[0]), row[1]
    assert at is not None  # noqa: S101 - there are levels
    return found, at


def _files(conn: psycopg.Connection, folder: Path, dataset: Dataset, level: int) -> Iterator[Made]:
    raw = folder / "raw.csv"
    with (
        raw.open("wb") as file,
        conn.cursor().copy(f"COPY ({statement(dataset, level)}) TO STDOUT (FORMAT csv)") as copy,
    ):
        for piece in copy:
            file.write(piece)
    columns = dataset.of(level)
    with duckdb.connect(str(folder / "work.duckdb")) as duck:
        duck.execute(f"SET memory_limit = '{_MEMORY}'; SET threads = 1; SET temp_directory = '{folder / 'spill'}'")
        types = ", ".join(f"'{column.name}': '{DUCK[column.form]}'" for column in columns)
        duck.execute(
            "CREATE OR REPLACE VIEW rows AS SELECT * FROM read_csv("
            f"'{raw}', header = false, delim = ',', quote = '\"', escape = '\"', nullstr = '',"
            f" allow_quoted_nulls = false, new_line = '\\n', max_line_size = 10000000, auto_detect = false,"
            f" columns = {{{types}}})"
        )
        counted = duck.execute("SELECT count(*) FROM rows").fetchone()
        rows = int(counted[0]) if counted else 0
        for format_ in FORMATS:
            target = folder / f"out.{format_}"
            _WRITERS[format_](duck, target, columns)
            size, digest = _keep(target)
            target.unlink()
            yield Made(dataset.name, format_, level, rows, size, digest)
    (folder / "work.duckdb").unlink(missing_ok=True)
    raw.unlink()


def _keep(path: Path) -> tuple[int, str]:
    with files.Writing() as writing, path.open("rb") as file:
        while piece := file.read(_PIECE):
            writing.write(piece)
        return writing.size, writing.keep()


def _csv_value(column: Column) -> str:
    name = f'"{column.name}"'
    if column.form == "instant":
        return f"strftime({name}, '%Y-%m-%dT%H:%M:%SZ') AS {name}"
    if column.form not in ("texte", "liste"):
        return name
    # What `core.sheets.safe` does: no spreadsheet takes a cell for a formula, and a telephone stays as it is.
    plain = f"regexp_replace({name}, '[\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f]', '', 'g')"
    formula = f"regexp_matches({plain}, '^\\s*[=+@-]') AND NOT regexp_full_match({plain}, '\\+[\\d ().-]+')"
    return f"CASE WHEN {formula} THEN chr(39) || {plain} ELSE {plain} END AS {name}"


def _csv(duck: duckdb.DuckDBPyConnection, target: Path, columns: tuple[Column, ...]) -> None:
    values = ", ".join(_csv_value(column) for column in columns)
    duck.execute(f"COPY (SELECT {values} FROM rows) TO '{target}' (FORMAT csv, HEADER, DELIMITER ',')")


def _parquet(duck: duckdb.DuckDBPyConnection, target: Path, _: tuple[Column, ...]) -> None:
    duck.execute(f"COPY rows TO '{target}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 50000)")


def _geojson(duck: duckdb.DuckDBPyConnection, target: Path, columns: tuple[Column, ...]) -> None:
    names = [column.name for column in columns]
    found = duck.execute("SELECT * FROM rows")
    with target.open("wb") as file:
        file.write(b'{"type":"FeatureCollection","features":[')
        between = b"\n"
        while batch := found.fetchmany(_BATCH):
            for row in batch:
                file.write(between + orjson.dumps(_feature(dict(zip(names, row, strict=True)))))
                between = b",\n"
        file.write(b"\n]}\n")


def _feature(values: dict[str, Any]) -> dict[str, Any]:
    lon, lat = values.pop("longitude"), values.pop("latitude")
    if (changed := values["mise_a_jour"]) is not None:
        values["mise_a_jour"] = f"{changed.isoformat(timespec='seconds')}Z"
    point = {"type": "Point", "coordinates": [lon, lat]} if lon is not None else None
    return {"type": "Feature", "id": values["id"], "geometry": point, "properties": values}


_WRITERS: Final = {"csv": _csv, "parquet": _parquet, "geojson": _geojson}


def _publish(conn: psycopg.Connection, made: list[Made], made_at: datetime, positions: dict[int, int]) -> None:
    with conn.transaction(), conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO search_api.dump (dataset, format, level, made_at, position, rows, size, digest)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [(m.dataset, m.format, m.level, made_at, positions[m.level], m.rows, m.size, m.digest) for m in made],
        )


def forget(conn: psycopg.Connection, days: int = KEPT_DAYS) -> int:
    """Forget the makings older than some days, the newest excepted, and their files; return how many files went."""
    with conn.transaction():
        gone = conn.execute(
            """
            DELETE FROM search_api.dump WHERE made_at < core.now() - %s * interval '1 day'
              AND made_at < (SELECT max(made_at) FROM search_api.dump)
            RETURNING digest
            """,
            (days,),
        ).fetchall()
    kept = {row[0] for row in conn.execute("SELECT digest FROM search_api.dump").fetchall()}
    return sum(files.discard(digest) for digest in {row[0] for row in gone} - kept)
