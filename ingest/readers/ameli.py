"""AMELI `liste-ps` (REGISTERS §3): columns by name, whatever their order."""

from pathlib import Path

import duckdb

from ingest.errors import FileRefused
from ingest.readers.detection import Detected
from ingest.readers.layouts import AMELI
from ingest.readers.quoted import QuotedFile
from ingest.readers.rows import Rejects, RowFile
from ingest.readers.scan import Progress
from ingest.readers.tables import FileRead, load_rows

COLUMNS = [short for short in AMELI.values() if short]


def read_ameli(
    con: duckdb.DuckDBPyConnection,
    detected: Detected,
    work: Path,
    rejects: Rejects,
    progress: Progress | None = None,
) -> FileRead:
    """Read into `ameli_line(line, rank, …)`: `line` is physical, `rank` counts data lines from 1 (rejects included).

    Raises:
        FileRefused: not UTF-8, a last line that is cut, no data line that can be read.
    """
    source = QuotedFile(detected, "utf-8", progress)
    name = detected.origin.name
    positions = {AMELI[c]: i for i, c in enumerate(detected.columns) if AMELI.get(c)}
    order = [positions[short] for short in COLUMNS]
    width = len(detected.columns)
    lines = 0
    last_width = 0
    with RowFile(work / "ameli.tsv") as output:
        for line, fields, reason in source.records():
            if line == 1:
                continue
            lines += 1
            last_width = len(fields)
            if reason is None and len(fields) != width:
                reason = "nombre de champs inattendu"
            if reason is not None:
                rejects.add(name, line, reason)
                continue
            output.write(line, [str(lines), *[fields[i] for i in order]])
    if not lines:
        raise FileRefused(name, "aucune ligne après l’en-tête.", line=2)
    if not source.ended and last_width < width:
        column = detected.columns[max(last_width - 1, 0)]
        raise FileRefused(
            name,
            f"fichier tronqué : la dernière ligne n’a que {last_width} champs sur {width}.",
            line=lines + 1,
            column=column,
        )
    if not output.rows:
        raise FileRefused(name, "aucune ligne lisible.", line=2)
    load_rows(con, output.path, "ameli_line", ["rank", *COLUMNS])
    con.execute("ALTER TABLE ameli_line ALTER rank TYPE BIGINT")
    return FileRead(detected, source.sha256, source.size, lines)
