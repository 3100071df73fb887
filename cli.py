"""The sub-commands of every package, in one Typer application.

Each package that has commands shows a `typer.Typer` named `app` in its `commands.py`: with a name it becomes a
group (`places load`), without one its commands and groups stand at the top (`sample`, `ingest all`).
"""

import importlib
import importlib.util
import sys

import typer

from core import logs
from core.command_line import run

PACKAGES = ("core", "maps", "accounts", "directory", "ingest", "search_api", "modules.ads", "bench")


def assemble() -> typer.Typer:
    """Return the whole command line."""
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

    for package in PACKAGES:
        if importlib.util.find_spec(package) and importlib.util.find_spec(f"{package}.commands"):
            cli.add_typer(importlib.import_module(f"{package}.commands").app)
    return cli


if __name__ == "__main__":
    sys.exit(run(assemble()))
