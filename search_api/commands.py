"""Commands of the search's index, and of the files that people download."""

import asyncio
import json
import signal
from dataclasses import asdict
from types import FrameType

import typer

from core import db
from search_api import indexer as node
from search_api import indexing
from search_api.columns import builder
from search_api.columns.verify import verify as compare
from search_api.dumps.commands import dumps
from search_api.meili.commands import load_meilisearch
from search_api.portals.commands import portals
from search_api.settings import index_folder
from search_api.texts.commands import texts

app = typer.Typer()
index = typer.Typer(name="index", help="Index de la recherche.", no_args_is_help=True)
app.add_typer(index)
app.add_typer(dumps)
app.add_typer(portals)
index.command("meilisearch")(load_meilisearch)
index.command("texts")(texts)

_KINDS = {"missing": "manquent à l’index", "superfluous": "sont de trop", "different": "diffèrent"}


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
    """Reconstruit l’index : rattachement des offres aux territoires, instantané et textes de cette machine."""
    report = asyncio.run(_build())
    snapshot, names = node.build(index_folder())
    if as_json:
        built = {"snapshot": asdict(snapshot) if snapshot else None, "texts": asdict(names)}
        typer.echo(json.dumps(asdict(report) | built))
        return
    typer.echo(f"Index construit : {_number(report.words)} mots en {_seconds(report.seconds)}.")
    if snapshot is None:
        typer.echo("Aucun registre n’est publié : il n’y a pas d’instantané à écrire.")
    else:
        typer.echo(
            f"Instantané : {_number(snapshot.offers)} offres, {_number(snapshot.sites)} lieux,"
            f" {snapshot.megabytes:.0f} Mo en {_seconds(snapshot.seconds)}."
        )
    typer.echo(f"Textes : {_number(names.people + names.sites)} noms en {_seconds(names.seconds)}.")


@index.command("run")
def run() -> None:
    """Garde l’instantané de cette machine à jour, jusqu’à l’arrêt ; lancé par le superviseur."""
    process = node.Indexer()

    def stop(_number: int, _frame: FrameType | None) -> None:
        process.stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    process.run()


@index.command("verify")
def verify(as_json: bool = typer.Option(False, "--json", help="Affiche un objet JSON.")) -> None:
    """Compare l’index de cette machine à la base, ligne à ligne : égal, ou ce qui diffère (code de sortie 1)."""
    found = compare(builder.root())
    if as_json:
        typer.echo(json.dumps(asdict(found) | {"equal": found.equal}))
    elif found.equal:
        typer.echo(f"Égal : {_number(found.offers)} offres, jusqu’à l’événement {found.position}.")
    else:
        for kind, said in _KINDS.items():
            if number := getattr(found, kind):
                ids = ", ".join(map(str, found.examples[kind]))
                typer.echo(
                    f"{_number(number)} offres {said} : {ids}{'…' if number > len(found.examples[kind]) else ''}"
                )
    if not found.equal:
        raise typer.Exit(1)


def _number(value: int) -> str:
    return f"{value:,}".replace(",", "\u202f")


def _seconds(value: float) -> str:
    return f"{value:.1f} s".replace(".", ",")
