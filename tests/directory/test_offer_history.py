"""The history of an offer: fields in French, who wrote them, going back by a new write."""

import re
from typing import Any

import httpx

from core.db import unit_of_work
from directory.api import ContactIn, OfferDescription, SiteDescription, SlotIn, describe_offer, describe_site
from tests.accounts.helpers import form_token, make_account, sign_in, signed_in
from tests.directory.path import FIRST, OWN, Path

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


async def test_a_delegate_publishes_under_their_own_name(path: Path) -> None:
    await sign_in(path.client, await make_account(("delegate", f"rpps:{ALICE}"), name=("Zoé", "L’Hôte")))
    await path.all(**{"mon-offre-1": {**FIRST, "acts": ["J16|1341"]}})
    assert (await path.send("recapitulatif", {}, "enregistrer")).status_code == 303
    own = (await path.client.get(f"{path.base}/historique")).text
    assert "par vous" in own
    await sign_in(path.client, await make_account(OWN, name=("Alice", "Martin")))
    page = (await path.client.get(f"{path.base}/historique")).text
    assert "par Zoé L’Hôte" in page
    assert "par vous" not in page and "par Alice" not in page
    assert "Rééducation pelvi-périnéale" in page


async def test_a_deleted_account_leaves_the_offer_and_its_history_without_a_name(path: Path) -> None:
    writer = await make_account(OWN, name=("Alizée", "Quentin-Brel"), email="alizee@exemple.fr", rpps=ALICE)
    await sign_in(path.client, writer)
    await path.all(**{"mon-offre-1": {**FIRST, "acts": ["J16|1341"]}})
    assert (await path.send("recapitulatif", {}, "enregistrer")).status_code == 303
    await path.send("mon-offre-1", {**FIRST, "age_min": "5"})
    before, written = path.town.offer(ALICE), lines(path.town)
    page = (await path.client.get("/compte/suppression")).text
    leave = {"_csrf": form_token(page), "version": str(writer.version), "sure": "oui"}
    gone = await path.client.post("/compte/suppression", data=leave)
    assert gone.headers["location"] == "/connexion?info=supprime", gone.text
    assert path.town.offer(ALICE) == before, "the directory keeps what was published"
    assert lines(path.town) == written
    found = await path.client.get("/api/v1/search", params={"code": "J16|1341", "where": "commune:78361"})
    assert found.json()["total"] == 1
    await sign_in(path.client, await make_account(OWN, name=("Alice", "Martin")))
    history = (await path.client.get(f"{path.base}/historique")).text
    assert "par un compte fermé" in history and "Rééducation pelvi-périnéale" in history
    tables = path.town.all(
        "SELECT table_schema || '.' || table_name AS name FROM information_schema.tables"
        " WHERE table_schema IN ('accounts', 'core', 'directory', 'search_api') AND table_type = 'BASE TABLE'"
    )
    named = {}
    for table in tables:
        count = f"SELECT count(*) FROM {table['name']} t WHERE t::text ~* 'quentin-brel|alizee@exemple'"
        named[table["name"]] = path.town.one(count)
    assert {name for name, found in named.items() if found} == {"core.mail"}
    assert path.town.one("SELECT array_agg(kind) FROM core.mail WHERE recipient <> ''") == ["accounts.closed"]


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


async def write_place(town: Any, **fields: Any) -> None:
    site = place(town)
    async with unit_of_work() as session:
        await describe_site(session, site["uid"], SiteDescription(**fields), "essai", site["version"])


def place(town: Any) -> Any:
    return town.one(
        "SELECT uid, version, accessibility, ST_Y(pin::geometry) AS lat, ST_X(pin::geometry) AS lon,"
        " ARRAY(SELECT concept_id FROM directory.site_equipment e WHERE e.site_id = s.id ORDER BY 1) AS equipment"
        " FROM directory.site s WHERE id = %s",
        town.offer(ALICE)["site_id"],
    )


