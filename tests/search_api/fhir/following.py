"""A consumer of the feed, and what it must end up holding."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from accounts.api import Caller
from core.db import unit_of_work
from search_api.fhir.kinds import KINDS, RESOURCE_TYPES, Kind
from search_api.fhir.render import render
from search_api.fhir.visible import visible

Key = tuple[str, str]


async def everything(caller: Caller, kinds: Iterable[Kind] = KINDS) -> dict[Key, dict[str, Any]]:
    """Return every resource that a caller may read, by type and id: what a whole extraction holds."""
    found: dict[Key, dict[str, Any]] = {}
    async with unit_of_work() as session:
        for kind in kinds:
            ids = [row.id for row in await session.execute(visible(kind, caller).order_by("id"))]
            made = await render(session, kind, ids, caller)
            found |= {(RESOURCE_TYPES[kind], one["id"]): one for one in made.values()}
    return found


@dataclass
class Consumer:
    """Holds what it was told, and applies what it is told since."""

    client: httpx.AsyncClient
    caller: Caller
    held: dict[Key, dict[str, Any]] = field(default_factory=dict)
    position: str = ""
    pages: int = 0
    withdrawn: list[Key] = field(default_factory=list)

    async def extract(self) -> None:
        """Note the position, then take everything."""
        self.position = position_of((await self.get("now")).json())
        self.held = await everything(self.caller)

    async def get(self, since: str, **more: str) -> httpx.Response:
        return await self.client.get("/fhir/$changes", params={"since": since, **more})

    async def follow(self, count: int = 200) -> int:
        """Apply the changes until there are no more for now; return how many entries came."""
        address, entries = f"/fhir/$changes?since={self.position}&_count={count}", 0
        while True:
            answer = await self.client.get(address)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            for entry in page["entry"]:
                self.apply(entry)
            entries += len(page["entry"])
            self.pages += 1
            self.position = position_of(page)
            following = [link["url"] for link in page["link"] if link["relation"] == "next"]
            if not following:
                return entries
            address = following[0]

    def apply(self, entry: dict[str, Any]) -> None:
        type_, uid = entry["fullUrl"].rsplit("/", 2)[1:]
        method = entry["request"]["method"]
        if method == "DELETE":
            assert "resource" not in entry
            self.withdrawn.append((type_, uid))
            self.held.pop((type_, uid), None)
            return
        assert entry["request"]["url"] == (type_ if method == "POST" else f"{type_}/{uid}")
        resource = entry["resource"]
        assert (resource["resourceType"], resource["id"]) == (type_, uid)
        assert entry["response"]["etag"] == f'W/"{resource["meta"]["versionId"]}"'
        self.held[type_, uid] = resource


def position_of(page: dict[str, Any]) -> str:
    """Return where to read on after a page."""
    found: list[str] = [tag["code"] for tag in page["meta"]["tag"] if tag["system"] == "urn:repere:fhir:position"]
    assert len(found) == 1
    return found[0]


def differences(held: Mapping[Any, Any], wanted: Mapping[Any, Any]) -> list[Any]:
    """Return what differs between what a consumer holds and what it should, a few of each."""
    missing, extra = sorted(wanted.keys() - held.keys()), sorted(held.keys() - wanted.keys())
    stale = [(key, held[key], wanted[key]) for key in held.keys() & wanted.keys() if held[key] != wanted[key]]
    return [*(("missing", key) for key in missing[:3]), *(("extra", key) for key in extra[:3]), *stale[:2]]
