"""What people are: registers, councils and administrators say it; each council over its own accounts only."""

import re

import httpx
import pytest
from sqlalchemy import select

from accounts.api import (
    Reach,
    Standing,
    first_visit_done,
    messages,
    reach,
    standings_of,
)
from accounts.models import AccountHistory
from accounts.models_coordinates import Coordinate, OrdinalFile
from core.db import unit_of_work
from tests.accounts.helpers import form_token, make_account, sign_in, signed_in, submit
from tests.accounts.standings import DOCTOR, GENERAL, HOSPITAL, PAGE, STUDENT, VISIT, attached, give, standing_now
from tests.accounts.standings import registers as registers
from tests.conftest import Later

pytestmark = pytest.mark.usefixtures("registers")


async def test_registers_come_first_and_nobody_else_is_anything(client: httpx.AsyncClient) -> None:
    doctor = await make_account(rpps=DOCTOR)
    student = await make_account(rpps=STUDENT)
    other = await make_account(rpps="10101010103")
    async with unit_of_work() as session:
        found = await standings_of(session, [doctor.id, student.id, other.id])
        assert await standings_of(session, []) == {}
    assert found == {
        doctor.id: Standing("doctor", GENERAL, "78", False, DOCTOR, "Anne Durand", practises="78"),
        student.id: Standing("intern", None, None, False, STUDENT, "Anne Durand"),
    }
    assert await standing_now(other) is None


async def test_a_council_gives_changes_and_ends(client: httpx.AsyncClient, later: Later) -> None:
    account = await attached("78")
    moderator = await signed_in(client, ("moderator", "council:78"))
    assert await standing_now(account) is None
    done = await give(client, account, situation="licensed", licence="2035-10-31", specialite=GENERAL)
    assert done.headers["location"] == f"{PAGE}/{account.uid}?fait=donnee"
    assert await standing_now(account) == Standing("licensed", GENERAL, "78", False, None, "Julie Marchand")
    await give(client, account, situation="junior", licence="2035-10-31", specialite="R38|SM40")
    standing = await standing_now(account)
    assert standing is not None
    assert (standing.kind, standing.specialty) == ("junior", "R38|SM40")
    ended = await submit(client, f"{PAGE}/{account.uid}", f"{PAGE}/{account.uid}/fin", {"version": "2"})
    assert ended.headers["location"] == f"{PAGE}/{account.uid}?fait=finie"
    assert await standing_now(account) is None
    async with unit_of_work() as session:
        told = [one.subject for one in await messages(session, account.id)]
        lines = (
            await session.execute(
                select(AccountHistory.action, AccountHistory.actor)
                .where(AccountHistory.account_id == account.id)
                .order_by(AccountHistory.id)
            )
        ).all()
    assert len(told) == 3
    assert [tuple(line) for line in lines] == [
        ("standing_given", f"account:{moderator.uid}"),
        ("standing_given", f"account:{moderator.uid}"),
        ("standing_ended", f"account:{moderator.uid}"),
    ]
    stale = await client.get(f"{PAGE}/{account.uid}")
    token = form_token(stale.text)
    for version in ("0", "1", "2", ""):
        refused = await client.post(
            f"{PAGE}/{account.uid}", data={"_csrf": token, "version": version, "situation": "junior"}
        )
        assert refused.status_code == 409, version
        assert re.search(r'value="junior" selected', refused.text)


async def test_a_licence_serves_until_the_end_of_its_day(client: httpx.AsyncClient, later: Later) -> None:
    from core import clock

    account = await attached("78")
    await signed_in(client, ("moderator", "council:78"))
    async with unit_of_work() as session:
        today = clock.today(await clock.now(session))
    await give(client, account, situation="licensed", licence=today.isoformat())
    assert (await standing_now(account)).kind == "licensed"  # type: ignore[union-attr]
    await later("25 hours")
    assert (await standing_now(account)).kind == "intern"  # type: ignore[union-attr]


REFUSED = [
    ({"situation": ""}, "situation"),
    ({"situation": "doctor"}, "situation"),
    ({"situation": "licensed", "licence": "2020-01-01"}, "licence"),
    ({"situation": "licensed", "licence": "demain"}, "licence"),
    ({"situation": "licensed", "licence": "9999-12-31"}, "licence"),
    ({"situation": "intern", "specialite": "R38|XX"}, "specialite"),
]


