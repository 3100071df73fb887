"""Command of the files that people download."""

import json
import sys
from dataclasses import asdict

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from core.ui.filters import counted, long_date, number
from search_api.dumps.build import build as make
from search_api.dumps.catalogue import file_name
from search_api.dumps.service import weight
from search_api.dumps.tasks import make_dumps

dumps = typer.Typer(name="dumps", help="Fichiers à télécharger.", no_args_is_help=True)


@dumps.callback()
def root() -> None:
    """Keep the sub-command's name."""


@dumps.command("build")
def build(
    later: bool = typer.Option(False, "--later", help="Confie la fabrication aux workers et rend la main."),
    as_json: bool = typer.Option(False, "--json", help="Affiche un objet JSON."),
) -> None:
    """Fabrique les fichiers à télécharger (CSV, Parquet, GeoJSON) pour le public et pour les professionnels."""
    if later:
        make_dumps.delay()
        typer.echo("La fabrication est confiée aux workers.")
        return
    columns = (TextColumn("{task.description:<32}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    quiet = as_json or not sys.stderr.isatty()
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), disable=quiet) as bar:
        task = bar.add_task("Fabrication", total=1.0)
        report = make(lambda label, share: bar.update(task, completed=share, description=label))
    if as_json:
        made = [asdict(one) | {"name": file_name(one.dataset, one.format, one.level)} for one in report.made]
        typer.echo(json.dumps({"made_at": report.made_at.isoformat(), "files": made}))
        return
    typer.echo(f"{counted(len(report.made), 'fichier')} du {long_date(report.made_at)} :")
    for one in report.made:
        name = file_name(one.dataset, one.format, one.level)
        typer.echo(f"  {name:<32} {number(one.rows):>12} lignes {weight(one.size):>12}")
