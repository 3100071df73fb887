"""A browser on the guided path, without scripts."""

import re
from collections.abc import Mapping
from typing import Any

import httpx

from tests.accounts.helpers import form_token

ALICE = "10000000001"
OWN = ("professional", f"rpps:{ALICE}")
FIRST = {"age_min": "0", "age_max": "150", "activities": ["J17|339"], "accepts_new": "", "accepts_new_on": ""}
SECOND = {"accessibility": "", "comment": "", "reception": ["R338|03"]}
VISITS = {**SECOND, "reception": ["R338|05"]}
QUIET = {"HX-Request": "true"}


class Path:
    """A browser on the path of an offer, Alice's by default."""

    def __init__(self, town: Any, client: httpx.AsyncClient, rpps: str = ALICE) -> None:
        self.town, self.client = town, client
        self.base = f"/mon-offre/{town.offer(rpps)['uid']}"

    async def open(self, key: str = "") -> str:
        answer = await self.client.get(f"{self.base}/modifier" + (f"/{key}" if key else ""))
        assert answer.status_code == 200, answer.headers.get("location", answer.text)
        return answer.text

    async def send(
        self, key: str, values: Mapping[str, Any], action: str = "suivant", page: str | None = None, **headers: str
    ) -> httpx.Response:
        shown = page if page is not None else await self.open(key)
        data = {"_csrf": form_token(shown), "action": action, **hidden(shown), **values}
        return await self.client.post(f"{self.base}/modifier/{key}", data=data, headers=headers)

    async def begin(self) -> None:
        token = form_token(await self.open())
        await self.client.post(f"{self.base}/modifier", data={"_csrf": token})
        await self.send("informations", {})

    async def go(self, *keys: str, **values: Mapping[str, Any]) -> None:
        given = {"mon-offre-1": FIRST, "mon-offre-2": SECOND, "contacts": {}, "horaires": {}} | values
        for key in keys:
            answer = await self.send(key, given[key])
            assert answer.status_code == 303, answer.text

    async def all(self, **values: Mapping[str, Any]) -> None:
        await self.begin()
        await self.go("mon-offre-1", "mon-offre-2", "contacts", "horaires", **values)

    async def drop(self, page: str | None = None) -> httpx.Response:
        shown = page if page is not None else (await self.client.get(f"{self.base}/annuler")).text
        data = {"_csrf": form_token(shown), **hidden(shown)}
        return await self.client.post(f"{self.base}/annuler", data=data)

    def draft(self) -> Any:
        rows = self.town.all("SELECT * FROM directory.offer_draft")
        return rows[0] if rows else None


def hidden(page: str) -> dict[str, str]:
    return {
        name: found[1]
        for name in ("version", "onglet", "vue_offre", "vue_lieu")
        if (found := re.search(f'name="{name}" value="([^"]*)"', page))
    }
