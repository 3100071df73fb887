"""Command of the index of texts."""

import json
from dataclasses import asdict

import typer

from core.db import connect_direct
from search_api.texts.folder import texts_folder
from search_api.texts.writer import TextReport, TextWriter

_NEWEST = "SELECT coalesce(max(position), 0) FROM core.event"


def build() -> TextReport:
    """Build the instance's index of texts.

    Raises:
        Conflict: another process keeps it.
    """
    with TextWriter(texts_folder()) as writer, connect_direct() as conn:
        row = conn.execute(_NEWEST).fetchone()
        # What is committed from now on is in the events that come after.
        conn.commit()
        return writer.rebuild(conn, row[0] if row else 0)


def texts(as_json: bool = typer.Option(False, "--json", help="Affiche un objet JSON.")) -> None:
    """Construit l’index des textes : noms et mots, pour les suggestions et les fautes de frappe."""
    report = build()
    if as_json:
        typer.echo(json.dumps(asdict(report)))
        return
    people, sites, words = (f"{number:,}".replace(",", " ") for number in (report.people, report.sites, report.words))
    seconds = f"{report.seconds:.1f}".replace(".", ",")
    typer.echo(f"Textes indexés : {people} professionnels, {sites} lieux et {words} mots en {seconds} s.")
