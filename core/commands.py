"""Commands of the foundations."""

import typer
from alembic.config import main as alembic_main

from core.mail import commands as mail

app = typer.Typer()
app.add_typer(mail.app)


@app.command("alembic", context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def alembic(context: typer.Context) -> None:
    """Passer une commande d’Alembic sur la base de l’instance (pour les développeurs : revision, check, history…)."""
    alembic_main(argv=context.args, prog="repere alembic")
