"""Command of the index of texts."""

import json
from dataclasses import asdict

import typer

from search_api.indexer import build_texts
from search_api.settings import index_folder


def texts(as_json: bool = typer.Option(False, "--json", help="Affiche un objet JSON.")) -> None:
    """Construit l’index des textes : noms et mots, pour les suggestions et les fautes de frappe."""
    report = build_texts(index_folder())
    if as_json:
        typer.echo(json.dumps(asdict(report)))
        return
    people, sites, words = (f"{number:,}".replace(",", " ") for number in (report.people, report.sites, report.words))
    seconds = f"{report.seconds:.1f}".replace(".", ",")
    typer.echo(f"Textes indexés : {people} professionnels, {sites} lieux et {words} mots en {seconds} s.")