async def test_what_is_refused_is_said_at_its_field(client: httpx.AsyncClient) -> None:
    account = await attached("78")
    await signed_in(client, ("moderator", "council:78"))
    for typed, field in REFUSED:
        refused = await give(client, account, **typed)
        assert refused.status_code == 422, typed
        assert f'id="{field}-erreur"' in refused.text, typed
    assert await standing_now(account) is None


async def test_each_council_sees_its_own_accounts_and_an_administrator_all(client: httpx.AsyncClient) -> None:
    ours, theirs = await attached("78", name="Ourse"), await attached("2A", name="Tigre")
    unattached = await make_account(name=("Zoé", "Lionne"))
    me = await signed_in(client, ("moderator", "council:78"))
    page = (await client.get(PAGE)).text
    assert "Ourse" in page
    assert "Tigre" not in page
    assert "Tigre" not in (await client.get(PAGE, params={"texte": "tigre"})).text
    assert "Tigre" not in (await client.get(PAGE, params={"conseil": "2A"})).text
    for hidden in (theirs, unattached):
        assert (await client.get(f"{PAGE}/{hidden.uid}")).status_code == 404
        token = form_token((await client.get(f"{PAGE}/{ours.uid}")).text)
        for action in ("", "/fin", "/conseil"):
            values = {"_csrf": token, "version": "0", "situation": "junior", "conseil": "78"}
            refused = await client.post(f"{PAGE}/{hidden.uid}{action}", data=values)
            assert refused.status_code in (403, 404), action
        assert await standing_now(hidden) is None
    refused = await client.post(f"{PAGE}/{ours.uid}/conseil", data={"_csrf": token, "version": "1", "conseil": "2A"})
    assert refused.status_code == 403
    async with unit_of_work() as session:
        session.add(OrdinalFile(account_id=me.id, council="78"))
    assert (await give(client, me, situation="junior")).status_code == 403
    client.cookies.clear()
    await signed_in(client, ("administrator", ""))
    page = (await client.get(PAGE)).text
    assert "Ourse" in page
    assert "Tigre" in page
    assert "Lionne" not in page
    assert (await give(client, unattached, situation="intern")).status_code == 303
    assert "Lionne" in (await client.get(f"{PAGE}?situation=intern")).text
    assert "Situation et conseil" in (await client.get(f"/administration/comptes/{unattached.uid}")).text
    for wrong in ("situation=x", "conseil=20", "tri=situation"):
        assert (await client.get(f"{PAGE}?{wrong}")).status_code == 422
    client.cookies.clear()
    await signed_in(client, ("professional", "rpps:10101010109"))
    assert (await client.get(PAGE)).status_code == 403


async def test_the_list_is_paged_and_searched(client: httpx.AsyncClient) -> None:
    await signed_in(client, ("moderator", "council:971"))
    for number in range(31):
        await attached("971", name=f"Zola{number:02d}")
    await attached("971", name="N’Guyen", rpps="10101010107")
    first = (await client.get(PAGE)).text.replace("\u00a0", " ")
    assert "1 – 30 sur 32" in first
    assert re.findall(r"Zola\d+", (await client.get(f"{PAGE}?page=2")).text) == ["Zola29", "Zola30"]
    for words in ("n’guyen julie", "10101010107"):
        found = (await client.get(PAGE, params={"texte": words})).text
        assert "N’Guyen" in found
        assert "Zola" not in found
    assert "Aucun compte" in (await client.get(PAGE, params={"texte": "%"})).text


async def test_a_doctor_of_the_register_is_given_nothing(client: httpx.AsyncClient) -> None:
    account = await attached("78", rpps=DOCTOR)
    await signed_in(client, ("moderator", "council:78"))
    page = await client.get(f"{PAGE}/{account.uid}")
    assert "Enregistrer la situation" not in page.text
    token = form_token((await client.get("/compte")).text)
    refused = await client.post(f"{PAGE}/{account.uid}", data={"_csrf": token, "version": "0", "situation": "intern"})
    assert refused.status_code == 422
    assert (await standing_now(account)).kind == "doctor"  # type: ignore[union-attr]


