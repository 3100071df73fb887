"""Tokens given to programs that sign: what proves them, what does not, and that refusals all read the same."""

import asyncio
import base64
import hashlib
import hmac
import json
import sys
import time
from typing import Any

import httpx
import pytest
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import RSAKey
from sqlalchemy import func, select, update

from accounts.clients.assertions import TYPE
from accounts.models_clients import Client, ClientAssertion, ClientSecret, ClientToken
from core.db import unit_of_work
from tests.accounts.clients import BASE, make_client
from tests.accounts.key_holder import OTHER_RSA, RSA, TOKEN, asks, claims_of, give, signed, signer

SEARCH = "/api/v1/places?q=mantes"
_own: Any = sys.modules[AsyncOAuth2Client.__mro__[-3].__module__.partition(".")[0]]


async def _tokens() -> int:
    async with unit_of_work() as session:
        return await session.scalar(select(func.count()).select_from(ClientToken)) or 0


@pytest.mark.parametrize("alg", ["RS384", "ES384", "RS256", "ES256"])
async def test_a_signed_request_gets_a_token_that_reads(client: httpx.AsyncClient, places: None, alg: str) -> None:
    made = await signer()
    answer = await asks(client, signed(made.public_id, alg))
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    token = answer.json()["access_token"]
    read = {"Authorization": f"Bearer {token}"}
    assert (await client.get(SEARCH, headers=read)).status_code == 200
    form = {"token": token, "client_assertion_type": TYPE, "client_assertion": signed(made.public_id, alg)}
    assert (await client.post("/oauth/revoke", data=form)).status_code == 200
    assert (await client.get(SEARCH, headers=read)).status_code == 401


async def test_a_stock_client_signs_and_reads(places: None) -> None:
    from web.app import app

    made = await signer(RSA)
    # The library asks for an hour, SMART has five minutes.
    claims = {"exp": int(time.time()) + 240}
    signing = PrivateKeyJWT(TOKEN, claims=claims, headers={"kid": RSA.kid}, alg="RS384")
    async with AsyncOAuth2Client(
        made.public_id,
        RSA,
        token_endpoint_auth_method="private_key_jwt",
        transport=_own.ASGITransport(app=app),
        base_url=BASE,
    ) as stock:
        stock.register_client_auth_method(signing)
        await stock.fetch_token(TOKEN, grant_type="client_credentials")
        assert (await stock.get(SEARCH)).status_code == 200


NOW = int(time.time())
CLAIMS: list[dict[str, Any]] = [
    {"exp": NOW - 3600},
    {"exp": NOW + 3600},
    {"exp": None},
    {"exp": "bientôt"},
    {"exp": True},
    {"exp": float("nan")},
    {"exp": float("inf")},
    {"exp": 10**400},
    {"exp": -1},
    {"nbf": NOW + 3600},
    {"iat": NOW + 3600},
    {"iat": "hier"},
    {"aud": "https://ailleurs.example.org/oauth/token"},
    {"aud": TOKEN + "/"},
    {"aud": [TOKEN + "2", 3, None]},
    {"aud": None},
    {"aud": {"url": TOKEN}},
    {"iss": "app_autre"},
    {"iss": None},
    {"sub": "app_autre"},
    {"sub": None},
    {"iss": "a\x00", "sub": "a\x00"},
    {"iss": "\ud800", "sub": "\ud800"},
    {"iss": ["x"], "sub": ["x"]},
    {"jti": None},
    {"jti": ""},
    {"jti": 12},
    {"jti": "x" * 256},
    {"jti": "\ud800"},
]


async def test_a_claim_that_does_not_hold_proves_nothing(client: httpx.AsyncClient) -> None:
    made = await signer()
    said = set()
    for claims in CLAIMS:
        answer = await asks(client, signed(made.public_id, **claims))
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), claims
        said.add(answer.text)
    unknown = await asks(client, signed("app_inconnue"))
    foreign = await asks(client, signed(made.public_id, key=OTHER_RSA))
    absent = await asks(client, signed(made.public_id, kid="inconnue"))
    said |= {unknown.text, foreign.text, absent.text}
    assert {unknown.status_code, foreign.status_code, absent.status_code} == {401}
    assert len(said) == 1
    assert await _tokens() == 0
    # An audience among others, and clocks that differ by a little, are no fault.
    now = int(time.time())
    good = signed(made.public_id, aud=["https://ailleurs.example.org", TOKEN], iat=now + 3, nbf=now, exp=now + 300)
    assert (await asks(client, good)).status_code == 200


