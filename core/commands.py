"""Commands of the foundations."""

import typer

from core.mail import commands as mail

app = typer.Typer()
app.add_typer(mail.app)
