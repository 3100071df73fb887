"""The map of the site for search engines: every public sheet once, nothing else, in bounded parts."""

from xml.etree import ElementTree

import httpx
import psycopg
import pytest
from sqlalchemy.engine import URL

from search_api import sitemap
from tests.search_api.conftest import dsn
from tests.search_api.portals.helpers import make

NS = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


async def locations(api: httpx.AsyncClient, path: str) -> list[str]:
    answer = await api.get(path)
    assert answer.status_code == 200, path
    assert answer.headers["content-type"].startswith("application/xml")
    return [str(one.text) for one in ElementTree.fromstring(answer.content).iter(f"{NS}loc")]


def public(url: URL) -> tuple[set[str], set[str]]:
    with psycopg.connect(dsn(url)) as conn:
        rows = conn.execute(
            "SELECT o.uid::text, s.uid::text FROM directory.offer_search e JOIN directory.offer o ON o.id = e.offer_id"
            " JOIN directory.site s ON s.id = e.site_id WHERE NOT e.sensitive"
        ).fetchall()
    return {row[0] for row in rows}, {row[1] for row in rows}


@pytest.mark.parametrize(("part", "step"), [(sitemap.PART, sitemap.STEP), (40, 7), (50, 10)])
async def test_every_public_sheet_is_listed_once(
    api: httpx.AsyncClient, filled: URL, monkeypatch: pytest.MonkeyPatch, part: int, step: int
) -> None:
    monkeypatch.setattr(sitemap, "PART", part)
    monkeypatch.setattr(sitemap, "STEP", step)
    await make("plan")
    found: list[str] = []
    for address in await locations(api, "/sitemap.xml"):
        path = address.removeprefix("http://repere.test")
        if "offres" in path or "sites" in path:
            answer = await api.get(path)
            if answer.status_code == 404:
                continue
        listed = await locations(api, path)
        assert len(listed) <= part
        found += listed
    assert len(found) == len(set(found))
    offers, sites = public(filled)
    assert {one.rpartition("/")[2] for one in found if "/offres/" in one} == offers
    assert {one.rpartition("/")[2] for one in found if "/sites/" in one} == sites
    assert "http://repere.test/maillage/plan" in found and "http://repere.test/" in found


async def test_parts_have_dates_and_validators(api: httpx.AsyncClient, filled: URL) -> None:
    answer = await api.get("/sitemap/offres-0.xml")
    dates = [one.text for one in ElementTree.fromstring(answer.content).iter(f"{NS}lastmod")]
    assert len(dates) == len(public(filled)[0]) and all(str(one).endswith("Z") for one in dates)
    for path in ("/sitemap.xml", "/sitemap/pages.xml", "/sitemap/offres-0.xml", "/sitemap/sites-0.xml"):
        first = await api.get(path)
        again = await api.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert again.status_code == 304 and not again.content, path
        assert first.headers["cache-control"].startswith("public")
    with psycopg.connect(dsn(filled), autocommit=True) as conn:
        conn.execute(
            "UPDATE directory.offer_search SET updated_at = updated_at + interval '1 day' WHERE offer_id ="
            " (SELECT min(offer_id) FROM directory.offer_search WHERE NOT sensitive)"
        )
    assert (await api.get("/sitemap/offres-0.xml")).headers["etag"] != answer.headers["etag"]


async def test_a_sensitive_offer_changes_nothing(api: httpx.AsyncClient, filled: URL) -> None:
    before = (await api.get("/sitemap/offres-0.xml")).headers["etag"]
    with psycopg.connect(dsn(filled), autocommit=True) as conn:
        changed = conn.execute("UPDATE directory.offer_search SET updated_at = now() WHERE sensitive").rowcount
    assert changed
    assert (await api.get("/sitemap/offres-0.xml")).headers["etag"] == before


@pytest.mark.parametrize("name", ["offres-99", "offres--1", "offres-x", "autres-0", "offres-99999999999999999999"])
async def test_no_such_part(api: httpx.AsyncClient, name: str) -> None:
    assert (await api.get(f"/sitemap/{name}.xml")).status_code in (404, 422)


async def test_robots_are_told_where_it_is(api: httpx.AsyncClient) -> None:
    answer = await api.get("/robots.txt")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "Sitemap: http://repere.test/sitemap.xml" in answer.text and "Disallow: /administration" in answer.text
