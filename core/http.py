"""What every door shares: problem details (RFC 9457), security headers, health."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy import text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import logs
from core.db import unit_of_work, was_stopped
from core.errors import Conflict, DomainError, Unavailable
from core.settings import core_settings

log = structlog.get_logger("repere.http")

CSP = (
    "default-src 'self'; img-src 'self' data: https:; style-src 'self'; script-src 'self'; font-src 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
)

UNIQUE_VIOLATION = "23505"
"""What PostgreSQL says of a row that exists already."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", None})

TITLES = {
    400: "Requête invalide",
    401: "Authentification nécessaire",
    403: "Accès refusé",
    404: "Introuvable",
    405: "Méthode non autorisée",
    413: "Contenu trop volumineux",
    422: "Données invalides",
    429: "Trop de requêtes",
    500: "Erreur interne",
    503: "Service momentanément indisponible",
}

MESSAGES = {
    "missing": "Ce champ est obligatoire.",
    "int_parsing": "Un nombre entier est attendu.",
    "float_parsing": "Un nombre est attendu.",
    "uuid_parsing": "Cet identifiant n’a pas la bonne forme.",
    "bool_parsing": "« true » ou « false » est attendu.",
    "datetime_from_date_parsing": "Une date et une heure sont attendues, par exemple 2026-11-28T09:30.",
    "datetime_parsing": "Une date et une heure sont attendues, par exemple 2026-11-28T09:30.",
    "greater_than_equal": "La valeur doit être au moins {ge}.",
    "less_than_equal": "La valeur doit être au plus {le}.",
    "greater_than": "La valeur doit être supérieure à {gt}.",
    "less_than": "La valeur doit être inférieure à {lt}.",
    "string_too_long": "Ce texte est trop long ({max_length} caractères au plus).",
    "string_too_short": "Ce texte est trop court ({min_length} caractères au moins).",
    "too_long": "Trop de valeurs ({max_length} au plus).",
    "finite_number": "Un nombre fini est attendu.",
    "enum": "Valeur inconnue.",
    "literal_error": "Valeur inconnue.",
    "extra_forbidden": "Ce paramètre est inconnu.",
    "string_type": "Un texte est attendu.",
    "int_type": "Un nombre entier est attendu.",
    "bool_type": "« true » ou « false » est attendu.",
    "list_type": "Une liste est attendue.",
    "dict_type": "Un objet JSON est attendu.",
    "model_attributes_type": "Un objet JSON est attendu.",
}
UNREADABLE = (
    "Ce JSON est illisible à partir du caractère {at} : vérifiez ses guillemets, ses virgules et ses accolades."
)
NO_JSON = "Un objet JSON est attendu, avec l’en-tête « Content-Type: application/json »."


def problem(
    status: int, title: str, detail: str, *, code: str = "erreur", fields: dict[str, str] | None = None
) -> JSONResponse:
    """Return an RFC 9457 answer; `fields` becomes the extension member `errors`."""
    body: dict[str, object] = {
        "type": f"urn:repere:{code}",
        "title": title,
        "status": status,
        "detail": detail,
    }
    if fields:
        body["errors"] = [{"field": name, "detail": message} for name, message in fields.items()]
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


def validation_fields(error: RequestValidationError) -> dict[str, str]:
    """Return, by field name, the French message of each thing that FastAPI refused."""
    fields: dict[str, str] = {}
    for item in error.errors():
        if item["type"] == "json_invalid":
            # The parser counts from zero, people from one.
            fields["requête"] = UNREADABLE.format(at=item["loc"][-1] + 1)
            continue
        if item["loc"] == ("body",):
            # Nothing was sent, or another type than the one that would have been read.
            fields["requête"] = NO_JSON
            continue
        location = [str(part) for part in item["loc"] if part not in ("query", "path", "body", "header")]
        template = MESSAGES.get(item["type"])
        context = {key: str(value) for key, value in (item.get("ctx") or {}).items()}
        if item["type"] == "value_error":
            message = str((item.get("ctx") or {}).get("error", "Valeur refusée."))
        else:
            message = template.format_map(context) if template else "Valeur refusée."
        fields[".".join(location) or "requête"] = message
    return fields


Renderer = Callable[[Request, int, str, str], Awaitable[Response]]


class _Pages:
    """How an error is shown to a person; set by the pages' room, which stands on this one."""

    render: Renderer | None = None


def set_error_page(render: Renderer) -> None:
    """Register the function (request, status, title, detail) that draws an error page."""
    _Pages.render = staticmethod(render)


ProgramRenderer = Callable[[Request, int, str, Mapping[str, str], Exception], Response]


class _Programs:
    """How errors are told to programs under some addresses; set by the rooms that speak another language there."""

    renders: dict[str, ProgramRenderer] = {}


def set_program_errors(prefix: str, render: ProgramRenderer) -> None:
    """Register the function (request, status, detail, fields, error) that answers errors of addresses that begin so."""
    _Programs.renders[prefix] = render


def _program(request: Request) -> ProgramRenderer | None:
    path = request.url.path
    for prefix, render in _Programs.renders.items():
        if path == prefix or path.startswith(prefix + "/"):
            return render
    return None


def public_base(request: Request) -> str:
    """Return what absolute links of an answer begin with, without a final slash.

    The public address of the settings, behind whatever proxy; while that is only this machine's own, the address
    that the caller used.
    """
    public = core_settings().public_url
    known = public if urlsplit(public).hostname not in LOOPBACK else str(request.base_url)
    return known.rstrip("/")


