"""`./repere bench NAME`: one measure per module of this package, each with a Typer application named `app`."""

import importlib
import pkgutil
from pathlib import Path

import typer

app = typer.Typer(name="bench", help="Mesures : ce que coûte chaque partie, sur cette machine.", no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Keep a measure's name, even when it is the only one."""


def _mount() -> None:
    for found in sorted(pkgutil.iter_modules([str(Path(__file__).parent)]), key=lambda module: module.name):
        if found.name == "commands":
            continue
        measure = getattr(importlib.import_module(f"bench.{found.name}"), "app", None)
        if not isinstance(measure, typer.Typer):
            continue
        name = found.name.replace("_", "-")
        only = measure.registered_commands[0].callback if len(measure.registered_commands) == 1 else None
        if only is not None and not measure.registered_groups:
            app.command(name)(only)
        else:
            app.add_typer(measure, name=name)


_mount()
