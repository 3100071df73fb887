"""The administrator's pages and commands: rights, proofs, closing; never a site without administrator."""

import asyncio
import json
import re
import uuid

import httpx
import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.engine import URL

from accounts import commands
from accounts.api import add_favourite, send_message
from accounts.models import Account, AccountHistory, Grant, SignIn
from accounts.models_delegation import Delegation
from accounts.models_home import Favourite, Message
from accounts.models_support import SupportEntry, SupportRequest
from core.command_line import run
from core.db import unit_of_work
from tests.accounts.helpers import form_token, make_account, sign_in, submit

PAGE = "/administration/comptes"
ADMIN = ("administrator", "")
RPPS = "10101010101"


async def _administrator(client: httpx.AsyncClient, email: str = "claire@example.org") -> Account:
    account = await make_account(ADMIN, name=("Claire", "Dumas"), email=email)
    await sign_in(client, account)
    return account


async def _held(account: Account) -> list[tuple[str, str]]:
    async with unit_of_work() as session:
        rows = await session.execute(
            select(Grant.role, Grant.scope)
            .where(Grant.account_id == account.id, Grant.ended_at.is_(None))
            .order_by(Grant.role, Grant.scope)
        )
        return [tuple(row) for row in rows]  # type: ignore[misc]


async def _version(account: Account) -> str:
    async with unit_of_work() as session:
        return str(await session.scalar(select(Account.version).where(Account.id == account.id)))


async def _do(client: httpx.AsyncClient, account: Account, what: str, **values: str) -> httpx.Response:
    version = values.pop("version", None) or await _version(account)
    return await submit(client, f"{PAGE}/{account.uid}", f"{PAGE}/{account.uid}/{what}", {"version": version, **values})


async def _grant_id(account: Account, role: str) -> str:
    async with unit_of_work() as session:
        return str(await session.scalar(select(Grant.id).where(Grant.account_id == account.id, Grant.role == role)))


async def test_accounts_are_searched_filtered_ordered_and_paged(client: httpx.AsyncClient) -> None:
    await _administrator(client)
    await make_account(("moderator", "council:2A"), name=("Éloïse", "N’Guyen"), email="Eloise@Example.org", rpps=RPPS)
    for turn in range(31):
        await make_account(name=("Zoé", f"Zola{turn:02d}"))
    first = (await client.get(PAGE)).text.replace("\u00a0", " ")
    assert "1 – 30 sur 33" in first
    assert len(re.findall(rf'href="{PAGE}/[0-9a-f-]{{36}}"', first)) == 30
    last = (await client.get(f"{PAGE}?page=2")).text
    assert re.findall(r"Zola\d+", last) == ["Zola28", "Zola29", "Zola30"]
    for address in ("?sens=desc", "?tri=nom&sens=desc"):
        assert re.findall(r"Zola\d+", (await client.get(f"{PAGE}{address}")).text)[0] == "Zola30"
    for words in ("eloise", "n’guyen ELOISE", "eloise@example", RPPS):
        found = (await client.get(PAGE, params={"texte": words})).text
        assert "N’Guyen" in found, words
        assert "Zola" not in found
    assert "Aucun compte dans ce cas" in (await client.get(PAGE, params={"texte": "%"})).text
    moderators = (await client.get(f"{PAGE}?role=moderator")).text
    assert "N’Guyen" in moderators
    assert "Zola" not in moderators
    for wrong in ("role=x", "statut=x", "tri=droits", "page=x"):
        assert (await client.get(f"{PAGE}?{wrong}")).status_code == 422


GIVEN = [
    ("professional", "10 101 010 101", f"rpps:{RPPS}"),
    ("delegate", f"rpps:{RPPS}", f"rpps:{RPPS}"),
    ("site_manager", "780 000 287", "finess:780000287"),
    ("site_manager", "2a0000014", "finess:2A0000014"),
    ("moderator", "78", "council:78"),
    ("moderator", "2b", "council:2B"),
    ("moderator", "council:971", "council:971"),
    ("coordinator", "departement:78", "departement:78"),
    ("coordinator", "2A", "departement:2A"),
    ("agent", "region:11", "region:11"),
    ("administrator", "  ", ""),
]


