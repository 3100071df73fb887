"""Home, help, API reference and legal pages."""

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from accounts.api import SignedInDep
from core.db import SessionDep
from core.ui import assets, pages
from search_api.api import EXAMPLES, SearchBox, address, directory_figures
from web import reference
from web.settings import site_settings

router = APIRouter(include_in_schema=False)

pages.add_templates(Path(__file__).parent / "templates")
assets.add_folder("web", Path(__file__).parent / "static")


@router.get("/")
async def home(request: Request, session: SessionDep) -> Response:
    """Draw the home page: the search, examples, size of the directory, freshness of the registers."""
    context = {
        "box": SearchBox(),
        "examples": [(text, address(pairs)) for text, pairs in EXAMPLES],
        "figures": await directory_figures(session),
    }
    return pages.render(request, "web/home.html", context, headers={"Cache-Control": "private, no-cache"})


@router.get("/accueil")
async def services(request: Request, person: SignedInDep) -> Response:
    """Draw the home of a person who is signed in."""
    return pages.render(request, "web/services.html", {"who": person})


@router.get("/aide")
async def help_page(request: Request) -> Response:
    """Draw the help page."""
    return pages.render(request, "web/help.html")


@router.get("/api")
async def api_reference(request: Request) -> Response:
    """Draw the reference of the JSON API, read from the application's own OpenAPI document."""
    operations = reference.operations(request.app.openapi())
    return pages.render(request, "web/api.html", {"operations": operations, "base": str(request.base_url).rstrip("/")})


@router.get("/mentions-legales")
async def legal(request: Request) -> Response:
    """Draw the legal notice."""
    settings = site_settings()
    context = {
        "publisher": settings.publisher,
        "host": settings.host_name,
        "contact_email": settings.contact_email,
    }
    return pages.render(request, "web/legal.html", context)


@router.get("/accessibilite")
async def accessibility(request: Request) -> Response:
    """Draw the accessibility statement."""
    return pages.render(request, "web/accessibility.html", {"contact_email": site_settings().contact_email})
