"""JSON of moderators, statistics, and what ads keep of people."""

import io
from datetime import date, timedelta
from typing import Any

import httpx
import openpyxl
import pytest
from sqlalchemy import select, text, update

from accounts.leaving import close
from accounts.models import Account
from core import personal
from core.db import unit_of_work
from modules.ads.chart import chart
from modules.ads.models import Ad, AdHistory
from modules.ads.models_saved import AdReport, SavedSearch
from modules.ads.schemas_moderation import Month
from tests.accounts.helpers import sign_in
from tests.modules.ads.makers import make_ad, make_moderator, make_person, reread
from web.app import app

API = "/api/v1/ads/moderation"
PAGE = "/annonces/moderation/statistiques"


async def test_a_moderator_reads_and_decides(client: httpx.AsyncClient, places: None) -> None:
    author = await make_person(name=("Anne", "Périnet"))
    first, second = await make_ad(author, "pending"), await make_ad(author, "pending")
    away = await make_ad(await make_person(council="75"), "pending")
    await sign_in(client, await make_moderator())
    answer = await client.get(API, params={"statut": ["pending", "refused"], "tri": "numero", "sens": "asc"})
    found = answer.json()
    assert "no-store" in answer.headers["cache-control"]
    assert (found["total"], found["waiting"], found["pages"]) == (2, 2, 1)
    assert [one["number"] for one in found["ads"]] == [first.number, second.number]
    assert found["ads"][0]["author"] == "Anne Périnet"
    one = (await client.get(f"{API}/{first.number}")).json()
    assert one["places"] == ["Mantes-la-Jolie (78200)"]
    assert [line["action"] for line in one["history"]] == ["submit", "create"]
    done = await client.post(f"{API}/{first.number}/accept", json={"version": one["version"]})
    assert done.json()["state"] == "published"
    again = await client.post(f"{API}/{first.number}/accept", json={"version": one["version"]})
    assert again.status_code == 409
    assert again.headers["content-type"] == "application/problem+json"
    assert "accepté cette annonce" in again.json()["detail"]
    refused = await client.post(
        f"{API}/{second.number}/refuse", json={"version": second.version, "reason": "Trop court."}
    )
    assert refused.json()["state"] == "refused"
    for bad in ({}, {"version": "x"}, {"version": 1, "reason": "a" * 1001}, {"version": 1, "reason": "\x00"}):
        assert (await client.post(f"{API}/{second.number}/refuse", json=bad)).status_code == 422
    assert (await client.get(f"{API}/{away.number}")).status_code == 404
    answer = await client.post(f"{API}/{away.number}/accept", json={"version": away.version})
    assert answer.status_code == 404
    assert (await reread(away)).state == "pending"


@pytest.mark.parametrize(
    "params", [{"statut": "draft"}, {"numero": "x"}, {"du": "hier"}, {"tri": "x"}, {"page": "0"}, {"perimetre": "x"}]
)
async def test_bad_parameters_are_named(client: httpx.AsyncClient, places: None, params: dict[str, str]) -> None:
    await sign_in(client, await make_moderator())
    answer = await client.get(API, params=params)
    assert answer.status_code == 422
    assert next(iter(params)) in {error["field"] for error in answer.json()["errors"]}


async def test_who_may_not_use_it(client: httpx.AsyncClient, places: None) -> None:
    own = await make_person(grants=(("moderator", "council:78"),))
    ad = await make_ad(own, "pending")
    calls: list[tuple[str, str]] = [("GET", API), ("GET", f"{API}/{ad.number}"), ("GET", f"{API}/statistics")]
    calls += [("POST", f"{API}/{ad.number}/{verb}") for verb in ("accept", "refuse")]

    async def statuses() -> set[int]:
        return {(await client.request(method, path, json={"version": 1})).status_code for method, path in calls}

    assert await statuses() == {401}
    await sign_in(client, await make_person())
    assert await statuses() == {403}
    client.cookies.clear()
    await sign_in(client, own)
    assert (await client.post(f"{API}/{ad.number}/accept", json={"version": ad.version})).status_code == 403
    client.cookies.clear()
    await sign_in(client, await make_moderator())
    answer = await client.post(
        f"{API}/{ad.number}/accept",
        json={"version": ad.version},
        headers={"origin": "https://ailleurs.example", "sec-fetch-site": "cross-site"},
    )
    assert answer.status_code == 403
    assert (await reread(ad)).state == "pending"
    assert (await client.get(f"{API}/statistics", params={"conseil": "75"})).status_code == 403


