"""RPPS files into duckdb: one row per line, trimmed text, the physical line number kept."""

from pathlib import Path

import duckdb
import pandas as pd

from ingest.readers.detection import Detected, Kind
from ingest.readers.layouts import RPPS_ACTIVITY, RPPS_DIPLOMAS, RPPS_SKILLS
from ingest.readers.scan import Progress, Scanned, scan_piped
from ingest.readers.tables import sql_text

_LAYOUTS = {Kind.RPPS_ACTIVITY: RPPS_ACTIVITY, Kind.RPPS_SKILLS: RPPS_SKILLS, Kind.RPPS_DIPLOMAS: RPPS_DIPLOMAS}


def read_rpps(
    con: duckdb.DuckDBPyConnection,
    detected: Detected,
    work: Path,
    table: str,
    progress: Progress | None = None,
    *,
    once: bool = False,
) -> Scanned:
    """Read one RPPS file into `table(line, …short names of the layout)`; absent optional columns are NULL.

    With `once` the table is a view over the checked file, for a caller that reads it one time only: the country's
    lines are then written to disk once, in their final shape.

    Raises:
        FileRefused: see `scan_piped`.
    """
    scanned = scan_piped(detected, work, progress)
    layout = _LAYOUTS[detected.kind]
    positions = {layout[name]: i for i, name in enumerate(detected.columns) if layout.get(name)}
    columns = "{" + ", ".join(f"'c{i}': 'VARCHAR'" for i in range(scanned.fields)) + "}"
    selected = [
        f"nullif(trim(c{positions[short]}), '') AS {short}" if short in positions else f"NULL::VARCHAR AS {short}"
        for short in layout.values()
        if short
    ]
    # Line = place among the kept lines + rejected lines before it + the header.
    line, join = "n + 1 AS line", ""
    if scanned.rejected:
        before: dict[int, int] = {}
        for rank, (number, _) in enumerate(scanned.rejected):
            before[number - 2 - rank] = rank + 1
        frame = pd.DataFrame({"kept": list(before), "rejected": list(before.values())})
        con.register("rejected_lines", frame)
        con.execute(f"CREATE OR REPLACE TABLE {table}_skipped AS SELECT kept, rejected FROM rejected_lines")  # noqa: S608
        con.unregister("rejected_lines")
        line, join = "n + 1 + coalesce(rejected, 0) AS line", f"ASOF LEFT JOIN {table}_skipped ON n > kept"
    kind = "VIEW" if once else "TABLE"
    con.execute(
        f"""CREATE OR REPLACE {kind} {table} AS
        SELECT {line}, rows.* EXCLUDE (n) FROM (
            SELECT row_number() OVER () AS n, {", ".join(selected)}
            FROM read_csv({sql_text(scanned.path)}, delim='|', quote='', escape='', comment='', header=false, skip=1,
                columns={columns}, auto_detect=false, nullstr='', max_line_size=200000, new_line='\\n')
            ) AS rows {join}"""  # noqa: S608
    )
    return scanned