async def test_a_role_is_given_over_the_scope_that_was_written(client: httpx.AsyncClient, places: None) -> None:
    administrator = await _administrator(client)
    for role, typed, scope in GIVEN:
        account = await make_account()
        done = await _do(client, account, "droits", role=role, portee=typed)
        assert done.headers["location"] == f"{PAGE}/{account.uid}?fait=donne", (role, typed)
        assert await _held(account) == [(role, scope)]
        page = (await client.get(done.headers["location"])).text
        assert "donné par un administrateur (Claire Dumas)" in page
        assert ("Yvelines" in page) == (scope in ("council:78", "departement:78")), scope
        async with unit_of_work() as session:
            grant = await session.scalar(select(Grant).where(Grant.account_id == account.id))
            assert grant is not None
            assert (grant.origin, grant.given_by) == ("administrator", f"account:{administrator.uid}")


REFUSED = [
    ("", "78", "role"),
    ("emperor", "78", "role"),
    ("portal", "", "role"),
    ("professional", "", "portee"),
    ("professional", "1234", "portee"),
    ("site_manager", "78000028", "portee"),
    ("site_manager", "2C0000014", "portee"),
    ("moderator", "20", "portee"),
    ("moderator", "96", "portee"),
    ("moderator", "", "portee"),
    ("coordinator", "departement:99", "portee"),
    ("coordinator", "\x00", "portee"),
    ("agent", "ailleurs", "portee"),
    ("administrator", "78", "portee"),
    ("moderator", "7" * 101, "portee"),
]


async def test_a_wrong_scope_is_refused_at_its_field(client: httpx.AsyncClient, places: None) -> None:
    await _administrator(client)
    account = await make_account()
    for role, typed, field in REFUSED:
        refused = await _do(client, account, "droits", role=role, portee=typed)
        assert refused.status_code == 422, (role, typed)
        assert f'id="{field}-erreur"' in refused.text
        assert f'href="#{field}"' in refused.text
    assert await _held(account) == []


async def test_a_stale_page_gives_nothing_and_keeps_what_was_typed(client: httpx.AsyncClient) -> None:
    await _administrator(client)
    account = await make_account()
    await _do(client, account, "droits", role="moderator", portee="78")
    stale = await _do(client, account, "droits", version="1", role="moderator", portee="91")
    assert stale.status_code == 409
    assert 'value="91"' in stale.text
    assert 'name="version" value="2"' in stale.text
    assert await _held(account) == [("moderator", "council:78")]


async def test_a_right_is_taken_back_at_once_and_its_line_stays(client: httpx.AsyncClient) -> None:
    await _administrator(client)
    account = await make_account(("agent", "region:11"))
    other = await make_account(("agent", "region:11"))
    grant = await _grant_id(account, "agent")
    assert (await _do(client, other, "droits/retirer", droit=grant)).status_code == 404
    assert (await _do(client, account, "droits/retirer", droit=grant)).status_code == 303
    page = (await client.get(f"{PAGE}/{account.uid}")).text
    assert "retiré par Claire Dumas" in page
    await sign_in(client, account)
    assert (await client.get("/assistance/demandes")).status_code == 403


async def test_an_administrator_keeps_their_own_right(client: httpx.AsyncClient) -> None:
    administrator = await _administrator(client)
    await make_account(ADMIN)
    assert "droits/retirer" not in (await client.get(f"{PAGE}/{administrator.uid}")).text
    grant = await _grant_id(administrator, "administrator")
    assert (await _do(client, administrator, "droits/retirer", droit=grant)).status_code == 422
    assert (await _do(client, administrator, "fermer", sur="oui")).status_code == 422
    assert await _held(administrator) == [ADMIN]


