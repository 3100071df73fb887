"""`repere ingest report` and `repere ingest status`: what the last loads did."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ingest.labels import NBSP, REGISTERS, STATUSES, number
from ingest.schemas import LoadReport
from ingest.showing import messages, show_report


def report(
    load_id: Annotated[
        int | None, typer.Argument(metavar="ID", help="Numéro du chargement (le dernier sinon).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Écrire un seul objet JSON.")] = False,
) -> None:
    """Montrer le rapport d’un chargement."""
    from core.db import connect_direct

    with connect_direct() as conn:
        row = conn.execute(
            "SELECT id, status, report, error FROM ingest.load WHERE id = coalesce(%s, id) ORDER BY id DESC LIMIT 1",
            (load_id,),
        ).fetchone()
    if row is None:
        messages.print("Aucun chargement." if load_id is None else f"Chargement n° {load_id} inconnu.", style="red")
        raise typer.Exit(1)
    number_, state, body, error = row
    if as_json:
        typer.echo(
            json.dumps({"load_id": number_, "status": state, "error": error, "report": body}, ensure_ascii=False)
        )
        return
    if body:
        show_report(LoadReport.model_validate(body | {"status": state}))
    else:
        typer.echo(f"Chargement n° {number_} : {STATUSES.get(state, state)}")
    if error:
        typer.echo(error)


def status(as_json: Annotated[bool, typer.Option("--json", help="Écrire un seul objet JSON.")] = False) -> None:
    """Montrer l’état : derniers chargements, registres publiés, file de relecture."""
    from core.db import connect_direct

    with connect_direct() as conn:
        loads = conn.execute(
            """SELECT id, status, started_at, finished_at, error,
                coalesce((SELECT jsonb_object_agg(key, value -> 'read') FROM jsonb_each(report -> 'registers')), '{}')
            FROM ingest.load ORDER BY id DESC LIMIT 10"""
        ).fetchall()
        links: dict[str, int] = dict(
            conn.execute("SELECT decision, count(*) FROM ingest.ameli_link GROUP BY 1 ORDER BY 1").fetchall()
        )
    if as_json:
        body = {
            "loads": [
                {
                    "id": i,
                    "status": s,
                    "started_at": a.isoformat(),
                    "finished_at": b.isoformat() if b else None,
                    "error": e,
                    "registers": r,
                }
                for i, s, a, b, e, r in loads
            ],
            "links": links,
        }
        typer.echo(json.dumps(body, ensure_ascii=False))
        return
    if not loads:
        typer.echo("Aucun chargement.")
        return
    table = Table(title="Derniers chargements")
    for heading in ("N°", "Début", "Durée", "État", "Lignes lues", "Remarque"):
        table.add_column(heading)
    for load_id, state, started, finished, error, registers in loads:
        seconds = f"{(finished - started).total_seconds():.0f}{NBSP}s" if finished else ""
        read = ", ".join(f"{REGISTERS.get(n, n)} {number(int(c))}" for n, c in registers.items())
        when = started.astimezone().strftime("%d/%m/%Y %H:%M")
        table.add_row(str(load_id), when, seconds, STATUSES.get(state, state), read, (error or "")[:80])
    console = Console()
    console.print(table)
    if links:
        waiting = links.get("review", 0)
        console.print(f"Liens AMELI à relire{NBSP}: {number(waiting)} (repere ingest review)")
