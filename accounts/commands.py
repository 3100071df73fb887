"""Commands of accounts: the first administrator, and rights without any page."""

import asyncio
import json
from dataclasses import asdict

import typer

from accounts import administration
from accounts.clients.commands import clients
from core import db

app = typer.Typer(name="accounts", help="Comptes et droits.", no_args_is_help=True)
app.add_typer(clients)

_EMAIL = typer.Argument(metavar="ADRESSE", help="Adresse électronique du compte.")
_ROLE = typer.Argument(
    metavar="DROIT",
    help="administrator, agent, coordinator, moderator, site_manager, professional ou delegate.",
)
_SCOPE = typer.Argument(
    "",
    metavar="[PORTÉE]",
    help="Numéro RPPS ou FINESS, département du conseil, territoire (departement:78) ; rien pour administrator.",
)


@app.command("grant")
def grant(
    email: str = _EMAIL,
    role: str = _ROLE,
    scope: str = _SCOPE,
    create: bool = typer.Option(False, "--create", help="Crée le compte s’il n’existe pas, adresse confirmée."),
    first_name: str = typer.Option("", "--first-name", help="Prénom du compte à créer."),
    last_name: str = typer.Option("", "--last-name", help="Nom du compte à créer."),
) -> None:
    """Donne un droit à un compte, par exemple « accounts grant nom@exemple.fr administrator --create »."""

    async def work() -> bool:
        try:
            async with db.unit_of_work() as session:
                return await administration.operator_grant(
                    session, email, role, scope, create=create, first_name=first_name, last_name=last_name
                )
        finally:
            await db.dispose()

    if asyncio.run(work()):
        typer.echo(
            f"Compte {email} créé. La première connexion passe par « Mot de passe oublié » ou Pro Santé Connect."
        )
    typer.echo(f"Le compte {email} a le droit {role}{f' sur {scope}' if scope else ''}.")


@app.command("revoke")
def revoke(
    email: str = _EMAIL,
    role: str = _ROLE,
    scope: str = _SCOPE,
    last: bool = typer.Option(False, "--last", help="Retire aussi le droit du dernier administrateur."),
) -> None:
    """Retire un droit à un compte ; les délégations qui en dépendent prennent fin."""

    async def work() -> None:
        try:
            async with db.unit_of_work() as session:
                await administration.operator_revoke(session, email, role, scope, last=last)
        finally:
            await db.dispose()

    asyncio.run(work())
    typer.echo(f"Le compte {email} n’a plus le droit {role}{f' sur {scope}' if scope else ''}.")


@app.command("list")
def show(
    text: str = typer.Argument("", metavar="[TEXTE]", help="Nom, adresse ou RPPS."),
    role: str | None = typer.Option(None, "--role", help="Seulement ceux qui ont ce droit."),
    limit: int = typer.Option(30, "--limit", min=1, max=10_000, help="Comptes montrés."),
    as_json: bool = typer.Option(False, "--json", help="Affiche un objet JSON."),
) -> None:
    """Montre les comptes et leurs droits."""

    async def work() -> tuple[list[administration.Listed], int]:
        try:
            async with db.unit_of_work() as session:
                return await administration.listed(session, text, role, limit)
        finally:
            await db.dispose()

    rows, total = asyncio.run(work())
    if as_json:
        typer.echo(json.dumps({"total": total, "accounts": [asdict(row) for row in rows]}, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"{row.email or '(sans adresse)'}\t{row.name}\t{row.status}\t{', '.join(row.rights) or '–'}")
    typer.echo(f"{len(rows)} sur {total} compte{'s' if total > 1 else ''}.")