def _part(value: Any) -> str:
    given = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(given).rstrip(b"=").decode()


def _forged(client_id: str) -> dict[str, str]:
    """Assertions that no key of the client signed, or not as they say."""
    claims = _part(claims_of(client_id))
    pem = RSA.as_pem(private=False)
    modulus = RSA.as_dict(private=False)["n"]
    forged = {}
    for name, secret in (("pem", pem), ("jwk", json.dumps(RSA.as_dict(private=False)).encode()), ("n", str(modulus))):
        key = secret if isinstance(secret, bytes) else secret.encode()
        head = _part({"alg": "HS256", "kid": "rsa"})
        mac = hmac.new(key, f"{head}.{claims}".encode(), hashlib.sha256).digest()
        forged[f"public key as secret ({name})"] = f"{head}.{claims}.{_part(mac)}"
    for alg in ("none", "None", "NONE", "", None, ["RS384"], "PS384", "RS512", "EdDSA"):
        forged[f"alg {alg}"] = f"{_part({'alg': alg, 'kid': 'rsa'})}.{claims}."
    good = signed(client_id)
    head, body, proof = good.split(".")
    elliptic = signed(client_id, "ES384").split(".")
    forged |= {
        "rsa key, elliptic algorithm": f"{_part({'alg': 'ES384', 'kid': 'rsa'})}.{body}.{proof}",
        "elliptic key, rsa algorithm": f"{_part({'alg': 'RS384', 'kid': 'p384'})}.{elliptic[1]}.{elliptic[2]}",
        "another curve": f"{_part({'alg': 'ES256', 'kid': 'p384'})}.{elliptic[1]}.{elliptic[2]}",
        "no signature": f"{head}.{body}.",
        "changed claims": f"{head}.{_part(claims_of(client_id, jti='autre'))}.{proof}",
        "critical header": f"{_part({'alg': 'RS384', 'kid': 'rsa', 'crit': ['b64'], 'b64': False})}.{body}.{proof}",
        "no kid": f"{_part({'alg': 'RS384'})}.{body}.{proof}",
        "its own key": f"{_part({'alg': 'RS384', 'kid': 'rsa', 'jwk': OTHER_RSA.as_dict(private=False)})}.{body}."
        f"{signed(client_id, key=OTHER_RSA).split('.')[2]}",
        "two parts": f"{head}.{body}",
        "four parts": good + ".x",
        "list as header": f"{_part(['alg'])}.{body}.{proof}",
        "number as header": f"{_part(5)}.{body}.{proof}",
        "list as claims": f"{head}.{_part([])}.{proof}",
        "deep claims": f"{head}.{_part(b'[' * 4000)}.{proof}",
        "no base64": "é.é.é",
        "empty": "..",
        "huge": signed(client_id, more="x" * 100_000),
        "huge header": f"{_part({'alg': 'RS384', 'kid': 'rsa', 'x': 'y' * 3000})}.{body}.{proof}",
    }
    return forged


async def test_a_signature_that_does_not_hold_proves_nothing(client: httpx.AsyncClient) -> None:
    made = await signer()
    said = set()
    for name, forged in _forged(made.public_id).items():
        answer = await asks(client, forged)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), name
        said.add(answer.text)
    assert len(said) == 1
    assert await _tokens() == 0
    # What no form of this size may hold is refused before it is read.
    huge = await asks(client, "x" * 400_000)
    assert (huge.status_code, huge.json()["error"]) == (400, "invalid_request")


async def test_a_request_says_who_it_is_in_one_way_only(client: httpx.AsyncClient) -> None:
    made = await signer()
    basic = await client.post(
        "/oauth/token",
        data={"grant_type": "client_credentials", "client_assertion_type": TYPE, "client_assertion": "x"},
        auth=httpx.BasicAuth(made.public_id, "y"),
    )
    assert (basic.status_code, basic.json()["error"]) == (400, "invalid_request")
    both = await asks(client, signed(made.public_id), client_secret="y")
    assert (both.status_code, both.json()["error"]) == (400, "invalid_request")
    other = await asks(client, signed(made.public_id), client_id="app_autre")
    assert (other.status_code, other.json()["error"]) == (401, "invalid_client")
    saml = await asks(
        client,
        signed(made.public_id),
        client_assertion_type="urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
    )
    assert (saml.status_code, saml.json()["error"]) == (401, "invalid_client")
    bare = await client.post(
        "/oauth/token", data={"grant_type": "client_credentials", "client_assertion": signed(made.public_id)}
    )
    assert bare.status_code == 401
    named = await asks(client, signed(made.public_id), client_id=made.public_id, scope="directory.read")
    assert named.json()["scope"] == "directory.read"
    wide = await asks(client, signed(made.public_id), scope="export")
    assert (wide.status_code, wide.json()["error"]) == (400, "invalid_scope")


