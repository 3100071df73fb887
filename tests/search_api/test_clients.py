"""What a program reads: its level and its zone hold on every address of the APIs, whichever engine answers."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import select
from sqlalchemy.engine import URL

from core.db import unit_of_work
from directory.api import ContactIn, Offer, OfferDescription, Site, describe_offer
from search_api import engines
from tests.accounts.clients import make_client
from tests.search_api.conftest import filled, indexed
from tests.search_api.seed import CANARY

__all__ = ["filled"]

PRIVATE = "zzreserve@example.org"
WIDE = "/api/v1/search?where=departement:78"
PUBLIC, PROFESSIONAL = "directory.read", "directory.read.professional"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def described(filled: URL) -> Offer:
    """An offer of Mantes with a contact for professionals only."""
    async with unit_of_work() as session:
        offer = await session.scalar(
            select(Offer)
            .join(Site, Site.id == Offer.site_id)
            .where(Site.commune_code == "78361", Offer.sensitive.is_(False), Offer.closed_on.is_(None))
            .order_by(Offer.id)
        )
        assert offer is not None
        written = OfferDescription(contacts=[ContactIn(purpose="other_email", value=PRIVATE)])
        await describe_offer(session, offer.uid, written, "essai", offer.version)
    return offer


@pytest.fixture(params=["postgis", "columns"])
async def either(
    request: pytest.FixtureRequest, described: Offer, filled: URL, api: httpx.AsyncClient, tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """The application, whichever engine answers."""
    if request.param == "columns":
        indexed(filled, tmp_path)
    yield api
    engines.use(None)


async def _headers(*scopes: str, zone: tuple[str, ...] = ()) -> dict[str, str]:
    _, key = await make_client(*scopes, zone=list(zone))
    return {"X-API-Key": key}


async def test_a_contact_of_professionals_is_read_with_their_scope_only(
    api: httpx.AsyncClient, described: Offer
) -> None:
    sheet = f"/api/v1/offers/{described.uid}"
    assert PRIVATE not in (await api.get(sheet)).text
    assert PRIVATE not in (await api.get(sheet, headers=await _headers(PUBLIC))).text
    shown = await api.get(sheet, headers=await _headers(PROFESSIONAL))
    assert PRIVATE in shown.text
    assert shown.headers["cache-control"] == "private, no-store"
    # What a professional program read is given to nobody else afterwards.
    again = await api.get(sheet)
    assert PRIVATE not in again.text
    assert "private" not in again.headers["cache-control"]
    assert "X-API-Key" in again.headers["vary"]


async def test_sensitive_offers_are_counted_for_professional_programs_only(either: httpx.AsyncClient) -> None:
    anybody = (await either.get(WIDE)).json()["total_offers"]
    public = (await either.get(WIDE, headers=await _headers(PUBLIC))).json()["total_offers"]
    professional = await _headers(PROFESSIONAL)
    more = (await either.get(WIDE, headers=professional)).json()["total_offers"]
    assert anybody == public < more
    items = "/ogc/collections/offers/items?limit=1000"
    for _ in range(2):
        assert (await either.get(items)).json()["numberMatched"] == public
        assert (await either.get(items, headers=professional)).json()["numberMatched"] == more
    assert CANARY not in (await either.get(items)).text
    assert CANARY in (await either.get(items, headers=professional)).text


def _offers(answer: dict[str, Any]) -> int:
    return int(answer["total_offers"])


async def test_totals_facets_and_results_keep_to_the_zone(either: httpx.AsyncClient) -> None:
    whole = (await either.get(WIDE)).json()
    town = (await either.get("/api/v1/search?where=departement:78&bbox=-180,-90,180,90")).json()
    assert _offers(town) <= _offers(whole)
    parts = []
    for code in ("78361", "78362", "78335", "78531", "78646", "78498"):
        zoned = (await either.get(WIDE, headers=await _headers(PUBLIC, zone=(f"commune:{code}",)))).json()
        assert all(item["site"]["commune"] is not None for item in zoned["items"])
        parts.append(zoned)
    assert sum(_offers(part) for part in parts) == _offers(whole)
    assert sum(part["total"] for part in parts) == whole["total"]

    def counted(answer: dict[str, Any]) -> dict[str, int]:
        return {v["code"]: v["count"] for facet in answer["facets"] for v in facet["values"]}

    added: dict[str, int] = {}
    for part in parts:
        for code, number in counted(part).items():
            added[code] = added.get(code, 0) + number
    assert added == counted(whole)


async def test_what_lies_elsewhere_does_not_exist_for_a_zone(either: httpx.AsyncClient, described: Offer) -> None:
    here = await _headers(PUBLIC, zone=("commune:78361",))
    there = await _headers(PUBLIC, zone=("commune:78646", "commune:78498"))
    nowhere = await _headers(PUBLIC, zone=("commune:99999",))
    around = "/api/v1/search?where=commune:78361&radius_km=5"
    found = (await either.get(around, headers=here)).json()
    assert found["items"]
    site = found["items"][0]["site"]["id"]
    assert {item["site"]["commune"] for item in found["items"]} == {"Mantes-la-Jolie"}
    for headers in (there, nowhere):
        elsewhere = (await either.get(around, headers=headers)).json()
        assert "Mantes-la-Jolie" not in {item["site"]["commune"] for item in elsewhere["items"]}
        assert (await either.get(f"/api/v1/sites/{site}", headers=headers)).status_code == 404
        assert (await either.get(f"/api/v1/offers/{described.uid}", headers=headers)).status_code == 404
        territory = f"/api/v1/offers/{described.uid}/territory.geojson"
        assert (await either.get(territory, headers=headers)).status_code == 404
        assert (await either.get(territory, headers=here)).status_code == 200
        assert (await either.get(f"/ogc/collections/sites/items/{site}", headers=headers)).status_code == 404
        csv = await either.get("/api/v1/search.csv?where=commune:78361&radius_km=5", headers=headers)
        assert csv.status_code == 200
        assert "Mantes-la-Jolie" not in csv.text.replace("Mantes-la-Jolie (78)", "")
    assert (await either.get(f"/api/v1/sites/{site}", headers=here)).status_code == 200
    assert (await either.get(f"/ogc/collections/sites/items/{site}", headers=here)).status_code == 200
    view = "&zoom=10&view=1.4,48.6,2.4,49.2"
    everywhere = (await either.get(f"/api/v1/map?where=departement:78{view}")).json()
    mapped = (await either.get(f"/api/v1/map?where=departement:78{view}", headers=here)).json()
    assert 0 < mapped["total"] < everywhere["total"]
    tile = "/tiles/offers/4/8/5.mvt"
    drawn = {(await either.get(tile, headers=one)).content for one in ({}, here, there, nowhere)}
    assert len(drawn) == 4


async def test_suggestions_count_and_name_what_lies_in_the_zone(either: httpx.AsyncClient) -> None:
    async def named(headers: dict[str, str]) -> tuple[set[str], int]:
        groups = (await either.get("/api/v1/suggest?q=dupont", headers=headers)).json()
        items = [item for group in groups for item in group["items"] if item["url"]]
        return {item["url"] for item in items}, sum(item["count"] for item in items)

    nowhere = await _headers(PUBLIC, zone=("commune:99999",))
    assert await named(nowhere) == (set(), 0)
    here, number = await named(await _headers(PUBLIC, zone=("commune:78361",)))
    everywhere, whole = await named({})
    assert here
    assert number <= whole
    for url in here:
        sheet = "/api/v1/" + url.strip("/").replace("offres", "offers")
        assert (await either.get(sheet, headers=await _headers(PUBLIC, zone=("commune:78361",)))).status_code == 200
    assert everywhere
