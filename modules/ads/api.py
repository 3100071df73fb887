"""The door of the classified ads: the routers of its pages and of its API."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI

from core.ui import assets, pages
from modules.ads import pages_ad, pages_find, pages_saved, routes_find
from modules.ads.people import VisitNeeded, ask_to_visit

_HERE: Final = Path(__file__).parent
_ROUTERS: Final[tuple[APIRouter, ...]] = (
    pages_find.router,
    pages_saved.router,
    pages_ad.router,
    routes_find.router,
)

# When this is read, not when it is installed: static folders are served from the beginning of the application.
pages.add_templates(_HERE / "templates")
assets.add_folder("ads", _HERE / "static")


def install(app: FastAPI) -> None:
    """Give the application the pages and the API of ads."""
    app.add_exception_handler(VisitNeeded, ask_to_visit)
    for router in _ROUTERS:
        app.include_router(router)
