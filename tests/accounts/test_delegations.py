"""Delegations: inviting by mail, asking by RPPS, accepting, ending; nobody learns who has an account."""

import re

import httpx
import pytest
from sqlalchemy import func, select, text, update

from accounts.models import Account, AccountHistory, Grant
from accounts.models_delegation import Delegation, DelegationPassage
from core.db import unit_of_work
from core.models_mail import Mail
from tests.accounts.helpers import make_account, sign_in, submit

PAGE = "/compte/delegations"
RPPS = "10101010101"
MINE = ("professional", f"rpps:{RPPS}")


async def _confirmed(*grants: tuple[str, str], name: tuple[str, str], email: str, rpps: str | None = None) -> Account:
    account = await make_account(*grants, name=name, email=email, rpps=rpps)
    async with unit_of_work() as session:
        await session.execute(
            update(Account).where(Account.id == account.id).values(email_confirmed_at=func.core.now())
        )
    return account


async def _professional() -> Account:
    return await _confirmed(MINE, name=("Olivier", "Martin"), email="olivier@example.org", rpps=RPPS)


async def _secretary() -> Account:
    return await _confirmed(name=("Camille", "Aubert"), email="Camille@example.org")


async def _mail(kind: str) -> Mail | None:
    async with unit_of_work() as session:
        found: Mail | None = await session.scalar(select(Mail).where(Mail.kind == kind).order_by(Mail.id.desc()))
        return found


async def _link() -> str:
    mail = await _mail("accounts.delegation_invited")
    assert mail is not None
    found = re.search(r"(/compte/delegations/invitation/\S+)", mail.text or "")
    assert found
    return found[1]


async def _rows() -> list[Delegation]:
    async with unit_of_work() as session:
        return list(await session.scalars(select(Delegation).order_by(Delegation.id)))


async def _live() -> list[tuple[int, str, str]]:
    async with unit_of_work() as session:
        rows = await session.scalars(
            select(Grant).where(Grant.role == "delegate", Grant.ended_at.is_(None)).order_by(Grant.id)
        )
        return [(row.account_id, row.scope, row.origin) for row in rows]


async def _answer(client: httpx.AsyncClient, row: Delegation, action: str, version: int = 1) -> httpx.Response:
    values = {"action": action, "version": str(version)}
    return await submit(client, PAGE, f"{PAGE}/repondre/{row.uid}", values)


async def test_an_invitation_is_accepted_by_its_link_and_the_right_follows_at_once(client: httpx.AsyncClient) -> None:
    professional, secretary = await _professional(), await _secretary()
    await sign_in(client, professional)
    sent = await submit(client, PAGE, f"{PAGE}/inviter", {"email": "autre.boite@example.org"})
    assert sent.headers["location"] == f"{PAGE}?fait=invitee"
    assert "autre.boite@example.org" in (await client.get(PAGE)).text
    link = await _link()
    assert "Cette invitation est la vôtre" in (await client.get(link)).text
    assert (await submit(client, link, link, {"action": "accept"})).status_code == 403
    client.cookies.clear()
    asked = await client.get(link, headers={"Accept": "text/html"})
    assert asked.headers["location"].startswith("/connexion?suite=%2Fcompte%2Fdelegations%2Finvitation")
    await sign_in(client, secretary)
    assert "Olivier Martin vous invite" in (await client.get(link)).text
    accepted = await submit(client, link, link, {"action": "accept"})
    assert accepted.headers["location"] == f"{PAGE}?fait=accepted"
    assert await _live() == [(secretary.id, f"rpps:{RPPS}", "professional")]
    assert (await client.get(link)).status_code == 404
    async with unit_of_work() as session:
        given = await session.scalar(select(Grant.given_by).where(Grant.role == "delegate"))
        actors = (await session.scalars(select(DelegationPassage.actor).order_by(DelegationPassage.id))).all()
    assert given == f"account:{professional.uid}"
    assert actors == [f"account:{professional.uid}", f"account:{secretary.uid}"]
    answered = await _mail("accounts.delegation_accepted")
    assert answered is not None
    assert answered.recipient == "olivier@example.org"
    assert answered.subject == "Camille Aubert tient désormais votre fiche à jour"
    await sign_in(client, professional)
    page = (await client.get(PAGE)).text
    assert "Camille Aubert" in page
    droit = re.search(r'name="droit" value="(\d+)"', page)
    assert droit
    for _ in range(2):
        ended = await submit(client, PAGE, f"{PAGE}/terminer", {"droit": droit[1]})
        assert ended.headers["location"] == f"{PAGE}?fait=ended"
    assert await _live() == []
    assert [row.state for row in await _rows()] == ["ended"]
    await sign_in(client, secretary)
    assert "Olivier Martin a mis fin à une délégation" in (await client.get("/accueil")).text


