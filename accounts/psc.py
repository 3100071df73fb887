"""Pro Santé Connect as an OpenID Connect client: authorization code with PKCE, a verified id_token, the UserInfo.

Nothing here touches the database, and nothing that a log may keep holds a code, a token, a state or a secret.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import structlog
from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from accounts.psc_errors import PscRefused
from accounts.psc_identity import CardIdentity, read_identity
from accounts.settings import PscSettings, psc_settings
from core.http import LOOPBACK
from core.settings import core_settings

log = structlog.get_logger("repere.psc")

RETURN: Final = "/connexion/psc/retour"
SIGNED_OUT: Final = "/deconnexion/psc"
SCOPE: Final = "openid scope_all"
ACR: Final = "eidas1"
"""What is asked for; a stronger level is as good."""
STRONG_ENOUGH: Final = frozenset({"eidas1", "eidas2", "eidas3"})
ALGORITHMS: Final = ("RS256", "PS256", "ES256")
"""Signatures that are believed: asymmetric ones only, whatever a token's header says."""
LEEWAY: Final = 60
"""Seconds by which two clocks may differ."""
KEPT: Final = 3600.0
"""Seconds for which the discovery document and the keys are kept."""
_TIMEOUT = httpx.Timeout(6, connect=3)
_WHOLE = 12.0
_NEEDED = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class Proof:
    """What Pro Santé Connect proved: who holds the card, and the token with which to sign out there."""

    identity: CardIdentity
    id_token: str


@dataclass
class _Known:
    """What this process knows of the provider."""

    issuer: str = ""
    document: dict[str, Any] = field(default_factory=dict)
    keys: KeySet | None = None
    read_at: float = 0.0


_known = _Known()


def forget() -> None:
    """Forget the provider's documents: they are read again at the next use."""
    _known.issuer, _known.document, _known.keys, _known.read_at = "", {}, None, 0.0


def public_address(path: str) -> str:
    """Return an address of ours as it is registered at Pro Santé Connect."""
    return core_settings().public_url.rstrip("/") + path


async def authorization_address(*, state: str, nonce: str, verifier: str, other_card: bool = False) -> str:
    """Return where to send the browser.

    Args:
        state: single-use reference of this attempt.
        nonce: what the id_token must repeat.
        verifier: secret of PKCE, of which only the challenge leaves.
        other_card: ask for a card even when a session is open at the provider.

    Raises:
        PscRefused: the provider does not answer, or is not the one of the settings.
    """
    settings = psc_settings()
    async with _client() as client:
        document = await _document(client, settings)
    more = {"prompt": "login"} if other_card else {}
    address: str = prepare_grant_uri(
        document["authorization_endpoint"],
        settings.client_id,
        "code",
        redirect_uri=public_address(RETURN),
        scope=SCOPE,
        state=state,
        nonce=nonce,
        acr_values=ACR,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
        **more,
    )
    return address


async def exchange(code: str, *, nonce: str, verifier: str, issuer: str | None = None) -> Proof:
    """Turn an authorization code into a proven identity.

    Args:
        code: what the provider gave to the browser.
        nonce: what the id_token must repeat.
        verifier: secret of PKCE.
        issuer: the `iss` that came with the code (RFC 9207), when one did.

    Raises:
        PscRefused: why not; see `REFUSALS`.
    """
    settings = psc_settings()
    if issuer is not None and issuer != settings.issuer:
        raise _refused("unverified", "issuer_of_answer")
    async with _client() as client:
        document = await _document(client, settings)
        tokens = await _tokens(client, document, settings, code, verifier)
        id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
        if not isinstance(id_token, str) or not isinstance(access_token, str):
            raise _refused("misconfigured", "tokens_missing")
        claims = await _verified(client, document, settings, id_token, access_token, nonce)
        if str(claims.get("acr")) not in STRONG_ENOUGH:
            raise _refused("weak", "acr")
        found = await _json(
            client, "GET", document["userinfo_endpoint"], headers={"Authorization": f"Bearer {access_token}"}
        )
    if not isinstance(found.get("sub"), str) or found["sub"] != claims["sub"]:
        raise _refused("unverified", "userinfo_of_another")
    return Proof(read_identity(found), id_token)


async def end_session_address(id_token: str) -> str | None:
    """Return where the browser signs out at the provider; None when that cannot be known."""
    settings = psc_settings()
    if not settings.offered:
        return None
    try:
        async with _client() as client:
            document = await _document(client, settings)
    except PscRefused:
        return None
    endpoint = document.get("end_session_endpoint")
    if not isinstance(endpoint, str) or not _trusted(endpoint):
        return None
    address: str = add_params_to_uri(
        endpoint, [("id_token_hint", id_token), ("post_logout_redirect_uri", public_address(SIGNED_OUT))]
    )
    return address


def _refused(reason: str, why: str) -> PscRefused:
    log.warning("psc_refused", reason=reason, why=why)
    return PscRefused(reason)