async def test_only_an_administrator_changes_a_council(client: httpx.AsyncClient) -> None:
    account = await make_account(rpps=DOCTOR)
    await signed_in(client, ("administrator", ""))
    where = f"{PAGE}/{account.uid}"
    done = await submit(client, where, f"{where}/conseil", {"version": "0", "conseil": "2b"})
    assert done.status_code == 303
    standing = await standing_now(account)
    assert standing is not None
    assert (standing.council, standing.council_confirmed) == ("2B", True)
    stale = await submit(client, where, f"{where}/conseil", {"version": "0", "conseil": "91"})
    assert stale.status_code == 409
    assert 'value="91" selected' in stale.text
    for code in ("20", "96", "977", "", "x" * 500):
        assert (await submit(client, where, f"{where}/conseil", {"version": "1", "conseil": code})).status_code == 422


async def test_a_first_visit_shows_what_the_register_knows_and_keeps_the_answer(client: httpx.AsyncClient) -> None:
    account = await make_account(rpps=DOCTOR)
    await sign_in(client, account)
    page = await client.get(f"{VISIT}?suite=/annonces")
    assert "cabinet@exemple.fr" in page.text
    assert 'value="78" selected' in page.text
    refused = await submit(client, VISIT, VISIT, {"suite": "/annonces", "conseil": "", "reponse": "accepter"})
    assert refused.status_code == 422
    assert 'id="conseil-erreur"' in refused.text
    unsaid = await submit(client, VISIT, VISIT, {"conseil": "78", "reponse": "continuer"})
    assert unsaid.status_code == 422
    token = form_token(page.text)
    answer = {"_csrf": token, "suite": "/annonces", "conseil": "78", "reponse": "accepter"}
    for _ in range(2):
        done = await client.post(VISIT, data=answer)
        assert (done.status_code, done.headers["location"]) == (303, "/annonces")
    other = await client.post(VISIT, data=answer | {"reponse": "refuser"})
    assert other.status_code == 409
    async with unit_of_work() as session:
        assert await first_visit_done(session, account.id)
        shown = await reach(session, account.id, "annonces")
        ordre = await reach(session, account.id, "ordre")
        assert {row.origin for row in await session.scalars(select(Coordinate))} == {"register"}
    assert shown == Reach("9 rue de Metz, 78200 Mantes", "cabinet@exemple.fr", "+33639981234", "+33199001234")
    # Nobody proved that they read the register's e-mail: nothing is sent there.
    assert ordre.email is None
    assert (await client.get(f"{VISIT}?suite=/annonces")).headers["location"] == "/annonces"
    assert (await client.get(f"{VISIT}?suite=//ailleurs.example")).headers["location"] == "/coordonnees"
    standing = await standing_now(account)
    assert standing is not None
    assert standing.council_confirmed


async def test_a_refusal_shows_nothing_and_an_intern_only_confirms_a_council(client: httpx.AsyncClient) -> None:
    account = await make_account(rpps=HOSPITAL)
    await sign_in(client, account)
    await submit(client, VISIT, VISIT, {"conseil": "91", "reponse": "refuser"})
    async with unit_of_work() as session:
        assert await first_visit_done(session, account.id)
        assert await reach(session, account.id, "annonces") == Reach()
        kept = await session.get_one(OrdinalFile, account.id)
        assert (kept.council, kept.ads_consent) == ("91", "refused")
    client.cookies.clear()
    unknown = await signed_in(client)
    page = (await client.get(VISIT)).text
    assert "n’est pas encore connu" in page
    async with unit_of_work() as session:
        assert not await first_visit_done(session, unknown.id)
    done = await submit(client, VISIT, VISIT, {"conseil": "971", "reponse": "continuer"})
    assert done.headers["location"] == "/coordonnees"
    client.cookies.clear()
    await signed_in(client, ("moderator", "council:971"))
    assert "à vérifier" in (await client.get(PAGE)).text


async def test_the_services_of_the_ordre_are_on_the_home_of_those_who_practise(client: httpx.AsyncClient) -> None:
    account = await attached("78")
    await sign_in(client, account)
    assert "Mes coordonnées" not in (await client.get("/accueil")).text
    client.cookies.clear()
    await signed_in(client, ("moderator", "council:78"))
    assert "Internes et docteurs juniors" in (await client.get("/accueil")).text
    await give(client, account, situation="intern")
    client.cookies.clear()
    await sign_in(client, account)
    assert "Mes coordonnées" in (await client.get("/accueil")).text
