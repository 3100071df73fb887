"""The contract of the engines: `columns` answers as `postgis` does, before and after any change of the directory."""

import random
import uuid
from pathlib import Path
from urllib.parse import urlencode

import httpx
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import URL

from core.db import unit_of_work
from directory.api import (
    OfferDescription,
    SiteDescription,
    SlotIn,
    describe_offer,
    describe_site,
    republish_offer,
    unpublish_offer,
)
from search_api import engines
from search_api.columns import builder
from search_api.columns import ranking as columns_ranking
from search_api.columns.engine import ColumnsEngine
from search_api.columns.follower import Follower
from search_api.columns.verify import verify
from search_api.engine import EngineQuery, SuggestArea
from search_api.postgis import PostgisEngine
from search_api.schemas import BBox
from tests.search_api import oracle as brute
from tests.search_api.conftest import dsn
from tests.search_api.test_engine import place_id, point, queries
from web.app import app

POSTGIS = PostgisEngine()
SETTINGS = settings(max_examples=50)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("index")


@pytest.fixture(scope="module")
def follower(filled: URL, root: Path) -> Follower:
    assert builder.build(root)
    found = Follower(root)
    catch_up(found, filled)
    return found


@pytest.fixture(scope="module")
def oracle(filled: URL) -> brute.Oracle:
    return brute.load(dsn(filled))


def catch_up(found: Follower, url: URL) -> None:
    with psycopg.connect(dsn(url), autocommit=True) as conn:
        found.catch_up(conn)
    assert found.state is not None


async def compare(found: Follower, query: EngineQuery) -> None:
    assert found.state is not None
    columns = ColumnsEngine(found.state)
    async with unit_of_work() as session:
        wanted = await POSTGIS.answer(session, query)
        answer = await columns.answer(session, query)
        counts = await columns.count(session, query)
    assert answer.counts == wanted.counts == counts
    assert answer.facets == wanted.facets
    assert answer.hits == wanted.hits


@pytest.mark.parametrize("dense", [columns_ranking.DENSE, 0], ids=["every distance", "rings"])
@SETTINGS
@given(data=st.data())
async def test_random_queries_have_the_answers_of_postgis(
    follower: Follower, oracle: brute.Oracle, monkeypatch: pytest.MonkeyPatch, dense: int, data: st.DataObject
) -> None:
    monkeypatch.setattr(columns_ranking, "DENSE", dense)
    await compare(follower, data.draw(queries(oracle)))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@settings(SETTINGS, max_examples=3000)
@given(data=st.data())
async def test_thousands_of_random_queries_have_the_answers_of_postgis(
    follower: Follower, oracle: brute.Oracle, data: st.DataObject
) -> None:
    await compare(follower, data.draw(queries(oracle)))


@SETTINGS
@given(data=st.data())
async def test_the_map_has_the_cells_of_postgis(follower: Follower, oracle: brute.Oracle, data: st.DataObject) -> None:
    query = data.draw(queries(oracle))
    view = data.draw(
        st.sampled_from(
            [BBox(west=1.65, south=48.9, east=1.8, north=49.05), BBox(west=-180, south=-90, east=180, north=90)]
        )
    )
    cell = data.draw(st.sampled_from([0.001, 0.02, 0.05, 0.3, 5.0]))
    assert follower.state is not None
    async with unit_of_work() as session:
        wanted = await POSTGIS.map_features(session, query, view, cell)
        found = await ColumnsEngine(follower.state).map_features(session, query, view, cell)
    assert (found.inside, found.whole) == (wanted.inside, wanted.whole)
    assert sorted(map(comparable, found.cells)) == sorted(map(comparable, wanted.cells))


def comparable(cell: object) -> tuple[object, ...]:
    values = {name: getattr(cell, name) for name in cell.__slots__}  # type: ignore[attr-defined]
    values["lat"], values["lon"] = round(values["lat"], 9), round(values["lon"], 9)
    values["commune_id"] = values["commune_id"] or 0
    return tuple(values.values())


