"""Home, help, API reference and legal pages."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import (
    Person,
    Service,
    SignedInDep,
    add_favourite,
    add_service,
    everybody,
    favourites,
    messages,
    place_favourite,
    raise_favourite,
    remove_favourite,
    services_of,
)
from core.db import SessionDep
from core.errors import NotFound
from core.security import csrf_protected
from core.ui import assets, pages
from search_api.api import EXAMPLES, SearchBox, address, directory_figures
from web import reference
from web.settings import site_settings

router = APIRouter(include_in_schema=False)

pages.add_templates(Path(__file__).parent / "templates")
assets.add_folder("web", Path(__file__).parent / "static")


add_service(
    Service(
        "aide",
        "Aide",
        "Bien chercher, décrire une offre, déléguer : les réponses courtes.",
        "/aide",
        "question-circle",
        everybody,
        rank=90,
    )
)

FAVOURITE = "service"
LATEST_MESSAGES = 5


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
async def services(request: Request, session: SessionDep, person: SignedInDep) -> Response:
    """Draw the home of a person who is signed in: their services, favourites first, and what they were told."""
    context = {
        **await _services(session, person),
        "messages": await messages(session, person.account_id, size=LATEST_MESSAGES, unread=True),
    }
    return pages.render(request, "web/services.html", context)


@router.post("/accueil/favoris", dependencies=[Depends(csrf_protected)])
async def favourite(
    request: Request,
    session: SessionDep,
    person: SignedInDep,
    service: Annotated[str, Form()],
    action: Annotated[str, Form()],
    avant: Annotated[str, Form()] = "",
) -> Response:
    """Keep a service on top, stop, move it up or before another one; htmx redraws the list, other browsers the page."""
    if service not in {one.key for one in services_of(person)}:
        raise NotFound("Ce service n’existe pas, ou ne vous est pas ouvert.")
    work = {"garder": add_favourite, "retirer": remove_favourite, "monter": raise_favourite}.get(action)
    if action == "placer":
        await place_favourite(session, person.account_id, FAVOURITE, service, avant)
    elif work is None:
        raise NotFound("Cette action est inconnue.")
    else:
        await work(session, person.account_id, FAVOURITE, service)
    if request.headers.get("hx-request") != "true":
        return RedirectResponse("/accueil", status_code=303)
    return pages.render(request, "web/_services.html", await _services(session, person))


async def _services(session: AsyncSession, person: Person) -> dict[str, list[Service]]:
    known = {one.key: one for one in services_of(person)}
    kept = [known[one.ref] for one in await favourites(session, person.account_id, FAVOURITE) if one.ref in known]
    return {"kept": kept, "others": [one for one in known.values() if one not in kept]}


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
