"""What people are: registers, councils and administrators say it; each council over its own accounts only."""

import re
from collections.abc import Collection, Iterator, Mapping

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from accounts.api import (
    KnownPerson,
    Reach,
    Standing,
    first_visit_done,
    messages,
    reach,
    standing_of,
    standings_of,
    use_known_people,
)
from accounts.leaving import close
from accounts.models import Account, AccountHistory
from accounts.models_coordinates import Coordinate, OrdinalFile
from core.db import unit_of_work
from directory.api import offer_known_people
from tests.accounts.helpers import form_token, make_account, sign_in, signed_in, submit
from tests.conftest import Later

PAGE = "/moderation/internes"
VISIT = "/coordonnees/premiere-visite"
GENERAL = "R38|SM54"
DOCTOR, STUDENT, HOSPITAL = "10101010101", "10101010102", "10101010105"
KNOWN = {
    DOCTOR: KnownPerson(
        "doctor", GENERAL, "78", "9 rue de Metz, 78200 Mantes", "cabinet@exemple.fr", "+33639981234", "0199001234"
    ),
    STUDENT: KnownPerson("intern"),
    HOSPITAL: KnownPerson("doctor", phone="0199001235"),
}


@pytest.fixture(autouse=True)
def registers(client: httpx.AsyncClient) -> Iterator[None]:
    """A register of two people."""

    async def source(_session: AsyncSession, numbers: Collection[str]) -> Mapping[str, KnownPerson]:
        return {number: KNOWN[number] for number in numbers if number in KNOWN}

    async def specialties(_session: AsyncSession) -> Mapping[str, str]:
        return {GENERAL: "Médecine générale", "R38|SM40": "Pédiatrie"}

    use_known_people(source, specialties)
    yield
    offer_known_people()


async def _attached(council: str, **more: str) -> Account:
    account = await make_account(name=("Julie", more.pop("name", "Marchand")), rpps=more.pop("rpps", None))
    async with unit_of_work() as session:
        session.add(OrdinalFile(account_id=account.id, council=council))
    return account


async def _give(client: httpx.AsyncClient, account: Account, **typed: str) -> httpx.Response:
    where = f"{PAGE}/{account.uid}"
    page = await client.get(where)
    found = re.search(rf'action="{where}".*?name="version" value="(\d+)"', page.text, re.S)
    version = found[1] if found else "0"
    return await client.post(where, data={"_csrf": form_token(page.text), "version": version} | typed)


async def _standing(account: Account) -> Standing | None:
    async with unit_of_work() as session:
        return await standing_of(session, account.id)


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
    assert await _standing(other) is None


async def test_a_council_gives_changes_and_ends(client: httpx.AsyncClient, later: Later) -> None:
    account = await _attached("78")
    moderator = await signed_in(client, ("moderator", "council:78"))
    assert await _standing(account) is None
    done = await _give(client, account, situation="licensed", licence="2035-10-31", specialite=GENERAL)
    assert done.headers["location"] == f"{PAGE}/{account.uid}?fait=donnee"
    assert await _standing(account) == Standing("licensed", GENERAL, "78", False, None, "Julie Marchand")
    await _give(client, account, situation="junior", licence="2035-10-31", specialite="R38|SM40")
    standing = await _standing(account)
    assert standing is not None
    assert (standing.kind, standing.specialty) == ("junior", "R38|SM40")
    ended = await submit(client, f"{PAGE}/{account.uid}", f"{PAGE}/{account.uid}/fin", {"version": "2"})
    assert ended.headers["location"] == f"{PAGE}/{account.uid}?fait=finie"
    assert await _standing(account) is None
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

    account = await _attached("78")
    await signed_in(client, ("moderator", "council:78"))
    async with unit_of_work() as session:
        today = clock.today(await clock.now(session))
    await _give(client, account, situation="licensed", licence=today.isoformat())
    assert (await _standing(account)).kind == "licensed"  # type: ignore[union-attr]
    await later("25 hours")
    assert (await _standing(account)).kind == "intern"  # type: ignore[union-attr]


REFUSED = [
    ({"situation": ""}, "situation"),
    ({"situation": "doctor"}, "situation"),
    ({"situation": "licensed", "licence": "2020-01-01"}, "licence"),
    ({"situation": "licensed", "licence": "demain"}, "licence"),
    ({"situation": "licensed", "licence": "9999-12-31"}, "licence"),
    ({"situation": "intern", "specialite": "R38|XX"}, "specialite"),
]