@SETTINGS
@given(data=st.data())
async def test_suggestions_are_counted_as_postgis_counts_them(
    follower: Follower, oracle: brute.Oracle, data: st.DataObject
) -> None:
    codes = sorted({code for row in oracle.rows for code in row.codes})
    wanted_codes = frozenset(data.draw(st.lists(st.sampled_from(codes), max_size=20)))
    area = data.draw(
        st.sampled_from(
            [
                SuggestArea(),
                SuggestArea(boundaries=frozenset([place_id("departement", "78")])),
                SuggestArea(boundaries=frozenset([place_id("commune", "78361")])),
                SuggestArea(boundaries=frozenset([place_id("commune", "78361")]), only=True),
                SuggestArea(centre=point("78361"), radius_m=4_000),
                SuggestArea(zone=frozenset([place_id("commune", "78361")])),
                SuggestArea(centre=point("78361"), zone=frozenset([place_id("commune", "78335")])),
                SuggestArea(zone=frozenset()),
            ]
        )
    )
    level = data.draw(st.sampled_from([1, 2]))
    assert follower.state is not None
    async with unit_of_work() as session:
        wanted = await POSTGIS.suggest(session, wanted_codes, (), area, level)
        found = await ColumnsEngine(follower.state).suggest(session, wanted_codes, (), area, level)
    assert found.counts == wanted.counts


NASTY = ["", " ", "é", "😀", "\u0000", "\u202e", "1e400", "nan", "-1", "0", "9" * 30, "x" * 10_000, "|", "%", "'", "\\"]
POOLS: dict[str, list[str]] = {
    "q": ["kiné", "infirmier mantes", "dupont", "médecin", "J17|195", "rééducation", "kinne"],
    "scope": ["J16", "noms", "G15"],
    "code": ["G15|70", "G15|60", "J17|1", "R38|SM54"],
    "where": ["commune:78361", "departement:78", "cp:78200", "france", "epci:200059889", "commune:2A004"],
    "lat": ["48.99", "-48.99", "90"],
    "lon": ["1.71", "-179.99", "180"],
    "radius_km": ["0.1", "5", "20", "1000", "0", "10000"],
    "origin": ["commune:78646"],
    "bbox": ["1.6,48.9,1.8,49.1", "179,-10,-179,10", "-180,-90,180,90", "1.7,48.98,1.7,48.98"],
    "sort": ["distance", "relevance"],
    "page": ["1", "2", "14", "15"],
    "age": ["0", "5", "17", "150", "151"],
    "open_at": ["2026-11-28T09:30", "2026-03-29T02:30", "maintenant"],
    "visits": ["78361", "78335"],
    "accepts_new": ["1", "0"],
    "patients": ["enfant", "adulte"],
    "kind": ["liberal", "establishment"],
    "professions": ["G15|70", "G15|10"],
    "convention": ["R282|1", "1"],
    "explain": ["0"],
}


