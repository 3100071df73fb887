"""Bulk exports since an instant: what changed, what left the directory, a filter or a zone, and nothing missed."""

import threading
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import select

from core.db import unit_of_work
from directory.api import Offer, OfferDescription, describe_offer, republish_offer, unpublish_offer
from directory.models_feed import SITE
from directory.projection import refresh_selected
from search_api.fhir import export_service, export_work
from tests.accounts.helpers import signed_in
from tests.search_api.conftest import dsn
from tests.search_api.fhir.conftest import Feed
from tests.search_api.fhir.exporting import DOCTOR, by_type, lines, public_offers, written
from tests.search_api.fhir.exporting import nobody_listens as nobody_listens
from tests.search_api.fhir.exporting import without_workers as without_workers

pytestmark = pytest.mark.usefixtures("without_workers")


async def test_since_gives_what_changed_and_what_left(client: httpx.AsyncClient, feed: Feed) -> None:
    whole = await written(client)
    since = whole["transactionTime"]
    query = f"?_since={since.replace('+', '%2B')}"
    assert (await written(client, query))["output"] == []
    async with unit_of_work() as session:
        changed, left = (await session.scalars(public_offers().limit(2))).all()
        await describe_offer(session, changed.uid, OfferDescription(age_min=7), "essai", changed.version)
        away = await unpublish_offer(session, left.uid, "essai", left.version)
    manifest = await written(client, query)
    found = await by_type(client, manifest)
    assert set(found["HealthcareService"]) == {str(changed.uid)}
    assert found["HealthcareService"][str(changed.uid)]["meta"]["lastUpdated"] >= since
    gone = [entry for file in manifest["deleted"] for line in await lines(client, file) for entry in line["entry"]]
    urls = {entry["request"]["url"] for entry in gone}
    assert f"HealthcareService/{left.uid}" in urls
    assert {entry["request"]["method"] for entry in gone} == {"DELETE"}
    assert {file["type"] for file in manifest["deleted"]} == {"Bundle"}
    async with unit_of_work() as session:
        await republish_offer(session, left.uid, "essai", away.version)
    back = await by_type(client, await written(client, query))
    assert set(back["HealthcareService"]) == {str(changed.uid), str(left.uid)}


async def test_a_hidden_offer_that_leaves_is_not_told_to_the_public(client: httpx.AsyncClient, feed: Feed) -> None:
    since = datetime.now(UTC).isoformat().replace("+", "%2B")
    with psycopg.connect(dsn(feed.url)) as conn:
        [closed] = conn.execute(
            "UPDATE directory.offer SET closed_on = current_date WHERE id IN"
            " (SELECT id FROM directory.offer WHERE sensitive ORDER BY id DESC LIMIT 1) RETURNING id"
        )
        refresh_selected(conn, f"SELECT {closed[0]} AS id")
        conn.execute("INSERT INTO core.event (kind, entity, entity_id) VALUES ('offer_day', 'offer', %s)", closed)
    assert (await written(client, f"?_since={since}"))["deleted"] == []
    await signed_in(client, DOCTOR)
    manifest = await written(client, f"?_since={since}")
    assert {file["url"].rpartition("/")[2] for file in manifest["deleted"]} == {
        "HealthcareService-deleted.ndjson",
        "PractitionerRole-deleted.ndjson",
    }


async def test_what_is_being_written_is_in_the_next_one(client: httpx.AsyncClient, feed: Feed) -> None:
    """A publication begins before the export and ends after it: its dates are older than the export."""
    with psycopg.connect(dsn(feed.url)) as slow:
        rows = slow.execute("SELECT uid FROM directory.site WHERE id = (SELECT min(id) FROM directory.site)").fetchall()
        feed.told(SITE, "SELECT min(id) AS id FROM directory.site", under_way=slow)
        manifest = await written(client, "?_type=Location")
        slow.commit()
    since = manifest["transactionTime"].replace("+", "%2B")
    found = await by_type(client, await written(client, f"?_type=Location&_since={since}"))
    assert str(rows[0][0]) in found["Location"]


async def test_an_export_is_of_one_instant(
    client: httpx.AsyncClient, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody writes while it is written: nothing of it is in the files, and its event comes after the position."""
    monkeypatch.setattr(export_work, "BATCH", 20)
    monkeypatch.setattr(export_work, "SIGN_OF_LIFE", 0.0)
    async with unit_of_work() as session:
        offer = (await session.scalars(public_offers().order_by(None).order_by(Offer.id.desc()).limit(1))).one()
    ordinary, done = export_service.advance, threading.Event()
    position: list[int | None] = []

    async def edited_meanwhile(session: Any, *args: Any, **values: Any) -> bool:
        if values["written"] and not done.is_set():
            done.set()
            async with unit_of_work() as other:
                current = await other.scalar(select(Offer.version).where(Offer.uid == offer.uid))
                assert current is not None
                told = OfferDescription(age_min=11)
                position.append((await describe_offer(other, offer.uid, told, "essai", current)).position)
        return await ordinary(session, *args, **values)

    monkeypatch.setattr(export_service, "advance", edited_meanwhile)
    manifest = await written(client)
    assert done.is_set() and position[0] is not None
    assert manifest["extension"]["position"] < position[0]
    found = (await by_type(client, manifest))["HealthcareService"][str(offer.uid)]
    ages = next(one for one in found["extension"] if one["url"].endswith("patient-type"))["extension"][0]
    assert ages["valueRange"]["low"]["value"] != 11
