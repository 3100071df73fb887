"""The API of one's own ads."""

import uuid
from typing import Any

import httpx
import pytest

from accounts.models import Account
from tests.accounts.helpers import sign_in
from tests.modules.ads.desk import pdf, picture
from tests.modules.ads.makers import GENERAL, make_ad, make_person, reread
from tests.modules.ads.test_mine import accept, day, refuse

MINE = "/api/v1/ads/mine"
SAID: dict[str, Any] = {
    "category": "remplacement",
    "side": "seeks",
    "specialty": GENERAL,
    "title": "Cherche un remplaçant",
    "description": "Cabinet de ville.",
    "places": ["commune:78361", "departement:78", "france"],
    "periods": [{"starts_on": "2030-07-01", "ends_on": "2030-07-31"}, {"starts_on": "2030-12-01"}],
}


@pytest.fixture
async def author(places: None, client: httpx.AsyncClient) -> Account:
    account = await make_person()
    await sign_in(client, account)
    return account


def at(version: int) -> dict[str, str]:
    return {"If-Match": f'"{version}"'}


async def test_an_ad_lives_its_life_by_the_api(author: Account, client: httpx.AsyncClient) -> None:
    photo = await client.post(f"{MINE}/files", files={"file": ("une.jpg", picture((30, 20)))})
    assert photo.status_code == 201
    assert (photo.json()["kind"], photo.json()["width"]) == ("image", 30)
    made = await client.post(MINE, json=SAID | {"ends_on": await day(90), "files": [photo.json()["id"]]})
    assert made.status_code == 201
    ad = made.json()
    number = ad["number"]
    assert made.headers["location"] == f"{MINE}/{number}"
    assert (ad["state"], ad["situation"], ad["version"]) == ("draft", "Je cherche un remplaçant", 1)
    assert [place["ref"] for place in ad["places"]] == ["commune:78361", "departement:78", "france"]
    assert ad["periods"][1]["text"] == "À partir du 1er\u00a0décembre 2030"
    assert (await client.get(ad["files"][0]["thumbnail_url"])).status_code == 200
    sent = await client.post(f"{MINE}/{number}/submit", headers=at(1))
    assert (sent.status_code, sent.json()["state"], sent.headers["etag"]) == (200, "pending", '"2"')
    assert (await client.post(f"{MINE}/{number}/submit", headers=at(2))).status_code == 409
    row = await _row(number)
    await accept(row)
    version = (await client.get(f"{MINE}/{number}")).json()["version"]
    later = await client.post(f"{MINE}/{number}/extend", headers=at(version), json={"ends_on": await day(120)})
    assert later.json()["ends_on"] == await day(120)
    version = later.json()["version"]
    off = await client.post(f"{MINE}/{number}/unpublish", headers=at(version), json={"reason": "filled"})
    assert off.json()["state"] == "unpublished"
    version = off.json()["version"]
    back = await client.post(f"{MINE}/{number}/republish", headers=at(version), json={"ends_on": await day(60)})
    assert back.json()["state"] == "published"
    changed = SAID | {"ends_on": await day(60), "title": "Autre titre", "files": []}
    revised = await client.put(f"{MINE}/{number}", headers=at(back.json()["version"]), json=changed)
    assert (revised.json()["state"], revised.json()["files"]) == ("pending", [])
    await refuse(row, "Pas ainsi.")
    refused = (await client.get(f"{MINE}/{number}")).json()
    assert (refused["refusal_reason"], refused["refusals"], refused["actions"]) == (
        "Pas ainsi.",
        1,
        ["replace", "delete", "submit"],
    )
    lines = (await client.get(f"{MINE}/{number}/history")).json()
    assert [line["action"] for line in lines] == [
        "refuse", "revise", "republish", "unpublish", "extend", "accept", "submit", "create",
    ]  # fmt: skip
    assert {line["who"] for line in lines} == {"Vous", "CD78"}
    gone = await client.delete(f"{MINE}/{number}", headers=at(refused["version"]))
    assert (gone.status_code, (await client.get(f"{MINE}/{number}")).status_code) == (204, 404)


async def _row(number: int) -> Any:
    from sqlalchemy import select

    from core.db import unit_of_work
    from modules.ads.models import Ad

    async with unit_of_work() as session:
        return await session.scalar(select(Ad).where(Ad.number == number))


