"""A load from files to the published directory, phase by phase (DESIGN §3)."""

import contextlib
import csv
import errno
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import psycopg

from core.db import connect_direct
from core.errors import DomainError, Unavailable
from directory.api import PublishReport, create_publication_tables, publish
from ingest import counting, live, store
from ingest.copying import BackgroundCopy, copy_in
from ingest.errors import DropRefused, FileRefused
from ingest.normalise import ameli as ameli_lines
from ingest.normalise import publication, sites
from ingest.readers.detection import Choice, choose
from ingest.readers.origins import find_origins
from ingest.reading import Reader
from ingest.schemas import LoadReport, RegisterReport
from ingest.settings import ingest_settings
from ingest.workspace import Workspace, ingest_home, sweep

Progress = Callable[[str, float], None]
"""Told of each phase: French label, share done of the whole load between 0 and 1."""

_BAN_NAME = re.compile(r"^(adresses|lieux-dits?)-\w+.*\.csv(\.gz)?$")

_NAMES = {"rpps": "RPPS", "finess": "FINESS", "ameli": "AMELI"}


def load(
    paths: Sequence[Path],
    *,
    register: str | None = None,
    accept_drop: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> LoadReport:
    """Load register files into the directory.

    Args:
        paths: files and folders.
        register: only this one (rpps, finess, ameli); every recognised one by default.
        accept_drop: publish even when a register lost more rows than the guard allows.
        force: do everything again even when the files are those of the last load.
        progress: called at each phase.

    Raises:
        FileRefused: a file is not what it should be; nothing was published.
        DropRefused: a register lost too many rows; nothing was published.
        LoadRunning: another load is under way.
    """
    with connect_direct() as conn:
        store.take_lock(conn)
        sweep()
        load_id = store.begin(conn)
        run = _Load(conn, load_id, progress or (lambda label, share: None))
        try:
            report = run.run(paths, register, accept_drop=accept_drop, force=force)
        except BaseException as error:
            known = _told(error)
            run.abandon()
            conn.rollback()
            status = "refused" if isinstance(known, DomainError) else "failed"
            store.finish(conn, load_id, status, run.report(status), _reason(known))
            if known is error:
                raise
            raise known from error
        store.finish(conn, load_id, report.status, report, None)
        return report


def _columns(table: str) -> list[str]:
    return [*publication.TABLES[table], "hash"]


def _select(table: str) -> str:
    selected = ", ".join(publication.literal(c, kind) for c, kind in publication.TABLES[table].items())
    return f"SELECT {selected}, t.hash FROM {table} t"  # noqa: S608


def _told(error: BaseException) -> BaseException:
    """A full disk, said in words; any other error as it is."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    full = full or (isinstance(error, duckdb.Error) and "No space left" in str(error))
    if full or isinstance(error, psycopg.errors.DiskFull):
        where = "celui de la base" if isinstance(error, psycopg.Error) else f"celui de {ingest_home()}"
        return Unavailable(f"Disque plein ({where}). Rien n’a été publié ; faites de la place, puis recommencez.")
    return error


def _reason(error: BaseException) -> str:
    if isinstance(error, DomainError):
        return error.detail
    if isinstance(error, KeyboardInterrupt):
        return "Interrompu par l’opérateur."
    return f"{type(error).__name__} : {error}"[:2000]


class _Load:
    def __init__(self, conn: psycopg.Connection, load_id: int, progress: Progress) -> None:
        self.conn = conn
        self.load_id = load_id
        self.progress = progress
        self.started = datetime.now(UTC)
        self.phases: dict[str, float] = {}
        self.registers: dict[str, RegisterReport] = {}
        self.notices: list[str] = []
        self.published: PublishReport | None = None
        self.linkage: dict[str, object] | None = None
        self.positions: dict[str, int] = {}
        self.communes: dict[str, int] = {}
        self.rejects_file: Path | None = None
        self.context = ""
        self.copies: BackgroundCopy | None = None

    def abandon(self) -> None:
        """Wait for what still runs beside a load that failed, so that nothing writes after it."""
        if self.copies is not None:
            with contextlib.suppress(Exception):
                self.copies.wait()

    def report(self, status: str) -> LoadReport:
        """The report as far as the load went."""
        now = datetime.now(UTC)
        return LoadReport(
            load_id=self.load_id,
            status=status,
            started_at=self.started,
            finished_at=now,
            seconds=round((now - self.started).total_seconds(), 2),
            phases={name: round(seconds, 2) for name, seconds in self.phases.items()},
            registers=self.registers,
            published=self.published.model_dump(mode="json") if self.published else None,
            linkage=self.linkage,
            positions=self.positions,
            communes=self.communes,
            notices=self.notices,
            rejects_file=str(self.rejects_file) if self.rejects_file else None,
            context=self.context,
        )

    @contextmanager
    def phase(self, name: str, label: str, share: float) -> Iterator[None]:
        """Time a phase and tell of it."""
        self.progress(label, share)
        start = time.perf_counter()
        yield
        self.phases[name] = round(self.phases.get(name, 0.0) + time.perf_counter() - start, 2)

    def run(self, paths: Sequence[Path], register: str | None, *, accept_drop: bool, force: bool) -> LoadReport:
        with self.phase("detect", "Reconnaissance des fichiers", 0.0):
            choice = choose([o for path in paths for o in find_origins(path)], register)
            self._tell_choice(choice)
        if not store.has_places(self.conn):
            self.notices.append("Aucune commune en base : les sites n’ont pas de position (« repere places load »).")
        self.context = store.context(self.conn)
        previous = store.last_reports(self.conn)
        with Workspace(f"load-{self.load_id}") as work:
            reader = Reader(work, choice)
            if not force:
                with self.phase("compare", "Comparaison avec le dernier chargement", 0.01):
                    same = reader.same_as(previous, self.context, store.last_published(self.conn))
                if same is not None:
                    self.registers = same
                    return self.report("unchanged")
            self._read(work, reader)
            self._guard(previous, accept_drop=accept_drop)
            self._draft(work, reader)
            self._publish(work, reader)
            self._write_rejects(work)
        return self.report("published")

    def _tell_choice(self, choice: Choice) -> None:
        for old, new in choice.superseded:
            self.notices.append(
                f"{old.origin.name} laissé de côté : {new.origin.name} est plus récent"
                f" ({new.published:%d/%m/%Y} au lieu du {old.published:%d/%m/%Y})."
            )
        addresses = [o for o in choice.ignored if _BAN_NAME.search(o.last_name)]
        if addresses:
            self.notices.append(
                f"{len(addresses)} fichier(s) d’adresses BAN laissé(s) de côté : « repere places ban » les charge."
            )
        ignored = [o for o in choice.ignored if o not in addresses]
        for origin in ignored[:10]:
            self.notices.append(f"{origin.name} ignoré : ce n’est pas un fichier de registre.")
        if len(ignored) > 10:
            self.notices.append(f"… et {len(ignored) - 10} autres fichiers ignorés.")
        for detected in choice.chosen:
            if detected.extra_columns:
                names = ", ".join(f"« {c} »" for c in detected.extra_columns[:5])
                count = len(detected.extra_columns)
                self.notices.append(f"{detected.origin.name} : {count} colonne(s) inconnue(s) ignorée(s) : {names}.")

    def _read(self, work: Workspace, reader: Reader) -> None:
        total = max(reader.bytes_to_read, 1)
        done = 0

        def advance(size: int) -> None:
            nonlocal done
            done += size
            self.progress("Lecture des registres", 0.02 + 0.13 * min(done / total, 1))

        with self.phase("read", "Lecture des registres", 0.02):
            reader.read(advance)
        with self.phase("normalise", "Mise en forme", 0.15):
            reader.normalise(self.conn)
        self.registers = reader.reports()
        self.notices += reader.notices

    def _guard(self, previous: dict[str, tuple[int, str, RegisterReport]], *, accept_drop: bool) -> None:
        allowed = ingest_settings().ingest_max_fall
        for name, report in self.registers.items():
            if report.rows == 0:
                raise FileRefused(report.files[0].name, "aucune ligne utilisable ; rien n’est publié.")
            if name not in previous:
                continue
            before = previous[name][2].rows
            fall = 1 - report.rows / before if before else 0
            if fall > allowed and not accept_drop:
                raise DropRefused(
                    f"{_NAMES[name]} : {report.rows:n} lignes utilisables au lieu de {before:n} au dernier chargement,"
                    f" soit {fall:.0%} de moins. Rien n’a été publié. Si cette baisse est vraie, recommencez avec"
                    " --accept-drop."
                )
            if fall > allowed:
                self.notices.append(f"{_NAMES[name]} : baisse de {fall:.0%} acceptée.")

    def _draft(self, work: Workspace, reader: Reader) -> None:
        with self.phase("places", "Communes et positions", 0.25):
            sites.draft_sites(work.con, rpps=reader.has("rpps"), finess=reader.has("finess"))
            if work.count("site_draft"):
                sites.resolve_places(work, self.conn)
                publication.make_sites(work.con)
            else:
                publication.create_empty(work.con, "pub_site")
        with self.phase("stage", "Copie vers la base", 0.33):
            self._stage(work, reader)
        with self.phase("link", "Rapprochement AMELI", 0.35):
            self._link(work, reader)
        with self.phase("hash", "Comparaison avec le répertoire", 0.5):
            if reader.has("rpps") or reader.has("ameli"):
                publication.make_roles(work.con)
            else:
                publication.create_empty(work.con, "pub_role")
            for table in publication.TABLES:
                live.read_hashes(work, self.conn, table)
            self._count(work, reader)

    def _stage(self, work: Workspace, reader: Reader) -> None:
        """Make what does not depend on the linkage, and start copying it."""
        if reader.has("finess"):
            publication.make_legal_entities(work.con)
        else:
            publication.create_empty(work.con, "pub_legal_entity")
        if reader.has("rpps"):
            publication.make_practitioners(work.con)
        else:
            publication.create_empty(work.con, "pub_practitioner")
        create_publication_tables(self.conn)
        if reader.has("finess") and not reader.legal_entities:
            live.keep_legal_entities(self.conn)
        self.conn.commit()
        self.copies = BackgroundCopy(work.folder)
        for table in ("pub_legal_entity", "pub_site", "pub_practitioner"):
            if work.count(table):
                self.copies.add(work.con, _select(table), ("staging", table), _columns(table))
        self.copies.start()

    def _link(self, work: Workspace, reader: Reader) -> None:
        if not reader.has("ameli") and not (reader.has("rpps") and store.read_stored_lines(work, self.conn)):
            ameli_lines.no_conventions(work.con)
            return
        reader.links = True
        if not reader.has("rpps"):
            live.read_roles(work, self.conn)
            live.read_people(work, self.conn)
        self.linkage = ameli_lines.link_ameli(
            work,
            store.decisions(self.conn),
            from_directory=not reader.has("rpps"),
            progress=lambda label, share: self.progress(f"Rapprochement AMELI : {label.lower()}", 0.35 + 0.15 * share),
        )
        store.make_link_rows(work)
        store.read_old_links(work, self.conn)

    def _count(self, work: Workspace, reader: Reader) -> None:
        for name, report in self.registers.items():
            if name == "rpps":
                counting.count_rpps(work, report, reader.side_tables)
            elif name == "finess":
                counting.count_finess(work, report)
            else:
                counting.count_ameli(work, report)
            if not report.adds_up():
                raise RuntimeError(f"{name}: counts do not add up: {report.model_dump()}")
        query = "SELECT position_level, count(*) FROM pub_site WHERE closed_on IS NULL GROUP BY 1 ORDER BY 2 DESC"
        self.positions = dict(work.con.execute(query).fetchall())
        query = "SELECT commune_how, count(*) FROM pub_site WHERE closed_on IS NULL GROUP BY 1 ORDER BY 2 DESC"
        self.communes = dict(work.con.execute(query).fetchall())

    def _publish(self, work: Workspace, reader: Reader) -> None:
        registers = {name for name in self.registers if name != "ameli"}
        if reader.links:
            registers.add("ameli")
        with self.phase("copy", "Copie vers la base", 0.55):
            if work.count("pub_role"):
                # Without RPPS only what AMELI changes is brought.
                only = "" if reader.has("rpps") else "JOIN old_pub_role o USING (key) WHERE o.hash <> t.hash"
                query = f"{_select('pub_role')} {only}"
                copy_in(work.con, self.conn, query, ("staging", "pub_role"), _columns("pub_role"), work.folder)
            if reader.links:
                store.stage_links(work, self.conn, self.load_id)
            self.conn.commit()
            if self.copies is not None:
                self.copies.wait()
        with self.phase("publish", "Publication", 0.65):
            self.published = publish(
                self.conn,
                self.load_id,
                registers,
                lambda label, share: self.progress(f"Publication : {label.lower()}", 0.65 + 0.32 * share),
            )
            self.conn.commit()
        with self.phase("finish", "Fin", 0.97):
            if reader.links:
                store.merge_links(self.conn, self.load_id)
                self.conn.commit()

    def _write_rejects(self, work: Workspace) -> None:
        if not any(len(r) for r in work.rejects.values()):
            return
        folder = ingest_home() / "rejects"
        folder.mkdir(exist_ok=True)
        path = folder / f"load-{self.load_id}.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, delimiter=";")
            writer.writerow(["registre", "fichier", "ligne", "motif"])
            for register, rejects in work.rejects.items():
                writer.writerows((register, r.file, r.line, r.reason) for r in rejects.items)
        self.rejects_file = path
