"""Health and error answers through HTTP."""

import httpx
import pytest


async def test_health_and_readiness(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    assert (await client.get("/readyz")).status_code == 200


async def test_unknown_api_address_is_a_french_problem(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/nulle-part")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "Introuvable"
    assert "default-src 'self'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path", ["/healthz", "/", "/aide", "/robots.txt", "/api/v1/nulle-part", "/ogc", "/static/style.css"]
)
async def test_head_says_what_get_says_without_its_body(client: httpx.AsyncClient, places: None, path: str) -> None:
    head, whole = await client.head(path), await client.get(path)
    assert head.status_code == whole.status_code
    assert head.content == b"" and whole.content
    told = ("content-type", "content-length", "cache-control", "etag", "content-security-policy")
    assert {name: head.headers.get(name) for name in told} == {name: whole.headers.get(name) for name in told}


async def test_head_is_no_way_into_a_form(client: httpx.AsyncClient) -> None:
    assert (await client.head("/oauth/token")).status_code == 405
