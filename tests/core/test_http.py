"""Health and error answers through HTTP."""

import httpx


async def test_health_and_readiness(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    assert (await client.get("/readyz")).status_code == 200


async def test_unknown_api_address_is_a_french_problem(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/nulle-part")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "Introuvable"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
