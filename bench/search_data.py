"""`./repere bench search-data`: fills an instance with the country's invented registers, for `bench search`.

Give it a REPERE_HOME of its own: it loads registers into the instance's database.
"""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from core.db import libpq_dsn
from core.settings import core_settings

app = typer.Typer()
ROOT = Path(__file__).parent.parent
SCALE = 1.65
"""Density that gives 1.3 million offers: a role without a place has none."""


@app.command()
def fill(
    scale: Annotated[float, typer.Option(min=0.01, max=3, help="Densité ; 1 est celle du pays.")] = SCALE,
) -> None:
    """Préparer une base d’environ 1,3 million d’offres inventées, décrites en partie (une vingtaine de minutes)."""
    with psycopg.connect(libpq_dsn()) as conn:
        row = conn.execute("SELECT EXISTS (SELECT FROM directory.offer_search)").fetchone()
    if row is not None and row[0]:
        raise typer.BadParameter("Cette base contient déjà des offres : donnez un autre REPERE_HOME.")
    folder = core_settings().home.resolve() / "bench" / f"registers-france-{scale:g}"
    steps = (
        *([] if (folder / "facts.json").is_file() else [("sample", str(folder), "--france", "--scale", str(scale))]),
        ("places", "load"),
        ("nomenclatures", "load"),
        ("places", "ban", str(folder / "ban")),
        ("ingest", "all", str(folder)),
        ("demo-data",),
        ("index", "build"),
    )
    for step in steps:
        typer.echo(f"repere {' '.join(step)}", err=True)
        done = subprocess.run([sys.executable, "cli.py", *step], cwd=ROOT, check=False)
        if done.returncode:
            raise typer.Exit(done.returncode)