@st.composite
def requests(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Draw the parameters of a request: mostly sound, sometimes absurd, contradictory or hostile."""
    names = draw(st.lists(st.sampled_from([*POOLS, "couleur"]), max_size=5))
    pairs = []
    for name in names:
        absurd = draw(st.integers(0, 9)) == 0
        pairs.append((name, draw(st.sampled_from(NASTY if absurd else POOLS.get(name, NASTY)))))
    return pairs


@SETTINGS
@given(pairs=requests(), door=st.sampled_from(["search", "map", "suggest"]))
async def test_any_request_has_the_same_answer_of_both_engines_and_never_an_error_of_ours(
    follower: Follower, pairs: list[tuple[str, str]], door: str
) -> None:
    if door == "map":
        pairs = [*pairs, ("view", "1.5,48.8,2.2,49.2"), ("zoom", "11")]
    elif door == "suggest":
        pairs = [(name, value) for name, value in pairs if name in ("q", "where")] or [("q", "k")]
    answers = []
    try:
        for engine in (None, follower):
            engines.use(engine)
            query = urlencode(pairs)
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app=app), base_url="http://repere.test"
            ) as client:
                answers.append(await client.get(f"/api/v1/{door}?{query}"))
    finally:
        engines.use(None)
    postgis, columns = answers
    assert postgis.status_code == columns.status_code in (200, 422), (pairs, postgis.text, columns.text)
    bodies = [postgis.json(), columns.json()]
    for body in bodies:
        if isinstance(body, dict):
            body.pop("engine", None)
    assert bodies[0] == bodies[1]
    if postgis.status_code == 422:
        assert bodies[0]["errors"] and all(error["detail"] for error in bodies[0]["errors"])


OFFERS = "SELECT uid, version, status FROM directory.offer WHERE closed_on IS NULL ORDER BY id"
SITES = "SELECT uid, version FROM directory.site WHERE closed_on IS NULL ORDER BY id"


async def change(rng: random.Random, url: URL, acts: list[str]) -> None:
    """Make one change of a random kind, through the services that people's pages call."""
    with psycopg.connect(dsn(url)) as conn:
        offers: list[tuple[uuid.UUID, int, str]] = conn.execute(OFFERS).fetchall()
        sites: list[tuple[uuid.UUID, int]] = conn.execute(SITES).fetchall()
    uid, version, status = rng.choice(offers)
    kind = rng.choice(["describe", "describe", "territory", "publication", "pin", "equipment"])
    async with unit_of_work() as session:
        if kind == "describe":
            description = OfferDescription(
                acts=rng.sample(acts, 2),
                age_min=rng.choice([0, 18]),
                age_max=150,
                accepts_new=rng.choice([True, False, None]),
                hours=[SlotIn(kind="07", weekday=rng.randint(1, 7), opens="09:00", closes="12:00")],
            )
            await describe_offer(session, uid, description, "test", version)
        elif kind == "territory":
            towns = rng.sample(["commune:78361", "commune:78646", "commune:78335"], 2)
            await describe_offer(session, uid, OfferDescription(territory=towns), "test", version)
        elif kind == "publication":
            act = republish_offer if status == "unpublished" else unpublish_offer
            await act(session, uid, "test", version)
        else:
            site, site_version = rng.choice(sites)
            pin = (48.95 + rng.random() / 20, 1.65 + rng.random() / 10)
            described = SiteDescription(pin=pin) if kind == "pin" else SiteDescription(equipment=[])
            await describe_site(session, site, described, "test", site_version)


@pytest.fixture(scope="module")
def acts(filled: URL) -> list[str]:
    with psycopg.connect(dsn(filled)) as conn:
        rows = conn.execute("SELECT code FROM directory.concept WHERE system = 'J16' AND active ORDER BY id LIMIT 9")
        return [f"J16|{row[0]}" for row in rows.fetchall()]


@settings(SETTINGS, max_examples=15)
@given(data=st.data(), seed=st.integers(0, 1 << 30))
async def test_the_contract_holds_after_random_edits(
    filled: URL, follower: Follower, oracle: brute.Oracle, acts: list[str], data: st.DataObject, seed: int
) -> None:
    rng = random.Random(seed)
    for _ in range(3):
        await change(rng, filled, acts)
    catch_up(follower, filled)
    for _ in range(3):
        await compare(follower, data.draw(queries(oracle)))


async def test_the_checker_finds_the_index_equal_after_edits_and_says_what_differs(
    filled: URL, root: Path, follower: Follower, acts: list[str]
) -> None:
    rng = random.Random(3)
    for _ in range(12):
        await change(rng, filled, acts)
    assert verify(root).equal
    # From a new snapshot, so that no event makes the checker's own index read these rows again.
    assert builder.build(root)
    with psycopg.connect(dsn(filled)) as conn:
        # Without an event: what no follower can hear of.
        gone, changed = (
            row[0]
            for row in conn.execute("SELECT offer_id FROM directory.offer_search ORDER BY offer_id LIMIT 2").fetchall()
        )
        conn.execute(
            "CREATE TEMP TABLE kept AS SELECT * FROM directory.offer_search WHERE offer_id IN (%s, %s)", (gone, changed)
        )
        conn.execute("DELETE FROM directory.offer_search WHERE offer_id = %s", (gone,))
        conn.execute("UPDATE directory.offer_search SET age_min = 99 WHERE offer_id = %s", (changed,))
        conn.commit()
        found = verify(root)
        conn.execute("DELETE FROM directory.offer_search WHERE offer_id = %s", (changed,))
        conn.execute("INSERT INTO directory.offer_search SELECT * FROM kept")
    assert (found.missing, found.superfluous, found.different) == (0, 1, 1)
    assert found.examples == {"superfluous": [gone], "different": [changed]}
    assert verify(root).equal
