"""Every parameter of a search against what the resources themselves say, at both levels."""

import random

import httpx
import pytest

from tests.accounts.helpers import signed_in
from tests.search_api.fhir.world import TYPES, Asker, World, address, walk


async def level(client: httpx.AsyncClient, name: str) -> None:
    if name == "professional":
        await signed_in(client, ("professional", "rpps:10101010101"))


@pytest.mark.parametrize("who", ["public", "professional"])
@pytest.mark.parametrize("type_", TYPES)
async def test_each_parameter_finds_what_resources_say(client: httpx.AsyncClient, type_: str, who: str) -> None:
    await level(client, who)
    world = await World.read(client)
    asker = Asker(world, random.Random(f"{type_} {who}"))
    found_some = 0
    for _ in range(25):
        asked = [asker.question(type_) for _ in range(asker.rng.choice((1, 1, 1, 2)))]
        url = address(type_, [("_count", "200"), *((one.name, one.value) for one in asked)])
        expected = set.intersection(*(world.answer(type_, one.says) for one in asked))
        answers = [one["resource"]["id"] for one in await walk(client, url)]
        assert sorted(answers) == sorted(expected), url
        found_some += bool(expected)
    assert found_some > 6


@pytest.mark.parametrize("type_", TYPES)
async def test_expressions_find_what_resources_say(client: httpx.AsyncClient, type_: str) -> None:
    world = await World.read(client)
    asker = Asker(world, random.Random(type_))
    for _ in range(12):
        text, says = asker.expression(type_)
        url = address(type_, [("_count", "200"), ("_filter", text)])
        answers = [one["resource"]["id"] for one in await walk(client, url)]
        assert sorted(answers) == sorted(world.answer(type_, says)), text
