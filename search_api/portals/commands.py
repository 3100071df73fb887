"""Commands of the portals."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from core import db
from core.errors import Conflict
from maps.api import ready
from search_api.portals import rules, service
from search_api.portals.states import ACTIVE, LABELS

portals = typer.Typer(name="portals", help="Portails : recherches par zone, à leur adresse.", no_args_is_help=True)
ACTOR = "command"

T = TypeVar("T")


@portals.callback()
def root() -> None:
    """Keep the sub-command's name."""


def _run(work: Callable[[AsyncSession], Awaitable[T]]) -> T:
    async def run() -> T:
        try:
            await ready()
            async with db.unit_of_work() as session:
                return await work(session)
        finally:
            await db.dispose()

    return asyncio.run(run())


@portals.command("list")
def listing(as_json: bool = typer.Option(False, "--json", help="Affiche un objet JSON.")) -> None:
    """Affiche les portails."""

    async def work(session: AsyncSession) -> list[Any]:
        return await service.page(session, limit=await service.count(session))

    found = _run(work)
    if as_json:
        typer.echo(json.dumps([one.model_dump(mode="json", exclude={"history"}) for one in found]))
        return
    for one in found:
        typer.echo(f"{one.path}  {one.title}  ({', '.join(one.places)}, {LABELS[one.state].lower()})")
    if not found:
        typer.echo("Aucun portail.")


@portals.command("create")
def create(
    slug: Annotated[str, typer.Argument(help="Fin de l’adresse : 78 pour /maillage/78.")],
    place: Annotated[list[str], typer.Option(help="Lieu de la zone, par exemple departement:78 ; répétable.")],
    title: Annotated[str, typer.Option(help="Titre.")],
    logo: Annotated[str, typer.Option(help="Nom court ; le titre par défaut.")] = "",
    intro: Annotated[str, typer.Option(help="Présentation.")] = "",
    colour: Annotated[str, typer.Option(help="Couleur des actions.")] = "#0b5a60",
    band: Annotated[str, typer.Option(help="Couleur du bandeau.")] = "#07434a",
    filters: Annotated[str, typer.Option(help="Filtres du départ, comme dans l’adresse d’une recherche.")] = "",
    host: Annotated[list[str] | None, typer.Option(help="Site qui montre la recherche ; répétable.")] = None,
) -> None:
    """Crée un portail."""
    form = {
        "slug": slug,
        "title": title,
        "logo": logo or title[: rules.LOGO],
        "intro": intro,
        "places": "\n".join(place),
        "colour": colour,
        "band": band,
        "filters": filters,
        "hosts": "\n".join(host or ()),
    }

    async def work(session: AsyncSession) -> str:
        return (await service.create(session, await rules.read(form), ACTOR)).path

    typer.echo(f"Portail créé : {_run(work)}")


@portals.command("close")
def close(slug: Annotated[str, typer.Argument(help="Fin de l’adresse.")]) -> None:
    """Ferme un portail ; son adresse ne répond plus."""

    async def work(session: AsyncSession) -> None:
        found = await service.any_state(session, slug)
        if found.state != ACTIVE:
            raise Conflict("Ce portail est déjà fermé.")
        await service.move(session, slug, "close", found.version, ACTOR)

    _run(work)
    typer.echo("Portail fermé.")


@portals.command("demo")
def demo() -> None:
    """Crée les portails de la démonstration qui manquent."""
    typer.echo(f"{_run(service.create_demo)} portails de démonstration créés.")
