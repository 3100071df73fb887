"""`./repere COMMAND`: reads the command line and runs it, with one clear message when it cannot."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType

from core.local import instance
from core.local.checks import run_tests
from core.local.console import Failure, french, show_failure
from core.local.doctor import examine
from core.local.home import REPOSITORY, Home
from core.local.process import die_with_parent
from core.local.services import using_services
from core.local.steps import ensure_environment, migrate


@dataclass(frozen=True)
class Command:
    """One of the launcher's own commands."""

    run: Callable[[Home, set[str], list[str]], int]
    help: str
    options: dict[str, str]
    extra: bool = False
    """Other arguments are handed on as they are."""


COMMANDS = {
    "demo": Command(
        lambda home, options, _: instance.launch(home, demo=True, detach="--detach" in options),
        "installe tout, charge les données d’exemple d’Île-de-France et démarre",
        {"--detach": "rend la main une fois Repère démarré"},
    ),
    "up": Command(
        lambda home, options, _: instance.launch(home, demo=False, detach="--detach" in options),
        "installe tout et démarre, sans données d’exemple",
        {"--detach": "rend la main une fois Repère démarré"},
    ),
    "stop": Command(lambda home, _, __: instance.stop(home), "arrête Repère et ses services privés", {}),
    "status": Command(
        lambda home, options, _: instance.status(home, as_json="--json" in options),
        "dit ce qui tourne",
        {"--json": "écrit un objet JSON"},
    ),
    "doctor": Command(
        lambda home, options, _: examine(home, as_json="--json" in options),
        "dit ce qui manque ou ce qui est cassé, et comment réparer",
        {"--json": "écrit un objet JSON"},
    ),
    "install": Command(
        lambda home, options, _: instance.install(home, system_only="--system" in options),
        "prépare la machine et l’environnement, sans rien démarrer",
        {"--system": "installe seulement les paquets du système"},
    ),
    "reset": Command(
        lambda home, options, _: instance.reset(home, confirmed="--yes" in options, everything="--all" in options),
        "efface les données de cette instance (demande confirmation)",
        {"--yes": "ne demande pas confirmation", "--all": "efface aussi l’environnement Python"},
    ),
    "test": Command(
        lambda home, options, rest: run_tests(home, everything="--all" in options, arguments=rest),
        "fait les vérifications et les essais (les arguments vont à pytest)",
        {"--all": "ajoute les essais longs"},
        extra=True,
    ),
}


def usage() -> str:
    """Return the launcher's help."""
    lines = ["Usage : ./repere COMMANDE [OPTIONS]", "", "Commandes de l’instance :"]
    lines += [f"  {name:<10} {command.help}" for name, command in COMMANDS.items()]
    lines += [
        "",
        "Toute autre commande (places, ingest, sample, bench…) travaille sur la base de l’instance :",
        "  ./repere --help-all en donne la liste, ./repere COMMANDE --help le mode d’emploi.",
        "",
        "Variables : REPERE_HOME (état, par défaut ./.repere), REPERE_PORT (8000), REPERE_HOST (127.0.0.1),",
        "REPERE_DATABASE_URL, REPERE_DATABASE_DIRECT_URL, REPERE_BROKER_URL (à la place des services privés).",
    ]
    return french("\n".join(lines))


def _own(name: str, arguments: Sequence[str], home: Home) -> int:
    command = COMMANDS[name]
    if "--help" in arguments or "-h" in arguments:
        print(french(f"./repere {name} : {command.help}"))
        for option, meaning in command.options.items():
            print(french(f"  {option:<10} {meaning}"))
        return 0
    options = {part for part in arguments if part in command.options}
    rest = [part for part in arguments if part not in command.options]
    if rest and not command.extra:
        raise Failure(f"Option inconnue de ./repere {name} : {' '.join(rest)} (voir ./repere {name} --help).", code=2)
    return command.run(home, options, rest)


def _delegate(home: Home, arguments: Sequence[str]) -> int:
    """Run a sub-command of cli.py in the environment, with the private services up."""
    if arguments == ["--help-all"]:
        arguments = ["--help"]
    ensure_environment(home)
    argv = [str(home.python), str(REPOSITORY / "cli.py"), *arguments]
    if "--help" in arguments:
        environ = os.environ | home.interpreter | {"REPERE_HOME": str(home.root)}
        return subprocess.run(argv, check=False, env=environ).returncode
    with using_services(home) as services:
        demo = home.stamp("mode") == "demo"
        migrate(home, services, demo=demo)
        child = subprocess.Popen(argv, env=services.settings(demo=demo), preexec_fn=die_with_parent())
        # A Ctrl-C reaches the child by itself: it decides how to end, and we wait for it.
        previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return child.wait()
        except SystemExit:
            child.terminate()
            child.wait()
            raise
        finally:
            signal.signal(signal.SIGINT, previous)


def _terminated(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def main(arguments: Sequence[str]) -> int:
    """Run one command line; return its exit code: 0, 1 on failure, 2 on bad use, 130 on Ctrl-C."""
    os.umask(0o022)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    signal.signal(signal.SIGTERM, _terminated)
    try:
        if not arguments or arguments[0] in {"--help", "-h", "help"}:
            print(usage())
            return 0
        home = Home.locate()
        if arguments[0] == instance.SUPERVISE:
            return instance.supervise_detached(home, arguments[1:])
        if arguments[0] in COMMANDS:
            return _own(arguments[0], arguments[1:], home)
        return _delegate(home, list(arguments))
    except Failure as failure:
        show_failure(failure)
        return failure.code
    except KeyboardInterrupt:
        show_failure(Failure("Interrompu. Relancez la même commande pour reprendre."))
        return 130
    except BrokenPipeError:
        return 141
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EROFS}:
            raise
        show_failure(
            Failure(
                f"Impossible d’écrire {error.filename or ''} : {error.strerror}. Faites de la place ou choisissez un"
                " autre disque avec REPERE_HOME=/chemin, puis relancez la même commande."
            )
        )
        return 1
