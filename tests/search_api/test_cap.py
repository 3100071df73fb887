"""Two hundred results are shown, whatever page is asked for, and the export holds the same ones."""

from typing import Any

import httpx

from tests.directory import conftest as directory_tests

registers = directory_tests.registers


async def test_the_last_page_ends_with_the_two_hundredth(registers: Any, client: httpx.AsyncClient) -> None:
    for number in range(204):
        key = f"struct:4{number:03}"
        registers.practice(key, lon=1.7 + number / 1000)
        registers.role(registers.person(str(number), "X", "Y"), key)
    registers.publish({"rpps"})
    question = {"where": "commune:78361"}
    whole = (await client.get("/api/v1/search", params=question)).json()
    assert (whole["total"], whole["pages"], whole["capped_at"]) == (204, 14, 200)
    last = (await client.get("/api/v1/search", params=question | {"page": "14"})).json()
    assert [item["rank"] for item in last["items"]] == [196, 197, 198, 199, 200]
    rows = (await client.get("/api/v1/search.geojson", params=question)).json()["features"]
    assert len(rows) == 200
    assert (await client.get("/api/v1/search", params=question | {"page": "15"})).status_code == 422
