"""OAuth 2.0 for programs: client credentials (RFC 6749), revocation (RFC 7009), metadata (RFC 8414)."""

import base64
import binascii
from collections import Counter
from typing import Any, Final
from urllib.parse import unquote_plus

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from accounts.clients import assertions, quota, tokens, usage
from accounts.clients.keys import ALGORITHMS
from accounts.clients.lookup import Known, secret_holder
from accounts.clients.refusals import NO_STORE, oauth
from accounts.clients.scopes import SCOPES
from accounts.clients.secrets import LONGEST, PREFIXES
from core.db import unit_of_work
from core.http import public_base

router = APIRouter(tags=["Accès à l’API"])

BASIC: Final = {"WWW-Authenticate": 'Basic realm="repere", charset="UTF-8"'}
METHODS: Final = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
_WHO: Final = ("client_id", "client_secret", "client_assertion_type", "client_assertion")
FORM: Final = "application/x-www-form-urlencoded"
FIELDS: Final = 40
_REFUSED: Final = {
    "unknown": "Cette application n’est pas connue, ou son secret n’est pas celui-ci.",
    "expired": "L’accès de cette application, ou ce secret, a expiré.",
    "revoked": "Ce secret a été retiré.",
    "suspended": "L’accès de cette application est suspendu : écrivez à l’administrateur de ce site.",
}
# What was wrong would tell a stranger how far a forgery went.
_UNPROVED: Final = "Cette application n’est pas connue, ou son assertion ne prouve rien."
PUBLIC: Final = {"Cache-Control": "public, max-age=3600", "Access-Control-Allow-Origin": "*"}


class _Refused(Exception):
    def __init__(self, status: int, error: str, description: str, headers: dict[str, str] | None = None) -> None:
        self.answer = oauth(status, error, description, headers)


def _body(*names: str, required: str) -> dict[str, Any]:
    properties = {name: {"type": "string"} for name in names}
    schema = {"type": "object", "properties": properties, "required": [required]}
    return {"requestBody": {"required": True, "content": {FORM: {"schema": schema}}}}


def _described(description: str) -> dict[int | str, dict[str, Any]]:
    content = {"application/json": {"schema": {"type": "object"}}}
    failed = {"description": "Erreur (RFC 6749, § 5.2)", "content": content}
    return {200: {"description": description, "content": content}, 400: failed, 401: failed, 429: failed}


@router.post(
    "/oauth/token",
    summary="Obtenir un jeton",
    response_class=Response,
    responses=_described("Jeton"),
    openapi_extra=_body("grant_type", "scope", *_WHO, required="grant_type"),
)
async def token(request: Request) -> Response:
    """Donne un jeton à une application enregistrée (`grant_type=client_credentials`), valable une heure.

    L’identifiant et le secret viennent par l’en-tête `Authorization: Basic` ou dans le formulaire. Une application dont
    les clés publiques sont enregistrées envoie plutôt une assertion qu’elle signe (`private_key_jwt`, RFC 7523) en
    RS384, ES384, RS256 ou ES256 : `iss` et `sub` sont son identifiant, `aud` est cette adresse, `exp` est dans cinq
    minutes au plus, `jti` ne sert qu’une fois. Le jeton s’envoie ensuite par `Authorization: Bearer`.
    """
    try:
        form = await _form(request)
        grant = form.get("grant_type")
        if not grant:
            raise _Refused(400, "invalid_request", "Le paramètre grant_type manque.")
        known = await _client(request, form)
        if grant != "client_credentials":
            raise _Refused(400, "unsupported_grant_type", "Seul grant_type=client_credentials est accepté.")
        wanted = _scopes(form.get("scope"), known)
        verdict = await quota.take(b"client:%d" % known.id, known.per_minute, known.per_day)
        if not verdict.allowed:
            usage.note(known.id, known.secret_id, request.url.path, 429)
            raise _Refused(
                429,
                "temporarily_unavailable",
                f"Trop de requêtes : attendez {verdict.wait} s avant la suivante.",
                dict(verdict.headers()),
            )
    except _Refused as refused:
        return refused.answer
    async with unit_of_work() as session:
        issued = await tokens.issue(session, known, wanted)
    usage.note(known.id, known.secret_id, request.url.path, 200)
    body = {
        "access_token": issued.token,
        "token_type": "Bearer",
        "expires_in": issued.seconds,
        "scope": " ".join(issued.scopes),
    }
    return JSONResponse(body, headers=NO_STORE)


@router.post(
    "/oauth/revoke",
    summary="Retirer un jeton",
    response_class=Response,
    responses=_described("Le jeton ne vaut plus rien"),
    openapi_extra=_body("token", "token_type_hint", *_WHO, required="token"),
)
async def revoke(request: Request) -> Response:
    """Retire un jeton de l’application qui le demande ; retirer deux fois, ou un jeton inconnu, ne change rien."""
    try:
        form = await _form(request)
        known = await _client(request, form)
        given = form.get("token")
        if not given:
            raise _Refused(400, "invalid_request", "Le paramètre token manque.")
        if given.startswith((PREFIXES["key"], PREFIXES["secret"])):
            raise _Refused(
                400, "unsupported_token_type", "Une clé ou un secret se retire par l’administrateur du site."
            )
        async with unit_of_work() as session:
            own = len(given) > LONGEST or await tokens.revoke(session, known.id, given)
        if not own:
            raise _Refused(400, "invalid_request", "Ce jeton est celui d’une autre application.")
    except _Refused as refused:
        return refused.answer
    usage.note(known.id, known.secret_id, request.url.path, 200)
    return Response(status_code=200, headers=NO_STORE)


