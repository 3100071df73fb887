"""REPERE_HOME: where each piece of an instance's state lies, its secrets, its stamps and its locks."""

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.local.console import Failure, say
from core.local.process import is_alive, started_at

REPOSITORY = Path(__file__).resolve().parents[2]
# sun_path holds 108 bytes with its final NUL, and PostgreSQL adds "/.s.PGSQL.5432.lock".
_LONGEST_SOCKET_FOLDER = 85
_PLAIN_PATH = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.-")


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace a file whole: a crash leaves the old text or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_json(path: Path) -> dict[str, Any]:
    """Return the object of a small JSON file; an absent or broken one counts as empty."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def digest(*parts: str | bytes | Path) -> str:
    """Return a short stable key of texts and of the contents of files (an absent file counts as empty)."""
    whole = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            data = part.read_bytes() if part.is_file() else b""
        else:
            data = part.encode() if isinstance(part, str) else part
        whole.update(hashlib.sha256(data).digest())
    return whole.hexdigest()[:24]


def traversable(path: Path) -> bool:
    """Tell whether any user of the machine may pass through every folder above and down to this path."""
    folders = [folder for folder in (path, *path.parents) if folder.exists()]
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)


@dataclass(frozen=True)
class Home:
    """The folder that holds all the state of one instance."""

    root: Path

    @classmethod
    def locate(cls, environ: Mapping[str, str] = os.environ) -> "Home":
        """Find REPERE_HOME (default: .repere in the repository)."""
        given = environ.get("REPERE_HOME", "").strip()
        return cls(Path(given).expanduser().absolute() if given else REPOSITORY / ".repere")

    @property
    def venv(self) -> Path:
        """The Python environment that `uv sync` fills."""
        return self.root / "venv"

    @property
    def python(self) -> Path:
        """The interpreter of that environment."""
        return self.venv / "bin" / "python"

    @property
    def interpreter(self) -> dict[str, str]:
        """Environment of every Python process of ours.

        Compiled modules lie here: a start without them takes three times as long, and neither the repository nor the
        machine has to be writable, or to keep them.
        """
        return {
            "PYTHONUNBUFFERED": "1",
            "PYTHONPYCACHEPREFIX": str(self.root / "bytecode"),
            "PYTHONDONTWRITEBYTECODE": "",
        }

    @property
    def logs(self) -> Path:
        """One log per process, and setup.log."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """Locks and the supervisor's state."""
        return self.root / "run"

    @property
    def state_file(self) -> Path:
        """What the supervisor runs now, for `status`, `stop` and the next start."""
        return self.run / "supervisor.json"

    @property
    def instance_file(self) -> Path:
        """Identity of the instance and the places of its services."""
        return self.root / "instance.json"

    @property
    def secrets_file(self) -> Path:
        """Secrets made at the first start, readable by their owner only."""
        return self.root / "secrets.json"

    @property
    def setup_log(self) -> Path:
        """Output of every set-up command."""
        return self.logs / "setup.log"

    def prepare(self) -> None:
        """Create the folder and the instance's identity; refuse a folder of another user."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            if self.root.stat().st_uid != os.geteuid():
                raise Failure(
                    f"Le dossier {self.root} appartient à un autre utilisateur : lancez Repère sous ce nom,"
                    " ou donnez un autre dossier avec REPERE_HOME."
                )
            for folder in (self.logs, self.run):
                folder.mkdir(mode=0o750, exist_ok=True)
            if not self.instance_file.exists():
                write_atomically(
                    self.instance_file, json.dumps({"id": uuid.uuid4().hex, "services": str(self._choose())})
                )
        except OSError as error:
            raise Failure(
                f"Repère ne peut pas écrire dans {self.root} ({error.strerror})."
                " Donnez un autre dossier avec REPERE_HOME."
            ) from error

    def _choose(self) -> Path:
        # PostgreSQL refuses to run as root, so its account must reach its files: not below a closed /root.
        if os.geteuid() != 0 or traversable(self.root):
            return self.root / "services"
        return Path("/var/lib/repere") / digest(str(self.root))[:12]

    @property
    def instance(self) -> dict[str, Any]:
        """The instance's identity, empty before the first start."""
        return read_json(self.instance_file)

    @property
    def services(self) -> Path:
        """Folder of the private PostgreSQL: in REPERE_HOME, or in /var/lib when root's home is closed."""
        return Path(self.instance.get("services") or self.root / "services")

    def sockets(self) -> Path:
        """Return the folder of the private sockets, made when missing: short, plain and ours alone."""
        folder = self.services / "s"
        if len(os.fsencode(folder)) <= _LONGEST_SOCKET_FOLDER and set(str(folder)) <= _PLAIN_PATH:
            return folder
        known = Path(self.instance.get("sockets", ""))
        if self.instance.get("sockets") and known.is_dir() and not known.is_symlink():
            return known
        made = Path(tempfile.mkdtemp(prefix="repere-", dir="/var/tmp"))
        write_atomically(self.instance_file, json.dumps(self.instance | {"sockets": str(made)}))
        return made

    def secret(self, name: str) -> str:
        """Return a secret of this instance, made at random the first time."""
        known = read_json(self.secrets_file)
        if not isinstance(known.get(name), str):
            known[name] = secrets.token_urlsafe(48)
            write_atomically(self.secrets_file, json.dumps(known, indent=1), mode=0o600)
        return str(known[name])

    def stamp(self, name: str) -> str:
        """Return the key under which a step last succeeded, empty when it never did."""
        try:
            return (self.root / "stamps" / name).read_text(encoding="utf-8")
        except OSError:
            return ""

    def set_stamp(self, name: str, key: str) -> None:
        """Remember that a step succeeded for this key."""
        write_atomically(self.root / "stamps" / name, key)

    def drop_stamp(self, name: str) -> None:
        """Forget a step, before it is done again: a crash then never looks like a success."""
        (self.root / "stamps" / name).unlink(missing_ok=True)

    def free_bytes(self, path: Path | None = None) -> int:
        """Return the free space where a path lies, or will lie."""
        place = path or self.root
        while not place.exists():
            place = place.parent
        return shutil.disk_usage(place).free