def wants_page(request: Request) -> bool:
    """Tell whether the caller is a browser that asked for a page."""
    path = request.url.path
    if path.startswith(("/api/", "/fhir", "/tiles/", "/ogc")):
        return False
    return "text/html" in request.headers.get("accept", "")


async def _answer(
    request: Request,
    error: Exception,
    status: int,
    title: str,
    detail: str,
    code: str,
    fields: dict[str, str] | None = None,
) -> Response:
    if (render := _program(request)) is not None:
        return render(request, status, detail, fields or {}, error)
    if _Pages.render is not None and wants_page(request):
        return await _Pages.render(request, status, title, detail)
    return problem(status, title, detail, code=code, fields=fields)


async def _domain(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)  # noqa: S101 - registered for this class
    return await _answer(request, error, error.status, error.title, error.detail, error.code, error.fields)


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    fields = validation_fields(error)
    detail = "Certains paramètres sont incorrects : " + " ; ".join(f"{k} : {v}" for k, v in fields.items())
    return await _answer(request, error, 422, TITLES[422], detail, "donnees-invalides", fields)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    title = TITLES.get(error.status_code, HTTPStatus(error.status_code).phrase)
    detail = {
        400: "Le contenu de la requête est illisible : vérifiez sa forme et son encodage (UTF-8).",
        404: "Cette adresse ne mène à rien, ou ce contenu n’existe plus.",
        405: "Cette adresse n’accepte pas cette méthode.",
    }.get(error.status_code, title)
    answer = await _answer(request, error, error.status_code, title, detail, "http")
    for name, value in (error.headers or {}).items():
        answer.headers[name] = value
    return answer


def _route(request: Request) -> str:
    """Return the pattern of the address that was asked for: some addresses carry a secret."""
    return str(getattr(request.scope.get("route"), "path", "?"))


async def _database(request: Request, error: Exception) -> Response:
    if isinstance(error, IntegrityError) and getattr(error.orig, "sqlstate", "") == UNIQUE_VIOLATION:
        log.warning("written_twice", route=_route(request))
        detail = "La même chose vient d’être enregistrée par ailleurs (double clic, autre onglet) : rechargez la page."
        return await _answer(request, error, 409, Conflict.title, detail, Conflict.code)
    if isinstance(error, DataError):
        log.warning("unstorable", route=_route(request))
        detail = "Une valeur ne peut pas être enregistrée : caractère invisible, ou nombre trop grand. Corrigez-la."
        return await _answer(request, error, 422, TITLES[422], detail, "donnees-invalides")
    if was_stopped(error):
        log.warning("query_time_limit", route=_route(request))
        detail = "La réponse demandait trop de temps : précisez la recherche (lieu, rayon, filtre)."
    elif isinstance(error, OperationalError | PoolTimeout | psycopg.OperationalError):
        log.error("database_unreachable", route=_route(request), error=type(error).__name__)
        detail = "La base de données ne répond pas. Rien n’a été perdu : réessayez dans un instant."
    else:
        return await _unexpected(request, error)
    return await _answer(request, error, 503, Unavailable.title, detail, Unavailable.code)


async def unreachable(scope: Scope, error: Exception) -> Response:
    """Return the answer of a middleware that could not reach the database."""
    return await _database(Request(scope), error)


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("unexpected", route=_route(request), exc_info=error)
    detail = "Une erreur inattendue s’est produite de notre côté ; elle a été consignée. Réessayez dans un instant."
    return await _answer(request, error, 500, TITLES[500], detail, "interne")


class SecurityHeaders:
    """ASGI middleware that gives every answer the headers it does not set itself."""

    headers: Final = (
        ("content-security-policy", CSP),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("permissions-policy", "geolocation=(self), camera=(), microphone=()"),
    )

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers:
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, guarded)


class Heads:
    """ASGI middleware that answers HEAD wherever GET is answered: the same headers, no body (RFC 9110, 9.3.2).

    FastAPI declares GET alone; monitors, checkers of links and programs that download ask with HEAD first.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def bodiless(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self.app({**scope, "method": "GET"}, receive, bodiless)


async def _healthz() -> dict[str, str]:
    return {"status": "ok"}


_readiness: dict[str, Callable[[], object]] = {}


def add_readiness(name: str, tell: Callable[[], object]) -> None:
    """Add what a package says of itself to `/readyz`; it informs, and does not decide whether we are ready."""
    _readiness[name] = tell


async def _readyz() -> Response:
    try:
        async with unit_of_work() as session:
            await session.execute(text("SELECT 1"))
    except (DBAPIError, OSError):
        return JSONResponse({"status": "unavailable", "database": "unreachable"}, status_code=503)
    return JSONResponse({"status": "ready", "database": "ok"} | {name: tell() for name, tell in _readiness.items()})


def install(app: FastAPI) -> None:
    """Give an application the error answers and health addresses; `secure` comes once all is in place."""
    logs.configure()
    app.add_exception_handler(DomainError, _domain)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DBAPIError, _database)
    app.add_exception_handler(PoolTimeout, _database)
    app.add_exception_handler(psycopg.OperationalError, _database)
    app.add_exception_handler(Exception, _unexpected)
    app.get("/healthz", include_in_schema=False)(_healthz)
    app.get("/readyz", include_in_schema=False)(_readyz)


def secure(app: FastAPI) -> None:
    """Give every answer the security headers, those of other middlewares included, and HEAD its own: call it last."""
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Heads)