@router.get("/.well-known/oauth-authorization-server", summary="Adresses et méthodes (RFC 8414)")
async def metadata(request: Request) -> Response:
    """Renvoie les adresses du serveur de jetons, ses méthodes et ses portées."""
    base = public_base(request)
    document = {
        "issuer": base,
        "token_endpoint": f"{base}/oauth/token",
        "token_endpoint_auth_methods_supported": METHODS,
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "revocation_endpoint": f"{base}/oauth/revoke",
        "revocation_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "grant_types_supported": ["client_credentials"],
        # The standard wants one, and the only grant has no authorization endpoint to answer from.
        "response_types_supported": ["none"],
        "scopes_supported": list(SCOPES),
        "service_documentation": f"{base}/api",
        "ui_locales_supported": ["fr"],
    }
    return JSONResponse(document, headers=PUBLIC)


@router.get("/fhir/.well-known/smart-configuration", summary="Configuration SMART", include_in_schema=False)
async def smart(request: Request) -> Response:
    """Renvoie les mêmes adresses dans les mots de SMART App Launch."""
    base = public_base(request)
    document = {
        "issuer": base,
        "token_endpoint": f"{base}/oauth/token",
        "token_endpoint_auth_methods_supported": METHODS,
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "revocation_endpoint": f"{base}/oauth/revoke",
        "grant_types_supported": ["client_credentials"],
        "scopes_supported": list(SCOPES),
        "capabilities": ["client-confidential-symmetric", "client-confidential-asymmetric"],
        "code_challenge_methods_supported": ["S256"],
    }
    return JSONResponse(document, headers=PUBLIC)


async def _form(request: Request) -> dict[str, str]:
    """Return the fields of a request; an empty one counts as absent (RFC 6749 § 3.2)."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise _Refused(400, "invalid_request", f"Le corps de la requête est attendu en {FORM}.")
    pairs = [(name, value) for name, value in (await request.form(max_fields=FIELDS)).multi_items()]
    if getattr(request.state, "form_too_long", False):
        raise _Refused(400, "invalid_request", "Cette requête est trop longue.")
    if any(number > 1 for number in Counter(name for name, _ in pairs).values()):
        raise _Refused(400, "invalid_request", "Un paramètre ne peut être donné qu’une fois.")
    return {name: value for name, value in pairs if isinstance(value, str) and value}


async def _client(request: Request, form: dict[str, str]) -> Known:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    basic = scheme.lower() == "basic"
    if "client_assertion" in form or "client_assertion_type" in form:
        return await _signer(request, form, basic)
    if basic and "client_secret" in form:
        raise _Refused(400, "invalid_request", "Donnez le secret d’une seule façon : par l’en-tête ou le formulaire.")
    public_id, secret = _basic(credential) if basic else (form.get("client_id", ""), form.get("client_secret", ""))
    if basic and form.get("client_id", public_id) != public_id:
        raise _Refused(400, "invalid_request", "Le client_id du formulaire n’est pas celui de l’en-tête.")
    if not public_id or not secret or max(len(public_id), len(secret)) > LONGEST:
        raise _Refused(401, "invalid_client", "Donnez l’identifiant et le secret de l’application.", BASIC)
    found = await secret_holder(public_id, secret)
    if not isinstance(found, Known):
        raise _Refused(401, "invalid_client", _REFUSED[found], BASIC)
    return found


async def _signer(request: Request, form: dict[str, str], basic: bool) -> Known:
    if basic or "client_secret" in form:
        raise _Refused(400, "invalid_request", "Donnez un secret ou une assertion, jamais les deux.")
    base = public_base(request)
    known = None
    if form.get("client_assertion_type") == assertions.TYPE:
        text = form.get("client_assertion", "")
        known = await assertions.holder(text, form.get("client_id", ""), {f"{base}/oauth/token"})
    if known is None:
        raise _Refused(401, "invalid_client", _UNPROVED)
    return known


def _basic(credential: str) -> tuple[str, str]:
    try:
        decoded = base64.b64decode(credential.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise _Refused(401, "invalid_client", "L’en-tête Authorization ne peut être lu.", BASIC) from None
    public_id, _, secret = decoded.partition(":")
    # RFC 6749 § 2.3.1 has both percent-encoded before they are put together.
    return unquote_plus(public_id), unquote_plus(secret)


def _scopes(asked: str | None, known: Known) -> frozenset[str]:
    wanted = frozenset((asked or "").split())
    if not wanted:
        return known.scopes
    if unknown := wanted - known.scopes:
        shown = ", ".join(sorted(one[:60] for one in unknown))
        raise _Refused(400, "invalid_scope", f"Cette application n’a pas cette portée : {shown}.")
    return wanted
