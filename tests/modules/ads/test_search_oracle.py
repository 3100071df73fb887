"""Searches of ads against brute force: what matches, in which order, how far, on random ads and random searches."""

import math
import random
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from sqlalchemy import text

from core.db import unit_of_work
from maps.api import PlaceHit, containers_of, place_by_id
from modules.ads import search
from modules.ads.models import Ad
from modules.ads.schemas import AdContent, Period
from modules.ads.search_query import CAP, PAGE_SIZE, PAGES, RADII, AdQuery
from modules.ads.tasks import follow_places
from modules.ads.views import TOWNS
from tests.modules.ads.makers import ALLERGY, GENERAL, make_ad, make_content, make_person, place

PLACES = (
    "commune:78361", "commune:78118", "commune:78646", "commune:75056", "commune:75112", "commune:13055",
    "commune:2A004", "commune:97411", "departement:78", "departement:75", "departement:2A", "region:11", "region:93",
    "france",
)  # fmt: skip
FIRST = date(2030, 1, 1)
WORDS = ("maison", "garde", "montagne", "échographie")
GEOD = Geod(ellps="WGS84")


class Told:
    """An ad as the oracle knows it."""

    def __init__(self, ad: Ad, content: AdContent, hits: list[PlaceHit]) -> None:
        self.ad, self.content, self.hits = ad, content, hits


def holds(one: PlaceHit, other: PlaceHit) -> bool:
    return one.id == other.id or one.id in containers_of([other.id])[other.id]


def apart(one: PlaceHit, other: PlaceHit) -> int:
    if holds(one, other):
        return 0
    assert one.lon is not None and one.lat is not None and other.lon is not None and other.lat is not None
    return round(float(GEOD.inv(one.lon, one.lat, other.lon, other.lat)[2]))


def near(searched: PlaceHit, own: PlaceHit, radius: int) -> bool:
    if searched.kind not in TOWNS or own.kind not in TOWNS:
        return False
    return apart(searched, own) <= radius * 1000


def overlaps(one: Period, other: Period) -> bool:
    last, end = one.ends_on or date.max, other.ends_on or date.max
    return one.starts_on <= end and other.starts_on <= last


def expected(told: list[Told], query: AdQuery, searched: list[PlaceHit]) -> list[Told]:
    found = []
    for one in told:
        said = one.content
        if any(want not in (None, have) for want, have in (
            (query.category, said.category), (query.side, said.side), (query.specialty, said.specialty)
        )):  # fmt: skip
            continue
        if query.q and query.q not in said.description:
            continue
        if query.periods and not any(overlaps(a, b) for a in query.periods for b in said.periods):
            continue
        if searched and not any(
            holds(place, own) or holds(own, place) or near(place, own, query.radius_km)
            for place in searched
            for own in one.hits
        ):
            continue
        found.append(one)
    found.sort(key=lambda one: one.ad.id, reverse=True)
    if query.sort == "distance":
        towns = [place for place in searched if place.kind in TOWNS]
        found.sort(key=lambda one: rank(one, towns, query, searched))
    return found


def rank(one: Told, towns: list[PlaceHit], query: AdQuery, searched: list[PlaceHit]) -> tuple[float, int]:
    """Return the distance, and whether it is that of an ad for a whole area."""
    areas = [place for place in searched if place.kind not in TOWNS]
    counted = [
        min(apart(town, own) for town in towns)
        for own in one.hits
        if own.kind in TOWNS
        and (any(near(town, own, query.radius_km) or holds(town, own) for town in towns)
             or any(holds(area, own) for area in areas))
    ]  # fmt: skip
    least = min(counted, default=math.inf)
    whole = any(own.id != town.id and holds(own, town) for own in one.hits for town in towns)
    return (0, 1) if whole and least > 0 else (least, 0)


def random_period(draw: random.Random) -> Period:
    start = FIRST + timedelta(days=draw.randrange(400))
    return Period(starts_on=start, ends_on=None if draw.random() < 0.3 else start + timedelta(days=draw.randrange(60)))


async def random_ads(draw: random.Random, number: int) -> list[Told]:
    author = await make_person()
    told = []
    for _ in range(number):
        refs = tuple(draw.sample(PLACES, draw.choice((1, 1, 1, 2, 3))))
        said: dict[str, Any] = {
            "category": draw.choice(("remplacement", "succession")),
            "side": draw.choice(("seeks", "offers")),
            "specialty": draw.choice((GENERAL, ALLERGY)),
            "description": f"Cabinet. {draw.choice(WORDS)}.",
            "periods": tuple(random_period(draw) for _ in range(draw.choice((1, 1, 2, 3)))),
        }
        content = await make_content(refs, **said)
        ad = await make_ad(author, content=content)
        hits = [hit for key in content.places if (hit := place_by_id(key)) is not None]
        told.append(Told(ad, content, hits))
    return told


