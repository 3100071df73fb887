"""The ads of the demonstration."""

import httpx
from sqlalchemy import func, select

from core.db import unit_of_work
from directory.models import Practitioner, Role, Site
from modules.ads import demo
from modules.ads.models import Ad, AdFile
from tests.modules.ads.makers import GENERAL, make_specialties, place


async def _doctor() -> None:
    """Write a doctor of Versailles, as registers do."""
    town = await place("commune:78646")
    async with unit_of_work() as session:
        site = Site(key="essai:1", name="CABINET", commune_id=town.id, commune_code="78646", kind="cabinet")
        doctor = Practitioner(
            national_id="810100000001",
            rpps="10100000001",
            last_name="PETIT",
            first_name="ANNE",
            profession="10",
            category="C",
            specialties=[GENERAL],
        )
        session.add_all((site, doctor))
        await session.flush()
        session.add(Role(key="essai:1", practitioner_id=doctor.id, site_id=site.id, profession="10", mode="L"))


async def test_it_has_every_state_and_running_it_again_changes_nothing(places: None, client: httpx.AsyncClient) -> None:
    await make_specialties()
    await _doctor()
    made = await demo.make_ads()
    async with unit_of_work() as session:
        states = set(await session.scalars(select(Ad.state).distinct()))
        kinds = {(category, side) for category, side in await session.execute(select(Ad.category, Ad.side))}
        photos = await session.scalar(select(func.count()).select_from(AdFile))
        before = await session.scalar(select(func.sum(Ad.version)))
    assert (made, len(kinds)) == (40, 12)
    assert states == {"draft", "pending", "published", "unpublished", "refused"}
    assert photos
    assert await demo.make_ads() == 0
    async with unit_of_work() as session:
        assert await session.scalar(select(func.sum(Ad.version))) == before
