"""Commands of the directory: nomenclatures and demo descriptions."""

import asyncio
import json
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from core import db
from core.db import connect_direct
from core.errors import Unavailable
from directory import demo, demo_personas, nomenclature
from directory.nomenclature import SystemReport

app = typer.Typer()
nomenclatures = typer.Typer(name="nomenclatures", help="Nomenclatures : charger, lister.", no_args_is_help=True)
app.add_typer(nomenclatures)

AsJson = Annotated[bool, typer.Option("--json", help="Afficher un objet JSON plutôt qu’un tableau.")]


def _connect() -> psycopg.Connection:
    try:
        return connect_direct()
    except psycopg.OperationalError as error:
        raise Unavailable("La base de données ne répond pas. « ./repere doctor » dit ce qui manque.") from error


@nomenclatures.command("load")
def load(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DOSSIER]",
            help="Dossier ou fichier officiel (TSV « JDV-J17-… », « TRE-R38-… », ou FHIR CodeSystem / ValueSet JSON). "
            "Sans argument : le jeu de départ du produit.",
        ),
    ] = None,
    version: Annotated[str | None, typer.Option(help="Version à noter pour des TSV, qui ne la disent pas.")] = None,
    as_json: AsJson = False,
) -> None:
    """Charger des nomenclatures : les codes absents sont retirés mais restent lisibles ; rejouable sans effet."""
    with _connect() as conn:
        reports = nomenclature.load(conn, folder, version)
    if as_json:
        typer.echo(json.dumps({"systems": [r.model_dump() for r in reports]}, ensure_ascii=False))
        return
    _show_load(reports)


def _console() -> Console:
    # Without a terminal rich assumes 80 columns and cuts the tables.
    return Console() if Console().is_terminal else Console(width=140)


def _show_load(reports: list[SystemReport]) -> None:
    console = _console()
    table = Table(title="Nomenclatures chargées")
    for title in ("Système", "Version"):
        table.add_column(title)
    for title in ("Lus", "Nouveaux", "Renommés", "Retirés", "Rétablis", "Inchangés", "Sans libellé"):
        table.add_column(title, justify="right")
    for r in reports:
        counts = (r.read, r.new, r.relabelled, r.retired, r.restored, r.unchanged, r.unlabelled)
        table.add_row(r.system, r.version, *(str(n) for n in counts))
    console.print(table)
    examples = [line for r in reports for line in r.examples]
    for line in examples[:20]:
        console.print(f"  {line}", markup=False)
    if len(examples) > 20:
        console.print(f"  … et {len(examples) - 20} autres changements")


@nomenclatures.command("list")
def listing(as_json: AsJson = False) -> None:
    """Lister les nomenclatures en vigueur, leur version et leur origine."""
    with _connect() as conn:
        lines = nomenclature.listing(conn)
    if as_json:
        typer.echo(json.dumps({"systems": [line.model_dump() for line in lines]}, ensure_ascii=False))
        return
    if not lines:
        typer.echo("Aucune nomenclature. Chargez le jeu de départ : « ./repere nomenclatures load ».")
        return
    table = Table(title="Nomenclatures en vigueur")
    for title in ("Système", "Version", "Origine", "Chargée le"):
        table.add_column(title)
    for title in ("Actifs", "Retirés", "Versions"):
        table.add_column(title, justify="right")
    for line in lines:
        source = "jeu de départ" if line.source == nomenclature.STARTER_SOURCE else line.source
        counts = (line.active, line.retired, line.versions)
        table.add_row(line.system, line.version, source, line.loaded_at, *(str(n) for n in counts))
    _console().print(table)


@app.command("demo-data")
def demo_data(
    seed: Annotated[int, typer.Option(help="Graine du tirage : la même donne les mêmes descriptions.")] = 78,
    as_json: AsJson = False,
) -> None:
    """Décrire, pour la démonstration, environ un tiers des offres (actes, horaires, territoire, contacts inventés)."""
    with _connect() as conn:
        report = demo.describe_demo(conn, seed)
    if as_json:
        typer.echo(report.model_dump_json())
        return
    typer.echo(
        f"{report.described} offres décrites sur {report.candidates} qui ne l’étaient pas,"
        f" {report.sites_equipped} lieux équipés."
    )


async def _personas() -> int:
    async with db.unit_of_work() as session:
        made = await demo_personas.make_personas(session)
    await db.dispose()
    return made


@app.command("demo-personas")
def personas() -> None:
    """Créer les comptes de la démonstration (kinésithérapeute, sage-femme, gestionnaire…) ; rejouable sans effet."""
    typer.echo(f"{asyncio.run(_personas())} personnages prêts.")
