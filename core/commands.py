"""Commands of the foundations."""

import typer
from alembic.config import main as alembic_main

app = typer.Typer()


@app.command("alembic", context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def alembic(context: typer.Context) -> None:
    """Passer une commande d’Alembic sur la base de l’instance (pour les développeurs : revision, check, history…)."""
    alembic_main(argv=context.args, prog="repere alembic")