def test_the_description_tells_it() -> None:
    paths = app.openapi()["paths"]
    told = {(path, method) for path, methods in paths.items() for method in methods if path.startswith(API)}
    assert told == {
        (API, "get"),
        (f"{API}/statistics", "get"),
        (f"{API}/{{number}}", "get"),
        (f"{API}/{{number}}/accept", "post"),
        (f"{API}/{{number}}/refuse", "post"),
    }
    assert all(paths[path][method]["summary"] for path, method in told)


async def _wait(ad: Ad, hours: int) -> None:
    """Make the submission of an ad older than it is."""
    async with unit_of_work() as session:
        await session.execute(
            update(AdHistory)
            .where(AdHistory.ad_id == ad.id, AdHistory.action == "submit")
            .values(at=AdHistory.at - timedelta(hours=hours))
        )


async def test_statistics_are_those_counted_by_hand(client: httpx.AsyncClient, places: None) -> None:
    here, there = await make_person(council="78"), await make_person(council="75")
    for hours in (1, 3, 5):
        await _wait(await make_ad(here), hours)
    await _wait(await make_ad(here, "refused", category="succession"), 7)
    await make_ad(here, "pending")
    await make_ad(here, "draft")
    await _wait(await make_ad(there), 100)
    await sign_in(client, await make_moderator("78"))
    found: dict[str, Any] = (await client.get(f"{API}/statistics")).json()
    assert (found["council"], found["waiting"]) == ("78", 1)
    year = found["year"]
    assert (year["accepted"], year["refused"]) == (3, 1)
    assert year["median_hours"] == pytest.approx(4, abs=0.1)
    assert year["slowest_hours"] == pytest.approx(6.4, abs=0.1)
    assert len(found["months"]) == 12
    assert sum(month["submitted"] for month in found["months"]) == 5
    by = {one["category"]: one for one in found["categories"]}
    assert (by["remplacement"]["published"], by["remplacement"]["pending"]) == (3, 1)
    assert by["succession"]["refused"] == 1
    page = (await client.get(PAGE)).text
    assert "25\u00a0%" in page
    assert "<svg" in page
    assert "style=" not in page.split("<main")[1]
    client.cookies.clear()
    await sign_in(client, await make_person(None, None, grants=(("administrator", ""),)))
    whole = (await client.get(f"{API}/statistics")).json()
    assert [one["council"] for one in whole["councils"]] == ["75", "78"]
    assert whole["year"]["accepted"] == 4
    assert "Conseil départemental de Paris" in (await client.get(PAGE)).text
    sheet = await client.get(f"{PAGE}.xlsx", params={"conseil": "78"})
    rows = list(openpyxl.load_workbook(io.BytesIO(sheet.content))["Statistiques"].values)
    assert ("Aujourd’hui", "Conseil départemental des Yvelines", "En attente", 1) in rows


async def test_statistics_of_nothing(client: httpx.AsyncClient, places: None) -> None:
    await sign_in(client, await make_moderator("78"))
    page = await client.get(PAGE)
    assert page.status_code == 200
    assert "tout est traité" in page.text
    assert (await client.get(f"{PAGE}.xlsx")).status_code == 200


