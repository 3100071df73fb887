"""What the operator sees: steps with their time, notices and failures, in French."""

import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_HIGH_SIGNS = re.compile(r" (?=[:;?!»%])|(?<=«) ")


class Failure(Exception):
    """A set-up or command that cannot go on, with what the operator must read and the exit code."""

    def __init__(self, message: str, *, code: int = 1, command: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.command = command
        """Shell command to show as it is, ready to be pasted."""


def french(text: str) -> str:
    """Put the non-breaking spaces that French wants before double signs and inside guillemets."""
    return _HIGH_SIGNS.sub("\u00a0", text)


def say(text: str = "") -> None:
    """Print one line for the operator."""
    print(french(text), flush=True)


def warn(text: str) -> None:
    """Print one line on standard error."""
    print(french(text), file=sys.stderr, flush=True)


def show_failure(failure: Failure) -> None:
    """Print why it stopped, then the command to paste, untouched."""
    sys.stdout.flush()
    warn("")
    warn(failure.message)
    if failure.command:
        print(f"\n    {failure.command}\n", file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """Write a length of time as « 0,4 s », « 12 s » or « 3 min 05 s »."""
    if seconds < 10:
        return f"{seconds:.1f} s".replace(".", ",")
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


@contextmanager
def step(label: str) -> Iterator[None]:
    """Show a step while it lasts (with the time spent, on a terminal), then its result and duration."""
    started = time.monotonic()
    live = sys.stdout.isatty()
    done = threading.Event()

    def tick() -> None:
        while not done.wait(1):
            print(f"\r  … {french(label)} ({duration(time.monotonic() - started)})", end="", flush=True)

    ticker = threading.Thread(target=tick, daemon=True)
    if live:
        print(f"  … {french(label)}", end="", flush=True)
        ticker.start()
    mark = "✗"
    try:
        yield
        mark = "✓"
    finally:
        done.set()
        if live:
            ticker.join()
            print("\r\033[K", end="")
        print(f"  {mark} {french(label)} ({duration(time.monotonic() - started)})", flush=True)