class Lock:
    """An advisory lock on a file of REPERE_HOME/run, freed by the kernel whatever ends the process."""

    def __init__(self, home: Home, name: str, handle: int | None = None) -> None:
        home.run.mkdir(parents=True, exist_ok=True)
        self._path = home.run / f"{name}.lock"
        self.handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o640) if handle is None else handle

    def take(self, *, shared: bool = False, wait: bool = True) -> bool:
        """Take the lock; without waiting, return False when another process holds it."""
        try:
            fcntl.flock(self.handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def sign(self, what: str) -> None:
        """Write who holds the lock and for what, for the others to read."""
        me = {"pid": os.getpid(), "start": started_at(os.getpid()), "what": what}
        os.ftruncate(self.handle, 0)
        os.pwrite(self.handle, json.dumps(me).encode(), 0)

    def holder(self) -> tuple[int, str] | None:
        """Return the pid and start time of the live process that signed the lock, None when it is gone."""
        signed = read_json(self._path)
        pid, start = signed.get("pid"), signed.get("start")
        return (pid, start) if isinstance(pid, int) and isinstance(start, str) and is_alive(pid, start) else None

    def free(self) -> None:
        """Let the lock go; the file stays, for removing it would let two processes hold « the » lock."""
        os.close(self.handle)


@contextmanager
def locked(home: Home, name: str) -> Iterator[None]:
    """Hold a lock of REPERE_HOME for a block; say so when another command makes it wait."""
    lock = Lock(home, name)
    try:
        if not lock.take(wait=False):
            say(f"Une autre commande prépare déjà {home.root} : attente de sa fin…")
            lock.take()
        yield
    finally:
        lock.free()
