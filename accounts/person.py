"""Who is behind a request: one reading of the database when the browser shows a sign-in, nothing otherwise."""

import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from accounts import queries
from core import db, http
from core.errors import DomainError, Forbidden
from core.security import digest, read_cookie, secure_cookies

PUBLIC_LEVEL, PROFESSIONAL_LEVEL = 1, 2
"""Levels of confidentiality (R283): what everybody may read, and what professionals may."""

PROFESSIONAL_ROLES: Final = frozenset(
    {"professional", "site_manager", "moderator", "coordinator", "agent", "administrator"}
)
"""Roles whose holders read what is restricted to professionals. A delegate does so for those they write for only."""


@dataclass(frozen=True, slots=True)
class Right:
    """A role over an opaque scope (`rpps:10101010101`, `finess:780000287`, `council:78`, or nothing)."""

    role: str
    scope: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in, and what they may do at this instant."""

    account_id: int
    uid: uuid.UUID
    sign_in_id: int
    method: str
    title: str | None
    last_name: str
    first_name: str
    email: str | None
    rpps: str | None
    grants: tuple[Right, ...]
    unread: int = 0
    given_standing: bool = False
    """A council or an administrator said what they are; those whom a register knows need it not."""

    @property
    def name(self) -> str:
        """Their name, as pages write it."""
        return f"{self.first_name} {self.last_name}".strip() or self.email or "Compte sans nom"

    @property
    def actor(self) -> str:
        """Who they are in a history: a reference that survives a change of name."""
        return f"account:{self.uid}"

    @property
    def level(self) -> int:
        """The confidentiality that they may read anywhere."""
        return PROFESSIONAL_LEVEL if any(g.role in PROFESSIONAL_ROLES for g in self.grants) else PUBLIC_LEVEL

    def has(self, role: str, scope: str | None = None) -> bool:
        """Tell whether they hold a role, over this scope when one is named."""
        return any(g.role == role and (scope is None or g.scope == scope) for g in self.grants)

    def scopes(self, role: str) -> list[str]:
        """Return the scopes over which they hold a role, in order."""
        return sorted(g.scope for g in self.grants if g.role == role)


class SignInNeeded(DomainError):
    """Nobody is signed in, and this is not for everybody."""

    status = 401
    code = "connexion-necessaire"
    title = "Connexion nécessaire"


def cookie_name() -> str:
    """Return the name of the sign-in's cookie; over HTTPS, one that no other host can set."""
    return "__Host-repere" if secure_cookies() else "repere_session"


class Identity:
    """ASGI middleware: `request.state.person` is who is signed in, or None; their answers are kept by nobody."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["person"] = None
        token = None if scope["path"].startswith("/static/") else read_cookie(scope, cookie_name())
        if token is None:
            await self.app(scope, receive, send)
            return
        try:
            state["person"] = await known(token)
        except (DBAPIError, PoolTimeout) as error:
            await (await http.unreachable(scope, error))(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            # Read again: signing in or out happens inside.
            if message["type"] == "http.response.start" and state.get("person") is not None:
                headers = MutableHeaders(scope=message)
                headers["Cache-Control"] = "private, no-store"
                headers.add_vary_header("Cookie")
            await send(message)

        await self.app(scope, receive, guarded)


async def known(token: str) -> Person | None:
    """Return who holds this token; None when the sign-in has ended, expired or never was."""
    async with db.unit_of_work() as session:
        row = (await session.execute(queries.signed_in(digest(token)))).one_or_none()
        if row is None:
            return None
        if row.stale:
            await session.execute(queries.touch(row.sign_in_id))
        grants = (await session.execute(queries.live_grants(row.account_id))).all()
    return Person(
        account_id=row.account_id,
        uid=row.uid,
        sign_in_id=row.sign_in_id,
        method=row.method,
        title=row.title,
        last_name=row.last_name,
        first_name=row.first_name,
        email=row.email,
        rpps=row.rpps,
        grants=tuple(Right(g.role, g.scope) for g in grants),
        unread=row.unread,
        given_standing=row.given_standing,
    )


def current(request: Request) -> Person | None:
    """Return who is signed in, if anybody."""
    person: Person | None = getattr(request.state, "person", None)
    return person


def _needed(request: Request) -> Person:
    person = current(request)
    if person is None:
        raise SignInNeeded("Connectez-vous pour continuer.")
    return person


# A dependency that is not async is run in a thread, which takes longer than these readings.
async def _current(request: Request) -> Person | None:
    return current(request)


async def _signed_in(request: Request) -> Person:
    return _needed(request)


PersonDep = Annotated[Person | None, Depends(_current)]
"""FastAPI dependency: who is signed in, or None."""

SignedInDep = Annotated[Person, Depends(_signed_in)]
"""FastAPI dependency: who is signed in; anybody else is asked to sign in."""


def allowed(*roles: str) -> Callable[[Request], Coroutine[Any, Any, Person]]:
    """Return a dependency that gives the person when they hold one of the roles, whatever its scope.

    Raises:
        SignInNeeded: nobody is signed in.
        Forbidden: the person holds none of these roles.
    """

    async def check(request: Request) -> Person:
        person = _needed(request)
        if not any(person.has(role) for role in roles):
            raise Forbidden("Votre compte ne donne pas accès à cette page.")
        return person

    return check


def level_of(person: Person | None) -> int:
    """Return the confidentiality that a reader may see: 1 public, 2 professionals."""
    return person.level if person else PUBLIC_LEVEL


def level_for(request: Request) -> int:
    """Return the confidentiality that the caller of a request may read."""
    # Of a program that shows a key or a token, the level is its own, whoever is signed in beside.
    program: Any = getattr(request.state, "caller", None)
    level: int = level_of(current(request)) if program is None else program.level
    return level


# A dependency that is not async is run in a thread, which takes longer than this reading.
async def _level(request: Request) -> int:
    return level_for(request)


LevelDep = Annotated[int, Depends(_level)]
"""FastAPI dependency: the confidentiality that the caller may read."""


async def ask_to_sign_in(request: Request, error: Exception) -> Response:
    """Send a browser to the sign-in page, from which it comes back; programs get the problem itself."""
    assert isinstance(error, SignInNeeded)  # noqa: S101 - registered for this class
    if not http.wants_page(request):
        return http.problem(error.status, error.title, error.detail, code=error.code)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    target = f"/connexion?suite={quote(here, safe='')}" if request.method in ("GET", "HEAD") else "/connexion"
    if request.headers.get("hx-request") == "true":
        return Response(status_code=204, headers={"HX-Redirect": target})
    return RedirectResponse(target, status_code=303)
