"""What the tests of the coverage reports share."""

from typing import Any

import httpx

PAGE = {"Accept": "text/html"}
COVERAGE = "/api/v1/coverage"


async def ask(api: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await api.post(COVERAGE, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    assert found["state"] == "ready", found
    return found


async def features(api: httpx.AsyncClient, report: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await api.get(report["files"]["geojson"])
    assert answer.status_code == 200
    found: list[dict[str, Any]] = [one["properties"] for one in answer.json()["features"]]
    return found
