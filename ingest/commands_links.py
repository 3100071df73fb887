"""`repere ingest review`, `links`, `score`: the links between AMELI and RPPS."""

import csv
import getpass
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ingest.labels import number
from ingest.showing import messages, progress_bar

review_app = typer.Typer(help="Relire les rapprochements AMELI incertains.", invoke_without_command=True)

Json = Annotated[bool, typer.Option("--json", help="Écrire un seul objet JSON.")]
COLUMNS = ("line", "rpps", "structure", "score", "decision")


@review_app.callback(invoke_without_command=True)
def review(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Nombre de lignes montrées.")] = 20,
    after: Annotated[str | None, typer.Option("--after", help="Empreinte de la dernière ligne déjà vue.")] = None,
    as_json: Json = False,
) -> None:
    """Montrer les lignes AMELI à relire, avec les propositions et leurs raisons."""
    if context.invoked_subcommand is not None:
        return
    from core.db import connect_direct
    from ingest.review import pending

    with connect_direct() as conn:
        items, total = pending(conn, limit, after)
    if as_json:
        typer.echo(json.dumps({"total": total, "items": [i.model_dump() for i in items]}, ensure_ascii=False))
        return
    console = Console()
    if not items:
        console.print("Rien à relire.")
        return
    console.print(f"{number(total)} ligne(s) à relire ; « repere ingest review accept EMPREINTE » ou « refuse ».")
    for item in items:
        table = Table(title=f"{item.fingerprint}  (ligne {item.line})", title_justify="left", show_header=True)
        for heading in ("", "Qui", "Où", "Score", "Raisons"):
            table.add_column(heading, overflow="fold")
        where = item.address + (f" ({item.phone})" if item.phone else "")
        table.add_row("AMELI", f"{item.name}, {item.specialty}", where, "", "")
        for rank, proposal in enumerate(item.proposals, 1):
            who = f"{proposal.name or '?'} ({proposal.rpps})"
            place = proposal.place or f"structure {proposal.structure}"
            table.add_row(str(rank), who, place, str(proposal.score), _reasons(proposal.explanation))
        console.print(table)


def _reasons(explanation: Any) -> str:
    if isinstance(explanation, dict):
        return ", ".join(f"{k} : {_reasons(v)}" for k, v in explanation.items())
    if isinstance(explanation, list):
        return ", ".join(_reasons(v) for v in explanation)
    return "" if explanation is None else str(explanation)


Fingerprint = Annotated[str, typer.Argument(metavar="EMPREINTE", help="Empreinte de la ligne (ou son début).")]
Rpps = Annotated[
    str | None, typer.Option("--rpps", help="Identifiant du professionnel (la meilleure proposition sinon).")
]
Structure = Annotated[str | None, typer.Option("--structure", help="Identifiant de la structure.")]
By = Annotated[str | None, typer.Option("--par", help="Qui décide (le compte du système sinon).")]


def _decide(
    fingerprint: str, rpps: str | None, structure: str | None, by: str | None, *, accepted: bool, as_json: bool
) -> None:
    from core.db import connect_direct
    from core.errors import DomainError
    from ingest.applying import apply_link
    from ingest.review import decide

    try:
        with connect_direct() as conn:
            linked, said = decide(
                conn, fingerprint, accepted=accepted, rpps=rpps, structure=structure, decided_by=by or getpass.getuser()
            )
            conn.commit()
            if linked is not None:
                now = apply_link(conn, linked.fingerprint, linked.rpps, linked.structure)
                said += " La fiche est à jour." if now else " La fiche suivra au prochain chargement."
    except DomainError as error:
        messages.print(error.detail, style="red", highlight=False)
        raise typer.Exit(1) from error
    typer.echo(json.dumps({"fingerprint": fingerprint, "accepted": accepted}) if as_json else said)


@review_app.command("accept")
def accept(
    fingerprint: Fingerprint, rpps: Rpps = None, structure: Structure = None, by: By = None, as_json: Json = False
) -> None:
    """Accepter une proposition."""
    _decide(fingerprint, rpps, structure, by, accepted=True, as_json=as_json)


