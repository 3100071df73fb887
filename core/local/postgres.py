"""The private PostgreSQL of an instance: one cluster, reached by its own socket, whatever else runs here."""

import os
import pwd
import shutil
import stat
import time
from pathlib import Path
from urllib.parse import quote

from core.local.console import Failure, warn
from core.local.home import Home, read_json, traversable, write_atomically
from core.local.packages import postgres_bin
from core.local.process import output_of, run_logged, started_at, tail

DATABASE = "repere"
TEST_DATABASE = "repere_check"
_ADMIN = "repere_admin"
_EXTENSIONS = ("postgis", "pg_trgm", "unaccent", "fuzzystrmatch", "btree_gist")
_TRIES, _PAUSE_SECONDS = 20, 0.5
_PORT = 5432  # only names the socket file: the cluster listens on no address


class Postgres:
    """The cluster of one instance. As root its files and processes belong to the account « postgres »."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.user = "postgres" if os.geteuid() == 0 else None
        self.folder = home.services
        self.data = self.folder / "data"
        self.log = self.folder / "postgresql.log"

    def url(self, database: str = DATABASE) -> str:
        """Return the SQLAlchemy address of one of its databases: through the socket, known by our account."""
        folder = quote(str(self.home.sockets()), safe="/")
        return f"postgresql+psycopg://{DATABASE}@/{database}?host={folder}&port={_PORT}"

    @property
    def version(self) -> str | None:
        """Major version that made the cluster, None when there is no cluster yet."""
        try:
            return (self.data / "PG_VERSION").read_text().strip()
        except OSError:
            return None

    def binary(self, name: str) -> Path:
        """Return a program of the version that made the cluster.

        Raises:
            Failure: that version is no longer installed (after a system upgrade, say).
        """
        found = postgres_bin(self.version)
        if found is None and self.version:
            raise Failure(
                f"La base a été créée par PostgreSQL {self.version}, qui n’est plus installé avec PostGIS :"
                f" installez postgresql-{self.version}-postgis-3, ou repartez de zéro avec ./repere reset."
            )
        if found is None:
            raise Failure("PostgreSQL et PostGIS ne sont pas installés : lancez ./repere install.")
        return found / name

    def running_pid(self) -> int | None:
        """Return the pid of the postmaster that holds this very data folder, None when none does."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            name = Path(f"/proc/{pid}/comm").read_text().strip()
        except (OSError, ValueError, IndexError):
            return None
        if name != "postgres" or started_at(pid) is None:
            return None
        try:
            return pid if Path(f"/proc/{pid}/cwd").readlink() == self.data.resolve() else None
        except PermissionError:
            # Containers hide the folders of other accounts' processes even from root: trust the pid file then.
            return pid
        except OSError:
            return None

    def ready(self) -> bool:
        """Tell whether the cluster answers on its socket."""
        if self.running_pid() is None:
            return False
        folder = str(self.home.sockets())
        code, _ = output_of([self.binary("pg_isready"), "-q", "-h", folder, "-p", str(_PORT), "-t", "3"])
        return code == 0

    def _owned_folder(self, folder: Path, mode: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if self.user:
            account = pwd.getpwnam(self.user)
            if folder.stat().st_uid != account.pw_uid:
                os.chown(folder, account.pw_uid, account.pw_gid)
        folder.chmod(mode)

    def ensure(self) -> None:
        """Create the cluster when there is none, and start it when it is stopped.

        A creation that was cut short is thrown away: the data folder takes its name only once complete.
        """
        if self.ready():
            return
        self._folders()
        if self.version is None:
            self._create()
        self._configure()
        self._start()

    def _folders(self) -> None:
        try:
            if self.user and not traversable(self.folder.parent):
                self.folder.parent.mkdir(parents=True, exist_ok=True)
                for closed in (self.folder.parent, *self.folder.parent.parents):
                    if not closed.stat().st_mode & stat.S_IXOTH:
                        raise Failure(
                            f"Le compte « postgres » ne peut plus traverser {closed} : rouvrez ce dossier"
                            f" (chmod o+x {closed}), ou choisissez un autre REPERE_HOME."
                        )
            self._owned_folder(self.folder, 0o711)
            self._claim()
            self._owned_folder(self.home.sockets(), 0o711 if self.user else 0o700)
        except OSError as error:
            raise Failure(f"Impossible de préparer {self.folder} : {error.strerror}.") from error

    def _claim(self) -> None:
        """Set aside what another instance left where this one's cluster must lie (its REPERE_HOME is gone)."""
        marker = self.folder / "instance"
        mine = str(self.home.instance.get("id", ""))
        left = marker.read_text() if marker.exists() else ""
        if left and left != mine:
            pid = self.running_pid()
            if pid is not None:
                run_logged(
                    [self.binary("pg_ctl"), "-D", self.data, "-w", "-t", "60", "stop", "-m", "fast"],
                    self.home.setup_log,
                    f"Un PostgreSQL laissé par une instance effacée ne s’arrête pas (processus {pid})",
                    user=self.user,
                    cwd=Path("/"),
                )
            aside = self.folder / "old"
            shutil.rmtree(aside, ignore_errors=True)
            if self.data.exists():
                self.data.rename(aside)
                warn(f"Une instance effacée avait laissé sa base ici : elle est mise de côté dans {aside}.")
        if left != mine:
            write_atomically(marker, mine)

    def _create(self) -> None:
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        run_logged(
            [
                self.binary("initdb"),
                *("-D", fresh, "-U", _ADMIN, "--auth=peer", "--encoding=UTF8", "--locale=C.UTF-8"),
                "--data-checksums",
            ],
            self.home.setup_log,
            "La base PostgreSQL privée n’a pas pu être créée",
            user=self.user,
            cwd=Path("/"),
        )
        shutil.rmtree(self.data, ignore_errors=True)
        fresh.rename(self.data)

    def _configure(self) -> None:
        me = pwd.getpwuid(os.geteuid()).pw_name
        accounts = {me, self.user or me}
        files = {
            "pg_hba.conf": "local all all peer map=repere\n",
            "pg_ident.conf": "".join(f'repere "{a}" {role}\n' for a in sorted(accounts) for role in (DATABASE, _ADMIN)),
            "repere.conf": self._settings(),
        }
        main = self.data / "postgresql.conf"
        text = main.read_text()
        if "include 'repere.conf'" not in text:
            files["postgresql.conf"] = text + "\ninclude 'repere.conf'\n"
        for name, content in files.items():
            write_atomically(self.data / name, content, 0o600)
            if self.user:
                shutil.chown(self.data / name, self.user)

    def _settings(self) -> str:
        """Return settings for a shared two-core host, from the memory it has (in MB, bounded both ways)."""
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        cores = os.cpu_count() or 2
        values = {
            "listen_addresses": "''",
            "port": _PORT,
            "unix_socket_directories": "'" + str(self.home.sockets()).replace("'", "''") + "'",
            "unix_socket_permissions": "0777" if self.user else "0700",
            "max_connections": 120,
            "shared_buffers": f"{min(max(memory // 6, 128), 2048)}MB",
            "effective_cache_size": f"{max(memory // 2, 256)}MB",
            "work_mem": f"{min(max(memory // 256, 8), 48)}MB",
            "maintenance_work_mem": f"{min(max(memory // 24, 64), 768)}MB",
            "max_wal_size": "4GB",
            "min_wal_size": "256MB",
            "checkpoint_timeout": "15min",
            "checkpoint_completion_target": 0.9,
            "wal_compression": "on",
            "random_page_cost": 1.1,
            "effective_io_concurrency": 100,
            "max_parallel_workers": cores,
            "max_parallel_workers_per_gather": min(2, cores),
            "max_parallel_maintenance_workers": min(2, cores),
            "jit": "off",
            "timezone": "'UTC'",
            "log_timezone": "'UTC'",
            "lc_messages": "'C.UTF-8'",
            "log_min_duration_statement": "2s",
            "log_line_prefix": "'%m [%p] %a '",
            # Values of a statement may be personal data: they stay out of the log.
            "log_parameter_max_length": 0,
            "log_parameter_max_length_on_error": 0,
        }
        return "".join(f"{name} = {value}\n" for name, value in values.items())

    def _start(self) -> None:
        stale = self.data / "postmaster.pid"
        if stale.exists() and self.running_pid() is None:
            # After a power cut the pid may now be another process of the same account, and PostgreSQL would refuse.
            stale.unlink()
        if self.log.exists() and self.log.stat().st_size > 50 * 2**20:
            self.log.replace(self.log.with_suffix(".log.1"))
        try:
            run_logged(
                [self.binary("pg_ctl"), "-D", self.data, "-l", self.log, "-w", "-t", "90", "start"],
                self.home.setup_log,
                "La base PostgreSQL privée n’a pas démarré",
                user=self.user,
                cwd=Path("/"),
            )
        except Failure as failure:
            raise Failure(f"{failure.message}\nFin du journal {self.log} :\n{tail(self.log)}") from failure

    def stop(self) -> None:
        """Stop the cluster cleanly; nothing happens when it is not running."""
        if self.running_pid() is None:
            return
        run_logged(
            [self.binary("pg_ctl"), "-D", self.data, "-w", "-t", "90", "stop", "-m", "fast"],
            self.home.setup_log,
            "La base PostgreSQL privée ne s’arrête pas",
            user=self.user,
            cwd=Path("/"),
        )

    def sql(self, statements: str, database: str = "postgres", role: str = _ADMIN) -> tuple[int, str]:
        """Run SQL through psql as the cluster's administrator; return psql's exit code and output."""
        argv: list[str | Path] = [self.binary("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        argv += ["-h", self.home.sockets(), "-p", str(_PORT), "-U", role, "-d", database]
        return output_of(argv, text=statements)

    def ensure_database(self, name: str = DATABASE) -> None:
        """Create the application's role and one database, with the extensions that only an administrator may add.

        The role is no superuser; it may create databases, for the tests. The extensions go to template1 first,
        so that every later database has them.

        Raises:
            Failure: PostgreSQL refused, with its words.
        """
        extensions = "".join(f"CREATE EXTENSION IF NOT EXISTS {name};" for name in _EXTENSIONS)
        known = f"SELECT 1 FROM pg_database, pg_roles WHERE datname = '{name}' AND rolname = '{DATABASE}'"  # noqa: S608
        steps = (
            f"{extensions}"
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'repere') THEN"
            " CREATE ROLE repere LOGIN CREATEDB; GRANT pg_read_all_stats TO repere; END IF; END $$;"
        )
        refused = ""
        for _ in range(_TRIES):
            code, output = self.sql(known)
            if code == 0 and output == "1":
                return
            code, refused = self.sql(steps, "template1")
            if code == 0:
                code, refused = self.sql(f"CREATE DATABASE {name} OWNER {DATABASE}")
            if code == 0:
                return
            # What a killed set-up asked of the server goes on there for a moment, and stands in our way until it ends.
            time.sleep(_PAUSE_SECONDS)
        raise Failure(f"La base « {name} » n’a pas pu être créée : {refused}")

    def identity(self) -> str:
        """Return what tells this application database from any other, also one made anew in its place."""
        query = "SELECT system_identifier, oid FROM pg_control_system(), pg_database WHERE datname = 'repere'"
        code, found = self.sql(query)
        return found if code == 0 else ""

    def drop_database(self, name: str) -> None:
        """Drop one database, its connections cut."""
        code, output = self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        if code != 0:
            raise Failure(f"La base « {name} » n’a pas pu être effacée : {output}")

    def erase(self) -> None:
        """Remove the cluster's folder and its sockets; it must be stopped."""
        sockets = read_json(self.home.instance_file).get("sockets")
        shutil.rmtree(self.folder, ignore_errors=True)
        if sockets:
            shutil.rmtree(sockets, ignore_errors=True)
