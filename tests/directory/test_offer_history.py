"""The history of an offer: fields in French, who wrote them, going back by a new write."""

import re
from typing import Any

import httpx

from core.db import unit_of_work
from directory.api import ContactIn, OfferDescription, SlotIn, describe_offer
from tests.accounts.helpers import form_token, signed_in

ALICE = "10000000001"


async def write(town: Any, actor: str = "essai", **fields: Any) -> None:
    offer = town.offer(ALICE)
    async with unit_of_work() as session:
        await describe_offer(session, offer["uid"], OfferDescription(**fields), actor, offer["version"])


async def post(client: httpx.AsyncClient, base: str, **values: str) -> httpx.Response:
    page = (await client.get(f"{base}/historique")).text
    version = re.search(r'name="version" value="(\d+)"', page)
    data = {"version": version[1]} if version else {}
    data |= {"_csrf": form_token(page), **values}
    return await client.post(f"{base}/historique", data=data)


def lines(town: Any) -> list[int]:
    return [row["id"] for row in town.all("SELECT id FROM directory.history WHERE action = 'described' ORDER BY id")]


async def test_changes_are_said_in_french_with_their_author(town: Any, client: httpx.AsyncClient) -> None:
    account = await signed_in(client, ("professional", f"rpps:{ALICE}"))
    base = f"/mon-offre/{town.offer(ALICE)['uid']}"
    await write(town, acts=["J16|1341"], age_min=3, comment="<b>cour</b>", territory=["commune:78118"])
    await write(
        town,
        f"account:{account.uid}",
        acts=["J16|1555"],
        contacts=[ContactIn(purpose="pro_phone", value="0199007777")],
        hours=[SlotIn(weekday=1, opens="09:00", closes="12:30")],
        accepts_new=True,
    )
    page = (await client.get(f"{base}/historique")).text
    for text in (
        "par vous", "par essai", "Rééducation pelvi-périnéale", "Rééducation du rachis", "3\u00a0ans", "Buchelay",
        "&lt;b&gt;cour", "01\u00a099\u00a000\u00a077\u00a077", "Lundi 9\u00a0h\u00a0– 12\u00a0h\u00a030", "Oui",
    ):  # fmt: skip
        assert text in page, text
    assert "<b>cour" not in page


async def test_going_back_is_a_new_write_that_undoes_what_came_after(town: Any, client: httpx.AsyncClient) -> None:
    await signed_in(client, ("professional", f"rpps:{ALICE}"))
    base = f"/mon-offre/{town.offer(ALICE)['uid']}"
    hours = [SlotIn(weekday=1, opens="09:00", closes="12:30")]
    await write(town, acts=["J16|1341"], age_min=3, comment="premier", territory=["commune:78118"], hours=hours,
                contacts=[ContactIn(purpose="pro_phone", value="0199007777")])  # fmt: skip
    first = town.offer(ALICE)
    await write(town, acts=["J16|1555"], age_min=6, comment=None, territory=[], hours=[], contacts=[])
    await write(town, age_max=99)
    answer = await post(client, base, ligne=str(lines(town)[0]))
    assert answer.status_code == 303, answer.text
    assert "repere_position=" in answer.headers["set-cookie"]
    now = town.offer(ALICE)
    for name in ("acts", "age_min", "age_max", "comment"):
        assert now[name] == first[name], name
    assert now["version"] == 5
    assert town.one("SELECT value FROM directory.contact_point") == "0199007777"
    assert town.one("SELECT count(*) FROM directory.opening_slot") == 1
    assert town.one("SELECT count(*) FROM directory.offer_territory") == 1
    assert len(lines(town)) == 4


async def test_what_cannot_be_gone_back_to_is_refused(town: Any, client: httpx.AsyncClient) -> None:
    await signed_in(client, ("professional", f"rpps:{ALICE}"))
    base = f"/mon-offre/{town.offer(ALICE)['uid']}"
    await write(town, comment="un")
    await write(town, comment="deux")
    first = str(lines(town)[0])
    stale = await post(client, base, ligne=first, version="1")
    assert stale.status_code == 409
    assert "entre-temps" in stale.text
    for line in ("0", "999999", "-4"):
        assert (await post(client, base, ligne=line)).status_code == 404, line
    # Another offer's line.
    other = town.offer("10000000002")
    async with unit_of_work() as session:
        await describe_offer(session, other["uid"], OfferDescription(comment="x"), "essai", other["version"])
    assert (await post(client, base, ligne=str(lines(town)[-1]))).status_code == 404
    # The demonstration writes without former values: nothing before it is known.
    town.conn.execute("UPDATE directory.history SET detail = NULL WHERE id = %s", (lines(town)[1],))
    assert (await post(client, base, ligne=first)).status_code == 404
    assert town.offer(ALICE)["comment"] == "deux"


async def test_the_history_is_paged(town: Any, client: httpx.AsyncClient) -> None:
    await signed_in(client, ("professional", f"rpps:{ALICE}"))
    base = f"/mon-offre/{town.offer(ALICE)['uid']}/historique"
    for number in range(33):
        await write(town, comment=f"mot {number}")
    first, second = [(await client.get(base, params={"page": n})).text for n in (1, 2)]
    assert first.count("history-entry") == 30
    assert "mot 32" in first
    assert "mot 0" in second
    for page in ("0", "-3", "99999999999999999999"):
        assert (await client.get(base, params={"page": page})).status_code == 200, page
