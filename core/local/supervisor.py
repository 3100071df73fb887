"""Keeps the processes of an instance running: restart with growing pauses, logs, a stop that leaves nobody."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from core.local.console import Failure, say
from core.local.environment import node_of
from core.local.home import REPOSITORY, Home, read_json, write_atomically
from core.local.process import die_with_parent, is_alive, kill_group, started_at, tail, wait_gone
from core.local.services import Services

_LONGEST_PAUSE = 60.0
_HEALTHY_AFTER = 30.0
_STOP_WITHIN = 25.0
_LOG_LIMIT = 50 * 2**20


@dataclass(frozen=True)
class Spec:
    """A process to keep running."""

    name: str
    argv: tuple[str, ...]
    handles: tuple[int, ...] = ()
    """File descriptors that it inherits."""
    delay: float = 0.0
    """Seconds after the start: what nobody waits for leaves the processors to the web first."""


def process_table(home: Home, environ: Mapping[str, str], listening: int, identities: int | None = None) -> list[Spec]:
    """Return the processes of an instance; a new kind of process is one more line here.

    `identities` is the socket of the demonstration's identity provider, None when there is none.

    The web processes accept on one socket that the supervisor holds, so a restart refuses nobody. They keep no
    access log: what people search is theirs, and a proxy in front can count requests.
    """
    python = str(home.python)
    workers = _count(environ, "REPERE_WEB_WORKERS", default=2)
    tasks = _count(environ, "REPERE_TASK_WORKERS", default=1)
    web = (
        *(python, "-m", "uvicorn", "web.app:app", "--fd", str(listening), "--loop", "uvloop", "--http", "httptools"),
        *("--no-server-header", "--timeout-graceful-shutdown", "5", "--proxy-headers", "--no-access-log"),
    )
    celery = (python, "-m", "celery", "--app", "core.tasks:app", "--quiet")
    provider = (str(node_of(home)), str(REPOSITORY / "accounts" / "dev_provider" / "provider.mjs"), str(identities))
    return [
        *(Spec(f"web-{number}", web, (listening,)) for number in range(1, workers + 1)),
        Spec("indexer", (python, "cli.py", "index", "run"), delay=2),
        Spec(
            "worker",
            (*celery, "worker", "--concurrency", str(tasks), "--loglevel", "INFO", "--without-gossip"),
            delay=4,
        ),
        Spec("scheduler", (*celery, "beat", "--schedule", str(home.run / "beat"), "--pidfile="), delay=6),
        *([] if identities is None else [Spec("identities", provider, (identities,), delay=1)]),
    ]


def _count(environ: Mapping[str, str], name: str, default: int) -> int:
    given = environ.get(name, "").strip() or str(default)
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= 64:
        raise Failure(f"{name}={given} : un nombre de 1 à 64 est attendu.", code=2)
    return int(given)


@dataclass
class _Running:
    spec: Spec
    process: subprocess.Popen[bytes] | None = None
    since: float = 0.0
    restarts: int = 0
    failures: int = 0
    retry_at: float = 0.0
    last_exit: int | None = None


@dataclass
class Supervisor:
    """Runs the process table until it is told to stop."""

    home: Home
    services: Services
    environ: dict[str, str]
    specs: Sequence[Spec]
    facts: dict[str, Any] = field(default_factory=dict)
    """What `status` shows beside the processes: address, mode."""
    identities: socket.socket | None = None
    """Held open as long as the process that accepts on it may be started again."""

    def __post_init__(self) -> None:
        now = time.monotonic()
        self._all = [_Running(spec, retry_at=now + spec.delay) for spec in self.specs]
        self._stopping = threading.Event()
        self._impatient = False

    def run(self) -> None:
        """Start everything, keep it running, and stop it all on SIGTERM, SIGINT or SIGHUP."""
        previous = {sent: signal.signal(sent, self._asked) for sent in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
        try:
            next_look = 0.0
            while not self._stopping.is_set():
                now = time.monotonic()
                if self._tend(now):
                    self._write_state()
                if now >= next_look:
                    next_look = now + 5
                    self._tend_services()
                    self._trim_logs()
                self._stopping.wait(0.3)
        finally:
            self._end()
            for sent, handler in previous.items():
                signal.signal(sent, handler)

    def _asked(self, _number: int, _frame: FrameType | None) -> None:
        self._impatient = self._stopping.is_set()
        self._stopping.set()

    def _tend(self, now: float) -> bool:
        changed = False
        for one in self._all:
            if one.process is not None:
                code = one.process.poll()
                if code is None:
                    if one.failures and now - one.since > _HEALTHY_AFTER:
                        one.failures = 0
                    continue
                kill_group(one.process.pid)
                one.failures = one.failures + 1 if now - one.since < _HEALTHY_AFTER else 1
                pause = min(_LONGEST_PAUSE, 2.0 ** (one.failures - 1) / 2)
                one.process, one.last_exit, one.retry_at = None, code, now + pause
                self._note(f"{one.spec.name} s’est arrêté (code {code}) ; nouvel essai dans {pause:g} s.")
                changed = True
            elif now >= one.retry_at:
                self._launch(one, now)
                changed = True
        return changed

    def _launch(self, one: _Running, now: float) -> None:
        one.restarts += one.last_exit is not None
        one.since = now
        with (self.home.logs / f"{one.spec.name}.log").open("ab") as log:
            one.process = subprocess.Popen(
                one.spec.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environ | {"REPERE_PROCESS": one.spec.name},
                cwd=REPOSITORY,
                start_new_session=True,
                pass_fds=one.spec.handles,
                preexec_fn=die_with_parent(),
            )

    def _tend_services(self) -> None:
        for service in (self.services.postgres, self.services.valkey):
            if service is not None and service.running_pid() is None:
                self._note(f"{type(service).__name__} s’est arrêté ; redémarrage.")
                with contextlib.suppress(Failure):
                    service.ensure()

    def _trim_logs(self) -> None:
        for log in self.home.logs.glob("*.log"):
            if log.stat().st_size > _LOG_LIMIT:
                # Processes keep the file open in append mode: a copy then a cut loses a few lines at worst.
                shutil.copyfile(log, log.with_suffix(".log.1"))
                os.truncate(log, 0)

    def _note(self, text: str) -> None:
        say(f"[{time.strftime('%d/%m %H:%M:%S')}] {text}")

    def _write_state(self) -> None:
        processes = [
            {
                "name": one.spec.name,
                "pid": one.process.pid if one.process else None,
                "start": started_at(one.process.pid) if one.process else None,
                "restarts": one.restarts,
                "last_exit": one.last_exit,
            }
            for one in self._all
        ]
        mine = {"pid": os.getpid(), "start": started_at(os.getpid())}
        write_atomically(self.home.state_file, json.dumps(self.facts | mine | {"processes": processes}, indent=1))

    def _end(self) -> None:
        live = [one.process for one in self._all if one.process is not None]
        for process in live:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        deadline = time.monotonic() + _STOP_WITHIN
        while live and not self._impatient and time.monotonic() < deadline:
            ended = [process for process in live if process.poll() is not None]
            for process in ended:
                # At once: a number that waits may be given to another process.
                kill_group(process.pid)
                live.remove(process)
            time.sleep(0.05)
        for process in live:
            kill_group(process.pid)
            process.wait()
        self.home.state_file.unlink(missing_ok=True)


def reap_leftovers(home: Home) -> None:
    """End the processes that a killed supervisor left, told from others by their start time."""
    state = read_json(home.state_file)
    left = [
        (known["pid"], known["start"])
        for known in state.get("processes", [])
        if isinstance(known.get("pid"), int) and isinstance(known.get("start"), str)
    ]
    for pid, start in left:
        if is_alive(pid, start):
            kill_group(pid, signal.SIGTERM)
    for pid, start in left:
        if not wait_gone(pid, start, 5):
            kill_group(pid)
            wait_gone(pid, start, 5)
    home.state_file.unlink(missing_ok=True)


def listen(host: str, port: int) -> socket.socket:
    """Take the address that the web processes will share.

    Raises:
        Failure: the port is taken, reserved, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # The connections inherit it. A web process that is handed a descriptor takes it for a local socket and does not
    # ask for it itself: every answer of a kept connection but the first would wait 40 ms for an acknowledgement.
    taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        taken.bind((host, port))
        taken.listen(1024)
    except OSError as error:
        taken.close()
        if isinstance(error, PermissionError):
            why = f"Le port {port} est réservé à l’administrateur"
        elif error.errno == 98:
            why = f"Le port {port} est déjà pris par un autre programme"
        else:
            raise Failure(f"L’adresse {host}, port {port}, ne peut pas être ouverte : {error.strerror}.") from error
        raise Failure(f"{why}. Choisissez-en un autre, par exemple : REPERE_PORT={_other(port)} ./repere …") from error
    return taken


