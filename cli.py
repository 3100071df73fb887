"""The sub-commands of every package, in one Typer application.

Each package that has commands shows a `typer.Typer` named `app` in its `commands.py`: with a name it becomes a
group (`places load`), without one its commands and groups stand at the top (`sample`, `ingest all`).
"""

import importlib
import importlib.util
import sys
from typing import Final

import typer

from core import logs
from core.command_line import run

COMMANDS: Final = {
    "core": ("alembic", "mail"),
    "maps": ("places",),
    "accounts": ("accounts",),
    "directory": ("demo-data", "demo-personas", "nomenclatures"),
    "ingest": ("sample", "ingest"),
    "search_api": ("index", "dumps", "portals"),
    "modules.ads": ("ads",),
    "bench": ("bench",),
}
"""Where each command is found: a command that is named starts without those of the other packages."""


def assemble(command: str = "") -> typer.Typer:
    """Return the command line: of the package that has this command, else of all of them."""
    logs.configure()
    cli = typer.Typer(
        name="repere",
        help="Commandes de Repère, le répertoire opérationnel de l’offre de santé.",
        no_args_is_help=True,
        add_completion=False,
    )

    @cli.callback()
    def root() -> None:
        """Keep the sub-command's name, even when there is only one."""

    for package in [name for name, commands in COMMANDS.items() if command in commands] or COMMANDS:
        if importlib.util.find_spec(package) and importlib.util.find_spec(f"{package}.commands"):
            cli.add_typer(importlib.import_module(f"{package}.commands").app)
    return cli


if __name__ == "__main__":
    sys.exit(run(assemble("".join(sys.argv[1:2]))))
