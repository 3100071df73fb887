"""Commands of the ingestion."""

import typer

from ingest.sample.commands import app as sample_app

app = typer.Typer(no_args_is_help=True)
app.add_typer(sample_app)
