"""Commands of the search."""

import asyncio
import json
from dataclasses import asdict

import typer

from core import db
from search_api import indexing
from search_api.meili.commands import load_meilisearch

app = typer.Typer()
index = typer.Typer(name="index", help="Index de la recherche.", no_args_is_help=True)
app.add_typer(index)
index.command("meilisearch")(load_meilisearch)


@index.callback()
def root() -> None:
    """Keep the sub-command's name."""


async def _build() -> indexing.IndexReport:
    try:
        async with db.unit_of_work() as session:
            return await indexing.build(session)
    finally:
        await db.dispose()


@index.command("build")
def build(as_json: bool = typer.Option(False, "--json", help="Affiche un objet JSON.")) -> None:
    """Reconstruit les mots des noms et le rattachement des offres aux intercommunalités, départements, régions."""
    report = asyncio.run(_build())
    if as_json:
        typer.echo(json.dumps(asdict(report)))
    else:
        words = f"{report.words:,}".replace(",", " ")
        typer.echo(f"Index construit : {words} mots en {report.seconds:.1f} s.".replace(".", ",", 1))