async def test_an_assertion_serves_once_even_at_once(client: httpx.AsyncClient) -> None:
    made = await signer()
    assertion = signed(made.public_id)
    answers = await asyncio.gather(*(asks(client, assertion) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7
    assert (await asks(client, assertion)).status_code == 401
    assert await _tokens() == 1
    # The same name in another assertion of the same client is a replay too; another client's is not.
    assert (await asks(client, signed(made.public_id, jti="un"))).status_code == 200
    assert (await asks(client, signed(made.public_id, "ES384", jti="un"))).status_code == 401
    other = await signer()
    assert (await asks(client, signed(other.public_id, jti="un"))).status_code == 200
    async with unit_of_work() as session:
        assert await session.scalar(select(func.count()).select_from(ClientAssertion)) == 3


async def test_what_was_used_is_forgotten_once_it_is_over(client: httpx.AsyncClient) -> None:
    from accounts.tidying import tidy

    made = await signer()
    first, second = signed(made.public_id, jti="un"), signed(made.public_id, jti="deux")
    assert {(await asks(client, one)).status_code for one in (first, second)} == {200}
    async with unit_of_work() as session:
        used = await session.scalar(select(ClientAssertion.digest).order_by(ClientAssertion.digest).limit(1))
        past = func.core.now() - func.make_interval(0, 0, 0, 1)
        await session.execute(update(ClientAssertion).where(ClientAssertion.digest == used).values(expires_at=past))
    async with unit_of_work() as session:
        assert (await tidy(session))["assertions"] == 1
    assert [(await asks(client, one)).status_code for one in (first, second)].count(401) == 1


_PAST = func.core.now() - func.make_interval(0, 0, 0, 1)


@pytest.mark.parametrize(
    "change",
    [
        update(Client).values(status="suspended"),
        update(Client).values(status="closed"),
        update(Client).values(expires_at=_PAST),
        update(ClientSecret).values(expires_at=_PAST),
        update(ClientSecret).values(ended_at=_PAST),
    ],
    ids=["suspended", "closed", "expired", "keys over", "keys ended"],
)
async def test_keys_of_a_client_that_is_over_prove_nothing(client: httpx.AsyncClient, change: Any) -> None:
    made = await signer()
    assert (await asks(client, signed(made.public_id))).status_code == 200
    async with unit_of_work() as session:
        await session.execute(change)
    answer = await asks(client, signed(made.public_id))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_two_sets_of_keys_hold_while_one_takes_over(client: httpx.AsyncClient) -> None:
    """Both name their key « rsa »: the name says where to look, the signature which it is."""
    made = await signer(RSA)
    await give(made, OTHER_RSA)
    for key in (RSA, OTHER_RSA):
        assert (await asks(client, signed(made.public_id, key=key))).status_code == 200
    third = RSAKey.generate_key(2048, {"kid": "rsa"})
    assert (await asks(client, signed(made.public_id, key=third))).status_code == 401


async def test_a_key_made_for_one_algorithm_checks_no_other(client: httpx.AsyncClient) -> None:
    made, _ = await make_client(kind="secret")
    bound = RSAKey.import_key(RSA.as_dict(private=True), {"alg": "RS384"})
    await give(made, bound)
    assert (await asks(client, signed(made.public_id, "RS384"))).status_code == 200
    assert (await asks(client, signed(made.public_id, "RS256"))).status_code == 401


async def test_the_limits_of_a_client_hold_for_its_signed_requests(client: httpx.AsyncClient) -> None:
    made = await signer(per_minute=2)
    statuses = [(await asks(client, signed(made.public_id))).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


async def test_the_documents_of_the_server_name_the_method(client: httpx.AsyncClient) -> None:
    for address in ("/.well-known/oauth-authorization-server", "/fhir/.well-known/smart-configuration"):
        document = (await client.get(address)).json()
        assert "private_key_jwt" in document["token_endpoint_auth_methods_supported"]
        assert {"RS384", "ES384"} <= set(document["token_endpoint_auth_signing_alg_values_supported"])
    assert "client-confidential-asymmetric" in document["capabilities"]
    security = (await client.get("/fhir/metadata")).json()["rest"][0]["security"]
    assert security["extension"][0]["extension"][0]["valueUri"] == document["token_endpoint"] == TOKEN