QUERIES = st.builds(
    AdQuery,
    category=st.sampled_from((None, None, "remplacement", "succession")),
    side=st.sampled_from((None, None, "seeks", "offers")),
    specialty=st.sampled_from((None, GENERAL, ALLERGY)),
    places=st.lists(st.sampled_from(PLACES), max_size=3, unique=True).map(tuple),
    radius_km=st.sampled_from(RADII),
    periods=st.lists(st.integers(0, 2**32).map(lambda seed: random_period(random.Random(seed))), max_size=2).map(tuple),
    q=st.sampled_from(("", "", *WORDS)),
    sort=st.sampled_from(("date", "distance")),
)


@pytest.mark.parametrize("seed", [1, 2])
async def test_searches_answer_as_brute_force_does(places: None, seed: int) -> None:
    told = await random_ads(random.Random(seed), 40)
    checked = 0

    @settings(max_examples=150, derandomize=True, database=None)
    @given(query=QUERIES)
    def collect(query: AdQuery) -> None:
        asked.append(query)

    asked: list[AdQuery] = []
    collect()
    async with unit_of_work() as session:
        for query in asked:
            searched = [await place(ref) for ref in query.places]
            if query.sort == "distance" and not any(one.kind in TOWNS for one in searched):
                query = query.model_copy(update={"sort": "date"})
            wanted = expected(told, query, searched)
            found = await search.search(session, query)
            assert found.total == len(wanted), query
            assert found.unplaced == sum(not any(own.kind in TOWNS for own in one.hits) for one in wanted), query
            ids = [one.ad_id for one in found.ads]
            if query.sort == "date":
                assert ids == [one.ad.id for one in wanted[:PAGE_SIZE]], query
            else:
                towns = [one for one in searched if one.kind in TOWNS]
                by_id = {one.ad.id: rank(one, towns, query, searched) for one in wanted}
                ranks = [rank(one, towns, query, searched) for one in wanted[:PAGE_SIZE]]
                # A metre of rounding between two ways of measuring changes no order that people see.
                for got, right in zip((by_id[one] for one in ids), ranks, strict=True):
                    assert got == right or abs(got[0] - right[0]) <= 1, query
            answered = await search.matching(session, query, [one.ad.id for one in told])
            assert answered == {one.ad.id for one in wanted}, query
            checked += bool(wanted)
    assert checked > 50


async def test_pages_meet_and_stop_at_the_cap(places: None) -> None:
    author = await make_person()
    first = await make_ad(author)
    async with unit_of_work() as session:
        # The projection alone, a thousand times over: searches read nothing else.
        await session.execute(
            text("""
            WITH made AS (
              INSERT INTO ads.ad (account_id, state, category, side, specialty, title, ends_on, published_at)
              SELECT account_id, state, category, side, specialty, title, ends_on,
                     published_at - make_interval(secs => n % 7) FROM ads.ad, generate_series(1, 300) n RETURNING id)
            INSERT INTO ads.ad_place SELECT id, place_id, 0 FROM made, ads.ad_place
            """)
        )
    # Of each, the row of the ad and a line for each of its keys.
    assert await follow_places() == 300 * 7
    assert await follow_places() == 0
    seen: list[int] = []
    async with unit_of_work() as session:
        for number in range(1, PAGES + 1):
            found = await search.search(session, AdQuery(page=number, places=("departement:78",)))
            assert found.total == 301
            seen += [one.ad_id for one in found.ads]
    assert len(seen) == len(set(seen)) == CAP
    assert first.id in seen


async def test_the_projection_follows_places_and_states(places: None) -> None:
    ad = await make_ad(await make_person(), places=("commune:78361",))
    query = AdQuery(places=("departement:78",), radius_km=5)
    async with unit_of_work() as session:
        assert (await search.search(session, query)).total == 1
        await session.execute(text("UPDATE ads.ad SET state = 'unpublished' WHERE id = :id"), {"id": ad.id})
    await follow_places()
    async with unit_of_work() as session:
        assert (await search.search(session, query)).total == 0


async def test_an_ad_that_is_late_to_be_taken_off_is_not_found(places: None) -> None:
    ad = await make_ad(await make_person(), ends_in=0)
    async with unit_of_work() as session:
        assert (await search.search(session, AdQuery())).total == 1
        await session.execute(text("SET LOCAL repere.clock_shift = '1 day'"))
        assert (await search.search(session, AdQuery())).total == 0
        assert await search.matching(session, AdQuery(), [ad.id]) == set()