async def test_two_administrators_cannot_take_each_other_s_right_at_once(client: httpx.AsyncClient) -> None:
    first = await make_account(ADMIN)
    second = await make_account(ADMIN)

    async def take(actor: Account, target: Account) -> int:
        own = httpx.AsyncClient(transport=client._transport, base_url="http://repere.test")
        await sign_in(own, actor)
        token = form_token((await own.get("/accueil")).text)
        values = {"_csrf": token, "version": "1", "droit": await _grant_id(target, "administrator")}
        answer = await own.post(f"{PAGE}/{target.uid}/droits/retirer", data=values)
        return answer.status_code

    codes = await asyncio.gather(take(first, second), take(second, first))
    assert 303 in codes
    assert len(await _held(first)) + len(await _held(second)) == 1


async def test_a_claimed_rpps_is_confirmed_or_set_aside(client: httpx.AsyncClient) -> None:
    await _administrator(client)
    accounts = [await make_account(name=("A", str(turn))) for turn in range(3)]
    async with unit_of_work() as session:
        await session.execute(
            update(Account).where(Account.id.in_([one.id for one in accounts])).values(rpps_claimed=RPPS)
        )
    assert "déclare le numéro RPPS" in (await client.get(f"{PAGE}/{accounts[0].uid}")).text
    assert (await _do(client, accounts[0], "rpps", action="confirmer")).status_code == 303
    assert await _held(accounts[0]) == [("professional", f"rpps:{RPPS}")]
    taken = await _do(client, accounts[1], "rpps", action="confirmer")
    assert taken.status_code == 422
    assert "Un autre compte a déjà ce numéro" in taken.text
    assert (await _do(client, accounts[2], "rpps", action="ecarter")).status_code == 303
    assert (await _do(client, accounts[2], "rpps", action="confirmer")).status_code == 422
    assert await _held(accounts[2]) == []


async def test_taking_a_professional_s_right_ends_their_delegations(client: httpx.AsyncClient) -> None:
    await _administrator(client)
    professional = await make_account(("professional", f"rpps:{RPPS}"))
    delegate = await make_account(("delegate", f"rpps:{RPPS}"))
    async with unit_of_work() as session:
        session.add(
            Delegation(
                rpps=RPPS,
                professional_id=professional.id,
                delegate_id=delegate.id,
                state="accepted",
                expires_at=func.core.now(),
            )
        )
    grant = await _grant_id(professional, "professional")
    assert (await _do(client, professional, "droits/retirer", droit=grant)).status_code == 303
    assert await _held(delegate) == []
    async with unit_of_work() as session:
        assert await session.scalar(select(Delegation.state)) == "ended"


async def test_every_device_of_an_account_is_signed_out(client: httpx.AsyncClient) -> None:
    administrator = await _administrator(client)
    account = await make_account()
    async with httpx.AsyncClient(transport=client._transport, base_url="http://repere.test") as other:
        await sign_in(other, account)
        assert (await other.get("/accueil")).status_code == 200
        assert (await _do(client, account, "deconnecter")).status_code == 303
        assert (await other.get("/accueil")).status_code == 401
    assert (await _do(client, administrator, "deconnecter")).status_code == 303
    assert (await client.get(PAGE)).status_code == 200