def test_a_chart_reaches_its_top() -> None:
    months = [Month(month=date(2026, at, 1), accepted=at * 7, refused=at) for at in range(1, 13)]
    drawn = chart(months)
    assert drawn is not None
    assert all(bar.refused_y >= 13 for bar in drawn.bars)
    assert drawn.lines[0][1] == 0
    assert drawn.lines[-1][1] >= 96
    assert chart([Month(month=date(2026, 1, 1))]) is None


CANARY = "canari-annonce"


async def test_an_export_holds_one_s_own_ads_and_reports(places: None) -> None:
    author, other = await make_person(), await make_person()
    mine = await make_ad(author, "refused", title=f"{CANARY}-à-moi", reason="motif lisible")
    theirs = await make_ad(other, title=f"{CANARY}-à-autrui")
    async with unit_of_work() as session:
        session.add(AdReport(ad_id=theirs.id, account_id=author.id, reason="mon signalement"))
        session.add(SavedSearch(account_id=author.id, name="Autour de moi", query="q=x", frequency="daily"))
    async with unit_of_work() as session:
        taken = await personal.export(session, _subject(author))
    told = taken["annonces"]
    assert isinstance(told, dict)
    (one,) = told["annonces"]
    assert (one["numero"], one["etat"], one["refus"]) == (mine.number, "refused", 1)
    assert [line["action"] for line in one["historique"]] == ["create", "submit", "refuse"]
    assert one["historique"][0]["par"] == "vous"
    assert one["historique"][2]["motif"] == "motif lisible"
    assert told["signalements"][0]["motif"] == "mon signalement"
    assert told["recherches"][0]["nom"] == "Autour de moi"
    assert f"{CANARY}-à-autrui" not in str(told)


def _subject(account: Account) -> personal.Subject:
    return personal.Subject(account.id, account.uid, account.rpps, (account.email or "",))


async def test_closing_an_account_leaves_nothing_of_its_ads(client: httpx.AsyncClient, places: None) -> None:
    author = await make_person(email=f"{CANARY}@exemple.test", shown_email=f"{CANARY}-affiche@exemple.test")
    for state in ("draft", "pending", "published", "unpublished", "refused"):
        said: dict[str, Any] = {
            "title": f"{CANARY} titre",
            "description": f"{CANARY} texte",
            "conditions": f"{CANARY} prix",
        }
        await make_ad(author, state, **said)
    other = await make_ad(await make_person())
    async with unit_of_work() as session:
        session.add(AdReport(ad_id=other.id, account_id=author.id, reason=f"{CANARY} signalement"))
        session.add(SavedSearch(account_id=author.id, name=f"{CANARY} recherche", query="q=x", frequency="now"))
    async with unit_of_work() as session:
        await session.execute(text("UPDATE core.mail SET state = 'sent'"))
        account = await session.get_one(Account, author.id)
        await close(session, account, account_actor(account))
    async with unit_of_work() as session:
        states = (await session.scalars(select(Ad.state).where(Ad.account_id == author.id))).all()
        assert set(states) == {"deleted"}
        tables = await session.execute(
            text(
                "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
                "WHERE schemaname IN ('ads', 'accounts', 'core') ORDER BY 1"
            )
        )
        for (name,) in tables.all():
            held = await session.scalar(
                text(f"SELECT count(*) FROM {name} t WHERE to_jsonb(t)::text ILIKE :canary AND :name <> 'core.mail'"),
                {"canary": f"%{CANARY}%", "name": name},
            )
            assert held == 0, name
        left = await session.execute(
            text("SELECT kind FROM core.mail WHERE to_jsonb(mail)::text ILIKE :canary AND kind LIKE 'ads.%'"),
            {"canary": f"%{CANARY}%"},
        )
        assert left.all() == []
        lines = await session.scalar(select(AdHistory.id).where(AdHistory.actor == account_actor(author)).limit(1))
        assert lines is not None


def account_actor(account: Account) -> str:
    return f"account:{account.uid}"