@asynccontextmanager
async def _client() -> AsyncIterator[httpx.AsyncClient]:
    """Open a client of the provider; whatever goes wrong on the way becomes « down »."""
    try:
        async with asyncio.timeout(_WHOLE), httpx.AsyncClient(timeout=_TIMEOUT) as client:
            yield client
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise _refused("down", type(error).__name__) from error


async def _json(client: httpx.AsyncClient, method: str, address: str, **more: Any) -> dict[str, Any]:
    """Return the JSON object of an answer.

    Raises:
        PscRefused: the provider is ill (5xx), refuses, or answers something else.
    """
    answer = await client.request(method, address, **more)
    if answer.status_code >= 500 or answer.status_code == 429:
        raise _refused("down", f"status_{answer.status_code}")
    try:
        found = answer.json()
    except ValueError:
        found = None
    if answer.status_code != 200:
        said = found.get("error") if isinstance(found, dict) else None
        # An old or stolen code is the browser's affair; anything else is between the provider and us.
        raise _refused("expired" if said == "invalid_grant" else "misconfigured", f"status_{answer.status_code}")
    if not isinstance(found, dict):
        raise _refused("misconfigured", "no_json")
    return found


def _trusted(address: object) -> bool:
    """Tell whether secrets may be sent there: HTTPS, or this machine."""
    if not isinstance(address, str):
        return False
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and _local(parts.hostname))


def _local(host: str | None) -> bool:
    # A demonstration shown to other machines of a network has its provider beside it, under the same name.
    return host in LOOPBACK or (core_settings().demo and host == urlsplit(core_settings().public_url).hostname)


async def _document(client: httpx.AsyncClient, settings: PscSettings) -> dict[str, Any]:
    if not settings.offered:
        raise _refused("misconfigured", "settings")
    if _known.issuer == settings.issuer and time.monotonic() - _known.read_at < KEPT:
        return _known.document
    if not _trusted(settings.discovery):
        raise _refused("misconfigured", "discovery_not_https")
    document = await _json(client, "GET", settings.discovery)
    if document.get("issuer") != settings.issuer:
        raise _refused("misconfigured", "issuer")
    if not all(_trusted(document.get(name)) for name in _NEEDED):
        raise _refused("misconfigured", "endpoints")
    _known.issuer, _known.document, _known.keys = str(settings.issuer), document, None
    _known.read_at = time.monotonic()
    return document


async def _tokens(
    client: httpx.AsyncClient, document: Mapping[str, Any], settings: PscSettings, code: str, verifier: str
) -> dict[str, Any]:
    assert settings.client_secret is not None  # noqa: S101 - checked with the document
    body = prepare_token_request(
        "authorization_code",
        code=code,
        redirect_uri=public_address(RETURN),
        code_verifier=verifier,
        client_id=settings.client_id,
        client_secret=settings.client_secret.get_secret_value(),
    )
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    return await _json(client, "POST", document["token_endpoint"], content=body, headers=headers)


async def _verified(
    client: httpx.AsyncClient,
    document: Mapping[str, Any],
    settings: PscSettings,
    id_token: str,
    access_token: str,
    nonce: str,
) -> Mapping[str, Any]:
    """Return the claims of an id_token once its signature and each of them hold."""
    token = await _signed(client, document, id_token)
    claims = CodeIDToken(
        token.claims,
        token.header,
        options={
            "iss": {"essential": True, "value": settings.issuer},
            "aud": {"essential": True, "value": settings.client_id},
            "sub": {"essential": True},
        },
        params={"nonce": nonce, "client_id": settings.client_id, "access_token": access_token},
    )
    try:
        claims.validate(now=int(time.time()), leeway=LEEWAY)
    except JoseError as error:
        claim = getattr(error, "claim", "")
        timed = isinstance(error, ExpiredTokenError) or (
            isinstance(error, InvalidClaimError) and claim in ("iat", "nbf", "exp")
        )
        raise _refused("clock" if timed else "unverified", f"claim_{claim}"[:40]) from error
    return dict(claims)


async def _signed(client: httpx.AsyncClient, document: Mapping[str, Any], id_token: str) -> jwt.Token:
    """Return a token whose signature holds, after reading the keys again when it names one that is not known."""
    for fresh in (False, True):
        if fresh or _known.keys is None:
            _known.keys = _keys(await _json(client, "GET", document["jwks_uri"]))
            fresh = True
        try:
            return jwt.decode(id_token, _known.keys, algorithms=list(ALGORITHMS))
        except InvalidKeyIdError as error:
            if fresh:
                raise _refused("unverified", "key") from error
        except (JoseError, ValueError) as error:
            raise _refused("unverified", "signature") from error
    raise _refused("unverified", "key")


def _keys(found: Mapping[str, Any]) -> KeySet:
    try:
        # Keys for encryption stand beside those that sign.
        signing = [key for key in found["keys"] if key.get("use", "sig") == "sig"]
        return KeySet.import_key_set({"keys": signing})
    except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _refused("misconfigured", "keys") from error
