"""Commands of the linkage on register files: `links` and `score` (registered under `repere ingest`)."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ingest.labels import CASES, NBSP
from ingest.linkage.evaluation import Evaluation, evaluate, read_truth
from ingest.linkage.linker import LinkResult, link
from ingest.linkage.sources import activities_from_rpps, ameli_from_file

_LINK_COLUMNS = ["line", "rpps", "structure", "score", "decision"]
_messages = Console(stderr=True)


def find_registers(directory: Path) -> tuple[Path, Path]:
    """AMELI and RPPS files of a directory, the newest by name of each. Raises FileNotFoundError."""
    if not directory.is_dir():
        raise FileNotFoundError(f"Dossier introuvable : {directory}")
    found = []
    for label, patterns in (
        ("AMELI (liste-ps-*.csv)", ("liste-ps-*.csv", "liste-ps-*.csv.gz")),
        ("RPPS (*Personne_activite*.txt)", ("*[Pp]ersonne[_-]activite*.txt", "*[Pp]ersonne[_-]activite*.txt.gz")),
    ):
        files = sorted(p for pattern in patterns for p in directory.glob(pattern))
        if not files:
            raise FileNotFoundError(f"Aucun fichier {label} dans {directory}")
        found.append(files[-1])
    return found[0], found[1]


def link_directory(directory: Path, *, quiet: bool = False) -> LinkResult:
    """Link the register files of a directory, with a progress bar on the error stream unless quiet."""
    ameli, rpps = find_registers(directory)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_messages, disable=quiet or not _messages.is_terminal) as bar:
        task = bar.add_task("Rapprochement", total=1.0)

        def advance(label: str, share: float) -> None:
            bar.update(task, completed=share, description=label or "Terminé")

        return link(ameli_from_file(ameli), activities_from_rpps(rpps), progress=advance)


def links(
    directory: Annotated[Path, typer.Argument(help="Dossier des fichiers RPPS et AMELI.")],
    output: Annotated[Path | None, typer.Option("--sortie", help="Fichier CSV à écrire (sinon, l’écran).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Écrire un bilan JSON ; exige --sortie.")] = False,
) -> None:
    """Rapprocher les lignes AMELI des activités RPPS : une ligne CSV par ligne AMELI."""
    if as_json and output is None:
        raise _refused("--json écrit le bilan à l’écran : indiquez --sortie pour les liens.")
    try:
        result = link_directory(directory, quiet=as_json)
    except (FileNotFoundError, ValueError) as error:
        raise _refused(str(error)) from error
    text = result.links[_LINK_COLUMNS].to_csv(output, index=False)
    if text is not None:
        typer.echo(text, nl=False)
    if as_json:
        typer.echo(json.dumps(_summary(result), ensure_ascii=False))


def score(
    truth: Annotated[Path, typer.Argument(help="Fichier vérité : ameli_row,rpps,structure,secteur[,kind].")],
    source: Annotated[
        Path | None,
        typer.Option("--liens", help="CSV de la commande links, ou dossier de registres (sinon celui de la vérité)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Écrire un seul objet JSON.")] = False,
) -> None:
    """Mesurer précision et rappel des liens automatiques contre un fichier vérité."""
    try:
        expected = read_truth(truth)
        source = source or truth.parent
        found = link_directory(source, quiet=as_json).links if source.is_dir() else read_links(source)
    except (FileNotFoundError, ValueError) as error:
        raise _refused(str(error)) from error
    evaluation = evaluate(found, expected)
    if as_json:
        typer.echo(json.dumps(evaluation.as_dict(), ensure_ascii=False))
    else:
        show(evaluation)


def read_links(path: Path) -> pd.DataFrame:
    """Read a CSV written by `links`. Raises ValueError when a column is missing."""
    found = pd.read_csv(path, dtype=str, keep_default_na=False)
    missing = [c for c in _LINK_COLUMNS if c not in found.columns]
    if missing:
        raise ValueError(f"{path.name} : colonnes absentes : {', '.join(missing)}")
    return found.assign(line=found["line"].astype("int64"))


def show(evaluation: Evaluation) -> None:
    """Print an evaluation as a table: all lines first, then what is missed and wrong for each kind of case."""
    table = Table(title="Liens automatiques contre la vérité")
    for heading in ("Cas", "Lignes", "À lier", "Liées", "Fausses", "Manquées", "À relire", "Précision", "Rappel"):
        table.add_column(heading, justify="left" if heading == "Cas" else "right")
    for one in (evaluation.overall, *evaluation.kinds):
        counts = (one.lines, one.true_links, one.linked, one.wrong, one.missed, one.review)
        rates = (
            _percent(one.precision) if one.linked else "—",
            _percent(one.recall) if one.true_links else "—",
        )
        table.add_row(CASES.get(one.kind, one.kind), *map(str, counts), *rates)
    Console().print(table)


def _percent(rate: float) -> str:
    return f"{rate:.2%}".replace(".", ",").replace("%", f"{NBSP}%")


def _summary(result: LinkResult) -> dict[str, object]:
    return {**result.stats, "estimates": [asdict(e) for e in result.stats["estimates"]]}


def _refused(message: str) -> typer.Exit:
    _messages.print(message, style="red", highlight=False)
    return typer.Exit(2)