@review_app.command("refuse")
def refuse(
    fingerprint: Fingerprint, rpps: Rpps = None, structure: Structure = None, by: By = None, as_json: Json = False
) -> None:
    """Refuser une proposition, ou toutes."""
    _decide(fingerprint, rpps, structure, by, accepted=False, as_json=as_json)


def links(
    source: Annotated[Path | None, typer.Argument(metavar="DOSSIER", help="Fichiers à rapprocher (sans base).")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Fichier CSV (l’écran sinon).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Écrire un bilan JSON ; exige --output.")] = False,
) -> None:
    """Écrire une ligne CSV par ligne AMELI : numéro (1 = première ligne de données), RPPS, structure, score, décision.

    Sans dossier, les liens du dernier chargement ; avec un dossier, ceux que donnent ses fichiers.
    """
    from core.errors import DomainError

    if as_json and output is None:
        raise typer.BadParameter("--json écrit le bilan sur la sortie : donnez --output pour les liens.")
    try:
        rows = _links_of_files(source, quiet=as_json) if source else _links_of_database()
    except DomainError as error:
        messages.print(error.detail, style="red", highlight=False)
        raise typer.Exit(1) from error
    counts: dict[str, int] = {}
    stream = output.open("w", encoding="utf-8", newline="") if output else sys.stdout
    try:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for row in rows:
            counts[row[4]] = counts.get(row[4], 0) + 1
            writer.writerow(row)
    finally:
        if output:
            stream.close()
    if as_json:
        typer.echo(json.dumps({"lines": sum(counts.values()), **counts}))


Row = tuple[int, str, str, int, str]


def _links_of_files(source: Path, *, quiet: bool) -> Iterable[Row]:
    from ingest.offline import link_files

    with progress_bar(quiet=quiet) as advance:
        return list(link_files(source, advance))


def _links_of_database() -> Iterable[Row]:
    from core.db import connect_direct
    from core.errors import NotFound

    with connect_direct() as conn:
        load = conn.execute(
            """SELECT (report -> 'registers' -> 'ameli' ->> 'read')::int FROM ingest.load
            WHERE status IN ('published', 'unchanged') AND report -> 'registers' ? 'ameli' ORDER BY id DESC LIMIT 1"""
        ).fetchone()
        rows = conn.execute(
            """SELECT n.line::int, coalesce(rpps, ''), coalesce(structure, ''), score, decision
            FROM ingest.ameli_link CROSS JOIN LATERAL jsonb_array_elements_text(content -> 'lines') AS n(line)
            ORDER BY 1"""
        ).fetchall()
    if not load and not rows:
        raise NotFound("Aucune ligne AMELI n’a encore été chargée.")
    known = {row[0]: row for row in rows}
    last = max([load[0] if load and load[0] else 0, *known])
    return [known.get(line, (line, "", "", 0, "rejected")) for line in range(1, last + 1)]


def score(
    truth: Annotated[Path, typer.Argument(metavar="VERITE.csv", help="ameli_row,rpps,structure,secteur[,kind]")],
    source: Annotated[
        Path | None, typer.Option("--links", help="CSV de la commande links (les liens du dernier chargement sinon).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Mesurer la précision et le rappel des liens automatiques contre un fichier vérité."""
    import pandas as pd

    from core.errors import DomainError
    from ingest.linkage import evaluate
    from ingest.linkage.commands import read_links, show
    from ingest.linkage.evaluation import read_truth

    try:
        expected = read_truth(truth)
        found = read_links(source) if source else pd.DataFrame(_links_of_database(), columns=list(COLUMNS))
    except (FileNotFoundError, ValueError) as error:
        messages.print(str(error), style="red", highlight=False)
        raise typer.Exit(1) from error
    except DomainError as error:
        messages.print(error.detail, style="red", highlight=False)
        raise typer.Exit(1) from error
    evaluation = evaluate(found, expected)
    if as_json:
        typer.echo(json.dumps(evaluation.as_dict(), ensure_ascii=False))
    else:
        show(evaluation)
