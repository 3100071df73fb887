"""An instance of its own, started by the real launcher in a folder that the other users cannot enter."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


def poll(question: Callable[[], object], seconds: float = 10) -> bool:
    """Ask until the answer is true, for a while."""
    deadline = time.monotonic() + seconds
    while not question():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


@dataclass
class Launcher:
    """The command `./repere` on one REPERE_HOME."""

    home: Path
    port: int = field(default_factory=free_port)

    def environ(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("REPERE_", "PYTEST_"))}
        return kept | {"REPERE_HOME": str(self.home), "REPERE_PORT": str(self.port), "CI": "true"} | more

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(ROOT / "repere"), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env=self.environ(**more),
            start_new_session=True,
        )

    def __call__(self, *arguments: str, **more: str) -> tuple[int, str]:
        process = self.start(*arguments, **more)
        try:
            output = process.communicate(timeout=540)[0]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output = process.communicate()[0]
            pytest.fail(f"./repere {' '.join(arguments)} did not end: {output}")
        return process.returncode, output.replace("\u00a0", " ")

    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self("status", "--json")[1])
        return answer

    def pids(self) -> set[int]:
        """Every live process that works for this instance, found by its environment or its command line."""
        found = set()
        marks = (f"REPERE_HOME={self.home}".encode(), str(self.home).encode())
        services = self.services()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                text = (entry / "environ").read_bytes() + b"\0" + (entry / "cmdline").read_bytes()
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if state != "Z" and (any(mark in text for mark in marks) or (services and services.encode() in text)):
                found.add(int(entry.name))
        return found

    def services(self) -> str:
        try:
            return str(json.loads((self.home / "instance.json").read_text())["services"])
        except (OSError, ValueError, KeyError):
            return ""


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    """A whole instance, set up once for the tests of this folder, erased at the end."""
    launcher = Launcher(tmp_path_factory.mktemp("instance") / "état d’essai")
    yield launcher
    launcher("stop")
    code, output = launcher("reset", "--yes", "--all")
    assert code == 0, output
    assert not launcher.home.exists()
    assert poll(lambda: not launcher.pids()), launcher.pids()


@pytest.fixture(scope="session")
def installed(instance: Launcher) -> Launcher:
    """The instance once its set-up was killed midway, refused to a second launcher, and mended by a third."""
    first = instance.start("up", "--detach")
    assert poll(lambda: (instance.home / "stamps" / "uv").exists(), 120)
    # Frozen, so that a fast machine does not finish the set-up while we look at it.
    os.killpg(first.pid, signal.SIGSTOP)
    code, output = instance("up", "--detach")
    assert code == 1
    assert "Une autre mise en place est en cours" in output
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert not (instance.home / "stamps" / "mode").exists()
    code, output = instance("doctor")
    assert code == 1, output
    code, output = instance("up", "--detach")
    assert code == 0, output
    return instance


@pytest.fixture
def running(installed: Launcher) -> Launcher:
    """The instance, up and answering."""
    code, output = installed("up", "--detach")
    assert code == 0, output
    return installed
