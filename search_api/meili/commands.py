"""Command of the Meilisearch engine."""

import asyncio
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from core import db
from core.errors import InvalidInput
from search_api.meili.settings import configured, meili_settings

if TYPE_CHECKING:
    from search_api.meili.indexing import Advance, LoadReport


async def _load(advance: "Advance") -> "LoadReport":
    # The library of the server is slow to import, and every command of the line comes through here.
    from search_api.meili import indexing
    from search_api.meili.client import Server

    try:
        async with db.unit_of_work() as session:
            return await indexing.load(session, Server(meili_settings()), advance)
    finally:
        await db.dispose()


def load_meilisearch(as_json: bool = typer.Option(False, "--json", help="Affiche un objet JSON.")) -> None:
    """Charge toutes les offres dans Meilisearch ; la recherche utilise l’index précédent jusqu’à la fin."""
    if not configured():
        raise InvalidInput(
            "Aucun serveur Meilisearch n’est désigné\u00a0: donnez REPERE_MEILI_URL et REPERE_MEILI_KEY."
        )
    columns = (TextColumn("Chargement"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=as_json) as bar:
        line = bar.add_task("", total=None)
        report = asyncio.run(_load(lambda done, total: bar.update(line, completed=done, total=total)))
    if as_json:
        typer.echo(json.dumps(asdict(report)))
    else:
        number = f"{report.documents:,}".replace(",", "\u202f")
        seconds = f"{report.seconds:.1f}".replace(".", ",")
        typer.echo(f"Meilisearch est chargé\u00a0: {number} offres en {seconds}\u00a0s.")
