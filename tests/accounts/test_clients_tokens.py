"""Keys and tokens of programs: how they are obtained, what opens, what is refused and how."""

import json
import sys
from typing import Any

import httpx
import pytest
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuthError
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from sqlalchemy import func, select, update

from accounts.clients import secrets
from accounts.models_clients import Client, ClientSecret, ClientToken
from core.db import unit_of_work
from tests.accounts.clients import BASE, make_client
from web.app import app

SEARCH = "/api/v1/places?q=mantes"
_own: Any = sys.modules[AsyncOAuth2Client.__mro__[-3].__module__.partition(".")[0]]
"""The library of requests that the stock client is made on, whichever it is."""


def _stock(client: Client, secret: str, method: str = "client_secret_basic", **more: Any) -> AsyncOAuth2Client:
    """A client of a library that others use."""
    return AsyncOAuth2Client(
        client.public_id,
        secret,
        token_endpoint_auth_method=method,
        transport=_own.ASGITransport(app=app),
        base_url=BASE,
        **more,
    )


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_stock_client_gets_a_token_reads_and_gives_it_back(places: None, method: str) -> None:
    made, secret = await make_client("directory.read", "export", kind="secret")
    async with _stock(made, secret, method) as stock:
        token = await stock.fetch_token(f"{BASE}/oauth/token", grant_type="client_credentials")
        assert token["token_type"] == "Bearer"
        assert token["expires_in"] == 3600
        assert token["scope"] == "directory.read export"
        read = await stock.get(SEARCH)
        assert read.status_code == 200
        assert read.headers["cache-control"] == "private, no-store"
        assert "authorization" in read.headers["vary"].lower()
        assert '"minute";r=' in read.headers["ratelimit"]
        revoked = await stock.revoke_token(f"{BASE}/oauth/revoke", token=token["access_token"])
        assert revoked.status_code == 200
        refused = await stock.get(SEARCH)
        assert refused.status_code == 401
        again = await stock.revoke_token(f"{BASE}/oauth/revoke", token=token["access_token"])
        assert again.status_code == 200
    async with unit_of_work() as session:
        kept = (await session.scalars(select(ClientToken.digest))).all()
        shown = (await session.scalars(select(ClientSecret.hint))).all()
    assert kept == [secrets.keyed("token", token["access_token"])]
    assert secret not in shown[0]


async def test_a_token_has_the_scopes_that_were_asked_for_and_no_other(places: None) -> None:
    made, secret = await make_client("directory.read", "webhooks", kind="secret")
    async with _stock(made, secret, scope="webhooks") as stock:
        await stock.fetch_token(f"{BASE}/oauth/token", grant_type="client_credentials")
        refused = await stock.get(SEARCH)
        assert refused.status_code == 403
        assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
        assert refused.json()["type"] == "urn:repere:portee-insuffisante"
    async with _stock(made, secret, scope="export") as stock:
        with pytest.raises(OAuthError, match="invalid_scope"):
            await stock.fetch_token(f"{BASE}/oauth/token", grant_type="client_credentials")


async def test_a_scope_taken_from_a_client_is_taken_from_its_tokens(places: None) -> None:
    made, secret = await make_client("directory.read", kind="secret")
    async with _stock(made, secret) as stock:
        await stock.fetch_token(f"{BASE}/oauth/token", grant_type="client_credentials")
        async with unit_of_work() as session:
            await session.execute(update(Client).values(scopes=["webhooks"]))
        assert (await stock.get(SEARCH)).status_code == 403


@pytest.mark.parametrize(
    ("form", "auth", "status", "error"),
    [
        ({}, True, 400, "invalid_request"),
        ({"grant_type": "password"}, True, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, False, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_secret": "x"}, True, 400, "invalid_request"),
        ({"grant_type": "client_credentials", "client_id": "other"}, True, 400, "invalid_request"),
        ({"grant_type": "client_credentials", "scope": 'directory.read "é'}, True, 400, "invalid_scope"),
        ({"grant_type": ["client_credentials", "client_credentials"]}, True, 400, "invalid_request"),
        ({"grant_type": "client_credentials", "junk": "x" * 300_000}, True, 400, "invalid_request"),
    ],
)
async def test_what_is_wrong_is_told_as_the_standard_has_it(
    client: httpx.AsyncClient, form: dict[str, Any], auth: bool, status: int, error: str
) -> None:
    made, secret = await make_client(kind="secret")
    given = httpx.BasicAuth(made.public_id, secret) if auth else httpx.Auth()
    answer = await client.post("/oauth/token", data=form, auth=given)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"] == error
    assert answer.json()["error_description"].isascii()
    assert answer.headers["cache-control"] == "no-store"
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Basic")


async def test_bodies_and_headers_that_cannot_be_read_are_refused(client: httpx.AsyncClient) -> None:
    body = json.dumps({"grant_type": "client_credentials"})
    answer = await client.post("/oauth/token", content=body, headers={"Content-Type": "application/json"})
    assert answer.json()["error"] == "invalid_request"
    for hostile in ("Basic", "Basic !!!", "Basic /w==", "Basic " + "QQ==" * 2000, "Bearer x"):
        answer = await client.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, headers={"Authorization": hostile}
        )
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert (await client.get("/oauth/token")).status_code == 405


