"""Filtered exports since an instant: who takes them in turn ends up with what a whole filtered export holds."""

from urllib.parse import quote

import httpx
import pytest

from tests.accounts.clients import application_of
from tests.directory.conftest import Registers
from tests.search_api.fhir.exporting import Json, by_type, lines, written
from tests.search_api.fhir.exporting import nobody_listens as nobody_listens
from tests.search_api.fhir.following import differences
from tests.search_api.fhir.town import CALLERS, town
from tests.search_api.fhir.upheaval import World

FILTERS = (
    # The resource's own, its parent's, its offer's, that of what names it, and two at once.
    "HealthcareService?name:contains=a",
    "HealthcareService?location.address-city=mantes",
    "PractitionerRole?service.location.address-city=mantes&service.age-range-low=gt5",
    "PractitionerRole?service.intervention-zone=78118",
    "Practitioner?_has:PractitionerRole:practitioner:location.address-city=mantes",
    "Organization?_has:HealthcareService:organization:age-range-low=gt5",
    "Location?address-city=mantes|Location?address-city=buchelay",
)


class Copy:
    """Whoever takes a filtered export once, then what changed since, again and again."""

    def __init__(self, client: httpx.AsyncClient, filters: str) -> None:
        self.client = client
        self.query = "?_type=" + filters.partition("?")[0]
        self.query += "".join(f"&_typeFilter={quote(one, safe='')}" for one in filters.split("|"))
        self.held: dict[str, Json] = {}
        self.since = ""

    async def whole(self) -> dict[str, Json]:
        manifest = await written(self.client, self.query)
        self.since = self.since or manifest["transactionTime"]
        return {uid: one for found in (await by_type(self.client, manifest)).values() for uid, one in found.items()}

    async def follow(self) -> None:
        manifest = await written(self.client, f"{self.query}&_since={quote(self.since, safe='')}")
        self.since = manifest["transactionTime"]
        for file in manifest["deleted"]:
            for bundle in await lines(self.client, file):
                for entry in bundle["entry"]:
                    self.held.pop(entry["request"]["url"].partition("/")[2], None)
        for found in (await by_type(self.client, manifest)).values():
            self.held |= found


@pytest.mark.parametrize(
    "name",
    [pytest.param("public", marks=pytest.mark.slow), "yvelines", pytest.param("professional", marks=pytest.mark.slow)],
)
async def test_whoever_asks_since_ends_up_with_what_a_whole_filtered_export_holds(
    registers: Registers, name: str, nobody_listens: None
) -> None:
    town(registers)
    happening = World(registers, seed=7)
    transport = httpx.ASGITransport(app=application_of(CALLERS[name]))
    async with httpx.AsyncClient(transport=transport, base_url="http://repere.test") as client:
        copies = [Copy(client, one) for one in FILTERS]
        for copy in copies:
            registers.conn.execute("DELETE FROM accounts.rate")
            copy.held = await copy.whole()
        left = 0
        for _ in range(4):
            for _ in range(5):
                await happening.step()
            for copy in copies:
                registers.conn.execute("DELETE FROM accounts.rate")
                before = set(copy.held)
                await copy.follow()
                wanted = await copy.whole()
                assert not differences(copy.held, wanted), copy.query
                left += len(before - set(wanted))
        assert left, "nothing ever left a filter: nothing was tested"
