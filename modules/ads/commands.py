"""Commands of the ads: `repere ads …`, for an operator who schedules them without Celery."""

import asyncio
import json as jsonlib
from collections.abc import Coroutine
from typing import Annotated, Any

import typer
from sqlalchemy.exc import OperationalError

from core import db
from core.errors import Unavailable
from core.ui.filters import counted
from modules.ads import clockwork, demo, digest

app = typer.Typer(name="ads", help="Annonces : fins de publication, récapitulatif, conservation.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Écrire un objet JSON plutôt qu’un texte.")]


def _run(work: Coroutine[Any, Any, dict[str, int]]) -> dict[str, int]:
    async def whole() -> dict[str, int]:
        try:
            return await work
        except OperationalError as error:
            raise Unavailable(
                "La base de données ne répond pas : vérifiez REPERE_DATABASE_URL, ou lancez « ./repere doctor »."
            ) from error
        finally:
            await db.dispose()

    return asyncio.run(whole())


def _say(found: dict[str, int], text: str, json: bool) -> None:
    typer.echo(jsonlib.dumps(found) if json else text)


@app.command("expire")
def expire_command(json: Json = False) -> None:
    """Dépublier les annonces dont la date de fin est passée, et prévenir une semaine avant ; à lancer souvent."""

    async def work() -> dict[str, int]:
        return {"expired": await clockwork.expire(), "warned": await clockwork.warn()}

    found = _run(work())
    text = (
        f"{counted(found['expired'], 'annonce dépubliée', 'annonces dépubliées')}, "
        f"{counted(found['warned'], 'auteur prévenu', 'auteurs prévenus')}."
    )
    _say(found, text, json)


@app.command("suspend")
def suspend_command(json: Json = False) -> None:
    """Dépublier les annonces que leur auteur ne peut plus publier : licence échue, situation perdue ; chaque jour."""

    async def work() -> dict[str, int]:
        return {"suspended": await clockwork.suspend()}

    found = _run(work())
    _say(found, f"{counted(found['suspended'], 'annonce dépubliée', 'annonces dépubliées')}.", json)


@app.command("digest")
def digest_command(json: Json = False) -> None:
    """Écrire aux modérateurs ce qui attend, une fois par jour et par conseil ; rien si rien n’attend."""

    async def work() -> dict[str, int]:
        return {"mails": await digest.send(at_once=True)}

    found = _run(work())
    _say(found, f"{counted(found['mails'], 'mail écrit', 'mails écrits')}.", json)


@app.command("purge")
def purge_command(json: Json = False) -> None:
    """Supprimer les brouillons, les anciennes annonces et les fichiers au bout de leur durée de conservation."""

    async def work() -> dict[str, int]:
        return {"purged": await clockwork.purge(), "files": await clockwork.sweep()}

    found = _run(work())
    text = (
        f"{counted(found['purged'], 'annonce supprimée', 'annonces supprimées')}, "
        f"{counted(found['files'], 'fichier effacé', 'fichiers effacés')}."
    )
    _say(found, text, json)


@app.command("demo")
def demo_command(json: Json = False) -> None:
    """Écrire les annonces de la démonstration, inventées ; rejouable sans effet."""

    async def work() -> dict[str, int]:
        return {"ads": await demo.make_ads()}

    found = _run(work())
    _say(found, f"{counted(found['ads'], 'annonce écrite', 'annonces écrites')}.", json)
