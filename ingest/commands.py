"""`repere sample` and `repere ingest …`: load, review, report, score."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ingest.commands_links import links, review_app, score
from ingest.commands_report import report, status
from ingest.sample.commands import sample
from ingest.schemas import LoadReport
from ingest.showing import messages, progress_bar, show_report

app = typer.Typer(no_args_is_help=True)
ingest_app = typer.Typer(no_args_is_help=True, help="Charger les registres RPPS, FINESS et AMELI.")
app.command("sample")(sample)
app.add_typer(ingest_app, name="ingest")

Json = Annotated[bool, typer.Option("--json", help="Écrire un seul objet JSON sur la sortie.")]
AcceptDrop = Annotated[
    bool, typer.Option("--accept-drop", help="Publier même si un registre a perdu plus de 10 % de ses lignes.")
]
Force = Annotated[bool, typer.Option("--force", help="Tout refaire, même si les fichiers n’ont pas changé.")]
Download = Annotated[bool, typer.Option("--download", help="Télécharger d’abord les fichiers officiels.")]
Files = Annotated[list[Path] | None, typer.Argument(help="Fichier ou dossier.", show_default=False)]


def _run(
    paths: list[Path] | None, register: str | None, *, download: bool, accept_drop: bool, force: bool, as_json: bool
) -> None:
    # Imported late: duckdb, pandas and the places would slow every other command down.
    import psycopg

    from core.errors import DomainError, Unavailable
    from ingest.pipeline import load

    try:
        if download:
            from ingest.download import download_registers

            with progress_bar(quiet=as_json) as advance:
                paths = [*(paths or []), *download_registers(register, advance)]
        if not paths:
            raise typer.BadParameter("Indiquez un fichier ou un dossier, ou --download.")
        with progress_bar(quiet=as_json) as advance:
            done = load(paths, register=register, accept_drop=accept_drop, force=force, progress=advance)
    except DomainError as error:
        _fail(error, as_json=as_json)
    except psycopg.OperationalError as error:
        _fail(Unavailable(f"La base de données ne répond pas : {str(error).strip()}"), as_json=as_json)
    else:
        _show(done, as_json=as_json)


def _fail(error: Exception, *, as_json: bool) -> None:
    from core.errors import DomainError

    if as_json and isinstance(error, DomainError):
        body = {"status": "refused", "code": error.code, "error": error.detail}
        body |= {k: v for k in ("file", "line", "column", "reason") if (v := getattr(error, k, None)) is not None}
        typer.echo(json.dumps(body, ensure_ascii=False))
    else:
        messages.print(str(error), style="red", highlight=False, markup=False)
    raise typer.Exit(1)


def _show(done: LoadReport, *, as_json: bool) -> None:
    if as_json:
        typer.echo(done.model_dump_json())
    else:
        show_report(done)


@ingest_app.command("all")
def load_all(
    paths: Files = None,
    download: Download = False,
    accept_drop: AcceptDrop = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Charger tous les registres trouvés dans un dossier (ou des fichiers)."""
    _run(paths, None, download=download, accept_drop=accept_drop, force=force, as_json=as_json)


@ingest_app.command("rpps")
def load_rpps(
    paths: Files = None,
    download: Download = False,
    accept_drop: AcceptDrop = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Charger le RPPS (PS_LibreAcces)."""
    _run(paths, "rpps", download=download, accept_drop=accept_drop, force=force, as_json=as_json)


@ingest_app.command("finess")
def load_finess(
    paths: Files = None,
    download: Download = False,
    accept_drop: AcceptDrop = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Charger FINESS (CSV Etalab ou JSON)."""
    _run(paths, "finess", download=download, accept_drop=accept_drop, force=force, as_json=as_json)


@ingest_app.command("ameli")
def load_ameli(
    paths: Files = None,
    download: Download = False,
    accept_drop: AcceptDrop = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Charger AMELI (liste-ps)."""
    _run(paths, "ameli", download=download, accept_drop=accept_drop, force=force, as_json=as_json)


ingest_app.command("report")(report)
ingest_app.command("status")(status)
ingest_app.command("links")(links)
ingest_app.command("score")(score)
ingest_app.add_typer(review_app, name="review")
