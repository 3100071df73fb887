"""`repere sample`: invented registers in their official layouts."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ingest.sample.options import DEMO_ROLES, ILE_DE_FRANCE, HardCases, SampleOptions

_LABELS = {
    "rpps_rows": "Lignes RPPS",
    "people": "Professionnels",
    "activities": "Situations d’exercice",
    "no_structure": "Professionnels sans structure",
    "finess_sites": "Établissements FINESS",
    "finess_entities": "Entités juridiques FINESS",
    "ameli": "Lignes AMELI",
    "ameli_only": "Lignes AMELI inconnues du RPPS",
    "ban_rows": "Adresses BAN",
}


def sample(
    folder: Annotated[Path, typer.Argument(metavar="DOSSIER", help="Dossier où écrire les fichiers.")],
    departements: Annotated[
        str | None,
        typer.Option(
            "--departements",
            help="Codes de départements séparés par des virgules\N{NO-BREAK SPACE}: 75,78,2A.",
        ),
    ] = None,
    region: Annotated[
        str | None, typer.Option("--region", help="Code INSEE d’une région (11 = Île-de-France).")
    ] = None,
    france: Annotated[bool, typer.Option("--france", help="Le pays entier, outre-mer compris.")] = False,
    size: Annotated[int | None, typer.Option("--size", min=100, help="Nombre de situations d’exercice voulu.")] = None,
    scale: Annotated[
        float | None,
        typer.Option("--scale", min=0.001, max=3, help="Densité par rapport aux vrais registres (1 = réelle)."),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Graine\N{NO-BREAK SPACE}: même graine, mêmes fichiers.")
    ] = 1,
    hard: Annotated[
        bool, typer.Option("--hard", help="Beaucoup de cas difficiles, pour régler le rapprochement AMELI.")
    ] = False,
    finess_json: Annotated[
        bool, typer.Option("--finess-json", help="Écrit aussi FINESS au nouveau format JSON.")
    ] = False,
    homonyms: Annotated[float | None, typer.Option("--homonymes", min=0, max=0.5, help="Part d’homonymes.")] = None,
    relatives: Annotated[
        float | None, typer.Option("--parents", min=0, max=0.5, help="Part de parents dans un même cabinet.")
    ] = None,
    changed_names: Annotated[
        float | None, typer.Option("--noms-changes", min=0, max=0.5, help="Part de noms changés.")
    ] = None,
    moved_towns: Annotated[
        float | None, typer.Option("--demenagements", min=0, max=0.5, help="Part de changements de commune.")
    ] = None,
    ameli_only: Annotated[
        float | None,
        typer.Option("--ameli-seuls", min=0, max=0.5, help="Part de lignes AMELI inconnues du RPPS."),
    ] = None,
) -> None:
    """Écrit des registres d’essai (RPPS, FINESS, AMELI, BAN) : vraies communes, personnes inventées."""
    chosen = _territory(departements, region, france=france)
    if size is not None and scale is not None:
        raise typer.BadParameter("Choisissez --size ou --scale, pas les deux.")
    if scale is None and size is None and not france:
        size = DEMO_ROLES
    cases = HardCases().dense() if hard else HardCases()
    given = {
        "homonyms": homonyms,
        "relatives": relatives,
        "changed_names": changed_names,
        "moved_towns": moved_towns,
        "ameli_only": ameli_only,
    }
    cases = replace(cases, **{name: value for name, value in given.items() if value is not None})
    options = SampleOptions(
        departements=chosen, roles=size, scale=scale or 1.0, seed=seed, hard=cases, finess_json=finess_json
    )
    console = Console(stderr=True)
    try:
        facts = _write(folder, options, console)
    except OSError as error:
        console.print(f"[red]Écriture impossible dans {folder}\N{NO-BREAK SPACE}: {error.strerror}.[/red]")
        raise typer.Exit(1) from error
    table = Table(title=f"Registres d’essai écrits dans {folder}", show_header=False)
    for name, label in _LABELS.items():
        if name in facts:
            table.add_row(label, f"{facts[name]:,}".replace(",", "\N{NARROW NO-BREAK SPACE}"))
    Console().print(table)


def _territory(departements: str | None, region: str | None, *, france: bool) -> tuple[str, ...]:
    from ingest.sample.towns import departement_names, departements_of_region

    if sum((departements is not None, region is not None, france)) > 1:
        raise typer.BadParameter(
            "Choisissez un seul territoire\N{NO-BREAK SPACE}: --departements, --region ou --france."
        )
    known = departement_names()
    if france:
        return tuple(sorted(known))
    if region is not None:
        if not (found := departements_of_region(region)):
            raise typer.BadParameter(f"Région inconnue\N{NO-BREAK SPACE}: {region}.", param_hint="--region")
        return tuple(found)
    if departements is None:
        return ILE_DE_FRANCE
    codes = [code.strip().upper() for code in departements.split(",") if code.strip()]
    unknown = [code for code in codes if code not in known]
    if unknown or not codes:
        raise typer.BadParameter(
            f"Département inconnu\N{NO-BREAK SPACE}: {', '.join(unknown) or 'aucun code donné'}.",
            param_hint="--departements",
        )
    return tuple(sorted(set(codes)))


def _write(folder: Path, options: SampleOptions, console: Console) -> dict[str, object]:
    # Imported late: numpy and the places would slow every other command down.
    from ingest.sample.generate import write_sample

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bars:
        task = bars.add_task("Lecture des communes", total=len(options.departements))

        def report(name: str, done: int, total: int) -> None:
            bars.update(task, description=name, completed=done, total=total)

        facts = write_sample(folder, options, report)
        bars.update(task, description="Terminé", completed=len(options.departements))
    return facts


app = typer.Typer()
app.command("sample")(sample)
