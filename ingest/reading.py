"""The files of one load: read into duckdb, normalised, counted."""

import hashlib
from collections.abc import Callable

import psycopg

from ingest import live
from ingest.counting import UNITS
from ingest.errors import FileRefused
from ingest.normalise import ameli, finess, rpps
from ingest.readers.ameli import read_ameli
from ingest.readers.detection import Choice, Detected, Kind
from ingest.readers.finess_csv import create_finess_tables, read_finess_csv
from ingest.readers.finess_json import read_finess_json
from ingest.readers.origins import CHUNK
from ingest.readers.rpps import read_rpps
from ingest.readers.tables import FileRead
from ingest.schemas import FileReport, RegisterReport
from ingest.workspace import Workspace

_TABLES = {
    Kind.RPPS_ACTIVITY: "rpps_line",
    Kind.RPPS_SKILLS: "rpps_skills_line",
    Kind.RPPS_DIPLOMAS: "rpps_diplomas_line",
}


class Reader:
    """Reads the chosen files. `links`: this load links AMELI lines; `legal_entities`: their file was given."""

    def __init__(self, work: Workspace, choice: Choice) -> None:
        self.work = work
        self.files = choice.chosen
        self.read_files: list[FileRead] = []
        self.notices: list[str] = []
        self.links = False
        self._kinds = {d.kind for d in self.files}
        self._require()

    def _require(self) -> None:
        """Side files alone cannot be loaded: they complete the main one."""
        for register, main in (("rpps", Kind.RPPS_ACTIVITY), ("ameli", Kind.AMELI)):
            given = [d for d in self.files if d.kind.register == register]
            if given and main not in self._kinds:
                raise FileRefused(given[0].origin.name, f"il manque le fichier « {main.label} », qu’il complète.")
        csv_files = [d for d in self.files if d.kind is Kind.FINESS_CSV]
        if csv_files and not any("structureet" in d.records for d in csv_files):
            raise FileRefused(
                csv_files[0].origin.name,
                "il manque le fichier FINESS des établissements (structureet), qu’il complète.",
            )

    def has(self, register: str) -> bool:
        """Whether a register is among the files."""
        return any(kind.register == register for kind in self._kinds)

    @property
    def legal_entities(self) -> bool:
        """Whether the legal entities of FINESS are among the files."""
        return Kind.FINESS_JSON in self._kinds or self.work.count("finess_structureej") > 0

    @property
    def side_tables(self) -> list[str]:
        """duckdb tables of the RPPS side files."""
        return [_TABLES[k] for k in (Kind.RPPS_SKILLS, Kind.RPPS_DIPLOMAS) if k in self._kinds]

    @property
    def bytes_to_read(self) -> int:
        """Rough volume, for the progress bar (compressed files count for their size on disk)."""
        return sum(d.origin.path.stat().st_size for d in self.files)

    def same_as(
        self, previous: dict[str, tuple[int, str, RegisterReport]], context: str, last: int
    ) -> dict[str, RegisterReport] | None:
        """The reports of an unchanged load when every file is that of the last publication (`last`), else None."""
        given = {d.kind.register for d in self.files}
        if not given or any(r not in previous or previous[r][1] != context for r in given):
            return None
        # Another load may have published since (also one that died before its report): start again from the files.
        if any(previous[r][0] != last for r in given):
            return None
        for register in given:
            digests = sorted(_digest(d) for d in self.files if d.kind.register == register)
            if _combine(digests) != previous[register][2].digest:
                return None
        reports = {}
        for register in sorted(given):
            old = previous[register][2]
            reports[register] = old.model_copy(
                update={"new": 0, "changed": 0, "closed": 0, "unchanged": old.read - old.rejected}
            )
        return reports

    def read(self, progress: Callable[[int], None]) -> None:
        """Read every file into duckdb.

        Raises:
            FileRefused: a file is damaged.
        """
        con, folder = self.work.con, self.work.folder
        create_finess_tables(con)
        for detected in self.files:
            rejects = self.work.rejects_of(detected.kind.register)
            if detected.kind in _TABLES:
                once = detected.kind is Kind.RPPS_ACTIVITY
                scanned = read_rpps(con, detected, folder, _TABLES[detected.kind], progress, once=once)
                rejects.extend(detected.origin.name, scanned.rejected)
                found = FileRead(detected, scanned.sha256, scanned.size, scanned.lines)
            elif detected.kind is Kind.FINESS_CSV:
                found = read_finess_csv(con, detected, folder, rejects, progress)
            elif detected.kind is Kind.FINESS_JSON:
                found = read_finess_json(con, detected, folder, rejects, progress)
            else:
                found = read_ameli(con, detected, folder, rejects, progress)
            self.read_files.append(found)

    def _name(self, kind: Kind) -> str:
        return next(d.origin.name for d in self.files if d.kind is kind)

    def normalise(self, conn: psycopg.Connection) -> None:
        """Bring the registers to their common shapes; lines that cannot be used are rejected here."""
        con, work = self.work.con, self.work
        if Kind.FINESS_JSON in self._kinds:
            finess.from_json(con, self._name(Kind.FINESS_JSON), work.rejects_of("finess"))
        elif Kind.FINESS_CSV in self._kinds:
            finess.from_csv(con, work.rejects_of("finess"))
            if not self.legal_entities:
                self.notices.append(
                    "FINESS : fichier des entités juridiques absent ; celles du répertoire restent en l’état."
                )
        if self.has("finess"):
            con.execute("CREATE OR REPLACE TABLE known_finess AS SELECT finess FROM finess_site WHERE closed IS NULL")
        else:
            live.read_known_finess(work, conn)
        if self.has("rpps"):
            rpps.normalise_rpps(con, self._name(Kind.RPPS_ACTIVITY), work.rejects_of("rpps"))
            self._side_files(conn)
        if self.has("ameli"):
            ameli.reject_ameli(con, self._name(Kind.AMELI), work.rejects_of("ameli"))

    def _side_files(self, conn: psycopg.Connection) -> None:
        for kind in (Kind.RPPS_SKILLS, Kind.RPPS_DIPLOMAS):
            if kind in self._kinds:
                rejected = rpps.reject_side_lines(self.work.con, _TABLES[kind])
                self.work.rejects_of("rpps").extend(self._name(kind), rejected)
        skills, diplomas = Kind.RPPS_SKILLS in self._kinds, Kind.RPPS_DIPLOMAS in self._kinds
        rpps.read_qualifications(self.work.con, skills=skills, diplomas=diplomas)
        if not (skills and diplomas):
            live.read_qualifications(self.work, conn)
            rpps.keep_qualifications(self.work.con, skills=not skills, diplomas=not diplomas)

    def reports(self) -> dict[str, RegisterReport]:
        """The register reports as far as reading tells: read, rejected, files, rows for the guard."""
        reports: dict[str, RegisterReport] = {}
        for found in self.read_files:
            register = found.detected.kind.register
            report = reports.setdefault(register, RegisterReport(unit=UNITS[register]))
            report.read += found.lines
            report.files.append(
                FileReport(
                    name=found.detected.origin.name,
                    kind=found.detected.kind.value,
                    published=found.detected.published,
                    size=found.size,
                    sha256=found.sha256,
                    lines=found.lines,
                    extra_columns=list(found.detected.extra_columns),
                )
            )
        for register, report in reports.items():
            rejects = self.work.rejects_of(register)
            report.rejected = len(rejects)
            report.reasons = rejects.by_reason()
            report.digest = _combine(sorted(f.sha256 for f in report.files))
            report.rows = self._rows(register)
        return reports

    def _rows(self, register: str) -> int:
        query = {
            "rpps": "SELECT sum(lines)::BIGINT FROM role_base",
            "finess": "SELECT count(*) FROM finess_site WHERE closed IS NULL",
            "ameli": "SELECT count(*) FROM ameli_line",
        }[register]
        row = self.work.con.execute(query).fetchone()
        return int(row[0] or 0) if row else 0


def _digest(detected: Detected) -> str:
    digest = hashlib.sha256()
    with detected.origin.open() as stream:
        while piece := stream.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _combine(digests: list[str]) -> str:
    return hashlib.sha256("".join(digests).encode()).hexdigest()
