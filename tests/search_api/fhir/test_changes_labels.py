"""New labels of nomenclatures: whoever follows the feed is told of the resources that say them, and of them only."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from accounts.api import Caller
from core.db import connect_direct
from directory import feed_labels, nomenclature
from search_api.fhir.systems import SYSTEMS
from tests.accounts.clients import application_of
from tests.search_api.fhir.conftest import Feed
from tests.search_api.fhir.following import Consumer, differences, everything

EVERYTHING = Caller(level=2)
TOLD = sorted(feed_labels.OF_OFFERS | feed_labels.BY_CODE.keys() | set(feed_labels.SKILLS))


@pytest.fixture
async def consumer(feed: Feed) -> AsyncIterator[Consumer]:
    # A savoir-faire of each system, on a person and on their role.
    [owners] = feed.sql(
        "SELECT r.practitioner_id, r.id FROM directory.role r JOIN directory.offer o ON o.role_id = r.id"
        " WHERE o.id = %s",
        feed.offer_id,
    )
    for owner, table, parts in zip(
        owners, ("practitioner", "role"), (feed_labels.SKILLS[::2], feed_labels.SKILLS[1::2]), strict=True
    ):
        refs = [f"{system}|ZZ" for system in parts]
        feed.sql(f"UPDATE directory.{table} SET specialties = specialties || %s WHERE id = %s", refs, owner)
    feed.sql("UPDATE directory.practitioner SET title = 'DR'")
    transport = httpx.ASGITransport(app=application_of(EVERYTHING))
    async with httpx.AsyncClient(transport=transport, base_url="http://repere.test") as opened:
        found = Consumer(opened, EVERYTHING)
        await found.extract()
        yield found


def _labels(feed: Feed, system: str) -> dict[str, str]:
    return {str(code): str(label) for code, label in feed.sql(
        "SELECT code, label FROM directory.concept WHERE system = %s ORDER BY code", system
    )}  # fmt: skip


def _load(folder: Path, system: str, labels: dict[str, str]) -> None:
    path = folder / f"TRE_{system}-Essai.tsv"
    path.write_text("Code\tLibellé\n" + "".join(f"{code}\t{label}\n" for code, label in labels.items()))
    with connect_direct() as conn:
        nomenclature.load(conn, path)


def _used(consumer: Consumer, address: str) -> set[str]:
    """The codes of a system that the resources say, wherever that is."""
    found: set[str] = set()

    def walk(value: object) -> None:
        if isinstance(value, dict):
            if value.get("system") == address and isinstance(value.get("code"), str):
                found.add(value["code"])
            for part in value.values():
                walk(part)
        elif isinstance(value, list):
            for part in value:
                walk(part)

    walk(list(consumer.held.values()))
    return found


async def test_each_system_is_told_where_it_is_said(feed: Feed, consumer: Consumer, tmp_path: Path) -> None:
    for system in TOLD:
        used = _used(consumer, SYSTEMS[system])
        known = _labels(feed, system)
        # What no nomenclature knew is labelled for the first time, the rest anew.
        _load(tmp_path, system, known | {code: f"Nouveau {code}" for code in used})
        wanted = await everything(EVERYTHING)
        changed = {key for key, resource in wanted.items() if resource != consumer.held[key]}
        told = await consumer.follow()
        assert not differences(consumer.held, wanted), system
        assert used and changed and told, system


async def test_only_what_says_a_label_is_told(feed: Feed, consumer: Consumer, tmp_path: Path) -> None:
    known = _labels(feed, "J35")
    [(offers,)] = feed.sql(
        "SELECT count(*) FROM directory.offer o JOIN directory.concept c ON c.id = ANY(o.specialisations)"
        " WHERE c.system = 'J35' AND o.closed_on IS NULL"
    )
    [(code,)] = feed.sql(
        "SELECT c.code FROM directory.offer o JOIN directory.concept c ON c.id = ANY(o.specialisations)"
        " WHERE o.id = %s AND c.system = 'J35'", feed.offer_id
    )  # fmt: skip
    _load(tmp_path, "J35", known | {str(code): "Autrement dit"})
    assert await consumer.follow() <= offers  # type: ignore[operator]
    assert not differences(consumer.held, await everything(EVERYTHING))
    # A code that nobody holds yet, or a label of such a code, tells nothing and asks for nothing.
    unheld = next(one for one in known if one not in _used(consumer, SYSTEMS["J35"]))
    _load(tmp_path, "J35", _labels(feed, "J35") | {"999": "Tout neuf", unheld: "Personne ne le dit"})
    assert await consumer.follow() == 0


async def test_what_too_many_say_asks_for_an_extraction(
    feed: Feed, consumer: Consumer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {code: f"{label} (encore)" for code, label in _labels(feed, "G15").items()}
    monkeypatch.setattr(feed_labels, "MOST", 10)
    _load(tmp_path, "G15", known)
    assert (await consumer.get(consumer.position)).status_code == 410
    await consumer.extract()
    # How a system is said everywhere is written nowhere: the whole is asked for.
    _load(tmp_path, "R200", {code: f"{label} (encore)" for code, label in _labels(feed, "R200").items()})
    assert (await consumer.get(consumer.position)).status_code == 410
