"""Steps of the guided path that are sent after the sign-in ended: kept a while, for who signs in again."""

import uuid
from urllib.parse import quote

from accounts.person import cookie_name
from tests.accounts.helpers import form_token, make_account, sign_in
from tests.directory.path import FIRST, OWN, QUIET, Path


async def test_a_step_sent_after_the_sign_in_ended_comes_back_after_signing_in(path: Path) -> None:
    await path.begin()
    page = await path.open("mon-offre-1")
    path.client.cookies.delete(cookie_name())
    sent = await path.send("mon-offre-1", {**FIRST, "age_min": "7", "acts": ["J16|1341"]}, page=page)
    assert sent.status_code == 303
    target = f"{path.base}/modifier/mon-offre-1?reprise=1"
    assert sent.headers["location"] == f"/connexion?suite={quote(target, safe='')}"
    quiet = await path.send("mon-offre-1", {**FIRST, "age_min": "8"}, "garder", page=page, **{"HX-Request": "true"})
    assert (quiet.status_code, quiet.headers["HX-Redirect"]) == (204, sent.headers["location"])
    held = path.town.one("SELECT fields::text FROM directory.held_form")
    assert "_csrf" not in held
    # A colleague who signs in on this computer reads nothing of it.
    await sign_in(path.client, await make_account(("professional", "rpps:10000000002")))
    assert (await path.client.get(f"{path.base}/modifier/mon-offre-1?reprise=1")).status_code == 404
    await sign_in(path.client, await make_account(OWN))
    back = (await path.client.get(f"{path.base}/modifier/mon-offre-1?reprise=1")).text
    assert 'value="8"' in back
    assert "Votre session avait pris fin" in back
    assert path.draft()["data"] == {}
    assert (await path.send("mon-offre-1", {**FIRST, "age_min": "8"}, page=back)).status_code == 303
    assert path.town.one("SELECT count(*) FROM directory.held_form") == 0
    assert path.draft()["data"]["mon-offre-1"]["age_min"] == "8"


async def test_another_browser_or_a_late_one_reads_nothing_of_what_was_held(path: Path) -> None:
    await path.begin()
    page = await path.open("mon-offre-1")
    path.client.cookies.delete(cookie_name())
    await path.send("mon-offre-1", {**FIRST, "age_min": "7"}, page=page)
    account = await make_account(OWN)
    await sign_in(path.client, account)
    form_cookie = path.client.cookies["repere_form"]
    path.client.cookies.set("repere_form", "another", domain="repere.test")
    address = f"{path.base}/modifier/mon-offre-1?reprise=1"
    assert 'value="7"' not in (await path.client.get(address)).text
    path.client.cookies.delete("repere_form")
    path.client.cookies.set("repere_form", form_cookie)
    assert 'value="7"' in (await path.client.get(address)).text
    path.town.conn.execute("UPDATE directory.held_form SET held_at = held_at - interval '61 minutes'")
    assert 'value="7"' not in (await path.client.get(address)).text


async def test_a_flood_of_forms_is_not_kept(path: Path) -> None:
    await path.begin()
    page = await path.open("mon-offre-1")
    path.client.cookies.delete(cookie_name())
    huge = await path.send("mon-offre-1", {**FIRST, "acts": ["x" * 50] * 1500}, page=page)
    assert huge.status_code == 422
    assert path.town.one("SELECT count(*) FROM directory.held_form") == 0


async def test_forms_held_for_nothing_do_not_keep_out_those_of_others(path: Path) -> None:
    await path.begin()
    page = await path.open("mon-offre-1")
    path.client.cookies.delete(cookie_name())
    data = {"_csrf": form_token(page), "action": "suivant"}
    unknown = await path.client.post(f"/mon-offre/{uuid.uuid4()}/modifier/mon-offre-1", data=data)
    assert unknown.status_code == 404
    path.town.conn.execute(
        "INSERT INTO directory.held_form (holder, address, fields, held_at)"
        " SELECT int4send(n), 'x', '[]', core.now() - n * interval '1 second' FROM generate_series(1, 2000) n"
    )
    assert (await path.send("mon-offre-1", {**FIRST, "age_min": "7"}, page=page)).status_code == 303
    assert path.town.one("SELECT count(*) FROM directory.held_form") == 2000
    assert path.town.one("SELECT count(*) FROM directory.held_form WHERE holder = int4send(2000)") == 0
    await sign_in(path.client, await make_account(OWN))
    address = f"{path.base}/modifier/mon-offre-1?reprise=1"
    assert 'value="7"' in (await path.client.get(address)).text
    path.town.conn.execute("DELETE FROM directory.held_form")
    assert "n’est plus gardé" in (await path.client.get(address)).text


async def test_who_sends_too_many_forms_is_told_that_they_are_not_kept(path: Path) -> None:
    await path.begin()
    page = await path.open("mon-offre-1")
    path.client.cookies.delete(cookie_name())
    assert (await path.send("mon-offre-1", FIRST, page=page)).status_code == 303
    path.town.conn.execute("UPDATE accounts.rate SET due_at = due_at + interval '1 hour' WHERE kind = 'held-form'")
    refused = await path.send("mon-offre-1", {**FIRST, "age_min": "9"}, page=page, Accept="text/html")
    assert refused.status_code == 429
    assert "n’a pas pu être gardé" in refused.text
    quiet = await path.send("mon-offre-1", {**FIRST, "age_min": "9"}, "garder", page=page, **QUIET)
    assert "HX-Redirect" not in quiet.headers
    assert "votre session a pris fin" in quiet.text
    assert '"9"' not in path.town.one("SELECT fields::text FROM directory.held_form")
    # As told: signed in elsewhere, the same page sends what it still shows.
    await sign_in(path.client, await make_account(OWN))
    assert (await path.send("mon-offre-1", {**FIRST, "age_min": "9"}, page=page)).status_code == 303
    assert path.draft()["data"]["mon-offre-1"]["age_min"] == "9"
