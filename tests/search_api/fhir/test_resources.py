"""Every resource of the feed, at both levels: what it says, and that strangers' models and validators accept it."""

import json
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from accounts.api import Caller
from core.db import unit_of_work
from search_api.fhir.kinds import KINDS, RESOURCE_TYPES, Kind
from search_api.fhir.render import render
from search_api.fhir.visible import visible
from tests.search_api.fhir.conftest import Feed

PUBLIC, PROFESSIONAL = Caller(level=1), Caller(level=2)


async def everything(kind: Kind, caller: Caller) -> dict[int, dict[str, Any]]:
    """Return every resource of a kind that a caller may read."""
    async with unit_of_work() as session:
        ids = [row.id for row in await session.execute(visible(kind, caller).order_by("id"))]
        found = await render(session, kind, ids, caller)
    assert list(found) == ids
    return found


@pytest.mark.parametrize("caller", [PUBLIC, PROFESSIONAL], ids=["public", "professional"])
@pytest.mark.parametrize("kind", KINDS)
async def test_models_of_others_accept_every_resource(feed: Feed, kind: Kind, caller: Caller) -> None:
    model = get_fhir_model_class(RESOURCE_TYPES[kind])
    found = await everything(kind, caller)
    assert found
    for resource in found.values():
        model.parse_obj(json.loads(json.dumps(resource)))
