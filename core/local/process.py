"""Child processes that never outlive their purpose: identity by start time, death with the parent, groups."""

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from core.local.console import Failure

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
_TAIL_LINES = 12
_FULL_BELOW = 50_000_000


def started_at(pid: int) -> str | None:
    """Return the kernel's start time of a live process, which with its pid names it once; None if gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if fields[0] == "Z" else fields[19]


def is_alive(pid: int, start: str) -> bool:
    """Tell whether that very process is alive, not another that was given its number."""
    return started_at(pid) == start


def die_with_parent(sent: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """Return what a child runs before exec so that the kernel ends it when its parent dies."""
    parent = os.getpid()

    def apply() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(sent), 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), sent)

    return apply


def kill_group(leader: int, sent: signal.Signals = signal.SIGKILL) -> None:
    """Signal every process of a group that this launcher created; a group already gone is no error."""
    try:
        os.killpg(leader, sent)
    except (ProcessLookupError, PermissionError):
        return


def wait_gone(pid: int, start: str, seconds: float) -> bool:
    """Wait until that process has ended; False when it is still there after so many seconds."""
    deadline = time.monotonic() + seconds
    while is_alive(pid, start):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def tail(log: Path, lines: int = _TAIL_LINES) -> str:
    """Return the last lines of a log, indented, to show under a failure."""
    try:
        with log.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 16_384))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    kept = [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]
    return "\n".join(f"    {line}" for line in kept)


def run_logged(
    argv: Sequence[str | Path],
    log: Path,
    failure: str,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: str | None = None,
) -> None:
    """Run one set-up command with its output in a log.

    Raises:
        Failure: it failed; the message holds the end of that log.
        KeyboardInterrupt: it was interrupted, or we were.
    """
    with log.open("ab") as output:
        output.write(f"\n$ {' '.join(map(str, argv))}\n".encode())
        output.flush()
        try:
            child = subprocess.Popen(
                [str(part) for part in argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                user=user,
                group=primary_group(user),
                extra_groups=[] if user else None,
                preexec_fn=die_with_parent(),
            )
        except OSError as error:
            raise Failure(f"{failure}\n    {error}") from error
        code = _wait(child)
    if code == -signal.SIGINT:
        # A terminal interrupts the whole group: the child may be gone before our own signal is here.
        raise KeyboardInterrupt
    if code != 0:
        full = " Le disque est plein." if shutil.disk_usage(log.parent).free < _FULL_BELOW else ""
        raise Failure(f"{failure} (code {code}).{full} Fin du journal {log} :\n{tail(log)}")


def _wait(child: subprocess.Popen[bytes]) -> int:
    """Wait for a child; when we are interrupted ourselves, end it first."""
    try:
        return child.wait()
    except BaseException:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(PermissionError):
                child.kill()
        raise


def output_of(
    argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None, user: str | None = None, text: str = ""
) -> tuple[int, str]:
    """Run a short command and return its exit code and its output, errors included."""
    try:
        done = subprocess.run(
            [str(part) for part in argv],
            input=text,
            capture_output=True,
            text=True,
            env=env,
            user=user,
            group=primary_group(user),
            extra_groups=[] if user else None,
            check=False,
            timeout=120,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 127, str(error)
    return done.returncode, (done.stdout + done.stderr).strip()


def primary_group(user: str | None) -> int | None:
    """Return the group id that a process run as that user takes."""
    if user is None:
        return None
    return pwd.getpwnam(user).pw_gid
