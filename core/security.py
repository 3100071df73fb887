"""What forms and secrets rely on: random tokens, their digests, forms that only our pages can send."""

import hashlib
import hmac
import re
import secrets
from typing import Any, Final
from urllib.parse import urlsplit

from fastapi import Request
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.datastructures import MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import Forbidden, TooLarge, Unavailable
from core.settings import core_settings

FORM_COOKIE: Final = "repere_form"
FORM_FIELD: Final = "_csrf"
FORM_HEADER: Final = "X-CSRF-Token"
FIELDS_MAX: Final = 3000
"""Fields that a form may send: the longest of ours names 500 communes, twice when all are ticked."""
LONGEST_FORM: Final = 262_144
"""Bytes of a form without files."""
MOST_FILES: Final = 20
"""Files that one form may send."""
OVERFLOW: Final = 4
"""How many times the longest form is read and thrown away, so that a browser hears why its form is refused."""
_EXPIRED = (
    "Cette page a été ouverte depuis trop longtemps, ou depuis un autre site : rien n’a été modifié. "
    "Revenez à la page précédente, rechargez-la, puis recommencez."
)


def new_token() -> str:
    """Return 256 random bits, safe in an address and in a cookie."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """Return what is stored of a token: whoever reads the database cannot use it."""
    return hashlib.sha256(token.encode()).digest()


SHORTEST_KEY: Final = 32


def key_problem() -> str | None:
    """Return why nothing can be signed, in French for the operator; None when all is well."""
    length = len(core_settings().secret_key.get_secret_value())
    if length >= SHORTEST_KEY:
        return None
    found = f"n’a que {length} caractères" if length else "n’est pas définie"
    return (
        f"REPERE_SECRET_KEY {found} : il en faut au moins {SHORTEST_KEY}, tirés au sort et gardés secrets "
        "(par exemple le résultat de « openssl rand -base64 48 »)."
    )


def require_key() -> None:
    """Refuse to serve anybody without a secret to sign with.

    Raises:
        RuntimeError: says to the operator what is missing.
    """
    if problem := key_problem():
        raise RuntimeError(problem)


def signature(purpose: str, value: str) -> str:
    """Return the signature of a value with the secret of the service; one purpose's never serves another.

    Raises:
        Unavailable: the service has no secret; nothing is ever signed with a known one.
    """
    if key_problem():
        raise Unavailable("Ce service n’est pas encore configuré (REPERE_SECRET_KEY). Prévenez son exploitant.")
    key = core_settings().secret_key.get_secret_value().encode()
    return hmac.new(key, f"{purpose}\0{value}".encode(), hashlib.sha256).hexdigest()


def secure_cookies() -> bool:
    """Tell whether the public address is HTTPS, and cookies must never travel without."""
    return urlsplit(core_settings().public_url).scheme == "https"


def set_cookie(headers: MutableHeaders, name: str, value: str, *, seconds: int | None = None) -> None:
    """Add a cookie that scripts cannot read and other sites cannot send; without `seconds` it ends with the browser."""
    parts = [f"{name}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
    if seconds is not None:
        parts.append(f"Max-Age={seconds}")
    if secure_cookies():
        parts.append("Secure")
    headers.append("Set-Cookie", "; ".join(parts))


def read_cookie(scope: Scope, name: str) -> str | None:
    """Return a cookie of an ASGI request; None when it was not sent."""
    for header, value in scope["headers"]:
        if header == b"cookie":
            found = cookie_parser(value.decode("latin-1")).get(name)
            if found:
                return found
    return None


def form_token(request: Request) -> str:
    """Return the token that this browser's forms carry; a browser that has no cookie yet is given one."""
    base = request.cookies.get(FORM_COOKIE) or getattr(request.state, "form_cookie", None)
    if not base:
        base = request.state.form_cookie = new_token()
    return hashlib.sha256(f"form:{base}".encode()).hexdigest()