_PAST = func.core.now() - func.make_interval(0, 0, 0, 1)


@pytest.mark.parametrize(
    "change",
    [
        update(Client).values(status="suspended"),
        update(Client).values(status="closed"),
        update(Client).values(expires_at=_PAST),
        update(Client).values(demo="essai"),
        update(ClientSecret).values(expires_at=_PAST),
        update(ClientSecret).values(ended_at=_PAST),
    ],
    ids=["suspended", "closed", "expired", "of the demonstration", "secret expired", "secret ended"],
)
async def test_a_client_that_is_over_gets_nothing_and_its_key_opens_nothing(
    client: httpx.AsyncClient, change: Any
) -> None:
    _, key = await make_client()
    made, secret = await make_client(kind="secret")
    assert (await client.get(SEARCH, headers={"X-API-Key": key})).status_code == 200
    form = {"grant_type": "client_credentials"}
    given = httpx.BasicAuth(made.public_id, secret)
    token = (await client.post("/oauth/token", data=form, auth=given)).json()["access_token"]
    async with unit_of_work() as session:
        if "demo" in str(change):
            change = change.where(Client.id == made.id)
        await session.execute(change)
    asked = await client.post("/oauth/token", data=form, auth=given)
    assert (asked.status_code, asked.json()["error"]) == (401, "invalid_client")
    ended = change.table.name == "client_secret"
    for shown, status in ((key, 401), (token, 401)):
        answer = await client.get(SEARCH, headers={"Authorization": f"Bearer {shown}"})
        if ended and shown == token and "expires_at" in str(change):
            # A token that was given lives its hour when a rotation ends the secret.
            status = 200
        if "demo" in str(change) and shown == key:
            status = 200
        assert answer.status_code == status, (shown[:4], answer.text)
        if status == 401:
            assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key", "ESANTE-API-KEY"])
async def test_a_key_is_sent_in_any_of_three_headers(client: httpx.AsyncClient, header: str) -> None:
    _, key = await make_client()
    value = f"Bearer {key}" if header == "Authorization" else key
    known = await client.get(SEARCH, headers={header: value})
    assert known.status_code == 200
    assert known.headers["cache-control"] == "private, no-store"
    for hostile in (key[:-1], key + "x", "rpk_", "x", "rpt_" + "a" * 5000, "é", "' OR 1=1"):
        shown = f"Bearer {hostile}" if header == "Authorization" else hostile
        refused = await client.get(SEARCH, headers={header.encode(): shown.encode()})
        assert refused.status_code == 401
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["www-authenticate"].startswith("Bearer")
        fhir = await client.get("/fhir/Organization", headers={header.encode(): shown.encode()})
        assert fhir.status_code == 401
        assert fhir.json()["resourceType"] == "OperationOutcome"


async def test_several_keys_are_refused_and_other_schemes_are_no_key(client: httpx.AsyncClient) -> None:
    _, key = await make_client()
    _, other = await make_client()
    assert (await client.get(SEARCH, headers={"X-API-Key": key, "ESANTE-API-KEY": other})).status_code == 400
    assert (await client.get(SEARCH, headers={"X-API-Key": key, "Authorization": f"Bearer {key}"})).status_code == 200
    # A proxy in front may ask for a password of its own.
    assert (await client.get(SEARCH, headers={"Authorization": "Basic Zm9vOmJhcg=="})).status_code == 200
    # Pages are for people: what a program shows there is nothing to them.
    assert (await client.get("/aide", headers={"X-API-Key": "x"})).status_code == 200


async def test_a_token_is_given_back_by_its_own_client_only(client: httpx.AsyncClient) -> None:
    first, secret = await make_client(kind="secret")
    second, other = await make_client(kind="secret")
    form = {"grant_type": "client_credentials"}
    own = httpx.BasicAuth(first.public_id, secret)
    token = (await client.post("/oauth/token", data=form, auth=own)).json()["access_token"]
    foreign = await client.post("/oauth/revoke", data={"token": token}, auth=httpx.BasicAuth(second.public_id, other))
    assert foreign.status_code == 400
    assert (await client.get(SEARCH, headers={"Authorization": f"Bearer {token}"})).status_code == 200
    assert (await client.post("/oauth/revoke", data={"token": "rpt_unknown"}, auth=own)).status_code == 200
    assert (await client.post("/oauth/revoke", data={"token": secret}, auth=own)).json()["error"] == (
        "unsupported_token_type"
    )
    assert (await client.post("/oauth/revoke", data={}, auth=own)).json()["error"] == "invalid_request"
    assert (await client.post("/oauth/revoke", data={"token": token})).status_code == 401


async def test_the_metadata_are_those_of_the_standard(client: httpx.AsyncClient) -> None:
    document = (await client.get("/.well-known/oauth-authorization-server")).json()
    # The library asks for HTTPS, which the tests have not.
    secure = json.loads(json.dumps(document).replace("http://", "https://"))
    AuthorizationServerMetadata(secure).validate()
    assert document["grant_types_supported"] == ["client_credentials"]
    smart = (await client.get("/fhir/.well-known/smart-configuration")).json()
    assert smart["token_endpoint"] == document["token_endpoint"]
    assert (await client.post("/oauth/token")).status_code == 400
