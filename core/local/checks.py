"""`./repere test`: every check of the tree, and the tests on the private PostgreSQL."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.local.console import duration, say
from core.local.home import REPOSITORY, Home
from core.local.packages import chromium
from core.local.postgres import TEST_DATABASE, Postgres
from core.local.process import die_with_parent
from core.local.services import using_services
from core.local.steps import ensure_environment

_TYPES = ("Types (mypy strict)", ("-m", "mypy", "."))
_PRIVATE_ONLY = ("REPERE_DATABASE_URL", "REPERE_DATABASE_DIRECT_URL", "REPERE_BROKER_URL")


def run_tests(home: Home, *, everything: bool, arguments: Sequence[str]) -> int:
    """Set up with the test tools, then check the code and run the tests; return 0 when all is well.

    With arguments, only pytest runs, with them. The tests never touch the operator's database: addresses of
    services elsewhere are ignored, and each worker has a database of its own in the private cluster.
    """
    for name in _PRIVATE_ONLY:
        os.environ.pop(name, None)
    ensure_environment(home, tests=True)
    with using_services(home) as services:
        postgres = services.postgres or Postgres(home)
        environ = services.settings(demo=False) | {
            "REPERE_TEST_DATABASE_URL": postgres.url("postgres"),
            "REPERE_DATABASE_URL": postgres.url(TEST_DATABASE),
            "REPERE_CHROMIUM": chromium() or "",
        }
        types = None if arguments else _Aside(home, environ, *_TYPES)
        results = [] if arguments else _checks(home, postgres, environ)
        began = time.monotonic()
        code = _pytest(home, environ, everything=everything, arguments=arguments)
        if types is not None:
            results.append(types.result())
        results.append(("Essais (pytest)", code == 0, time.monotonic() - began))
    say("")
    say("Résumé")
    for label, passed, seconds in results:
        say(f"  {'✓' if passed else '✗'} {label} ({duration(seconds)})")
    return 0 if all(passed for _, passed, _ in results) else 1


def _checks(home: Home, postgres: Postgres, environ: Mapping[str, str]) -> list[tuple[str, bool, float]]:
    python = str(home.python)
    tools: list[tuple[str, list[list[str]]]] = [
        (
            "Style (ruff)",
            [[python, "-m", "ruff", "check", "."], [python, "-m", "ruff", "format", "--check", "."]],
        ),
        ("Étages (import-linter)", [[str(home.venv / "bin" / "lint-imports"), "--no-cache"]]),
        (
            "Schéma (alembic)",
            [[python, "-m", "alembic", "upgrade", "head"], [python, "-m", "alembic", "check"]],
        ),
    ]
    postgres.drop_database(TEST_DATABASE)
    postgres.ensure_database(TEST_DATABASE)
    return [_check(home, label, commands, environ) for label, commands in tools]


def _check(
    home: Home, label: str, commands: Sequence[Sequence[str]], environ: Mapping[str, str]
) -> tuple[str, bool, float]:
    """Run the commands of one check; show their output only when one fails."""
    began = time.monotonic()
    passed = True
    log: Path = home.logs / "checks.log"
    for command in commands:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=REPOSITORY,
            env=environ,
            check=False,
            preexec_fn=die_with_parent(),
        )
        with log.open("ab") as file:
            file.write(done.stdout)
        if done.returncode != 0:
            passed = False
            sys.stdout.write(done.stdout.decode(errors="replace"))
    seconds = time.monotonic() - began
    say(f"  {'✓' if passed else '✗'} {label} ({duration(seconds)})")
    return label, passed, seconds


class _Aside:
    """A long check that runs while the tests wait for something: they come first on the processors."""

    def __init__(self, home: Home, environ: Mapping[str, str], label: str, arguments: Sequence[str]) -> None:
        self.label = label
        self.log: Path = home.logs / "types.log"
        self.began = time.monotonic()
        ends = die_with_parent()

        def gently() -> None:
            ends()
            os.nice(10)

        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [str(home.python), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=REPOSITORY,
                env=environ,
                preexec_fn=gently,
            )

    def result(self) -> tuple[str, bool, float]:
        """Wait for the end, show the output of a failure, and return the line of the summary."""
        passed = self.process.wait() == 0
        if not passed:
            sys.stdout.write(self.log.read_text(errors="replace"))
        return self.label, passed, time.monotonic() - self.began


def _pytest(home: Home, environ: Mapping[str, str], *, everything: bool, arguments: Sequence[str]) -> int:
    given = [part.partition("=")[0] for part in arguments]
    argv = [str(home.python), "-m", "pytest"]
    if not {"-n", "--numprocesses", "--pdb"} & set(given):
        # Files stay whole: tests/sharing.py.
        argv += ["-n", str(min(os.cpu_count() or 1, 2)), "--dist", "loadscope"]
    if not everything and "-m" not in given:
        argv += ["-m", "not slow"]
    sys.stdout.flush()
    return subprocess.run(
        [*argv, *arguments], cwd=REPOSITORY, env=environ, check=False, preexec_fn=die_with_parent()
    ).returncode