@pass_context
def csrf_field(context: Context) -> Markup:
    """Draw the hidden field of a form (`{{ csrf() }}` in templates)."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FORM_FIELD, form_token(context["request"]))


def same_site(request: Request) -> bool:
    """Tell whether the browser says that one of our own pages made this request, or says nothing."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin in (None, ""):
        return True
    hosts = {request.headers.get("host", ""), urlsplit(core_settings().public_url).netloc}
    return urlsplit(str(origin)).netloc in hosts


_with_files: list[tuple[re.Pattern[str], int]] = []


def accept_files(path: str, most_bytes: int) -> None:
    """Let the forms of an address, a regular expression, be as long as this when somebody is signed in."""
    _with_files.append((re.compile(path), most_bytes))


async def csrf_protected(request: Request) -> None:
    """Refuse a form that none of our pages made for this browser. Dependency of every POST of a page.

    Raises:
        TooLarge: nobody types that much.
        Forbidden: the token is missing or another browser's, or the form comes from another site.
    """
    await _protect(request, files=0)
    if getattr(request.state, "form_too_long", False):
        raise TooLarge("Ce formulaire est trop long : rien n’a été modifié. Raccourcissez vos textes.")


async def csrf_protected_files(request: Request) -> None:
    """Do the same for a form that may bring files, at an address of `accept_files`.

    What comes too late in a form that is too long is missing; `request.state.form_too_long` says so to the page,
    which keeps what was typed.

    Raises:
        Forbidden: the token is missing or another browser's, or the form comes from another site.
    """
    await _protect(request, files=MOST_FILES)


async def _protect(request: Request, *, files: int) -> None:
    sent: Any = request.headers.get(FORM_HEADER)
    if "form" in request.headers.get("content-type", "").lower():
        # Read even when the token is in a header: only then is it known whether the form is whole.
        form = await request.form(max_fields=FIELDS_MAX, max_files=files)
        sent = form.get(FORM_FIELD) if sent is None else sent
    if getattr(request.state, "form_too_long", False) and not files:
        return
    base = request.cookies.get(FORM_COOKIE)
    expected = hashlib.sha256(f"form:{base}".encode()).hexdigest() if base else ""
    if not expected or not isinstance(sent, str) or not hmac.compare_digest(sent.encode(), expected.encode()):
        raise Forbidden(_EXPIRED)
    if not same_site(request):
        raise Forbidden(_EXPIRED)


class FormCookie:
    """ASGI middleware that hands out the cookie which a page's forms ask for."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start" and state.get("form_cookie"):
                headers = MutableHeaders(scope=message)
                set_cookie(headers, FORM_COOKIE, state["form_cookie"])
                headers["Cache-Control"] = "private, no-store"
            await send(message)

        await self.app(scope, receive, guarded)


class BoundedForms:
    """ASGI middleware that reads forms up to a length, whatever their encoding; few of our pages take files.

    A longer body is cut where it is too long; `csrf_protected` answers to it before anything is used.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        headers = dict(scope["headers"]) if scope["type"] == "http" else {}
        kind = headers.get(b"content-type", b"").lower()
        if not kind.startswith((b"application/x-www-form-urlencoded", b"multipart/form-data")):
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        multipart = kind.startswith(b"multipart/")
        files = next((most for path, most in _with_files if multipart and path.fullmatch(scope["path"])), 0)
        length = 0

        async def counted() -> Message:
            nonlocal length
            message = await receive()
            length += len(message.get("body", b""))
            # Who is signed in is known by the time that a page reads its form.
            most = files if files and state.get("person") is not None else LONGEST_FORM
            if message["type"] != "http.request" or length <= most:
                return message
            state["form_too_long"] = True
            while files and message.get("more_body") and length <= OVERFLOW * most:
                message = await receive()
                length += len(message.get("body", b""))
            return {"type": "http.request", "body": b"", "more_body": False}

        await self.app(scope, counted, send)
