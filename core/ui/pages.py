"""Drawing of pages: one Jinja environment, the folders that packages add to it, error pages."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.middleware.gzip import GZipMiddleware

from core import http
from core.security import csrf_field
from core.settings import core_settings
from core.ui import assets
from core.ui.filters import FILTERS

_loader = ChoiceLoader([FileSystemLoader(Path(__file__).parent / "templates")])

environment = Environment(
    loader=_loader,
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
environment.filters.update(FILTERS)
environment.globals.update(static=assets.url, icon_url=assets.icon_url, csrf=csrf_field)

MESSAGES = {
    404: "Vérifiez l’adresse, ou repartez d’une recherche : une fiche fermée garde son adresse, mais une adresse "
    "mal recopiée ne mène à rien.",
    422: "Corrigez l’adresse ou reprenez la recherche depuis le début ; rien n’a été modifié.",
    500: "Rien de ce que vous avez saisi n’a été modifié. Réessayez ; si cela se reproduit, signalez-le.",
    503: "Rien n’a été modifié. Réessayez dans un instant, ou précisez la recherche.",
}
"""What a person can do, by status."""


GZIP_LEVEL = 4
"""Of compressed answers: two and a half times as fast as the last level, for six per cent more bytes."""


def add_templates(folder: Path) -> None:
    """Add a package's folder of templates; keep its files in a sub-folder named after the package."""
    loader = FileSystemLoader(folder)
    if folder not in (Path(path) for known in _loader.loaders for path in getattr(known, "searchpath", ())):
        _loader.loaders = [*_loader.loaders, loader]


def render(
    request: Request,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Draw a page; `request`, `person` (who is signed in, or None) and `demo` are known to every template.

    Raises:
        jinja2.UndefinedError: the template names a variable that the context lacks.
    """
    values = {
        "request": request,
        "person": getattr(request.state, "person", None),
        "demo": core_settings().demo,
        "path": request.url.path,
    } | dict(context or {})
    return HTMLResponse(
        environment.get_template(template).render(values),
        status_code=status,
        headers=dict(headers or {}),
    )


async def error_page(request: Request, status: int, title: str, detail: str) -> HTMLResponse:
    """Draw the page of an error: what happened, what is safe, what to do."""
    context = {"status": status, "error_title": title, "detail": detail, "advice": MESSAGES.get(status, "")}
    return render(request, "ui/error.html", context, status=status, headers={"Cache-Control": "no-store"})


def mount(app: FastAPI) -> None:
    """Give an application its static files."""
    assets.mount(app)


def install(app: FastAPI) -> None:
    """Give an application its error pages and compressed answers."""
    http.set_error_page(error_page)
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=GZIP_LEVEL)