async def test_the_same_request_sent_twice_makes_one_draft(author: Account, client: httpx.AsyncClient) -> None:
    body = SAID | {"id": str(uuid.uuid4())}
    one, two = await client.post(MINE, json=body), await client.post(MINE, json=body)
    assert (one.status_code, two.status_code) == (201, 201)
    assert one.json() == two.json()
    assert (await client.get(MINE)).json()["total"] == 1


async def test_a_version_that_was_not_read_is_refused(author: Account, client: httpx.AsyncClient) -> None:
    ad = await make_ad(author, "draft")
    address = f"{MINE}/{ad.number}"
    assert (await client.put(address, json=SAID)).status_code == 422
    assert (await client.put(address, json=SAID, headers={"If-Match": "*"})).status_code == 422
    assert (await client.put(address, json=SAID, headers=at(9))).status_code == 409
    assert (await client.put(address, json=SAID, headers={"If-Match": "W/" + at(1)["If-Match"]})).status_code == 200
    assert (await reread(ad)).version == 2


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"specialty": "R38|NON"}, "specialty"),
        ({"places": ["commune:00000"]}, "places"),
        ({"periods": [{"starts_on": "2030-02-02", "ends_on": "2030-02-01"}]}, "periods.0"),
        ({"files": ["00000000-0000-4000-8000-000000000000"]}, "files"),
        ({"category": "vente"}, "category"),
        ({"title": "t" * 121}, "title"),
        ({"autre": 1}, "autre"),
        ({"ends_on": "2030-02-30"}, "ends_on"),
    ],
)
async def test_what_is_wrong_is_said_by_field(
    author: Account, client: httpx.AsyncClient, said: dict[str, Any], field: str
) -> None:
    answer = await client.post(MINE, json=SAID | said)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert (await client.get(MINE)).json()["total"] == 0


async def test_what_an_ad_lacks_is_said_when_it_is_transmitted(author: Account, client: httpx.AsyncClient) -> None:
    made = (await client.post(MINE, json={})).json()
    answer = await client.post(f"{MINE}/{made['number']}/submit", headers=at(1))
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {
        "category", "specialty", "title", "description", "places", "periods", "ends_on",
    }  # fmt: skip


async def test_nobody_else_reads_or_writes(author: Account, client: httpx.AsyncClient) -> None:
    ad = await make_ad(await make_person(name=("Une", "Autre")), "published")
    assert (await client.get(f"{MINE}/{ad.number}")).status_code == 404
    assert (await client.delete(f"{MINE}/{ad.number}", headers=at(ad.version))).status_code == 404
    elsewhere = {"Origin": "https://ailleurs.example", **at(1)}
    assert (await client.post(MINE, json=SAID, headers=elsewhere)).status_code == 403
    await sign_in(client, await make_person(None, None))
    assert (await client.get(MINE)).status_code == 403
    client.cookies.clear()
    for method, address in (("GET", MINE), ("POST", MINE), ("GET", f"{MINE}/1"), ("POST", f"{MINE}/1/submit")):
        answer = await client.request(method, address, json=SAID if method == "POST" else None, headers=at(1))
        assert answer.status_code == 401


async def test_files_are_judged_as_in_the_form(author: Account, client: httpx.AsyncClient) -> None:
    async def sent(content: bytes) -> int:
        return (await client.post(f"{MINE}/files", files={"file": ("x.pdf", content)})).status_code

    assert await sent(pdf()) == 201
    assert await sent(b"GIF89a") == 422
    assert await sent(b"\xff\xd8\xff" + bytes(15 * 1024 * 1024)) == 413
    assert (await client.post(f"{MINE}/files", data={"file": "x"})).status_code == 422
    assert (await client.get(f"{MINE}/files")).status_code == 422


async def test_the_list_is_filtered(author: Account, client: httpx.AsyncClient) -> None:
    await make_ad(author, "draft")
    await make_ad(author, "pending", category="adjuvat")
    found = (await client.get(MINE, params={"state": "pending", "category": "adjuvat"})).json()
    assert (found["total"], found["page"], found["pages"], len(found["ads"])) == (1, 1, 1, 1)
    assert (await client.get(MINE, params={"state": "deleted"})).status_code == 422
    assert (await client.get(MINE, params={"page": 5})).json()["ads"] == []