async def test_a_closed_account_leaves_no_name_and_no_right(client: httpx.AsyncClient) -> None:
    await _administrator(client)
    account = await make_account(("professional", f"rpps:{RPPS}"), name=("Canari", "Jaune"), email="canari@example.org")
    delegate = await make_account(("delegate", f"rpps:{RPPS}"))
    async with httpx.AsyncClient(transport=client._transport, base_url="http://repere.test") as own:
        await sign_in(own, account)
        await submit(own, "/assistance", "/assistance", {"objet": "other", "texte": "x", "email": "canari@example.org"})
        await submit(own, "/compte/delegations", "/compte/delegations/inviter", {"email": "b@example.org"})
    async with unit_of_work() as session:
        await add_favourite(session, account.id, "offer", "a")
        await send_message(session, account.id, kind="k", key="1", subject="Canari")
    unsure = await _do(client, account, "fermer")
    assert unsure.status_code == 422
    assert 'href="#sur"' in unsure.text
    assert (await _do(client, account, "fermer", sur="oui")).status_code == 303
    assert await _held(account) == []
    assert await _held(delegate) == []
    async with unit_of_work() as session:
        for table in (Account, SupportRequest, SupportEntry, Delegation, Favourite, Message):
            whole = select(func.to_jsonb(text(f'"{table.__tablename__}"'))).select_from(table)
            shown = json.dumps((await session.scalars(whole)).all(), default=str).lower()
            assert "canari" not in shown, table
            assert "jaune" not in shown, table
        open_sign_ins = select(func.count()).where(SignIn.ended_at.is_(None), SignIn.account_id == account.id)
        assert await session.scalar(open_sign_ins) == 0
    page = await client.get(f"{PAGE}/{account.uid}")
    assert "Compte fermé" in page.text
    assert (await _do(client, account, "droits", role="administrator")).status_code == 409
    assert (await client.get(f"{PAGE}?statut=closed")).text.count("Compte fermé") == 1
    assert (await client.get(f"{PAGE}/{uuid.uuid4()}")).status_code == 404


async def test_the_history_comes_thirty_lines_a_page(client: httpx.AsyncClient) -> None:
    await _administrator(client)
    account = await make_account()
    async with unit_of_work() as session:
        for turn in range(31):
            session.add(AccountHistory(account_id=account.id, actor=f"robot {turn}.", action="signed_in"))
    assert "robot 0." not in (await client.get(f"{PAGE}/{account.uid}")).text.lower()
    assert "robot 0." in (await client.get(f"{PAGE}/{account.uid}?page=2")).text.lower()


def _command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    from cli import assemble

    code = run(assemble(), ["accounts", *arguments])
    shown = capsys.readouterr()
    return code, (shown.out + shown.err).replace("\u00a0", " ")


def test_the_first_administrator_is_made_without_any_page(
    clean_database: URL, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands.app.info.name == "accounts"
    code, said = _command(capsys, "grant", "claire@example.org", "administrator")
    assert (code, "--create" in said) == (1, True)
    code, said = _command(capsys, "grant", "Claire@example.org", "administrator", "--create", "--last-name", "Dumas")
    assert (code, "créé" in said) == (0, True)
    code, said = _command(capsys, "grant", "claire@EXAMPLE.org", "moderator", "2a")
    assert (code, "créé" in said) == (0, False)
    code, said = _command(capsys, "list", "--json")
    assert json.loads(said) == {
        "total": 1,
        "accounts": [
            {
                "email": "Claire@example.org",
                "name": "Dumas",
                "status": "active",
                "rights": ["administrator", "moderator council:2A"],
            }
        ],
    }
    assert "1 sur 1 compte." in _command(capsys, "list", "dumas")[1]
    assert "0 sur 0 compte." in _command(capsys, "list", "--role", "agent")[1]
    assert _command(capsys, "list", "--role", "emperor")[0] == 1
    assert _command(capsys, "grant", "claire@example.org", "portal")[0] == 1
    assert _command(capsys, "grant", "pas une adresse", "administrator")[0] == 1
    assert _command(capsys, "grant", "claire@example.org", "moderator", "99")[0] == 1
    code, said = _command(capsys, "revoke", "claire@example.org", "administrator")
    assert (code, "dernier administrateur" in said) == (1, True)
    assert _command(capsys, "revoke", "claire@example.org", "agent", "region:11")[0] == 1
    assert _command(capsys, "revoke", "claire@example.org", "administrator", "--last")[0] == 0
    assert _command(capsys, "revoke", "claire@example.org", "administrator", "--last")[0] == 1
