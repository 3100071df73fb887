"""FINESS Etalab CSV (REGISTERS §2a): establishments, positions and legal entities, in one file or several."""

from contextlib import ExitStack
from pathlib import Path

import duckdb

from ingest.errors import FileRefused
from ingest.readers.detection import Detected
from ingest.readers.layouts import FINESS_RECORDS
from ingest.readers.quoted import QuotedFile, is_utf8
from ingest.readers.rows import Rejects, RowFile
from ingest.readers.scan import Progress
from ingest.readers.tables import FileRead, load_rows

OTHER_RECORDS = "enregistrement d’un autre type"


def read_finess_csv(
    con: duckdb.DuckDBPyConnection,
    detected: Detected,
    work: Path,
    rejects: Rejects,
    progress: Progress | None = None,
) -> FileRead:
    """Append to `finess_et`, `finess_geo` and `finess_ej` (line, official field names), created by the caller.

    UTF-8 first, else cp1252 for the whole file.

    Raises:
        FileRefused: neither encoding, a first record of the wrong length, a last line that is cut.
    """
    encoding = "utf-8" if is_utf8(detected.origin) else "cp1252"
    source = QuotedFile(detected, encoding, progress)
    name = detected.origin.name
    lines = 0
    last: tuple[int, str, int] | None = None
    checked: set[str] = set()
    with ExitStack() as stack:
        files = {record: stack.enter_context(RowFile(work / f"{record}.tsv")) for record in FINESS_RECORDS}
        for line, fields, reason in source.records():
            if line == 1:
                continue
            lines += 1
            if reason is not None:
                rejects.add(name, line, reason)
                continue
            record = fields[0]
            layout = FINESS_RECORDS.get(record)
            if layout is None:
                rejects.add(name, line, OTHER_RECORDS)
                last = None
                continue
            last = (line, record, len(fields))
            if len(fields) != len(layout):
                if record not in checked:
                    raise _wrong_layout(name, line, record, fields)
                rejects.add(name, line, "nombre de champs inattendu")
                continue
            checked.add(record)
            files[record].write(line, fields)
        if not source.ended and (last is None or last[2] < len(FINESS_RECORDS[last[1]])):
            raise FileRefused(name, "fichier tronqué : la dernière ligne est coupée.", line=lines + 1)
    for record, layout in FINESS_RECORDS.items():
        table = f"finess_{record}"
        load_rows(con, files[record].path, "finess_part", layout)
        con.execute(f"INSERT INTO {table} SELECT {sql_file(name)} AS file, * FROM finess_part")  # noqa: S608
    con.execute("DROP TABLE finess_part")
    return FileRead(detected, source.sha256, source.size, lines)


def sql_file(name: str) -> str:
    """The SQL literal of a file's name."""
    return "'" + name.replace("'", "''") + "'"


def create_finess_tables(con: duckdb.DuckDBPyConnection) -> None:
    """Create the empty tables `finess_structureet`, `finess_geolocalisation`, `finess_structureej`."""
    for record, layout in FINESS_RECORDS.items():
        columns = ", ".join(f"{c} VARCHAR" for c in layout)
        con.execute(f"CREATE OR REPLACE TABLE finess_{record} (file VARCHAR, line BIGINT, {columns})")


def _wrong_layout(name: str, line: int, record: str, fields: list[str]) -> FileRefused:
    layout = FINESS_RECORDS[record]
    found, wanted = len(fields), len(layout)
    column = layout[min(found, wanted - 1)]
    if found < wanted:
        return FileRefused(
            name, f"{found} champs au lieu de {wanted} ({record}) : colonne absente.", line=line, column=column
        )
    return FileRefused(name, f"{found} champs au lieu de {wanted} ({record}).", line=line)
