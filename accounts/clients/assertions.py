"""Requests for a token that a client signs with its own key (`private_key_jwt`: RFC 7523, SMART Backend Services)."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from joserfc import jws, jwt
from joserfc.errors import JoseError
from sqlalchemy.dialects.postgresql import insert

from accounts.clients import key_sets
from accounts.clients.keys import ALGORITHMS, LONGEST_KID, PublicKey
from accounts.clients.lookup import Known, key_holder
from accounts.models_clients import ClientAssertion
from core.db import unit_of_work
from core.security import digest

log = structlog.get_logger("repere.clients")

TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LONGEST: Final = 8_000
"""Characters of an assertion."""
LIFE: Final = timedelta(minutes=5)
"""How far ahead an assertion may end."""
LEEWAY: Final = timedelta(seconds=10)
"""By which two clocks may differ."""
_ID: Final = re.compile(r"[\x21-\x7e]{1,200}")
_JTI: Final = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,255}")


class Refused(Exception):
    """An assertion that proves nothing; `why` is for the log, the caller is not told."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class _Assertion:
    """What an assertion claims, before anything is proved."""

    text: str
    alg: str
    kid: str
    client_id: str
    audiences: frozenset[str]
    ends: datetime
    begins: tuple[datetime, ...]
    jti: str


async def holder(text: str, client_id: str, audiences: Collection[str]) -> Known | None:
    """Return the client that signed an assertion, which then serves no more; None when it proves nothing.

    Args:
        text: the assertion (JWT).
        client_id: what the request says beside, or nothing.
        audiences: addresses of ours to which it may be made out.
    """
    try:
        assertion = _read(text)
        if client_id not in ("", assertion.client_id):
            raise Refused("another_client")
        if assertion.audiences.isdisjoint(audiences):
            raise Refused("audience")
        known = await _proved(assertion)
        await _spend(known, assertion)
    except Refused as refused:
        log.info("client_assertion_refused", client=_shown(client_id, text), why=refused.why)
        return None
    return known


def _shown(client_id: str, text: str) -> str:
    """Return the client that a refused request names, as far as a log may hold what a stranger wrote."""
    if client_id:
        return client_id[:60]
    try:
        return _read(text).client_id[:60]
    except Refused:
        return ""


def _read(text: str) -> _Assertion:
    if len(text) > LONGEST or not text.isascii():
        raise Refused("length")
    try:
        signed = jws.extract_compact(text.encode())
        header: Any = signed.headers()
        claims: Any = json.loads(signed.payload)
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Refused("unreadable") from error
    if not isinstance(header, dict) or not isinstance(claims, dict) or "crit" in header:
        raise Refused("unreadable")
    alg, kid = header.get("alg"), header.get("kid")
    if alg not in ALGORITHMS:
        raise Refused("algorithm")
    if not isinstance(kid, str) or not 0 < len(kid) <= LONGEST_KID:
        raise Refused("kid")
    issuer, jti = claims.get("iss"), claims.get("jti")
    if not isinstance(issuer, str) or issuer != claims.get("sub") or not _ID.fullmatch(issuer):
        raise Refused("issuer")
    if not isinstance(jti, str) or not _JTI.fullmatch(jti):
        raise Refused("jti")
    given = claims.get("aud")
    audiences = frozenset(one for one in (given if isinstance(given, list) else [given]) if isinstance(one, str))
    begins = tuple(_instant(claims[name]) for name in ("nbf", "iat") if name in claims)
    return _Assertion(text, alg, kid, issuer, audiences, _instant(claims.get("exp")), begins, jti)


def _instant(value: object) -> datetime:
    # NaN and the infinities, which JSON readers let in, are in no interval.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1 << 37:
        raise Refused("time")
    return datetime.fromtimestamp(value, UTC)


async def _proved(assertion: _Assertion) -> Known:
    now, found = await key_holder(assertion.client_id)
    if now is None or not found:
        raise Refused("client")
    if not now - LEEWAY < assertion.ends <= now + LIFE + LEEWAY:
        raise Refused("exp")
    if any(begins > now + LEEWAY for begins in assertion.begins):
        raise Refused("not_yet")
    named = False
    for known, keys in found:
        for key in await key_sets.known_as(keys, assertion.kid):
            named = True
            if _holds(assertion, key):
                return known
    raise Refused("signature" if named else "key")


def _holds(assertion: _Assertion, key: PublicKey) -> bool:
    if assertion.alg not in key.algorithms:
        return False
    # The library takes the algorithm of the header when the key is made for it: never another one, never a secret's.
    registry = jws.JWSRegistry(algorithms=[assertion.alg], strict_check_header=False)
    try:
        jwt.decode(assertion.text, key.key, registry=registry)
    except (JoseError, ValueError, TypeError):
        return False
    return True


async def _spend(known: Known, assertion: _Assertion) -> None:
    async with unit_of_work() as session:
        spent = await session.scalar(
            insert(ClientAssertion)
            .values(client_id=known.id, digest=digest(assertion.jti), expires_at=assertion.ends + LEEWAY)
            .on_conflict_do_nothing()
            .returning(ClientAssertion.client_id)
        )
    if spent is None:
        raise Refused("replayed")