async def test_an_invited_person_who_has_an_account_answers_from_it(client: httpx.AsyncClient) -> None:
    professional, secretary = await _professional(), await _secretary()
    stranger = await _confirmed(name=("Paul", "Petit"), email="paul@example.org")
    await sign_in(client, professional)
    await submit(client, PAGE, f"{PAGE}/inviter", {"email": "camille@EXAMPLE.org"})
    row = (await _rows())[0]
    assert (await _answer(client, row, "accept")).status_code == 403
    await sign_in(client, stranger)
    assert (await _answer(client, row, "accept")).status_code == 404
    await sign_in(client, secretary)
    assert "Olivier Martin vous invite" in (await client.get("/accueil")).text
    assert (await _answer(client, row, "accept", 7)).status_code == 409
    assert (await _answer(client, row, "refuse")).headers["location"] == f"{PAGE}?fait=refused"
    assert await _live() == []
    assert (await _answer(client, row, "accept", 2)).status_code == 404


async def test_an_unconfirmed_address_answers_no_invitation(client: httpx.AsyncClient) -> None:
    professional = await _professional()
    liar = await make_account(email="camille@example.org")
    await sign_in(client, professional)
    await submit(client, PAGE, f"{PAGE}/inviter", {"email": "camille@example.org"})
    await sign_in(client, liar)
    assert "vous invite" not in (await client.get(PAGE)).text
    assert (await _answer(client, (await _rows())[0], "accept")).status_code == 404


async def test_a_delegate_asks_by_rpps_and_the_professional_answers(client: httpx.AsyncClient) -> None:
    professional, secretary = await _professional(), await _secretary()
    await sign_in(client, secretary)
    sent = await submit(client, PAGE, f"{PAGE}/demander", {"rpps": "10 101 010 101"})
    assert sent.headers["location"] == f"{PAGE}?fait=demandee"
    row = (await _rows())[0]
    assert (await _answer(client, row, "accept")).status_code == 403
    mail = await _mail("accounts.delegation_requested")
    assert mail is not None
    assert mail.recipient == "olivier@example.org"
    await sign_in(client, professional)
    assert "Camille Aubert" in (await client.get(PAGE)).text
    assert (await _answer(client, row, "accept")).status_code == 303
    assert await _live() == [(secretary.id, f"rpps:{RPPS}", "professional")]
    await sign_in(client, secretary)
    again = await submit(client, PAGE, f"{PAGE}/demander", {"rpps": RPPS})
    assert again.status_code == 422
    droit = re.search(r'name="droit" value="(\d+)"', (await client.get(PAGE)).text)
    assert droit
    await submit(client, PAGE, f"{PAGE}/terminer", {"droit": droit[1]})
    assert await _live() == []
    stranger = await _confirmed(name=("Paul", "Petit"), email="paul@example.org")
    await sign_in(client, stranger)
    assert (await submit(client, PAGE, f"{PAGE}/terminer", {"droit": droit[1]})).status_code == 404


async def test_nobody_learns_who_has_an_account(client: httpx.AsyncClient) -> None:
    professional, secretary = await _professional(), await _secretary()

    def neutral(page: str, known: str, unknown: str) -> str:
        plain = re.sub(r"[0-9a-f]{64}|[0-9a-f-]{36}", "#", page)
        return plain.replace(known, "@").replace(unknown, "@")

    await sign_in(client, professional)
    shown = []
    for email in ("camille@example.org", "nobody@example.org"):
        answer = await submit(client, PAGE, f"{PAGE}/inviter", {"email": email})
        page = (await client.get(answer.headers["location"])).text
        shown.append((answer.status_code, neutral(page, "camille@example.org", "nobody@example.org")))
        await _answer(client, (await _rows())[-1], "cancel")
    assert shown[0][0] == shown[1][0] == 303
    # The second page also has the first invitation, withdrawn, in its history.
    assert shown[0][1].count("@") > 0
    assert shown[1][1].replace("\n", "").startswith(shown[0][1].replace("\n", "")[:2000])
    await sign_in(client, secretary)
    pages = []
    for rpps in (RPPS, "10999999999"):
        answer = await submit(client, PAGE, f"{PAGE}/demander", {"rpps": rpps})
        page = (await client.get(answer.headers["location"])).text
        assert f"RPPS {rpps}" in page
        pages.append(neutral(page, RPPS, "10999999999"))
        await _answer(client, (await _rows())[-1], "cancel")
        async with unit_of_work() as session:
            await session.execute(text("TRUNCATE accounts.delegation CASCADE"))
    assert pages[0] == pages[1]