async def test_what_is_refused_is_said_at_its_field(client: httpx.AsyncClient) -> None:
    account = await _attached("78")
    await signed_in(client, ("moderator", "council:78"))
    for typed, field in REFUSED:
        refused = await _give(client, account, **typed)
        assert refused.status_code == 422, typed
        assert f'id="{field}-erreur"' in refused.text, typed
    assert await _standing(account) is None


async def test_each_council_sees_its_own_accounts_and_an_administrator_all(client: httpx.AsyncClient) -> None:
    ours, theirs = await _attached("78", name="Ourse"), await _attached("2A", name="Tigre")
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
        assert await _standing(hidden) is None
    refused = await client.post(f"{PAGE}/{ours.uid}/conseil", data={"_csrf": token, "version": "1", "conseil": "2A"})
    assert refused.status_code == 403
    async with unit_of_work() as session:
        session.add(OrdinalFile(account_id=me.id, council="78"))
    assert (await _give(client, me, situation="junior")).status_code == 403
    client.cookies.clear()
    await signed_in(client, ("administrator", ""))
    page = (await client.get(PAGE)).text
    assert "Ourse" in page
    assert "Tigre" in page
    assert "Lionne" not in page
    assert (await _give(client, unattached, situation="intern")).status_code == 303
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
        await _attached("971", name=f"Zola{number:02d}")
    await _attached("971", name="N’Guyen", rpps="10101010107")
    first = (await client.get(PAGE)).text.replace("\u00a0", " ")
    assert "1 – 30 sur 32" in first
    assert re.findall(r"Zola\d+", (await client.get(f"{PAGE}?page=2")).text) == ["Zola29", "Zola30"]
    for words in ("n’guyen julie", "10101010107"):
        found = (await client.get(PAGE, params={"texte": words})).text
        assert "N’Guyen" in found
        assert "Zola" not in found
    assert "Aucun compte" in (await client.get(PAGE, params={"texte": "%"})).text


async def test_a_doctor_of_the_register_is_given_nothing(client: httpx.AsyncClient) -> None:
    account = await _attached("78", rpps=DOCTOR)
    await signed_in(client, ("moderator", "council:78"))
    page = await client.get(f"{PAGE}/{account.uid}")
    assert "Enregistrer la situation" not in page.text
    token = form_token((await client.get("/compte")).text)
    refused = await client.post(f"{PAGE}/{account.uid}", data={"_csrf": token, "version": "0", "situation": "intern"})
    assert refused.status_code == 422
    assert (await _standing(account)).kind == "doctor"  # type: ignore[union-attr]


async def test_only_an_administrator_changes_a_council(client: httpx.AsyncClient) -> None:
    account = await make_account(rpps=DOCTOR)
    await signed_in(client, ("administrator", ""))
    where = f"{PAGE}/{account.uid}"
    done = await submit(client, where, f"{where}/conseil", {"version": "0", "conseil": "2b"})
    assert done.status_code == 303
    standing = await _standing(account)
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
    standing = await _standing(account)
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
    account = await _attached("78")
    me = await signed_in(client, ("moderator", "council:78"))
    async with unit_of_work() as session:
        session.add(OrdinalFile(account_id=me.id, council="78"))
    assert "Refuser le rattachement" not in (await client.get(f"{PAGE}/{me.uid}")).text
    own = await submit(client, f"{PAGE}/{account.uid}", f"{PAGE}/{me.uid}/refus", {"version": "1", "motif": "Moi."})
    assert own.status_code == 403
    await _give(client, account, situation="intern")
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
    standing = await _standing(elsewhere)
    assert standing is not None
    assert (standing.council, standing.council_confirmed) == ("13", False)


async def test_the_services_of_the_ordre_are_on_the_home_of_those_who_practise(client: httpx.AsyncClient) -> None:
    account = await _attached("78")
    await sign_in(client, account)
    assert "Mes coordonnées" not in (await client.get("/accueil")).text
    client.cookies.clear()
    await signed_in(client, ("moderator", "council:78"))
    assert "Internes et docteurs juniors" in (await client.get("/accueil")).text
    await _give(client, account, situation="intern")
    client.cookies.clear()
    await sign_in(client, account)
    assert "Mes coordonnées" in (await client.get("/accueil")).text