def details(town: Any) -> list[Any]:
    return [row["detail"] for row in town.all("SELECT detail FROM directory.history WHERE entity = 'site' AND action ="
                                              " 'described' ORDER BY id")]  # fmt: skip


async def test_the_history_of_the_place_keeps_only_what_changed_with_both_values(
    town: Any, client: httpx.AsyncClient
) -> None:
    await signed_in(client, ("professional", f"rpps:{ALICE}"))
    base = f"/mon-offre/{town.offer(ALICE)['uid']}"
    for lat in ("48.9911", "48.9922", "48.9922"):
        page = (await client.get(f"{base}/position")).text
        seen = page.split('name="version" value="')[1].split('"')[0]
        data = {"_csrf": form_token(page), "version": seen, "choix": "carte", "lat": lat, "lon": "1.7201"}
        assert (await client.post(f"{base}/position", data=data)).status_code == 303
    moves = [{"pin": [None, [48.9911, 1.7201]]}, {"pin": [[48.9911, 1.7201], [48.9922, 1.7201]]}]
    assert details(town) == moves, "the same point again is no change"
    history = (await client.get(f"{base}/historique")).text
    assert "48,99110, 1,72010" in history.partition("Après")[0], "the former point is said"
    events = "SELECT count(*) FROM core.event WHERE kind = 'site_described'"
    before, version = town.one(events), place(town)["version"]
    await write_place(town, equipment=[], accessibility=None, pin=(48.9922, 1.7201))
    assert (details(town), town.one(events), place(town)["version"]) == (moves, before, version)
    await write_place(town, equipment=["J18|040"], accessibility=None)
    await write_place(town, equipment=["J18|040"], accessibility="1")
    assert [list(detail) for detail in details(town)[2:]] == [["equipment"], ["accessibility"]]


async def test_a_place_goes_back_to_a_version(town: Any, client: httpx.AsyncClient) -> None:
    await signed_in(client, ("professional", f"rpps:{ALICE}"))
    base = f"/mon-offre/{town.offer(ALICE)['uid']}"
    await write(town, comment="reste")
    await write_place(town, equipment=["J18|040"], accessibility="1", pin=(48.9911, 1.7201))
    first, offer = place(town), town.offer(ALICE)
    line = str(lines(town)[-1])
    await write_place(town, equipment=[], accessibility="2")
    await write_place(town, pin=None)
    page = (await client.get(f"{base}/historique")).text
    assert page.count("Revenir à cette version du lieu") == 2, "not to the version that stands"
    stale = await client.post(
        f"{base}/historique", data={"_csrf": form_token(page), "ligne": line, "version": str(first["version"])}
    )
    assert stale.status_code == 409 and "entre-temps" in stale.text
    assert place(town)["accessibility"] == "2"
    form = re.search(rf'name="version" value="(\d+)">\s*<button[^>]*value="{line}"', page)
    assert form is not None
    data = {"_csrf": form_token(page), "ligne": line, "version": form[1]}
    answer = await client.post(f"{base}/historique", data=data)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{base}?fait=lieu-revenu"), answer.text
    assert "repere_position=" in answer.headers["set-cookie"]
    now = place(town)
    assert now == first | {"version": first["version"] + 3}
    assert town.offer(ALICE)["version"] == offer["version"], "the offer stays as it is"
    assert "Le lieu est revenu" in (await client.get(answer.headers["location"])).text
    # Twice, with the version that stands now.
    again = await client.post(f"{base}/historique", data=data | {"version": str(now["version"])})
    assert again.status_code == 409 and "déjà tel" in again.text
    # The line of a place is nothing to the offer of another place.
    hospital = town.one("SELECT id, uid, version FROM directory.site WHERE finess = '780000287'")
    async with unit_of_work() as session:
        await describe_site(session, hospital["uid"], SiteDescription(accessibility="1"), "x", hospital["version"])
    assert (await post(client, base, ligne=str(lines(town)[-1]))).status_code == 404
    assert (await post(client, base, ligne="9" * 30)).status_code == 422