async def test_what_cannot_be_asked_is_said_at_its_field(client: httpx.AsyncClient) -> None:
    professional, secretary = await _professional(), await _secretary()
    await sign_in(client, professional)
    for email in ("", "pas une adresse", "OLIVIER@example.org"):
        answer = await submit(client, PAGE, f"{PAGE}/inviter", {"email": email})
        assert answer.status_code == 422, email
        assert 'id="email-erreur"' in answer.text
    await submit(client, PAGE, f"{PAGE}/inviter", {"email": "a@example.org"})
    twice = await submit(client, PAGE, f"{PAGE}/inviter", {"email": "A@example.org"})
    assert twice.status_code == 422
    assert 'value="A@example.org"' in twice.text
    assert (await submit(client, PAGE, f"{PAGE}/demander", {"rpps": RPPS})).status_code == 422
    await sign_in(client, secretary)
    assert (await submit(client, PAGE, f"{PAGE}/inviter", {"email": "b@example.org"})).status_code == 403
    for rpps in ("", "123", "1010101010a", "١٠١٠١٠١٠١٠١", "1" * 5000):
        answer = await submit(client, PAGE, f"{PAGE}/demander", {"rpps": rpps})
        assert answer.status_code == 422, rpps
        assert 'id="rpps-erreur"' in answer.text


async def test_what_waits_expires_and_can_be_asked_again(client: httpx.AsyncClient) -> None:
    professional, secretary = await _professional(), await _secretary()
    await sign_in(client, professional)
    await submit(client, PAGE, f"{PAGE}/inviter", {"email": "camille@example.org"})
    link = await _link()
    async with unit_of_work() as session:
        await session.execute(update(Delegation).values(expires_at=func.core.now()))
    await sign_in(client, secretary)
    assert (await client.get(link)).status_code == 404
    assert (await _answer(client, (await _rows())[0], "accept")).status_code == 404
    await sign_in(client, professional)
    assert (await submit(client, PAGE, f"{PAGE}/inviter", {"email": "camille@example.org"})).status_code == 303
    assert [row.state for row in await _rows()] == ["expired", "invited"]


async def test_both_ask_at_once_and_one_right_is_given(client: httpx.AsyncClient) -> None:
    professional, secretary = await _professional(), await _secretary()
    await sign_in(client, secretary)
    await submit(client, PAGE, f"{PAGE}/demander", {"rpps": RPPS})
    await sign_in(client, professional)
    await submit(client, PAGE, f"{PAGE}/inviter", {"email": "camille@example.org"})
    link = await _link()
    await sign_in(client, secretary)
    await submit(client, link, link, {"action": "accept"})
    assert len(await _live()) == 1
    assert [row.state for row in await _rows()] == ["ended", "accepted"]


@pytest.mark.parametrize("form", ["inviter", "demander"])
async def test_too_many_wait_at_once(client: httpx.AsyncClient, form: str) -> None:
    await sign_in(client, await (_professional() if form == "inviter" else _secretary()))
    values = [{"email": f"p{n}@example.org", "rpps": f"1{n:010d}"} for n in range(21)]
    for value in values[:20]:
        assert (await submit(client, PAGE, f"{PAGE}/{form}", value)).status_code == 303
    refused = await submit(client, PAGE, f"{PAGE}/{form}", values[20])
    assert refused.status_code == 429
    assert values[20]["email" if form == "inviter" else "rpps"] in refused.text


async def test_a_delegate_writes_under_their_own_name(client: httpx.AsyncClient) -> None:
    professional, secretary = await _professional(), await _secretary()
    await sign_in(client, secretary)
    await submit(client, PAGE, f"{PAGE}/demander", {"rpps": RPPS})
    await sign_in(client, professional)
    await _answer(client, (await _rows())[0], "accept")
    async with unit_of_work() as session:
        lines = (
            await session.execute(
                select(AccountHistory.account_id, AccountHistory.actor).where(AccountHistory.action == "granted")
            )
        ).all()
    assert (secretary.id, f"account:{professional.uid}") in [tuple(line) for line in lines]
