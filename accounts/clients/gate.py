"""The gate of the APIs: who calls, whether they may still ask, and what their answers say of it."""

from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Final

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from accounts.callers import MISSING_SCOPE, Caller
from accounts.clients import quota, scopes, usage
from accounts.clients.lookup import Known, Reason, holder
from accounts.clients.refusals import REALM, refuse
from accounts.clients.secrets import LONGEST
from accounts.person import Person
from accounts.settings import client_settings
from accounts.web import origin
from core import http
from core.security import signature

PREFIXES: Final = ("/api/v1", "/fhir", "/ogc", "/tiles", "/oauth")
"""What programs read; pages answer to people, whatever else a request shows."""
KEY_HEADERS: Final = (b"x-api-key", b"esante-api-key")
VARY: Final = "Authorization, X-API-Key, ESANTE-API-KEY"
LENT: Final = 12
"""Requests of a minute that a network is served before its count is asked of the database."""
REASONS: Final[dict[Reason, str]] = {
    "unknown": "Cette clé ou ce jeton n’est pas connu : vérifiez qu’il est entier, et de ce site.",
    "expired": "Cette clé ou ce jeton a expiré : demandez un nouveau jeton, ou une nouvelle clé à l’administrateur.",
    "revoked": "Cette clé ou ce jeton a été retiré : demandez-en un autre.",
    "suspended": "L’accès de cette application est suspendu : écrivez à l’administrateur de ce site.",
}
SEVERAL: Final = "Montrez une seule clé ou un seul jeton : cette requête en porte plusieurs."
TOO_MANY: Final = "Trop de requêtes : attendez {wait} s avant la suivante."


class Gate:
    """ASGI middleware: `request.state.caller` is the program that calls, or None.

    It stands inside `accounts.person.Identity`, whose person has limits of their own.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not _ours(scope["path"]) or scope["method"] == "OPTIONS":
            await self.app(scope, receive, send)
            return
        try:
            await self._serve(scope, receive, send)
        except (DBAPIError, PoolTimeout) as error:
            if scope["state"].get("gate_passed"):
                raise
            await (await http.unreachable(scope, error))(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        state = scope.setdefault("state", {})
        path: str = scope["path"]
        shown = [] if path.startswith("/oauth") else _shown(scope["headers"])
        if len(shown) > 1:
            await refuse(path, 400, "plusieurs-cles", SEVERAL)(scope, receive, send)
            return
        found = await holder(shown[0]) if shown and len(shown[0]) <= LONGEST else "unknown" if shown else None
        if not isinstance(found, Known):
            limited = await _others(scope, state.get("person"))
            if limited is not None and not limited.allowed:
                await _too_many(path, limited)(scope, receive, send)
                return
            if found is not None:
                headers = {"WWW-Authenticate": f'{REALM}, error="invalid_token"'}
                await refuse(path, 401, "cle-refusee", REASONS[found], headers)(scope, receive, send)
                return
            state["gate_passed"] = True
            await self.app(scope, receive, _told(send, state, ()))
            return
        state["caller"] = Caller(
            level=scopes.level(found.scopes),
            zone=found.zone,
            client_id=found.id,
            name=found.name,
            uid=found.uid,
            scopes=found.scopes,
        )
        verdict = await quota.take(b"client:%d" % found.id, found.per_minute, found.per_day)

        def answered(status: int) -> None:
            usage.note(found.id, found.secret_id, path, status)

        if not verdict.allowed:
            answered(429)
            await _too_many(path, verdict)(scope, receive, send)
            return
        state["gate_passed"] = True
        told = _told(_counted(send, answered), state, verdict.headers())
        if not scopes.reads(found.scopes):
            answer = refuse(path, 403, "portee-insuffisante", MISSING_SCOPE.format(scope=scopes.READ))
            state["missing_scope"] = scopes.READ
            await answer(scope, receive, told)
            return
        await self.app(scope, receive, told)


def _ours(path: str) -> bool:
    return any(path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("", "/") for prefix in PREFIXES)


def _shown(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    """Return the keys and tokens of a request, each once; a scheme that is not ours may be a proxy's."""
    found = []
    for name, value in headers:
        if name == b"authorization":
            scheme, _, credential = value.partition(b" ")
            if scheme.lower() == b"bearer":
                found.append(credential.strip())
        elif name in KEY_HEADERS and value.strip():
            found.append(value.strip())
    return [value.decode("latin-1") for value in dict.fromkeys(found)]


async def _others(scope: Scope, person: Person | None) -> quota.Verdict | None:
    """Count a request that no program signs; None when it is not limited."""
    settings = client_settings()
    headers = dict(scope["headers"])
    # Pages of ours open in the network, which draw maps and suggest while people type.
    pages = person is not None or headers.get(b"sec-fetch-site") == b"same-origin"
    limit = settings.pages_per_minute if pages else settings.anonymous_per_minute
    if not limit:
        return None
    if person is not None:
        return await quota.take(b"account:%d" % person.account_id, limit, lend=LENT)
    network = origin(Request(scope))
    if not _public(network):
        return None
    kind = "pages" if pages else "programs"
    return await quota.take(bytes.fromhex(signature("rate", f"{kind}\0{network}")), limit, lend=LENT)


def _public(network: str) -> bool:
    """Tell whether a network is one of the Internet: a proxy that nobody declared must not count as one caller."""
    try:
        return ip_address(network.partition("/")[0]).is_global
    except ValueError:
        return False


def _too_many(path: str, verdict: quota.Verdict) -> Response:
    detail = TOO_MANY.format(wait=verdict.wait)
    return refuse(path, 429, "trop-de-requetes", detail, dict(verdict.headers()))


def _counted(send: Send, answered: Callable[[int], None]) -> Send:
    async def counted(message: Message) -> None:
        if message["type"] == "http.response.start":
            answered(message["status"])
        await send(message)

    return counted


def _told(send: Send, state: dict[str, object], limits: Iterable[tuple[str, str]]) -> Send:
    """Have answers say of whom they depend, what the limits are, and what a refusal asks for."""

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.add_vary_header(VARY)
            for name, value in limits:
                headers[name] = value
            if state.get("caller") is not None:
                headers["Cache-Control"] = "private, no-store"
            missing = state.get("missing_scope")
            if missing is not None and message["status"] == 403:
                headers["WWW-Authenticate"] = f'{REALM}, error="insufficient_scope", scope="{missing}"'
            elif message["status"] == 401:
                headers.setdefault("WWW-Authenticate", REALM)
        await send(message)

    return told
