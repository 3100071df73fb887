"""The door of the classified ads: the routers of its pages and of its API."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI

from accounts.api import Person, Service, add_service
from core.ui import assets, pages
from modules.ads import pages_files, pages_mine, pages_write, routes_mine

_HERE: Final = Path(__file__).parent
_ROUTERS: Final[tuple[APIRouter, ...]] = (
    pages_write.router,
    pages_mine.router,
    pages_files.router,
    routes_mine.router,
)

_ROLES: Final = ("professional", "moderator", "administrator")


def _offered(person: Person) -> bool:
    """Offer ads to whoever may be a doctor, a student of medicine or a moderator; the page itself decides.

    A right of another kind says that somebody is none of these; an intern whom a council knows holds none.
    """
    return not person.grants or person.rpps is not None or any(person.has(role) for role in _ROLES)


add_service(
    Service(
        "annonces",
        "Annonces",
        "Remplacements, collaborations, successions… Trouver ou déposer une annonce entre médecins, internes et "
        "docteurs juniors.",
        "/annonces",
        "inbox",
        _offered,
        rank=30,
    )
)


def install(app: FastAPI) -> None:
    """Give the application the pages and the API of ads."""
    pages.add_templates(_HERE / "templates")
    assets.add_folder("ads", _HERE / "static")
    for router in _ROUTERS:
        app.include_router(router)
