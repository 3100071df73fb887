"""The door of the classified ads: the routers of its pages and of its API."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI

from accounts.api import Person, Service, add_service
from core.ui import assets, pages
from modules.ads import (
    pages_ad,
    pages_council,
    pages_decision,
    pages_files,
    pages_find,
    pages_mine,
    pages_moderation,
    pages_rules,
    pages_saved,
    pages_statistics,
    pages_write,
    personal,
    routes_find,
    routes_mine,
    routes_moderation,
    suspension,
)
from modules.ads.people import VisitNeeded, ask_to_visit

_HERE: Final = Path(__file__).parent
_ROUTERS: Final[tuple[APIRouter, ...]] = (
    pages_find.router,
    pages_saved.router,
    pages_ad.router,
    pages_write.router,
    pages_mine.router,
    pages_files.router,
    pages_moderation.router,
    pages_decision.router,
    pages_council.router,
    pages_statistics.router,
    pages_rules.router,
    routes_mine.router,
    routes_moderation.router,
    routes_find.router,
)

# Folders are served from the moment when the application is assembled: before `install`.
pages.add_templates(_HERE / "templates")
assets.add_folder("ads", _HERE / "static")

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
    app.add_exception_handler(VisitNeeded, ask_to_visit)
    for router in _ROUTERS:
        app.include_router(router)
    personal.offer()
    suspension.offer()
