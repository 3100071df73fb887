"""Commands on the programs that read the API: their public keys, without any page."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.administration import OPERATOR
from accounts.clients import forms_keys, queries, service, views
from accounts.clients.forms_keys import KeysForm
from accounts.clients.keys import LONGEST
from accounts.models_clients import Client
from core import clock, db
from core.errors import InvalidInput, NotFound

clients = typer.Typer(name="keys", help="Clés publiques des applications clientes.", no_args_is_help=True)

T = TypeVar("T")
_CLIENT = Annotated[str, typer.Argument(metavar="IDENTIFIANT", help="Identifiant (client_id) de l’application.")]


def _run(work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    async def run() -> T:
        try:
            async with db.unit_of_work() as session:
                return await work(session)
        finally:
            await db.dispose()

    return asyncio.run(run())


async def _found(session: AsyncSession, public_id: str) -> Client:
    client: Client | None = await session.scalar(select(Client).where(Client.public_id == public_id))
    if client is None:
        raise NotFound("Aucune application n’a cet identifiant.")
    return client


@clients.command("list")
def listing(public_id: _CLIENT, as_json: bool = typer.Option(False, "--json", help="Affiche un objet JSON.")) -> None:
    """Affiche les clés publiques d’une application, avec leurs empreintes."""

    async def work(session: AsyncSession) -> list[dict[str, Any]]:
        client = await _found(session, public_id)
        now = await clock.now(session)
        known = await views.keys_of(session, client.id)
        return [
            {
                "access": secret.id,
                "state": views.secret_state(secret, now),
                "until": secret.expires_at.isoformat() if secret.expires_at else None,
                "url": known[secret.id].url,
                "keys": [{"kid": key.kid, "thumbprint": key.thumbprint} for key in known[secret.id].keys],
            }
            for secret in (await session.scalars(queries.secrets_of(client.id))).all()
            if secret.id in known
        ]

    found = _run(work)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    states = {"live": "en cours", "ending": "finit bientôt", "over": "terminé", "ended": "retiré"}
    for one in found:
        typer.echo(f"Accès {one['access']} ({states[one['state']]}){' : ' + one['url'] if one['url'] else ''}")
        for key in one["keys"]:
            typer.echo(f"  {key['thumbprint']}  {key['kid']}")
    if not found:
        typer.echo("Cette application n’a pas de clés publiques.")


@clients.command("give")
def give(
    public_id: _CLIENT,
    file: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Jeu de clés (JWKS).")] = None,
    url: Annotated[str, typer.Option(help="Adresse https où le jeu de clés se lit.")] = "",
    grace: Annotated[
        int, typer.Option(help="Jours pendant lesquels les clés en cours valent encore : 0, 1, 7, 30.")
    ] = 7,
) -> None:
    """Donne ses clés publiques à une application, à la place de celles qu’elle a."""
    try:
        text = ""
        if file is not None:
            with file.open(encoding="utf-8") as opened:
                text = opened.read(LONGEST + 1)
    except UnicodeDecodeError:
        raise InvalidInput("Ce fichier n’est pas un texte en UTF-8.") from None

    async def work(session: AsyncSession) -> list[str]:
        given = await forms_keys.read(KeysForm(text, url))
        client = await _found(session, public_id)
        await service.give_keys(session, client.uid, client.version, given, grace, OPERATOR)
        return [key.thumbprint for key in given.keys]

    prints = _run(work)
    typer.echo("Clés enregistrées, par empreinte :")
    for one in prints:
        typer.echo(f"  {one}")


@clients.command("end")
def end(
    public_id: _CLIENT,
    access: Annotated[int, typer.Argument(metavar="ACCÈS", help="Numéro que « keys list » montre.")],
) -> None:
    """Retire tout de suite des clés publiques, avec les jetons qu’elles avaient obtenus."""

    async def work(session: AsyncSession) -> None:
        client = await _found(session, public_id)
        if access not in await views.keys_of(session, client.id):
            raise NotFound("Cette application n’a pas cet accès par clés publiques.")
        await service.end_secret(session, client.uid, client.version, access, OPERATOR)

    _run(work)
    typer.echo("Clés retirées.")
