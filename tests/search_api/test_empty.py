"""An empty directory is searched calmly."""

import httpx
from sqlalchemy import func, select
from sqlalchemy.engine import URL

from core.db import unit_of_work
from search_api import indexing
from search_api.engine import EngineQuery, LatLon
from search_api.models import Token
from search_api.postgis import PostgisEngine


async def test_an_empty_directory_answers_nothing(clean_database: URL) -> None:
    async with unit_of_work() as session:
        answer = await PostgisEngine().answer(session, EngineQuery(origins=(LatLon(48.9, 1.7),)))
    assert answer.counts.sites == 0 and answer.hits == ()


async def test_an_empty_directory_has_no_words(clean_database: URL) -> None:
    async with unit_of_work() as session:
        assert not await indexing.stale(session)
        report = await indexing.build(session)
        assert report.words == 0 == await session.scalar(select(func.count()).select_from(Token))


async def test_every_address_answers_without_data(client: httpx.AsyncClient) -> None:
    for path in (
        "/api/v1/search",
        "/api/v1/search?q=kin%C3%A9",
        "/api/v1/suggest?q=kin%C3%A9",
        "/api/v1/places?q=mantes",
        "/api/v1/map?view=1,48,2,49&zoom=9",
        "/api/v1/search.xlsx",
        "/api/v1/search.csv",
        "/api/v1/search.geojson",
    ):
        answer = await client.get(path)
        assert answer.status_code == 200, (path, answer.text)
