"""Links straight from register files, without a database."""

import csv
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd

from ingest.errors import FileRefused
from ingest.normalise import ameli, rpps
from ingest.readers.ameli import read_ameli
from ingest.readers.detection import Kind, choose
from ingest.readers.origins import find_origins
from ingest.readers.rpps import read_rpps
from ingest.workspace import Workspace


def link_files(source: Path, progress: Callable[[str, float], None]) -> Iterator[tuple[int, str, str, int, str]]:
    """Link the AMELI lines of a folder to its RPPS activities: (line, RPPS, structure, score, decision) of each.

    Raises:
        FileRefused: one of the two registers is missing or damaged.
    """
    choice = choose(find_origins(source))
    files = {d.kind: d for d in choice.chosen}
    for kind in (Kind.AMELI, Kind.RPPS_ACTIVITY):
        if kind not in files:
            raise FileRefused(str(source), f"il manque un fichier « {kind.label} ».")
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as kept:
        with Workspace("links") as work:
            progress("Lecture", 0.0)
            con = work.con
            read_rpps(con, files[Kind.RPPS_ACTIVITY], work.folder, "rpps_line", once=True)
            found = read_ameli(con, files[Kind.AMELI], work.folder, work.rejects_of("ameli"))
            con.execute("CREATE TABLE known_finess (finess VARCHAR)")
            rpps.normalise_rpps(con, files[Kind.RPPS_ACTIVITY].origin.name, work.rejects_of("rpps"))
            ameli.reject_ameli(con, files[Kind.AMELI].origin.name, work.rejects_of("ameli"))
            ameli.link_ameli(
                work,
                pd.DataFrame(columns=["fingerprint", "rpps", "structure", "verdict"], dtype="str"),
                from_directory=False,
                progress=lambda label, share: progress(label, 0.2 + 0.8 * share),
            )
            cursor = work.con.execute(
                """SELECT n.rank, coalesce(l.rpps, ''), coalesce(l.structure, ''), coalesce(l.score, 0),
                    coalesce(l.decision, 'rejected')
                FROM range(1, ? + 1) AS n(rank) LEFT JOIN ameli_linked l ON l.rank = n.rank ORDER BY n.rank""",
                [found.lines],
            )
            writer = csv.writer(kept)
            while rows := cursor.fetchmany(10_000):
                writer.writerows(rows)
        kept.seek(0)
        for line, who, structure, score, decision in csv.reader(kept):
            yield int(line), who, structure, int(score), decision
