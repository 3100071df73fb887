"""Accounts that name a council: it sends back who is not theirs, and sees who practises elsewhere."""

import httpx
import pytest
from sqlalchemy import select

from accounts.api import (
    KnownPerson,
    messages,
)
from accounts.leaving import close
from accounts.models import Account, AccountHistory
from accounts.models_coordinates import OrdinalFile
from core.db import unit_of_work
from tests.accounts.helpers import form_token, make_account, sign_in, signed_in, submit
from tests.accounts.standings import DOCTOR, HOSPITAL, KNOWN, PAGE, VISIT, attached, give, standing_now
from tests.accounts.standings import registers as registers

pytestmark = pytest.mark.usefixtures("registers")


async def _name(client: httpx.AsyncClient, council: str) -> httpx.Response:
    return await submit(client, VISIT, VISIT, {"conseil": council, "reponse": "continuer"})


async def _file(account: Account) -> OrdinalFile:
    async with unit_of_work() as session:
        return await session.get_one(OrdinalFile, account.id)


async def test_a_council_sends_back_who_is_not_theirs_and_says_why(client: httpx.AsyncClient) -> None:
    stranger = await signed_in(client)
    await _name(client, "78")
    # One demand at a time: the first stands.
    again = {"_csrf": form_token((await client.get("/compte")).text), "conseil": "75", "reponse": "continuer"}
    assert (await client.post(VISIT, data=again)).status_code == 409
    where = f"{PAGE}/{stranger.uid}"
    version = (await _file(stranger)).version
    client.cookies.clear()
    await signed_in(client, ("moderator", "council:75"))
    values = {"_csrf": form_token((await client.get("/compte")).text), "version": str(version), "motif": "Non."}
    assert (await client.post(f"{where}/refus", data=values)).status_code == 404
    client.cookies.clear()
    moderator = await signed_in(client, ("moderator", "council:78"))
    for motif, said in (("", "Dites pourquoi"), ("x" * 501, "500 caractères au plus")):
        refused = await submit(client, where, f"{where}/refus", {"version": str(version), "motif": motif})
        assert refused.status_code == 422
        assert 'id="motif-erreur"' in refused.text
        assert said in refused.text
        assert motif in refused.text
    stale = await submit(client, where, f"{where}/refus", {"version": str(version - 1), "motif": "Trop tard."})
    assert stale.status_code == 409
    assert "Trop tard." in stale.text
    done = await submit(client, where, f"{where}/refus", {"version": str(version), "motif": "Vous dépendez de Paris."})
    assert done.headers["location"] == f"{PAGE}?fait=refusee"
    assert "Le rattachement est refusé" in (await client.get(done.headers["location"])).text
    assert (await client.get(where)).status_code == 404
    kept = await _file(stranger)
    assert (kept.council, kept.council_confirmed_at, kept.visited_at) == (None, None, None)
    async with unit_of_work() as session:
        (told,) = await messages(session, stranger.id)
        line = await session.scalar(select(AccountHistory).where(AccountHistory.action == "council_refused"))
    assert "Vous dépendez de Paris." in told.body
    assert told.link == VISIT
    assert line is not None
    assert line.actor == f"account:{moderator.uid}"
    assert line.detail == {"council": "78", "reason": "Vous dépendez de Paris."}
    # They name another one; not all of them in turn.
    client.cookies.clear()
    await sign_in(client, stranger)
    for council in ("75", "92"):
        assert (await _name(client, council)).status_code == 303
        async with unit_of_work() as session:
            row = await session.get_one(OrdinalFile, stranger.id)
            row.council = row.council_confirmed_at = row.visited_at = None
    many = await _name(client, "93")
    assert many.status_code == 429
    assert "plusieurs conseils ces derniers jours" in many.text
    assert 'value="93" selected' in many.text
    assert (await _file(stranger)).council is None
    # Whoever leaves takes away what was written of them.
    async with unit_of_work() as session:
        await close(session, await session.get_one(Account, stranger.id), "essai")
    async with unit_of_work() as session:
        kept_line = await session.scalar(select(AccountHistory).where(AccountHistory.action == "council_refused"))
    assert kept_line is not None
    assert kept_line.detail == {"council": "78"}


async def test_nobody_is_sent_back_by_themselves_or_with_a_standing(client: httpx.AsyncClient) -> None:
    account = await attached("78")
    me = await signed_in(client, ("moderator", "council:78"))
    async with unit_of_work() as session:
        session.add(OrdinalFile(account_id=me.id, council="78"))
    assert "Refuser le rattachement" not in (await client.get(f"{PAGE}/{me.uid}")).text
    own = await submit(client, f"{PAGE}/{account.uid}", f"{PAGE}/{me.uid}/refus", {"version": "1", "motif": "Moi."})
    assert own.status_code == 403
    await give(client, account, situation="intern")
    page = (await client.get(f"{PAGE}/{account.uid}")).text
    assert "Refuser le rattachement" not in page
    data = {"_csrf": form_token(page), "version": "1", "motif": "Non."}
    assert (await client.post(f"{PAGE}/{account.uid}/refus", data=data)).status_code == 409
    assert (await _file(account)).council == "78"


async def test_a_doctor_who_practises_elsewhere_is_shown_as_such(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KNOWN, HOSPITAL, KnownPerson("doctor", departement="13"))
    at_home, elsewhere = await make_account(rpps=DOCTOR), await make_account(rpps=HOSPITAL)
    async with unit_of_work() as session:
        session.add_all(OrdinalFile(account_id=account.id, council="78") for account in (at_home, elsewhere))
    await signed_in(client, ("moderator", "council:78"))
    assert (await client.get(PAGE)).text.count("exerce dans 13") == 1
    where = f"{PAGE}/{elsewhere.uid}"
    assert "autre département que le conseil" in (await client.get(where)).text
    assert "autre département que le conseil" not in (await client.get(f"{PAGE}/{at_home.uid}")).text
    done = await submit(client, where, f"{where}/refus", {"version": "1", "motif": "Vous exercez à Marseille."})
    assert done.status_code == 303
    standing = await standing_now(elsewhere)
    assert standing is not None
    assert (standing.council, standing.council_confirmed) == ("13", False)