def _other(port: int) -> int:
    return port + 1 if 1024 <= port < 65535 else 8000


def local_address(host: str, port: int) -> str:
    """Return the address by which this machine reaches its own listening socket."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def readiness(address: str, *, within: float = 3.0) -> dict[str, Any] | None:
    """Return what the application says of itself, None when it does not answer or is not ready."""
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=within) as answer:  # noqa: S310
            found = json.load(answer) if answer.status == 200 else None
            return found if isinstance(found, dict) else None
    except (urllib.error.URLError, OSError, ValueError):
        return None


def answers(address: str, *, within: float = 3.0) -> bool:
    """Tell whether the web application answers there and reaches its database."""
    return readiness(address, within=within) is not None


def wait_until_ready(home: Home, address: str, seconds: float = 240) -> None:
    """Wait for the application to answer; a busy machine may take minutes to import it.

    Raises:
        Failure: it does not, or ends again and again, with the end of its log.
    """
    deadline = time.monotonic() + seconds
    while not answers(address):
        processes = read_json(home.state_file).get("processes", [])
        crashing = any(one["restarts"] >= 2 and one["name"].startswith("web") for one in processes)
        if crashing or time.monotonic() > deadline:
            log: Path = home.logs / "web-1.log"
            raise Failure(f"L’application ne répond pas. Fin du journal {log} :\n{tail(log)}")
        time.sleep(0.2)
