"""One's coordinates: read, confirmed, assigned to uses; nothing in use vanishes silently, nothing leaks."""

import asyncio
import html
import json
import re

import httpx
import pytest
from sqlalchemy import func, select, update

from accounts.api import USES, Reach, reach, reaches
from accounts.models import Account, AccountHistory
from accounts.models_coordinates import Coordinate, CoordinateUse
from core.db import unit_of_work
from tests.accounts.doors import follow, link_in, mailed
from tests.accounts.helpers import form_token, make_account, sign_in, signed_in, submit
from tests.conftest import Later
from tests.smtp import SmtpSink

PAGE = "/coordonnees"
NOBODY = "00000000-0000-4000-8000-000000000000"


async def _add(client: httpx.AsyncClient, kind: str, value: str) -> httpx.Response:
    return await submit(client, PAGE, f"{PAGE}/ajouter", {"type": kind, kind: value})


async def _rows(account: Account) -> list[Coordinate]:
    async with unit_of_work() as session:
        return list(
            await session.scalars(select(Coordinate).where(Coordinate.account_id == account.id).order_by(Coordinate.id))
        )


def _form(page: str) -> dict[str, str]:
    """Return the form of uses as the page holds it."""
    form = page[page.index('action="/coordonnees/usages"') :]
    found = {"version": re.findall(r'name="version" value="(\d+)"', form)[0]}
    for name, options in re.findall(r'<select[^>]* name="([a-z-]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.findall(r'value="([^"]*)" selected', options)
        found[name] = chosen[0] if chosen else ""
    return found


async def _assign(client: httpx.AsyncClient, **chosen: object) -> httpx.Response:
    form = _form((await client.get(PAGE)).text) | {name.replace("_", "-"): str(uid) for name, uid in chosen.items()}
    return await submit(client, PAGE, f"{PAGE}/usages", form)


async def _reach(account: Account, use: str) -> Reach:
    async with unit_of_work() as session:
        return await reach(session, account.id, use)


async def test_coordinates_are_added_as_they_are_kept(client: httpx.AsyncClient, smtp_sink: SmtpSink) -> None:
    account = await signed_in(client)
    for kind, given in (
        ("address", "  12 bis, rue de l’Église \n 78200 Mantes-la-Jolie "),
        ("email", "Anne@Cabinet.EXEMPLE.fr"),
        ("mobile", "06 39 98 12 34"),
        ("mobile", "+590 690 30 12 34"),
        ("mobile", "06 90 30 12 35"),
        ("phone", "01.99.00.12.34"),
    ):
        done = await _add(client, kind, given)
        assert done.status_code == 303, (kind, given, done.text)
    assert [(row.kind, row.value) for row in await _rows(account)] == [
        ("address", "12 bis, rue de l’Église 78200 Mantes-la-Jolie"),
        ("email", "Anne@cabinet.exemple.fr"),
        ("mobile", "+33639981234"),
        ("mobile", "+590690301234"),
        ("mobile", "+590690301235"),
        ("phone", "+33199001234"),
    ]
    page = html.unescape((await client.get(PAGE)).text)
    assert "12 bis, rue de l’Église 78200 Mantes-la-Jolie" in page
    assert "à confirmer" in page


REFUSED = [
    ("address", ""),
    ("address", "7" * 30),
    ("address", "rue " * 80),
    ("email", ""),
    ("email", "anne@"),
    ("email", "anne@exemple.fr\nBcc: x@y.fr"),
    ("mobile", "01 99 00 12 34"),
    ("mobile", "12"),
    ("mobile", "<script>"),
    ("phone", "06 39 98 12 34"),
    ("phone", ""),
    ("phone", "\x00"),
]


async def test_what_is_refused_is_said_at_its_field_and_kept(client: httpx.AsyncClient) -> None:
    account = await signed_in(client)
    for kind, given in REFUSED:
        refused = await _add(client, kind, given)
        assert refused.status_code == 422, (kind, given)
        assert f'id="{kind}-erreur"' in refused.text, (kind, given)
        assert f'href="#{kind}"' in refused.text
        assert "<script>" not in refused.text.partition("<main")[2]
        if given.isprintable():
            assert f'value="{html.escape(given, quote=False)}"' in refused.text, given
    assert (await submit(client, PAGE, f"{PAGE}/ajouter", {"type": "fax", "fax": "1"})).status_code == 422
    assert await _rows(account) == []


async def test_ten_of_a_kind_and_none_twice_even_at_once(client: httpx.AsyncClient) -> None:
    account = await signed_in(client)
    for number in range(8):
        await _add(client, "mobile", f"06 39 98 00 0{number}")
    twice = await _add(client, "mobile", "+33 6 39 98 00 07")
    assert twice.status_code == 422
    assert "Vous avez déjà cette coordonnée" in twice.text
    token = form_token((await client.get(PAGE)).text)
    answers = await asyncio.gather(
        *(
            client.post(f"{PAGE}/ajouter", data={"_csrf": token, "type": "mobile", "mobile": f"06 39 98 01 0{number}"})
            for number in range(5)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [303, 303, 422, 422, 422]
    assert len(await _rows(account)) == 10


async def test_an_email_serves_once_its_link_was_opened(
    client: httpx.AsyncClient, smtp_sink: SmtpSink, later: Later
) -> None:
    account = await signed_in(client)
    assert (await _add(client, "email", "cabinet@exemple.fr")).headers["location"] == f"{PAGE}?fait=mail"
    (row,) = await _rows(account)
    refused = await _assign(client, annonces_email=row.uid)
    assert refused.status_code == 422
    assert 'id="annonces-email-erreur"' in refused.text
    assert await _reach(account, "annonces") == Reach()
    (first,) = await mailed(smtp_sink, "cabinet@exemple.fr")
    await submit(client, PAGE, f"{PAGE}/{row.uid}/renvoyer", {})
    *_, second = await mailed(smtp_sink, "cabinet@exemple.fr")
    replaced = await client.get(link_in(first))
    assert replaced.status_code == 410
    assert "remplacé" in replaced.text
    # Reading a link proves nothing: programs that read mails open every address.
    assert (await client.get(link_in(second))).status_code == 200
    assert (await _rows(account))[0].confirmed_at is None
    assert "validée" in (await follow(client, link_in(second))).text
    assert (await follow_again(client, link_in(second))).status_code == 200
    done = await _assign(client, annonces_email=row.uid, ordre_email=row.uid)
    assert done.headers["location"] == f"{PAGE}?fait=usages"
    assert (await _reach(account, "annonces")).email == "cabinet@exemple.fr"
    assert (await _reach(account, "ordre")).email == "cabinet@exemple.fr"
    await _add(client, "email", "autre@exemple.fr")
    (third,) = await mailed(smtp_sink, "autre@exemple.fr")
    await later("25 hours")
    assert "expiré" in (await client.get(link_in(third))).text


async def follow_again(client: httpx.AsyncClient, link: str) -> httpx.Response:
    """Open a link that was used."""
    return await client.get(link)


async def test_the_link_of_an_address_that_was_deleted_or_changed_opens_nothing(
    client: httpx.AsyncClient, smtp_sink: SmtpSink
) -> None:
    account = await signed_in(client)
    await _add(client, "email", "un@exemple.fr")
    await _add(client, "email", "deux@exemple.fr")
    one, two = await _rows(account)
    (first,), (second,) = await mailed(smtp_sink, "un@exemple.fr"), await mailed(smtp_sink, "deux@exemple.fr")
    await submit(client, f"{PAGE}/{one.uid}/supprimer", f"{PAGE}/{one.uid}/supprimer", {"version": "1", "usages": ""})
    await submit(client, f"{PAGE}/{two.uid}", f"{PAGE}/{two.uid}", {"version": "1", "email": "trois@exemple.fr"})
    for mail in (first, second):
        assert (await client.get(link_in(mail))).status_code == 410
    (kept,) = await _rows(account)
    assert (kept.value, kept.confirmed_at) == ("trois@exemple.fr", None)


async def test_mails_to_strangers_are_counted(client: httpx.AsyncClient, smtp_sink: SmtpSink) -> None:
    await signed_in(client)
    for number in range(10):
        await _add(client, "email", f"inconnu{number}@exemple.fr")
    page = (await client.get(PAGE)).text
    uid = re.findall(rf'action="{PAGE}/([0-9a-f-]+)/renvoyer"', page)[0]
    refused = await submit(client, PAGE, f"{PAGE}/{uid}/renvoyer", {})
    assert refused.headers["location"] == f"{PAGE}?fait=attendez"
    await mailed(smtp_sink, "inconnu0@exemple.fr")
    assert len(smtp_sink.messages) == 10


async def test_the_address_of_the_account_needs_no_other_proof_and_serves_the_ordre(
    client: httpx.AsyncClient, smtp_sink: SmtpSink
) -> None:
    account = await make_account(email="Anne.Durand@exemple.fr")
    await sign_in(client, account)
    assert await _reach(account, "ordre") == Reach(), "an address that nobody confirmed is written to by nobody"
    async with unit_of_work() as session:
        await session.execute(
            update(Account).where(Account.id == account.id).values(email_confirmed_at=func.core.now())
        )
    assert await _reach(account, "ordre") == Reach(email="Anne.Durand@exemple.fr")
    assert await _reach(account, "annonces") == Reach()
    await _add(client, "email", "anne.durand@exemple.fr")
    await mailed(smtp_sink, "anne.durand@exemple.fr")
    assert smtp_sink.messages == []
    assert (await _rows(account))[0].confirmed_at is not None


async def test_uses_are_saved_at_once_and_read_in_one_statement(client: httpx.AsyncClient) -> None:
    account = await signed_in(client)
    other = await make_account(email="autre@exemple.fr")
    for kind, value in (("address", "12 rue A, 78200 Mantes"), ("mobile", "0639981234"), ("phone", "0199001234")):
        await _add(client, kind, value)
    address, mobile, phone = await _rows(account)
    await _assign(client, annonces_mobile=mobile.uid, annonces_phone=phone.uid, domicile_address=address.uid)
    assert await _reach(account, "annonces") == Reach(mobile="+33639981234", phone="+33199001234")
    assert await _reach(account, "domicile") == Reach(address="12 rue A, 78200 Mantes")
    assert (await _reach(account, "annonces")).reachable
    assert not (await _reach(account, "domicile")).reachable
    async with unit_of_work() as session:
        found = await reaches(session, [account.id, other.id], "annonces")
        assert found == {account.id: Reach(mobile="+33639981234", phone="+33199001234"), other.id: Reach()}
        assert await reaches(session, [], "ordre") == {}
        with pytest.raises(ValueError, match="fax"):
            await reach(session, account.id, "fax")
    await _assign(client, annonces_mobile="")
    assert await _reach(account, "annonces") == Reach(phone="+33199001234")


async def test_a_stale_page_saves_nothing_and_keeps_what_was_chosen(client: httpx.AsyncClient) -> None:
    account = await signed_in(client)
    await _add(client, "mobile", "0639981234")
    await _add(client, "mobile", "0639981235")
    one, two = await _rows(account)
    old = _form((await client.get(PAGE)).text)
    await _assign(client, annonces_mobile=one.uid)
    stale = await submit(client, PAGE, f"{PAGE}/usages", old | {"annonces-mobile": str(two.uid)})
    assert stale.status_code == 409
    assert _form(stale.text)["annonces-mobile"] == str(two.uid)
    assert await _reach(account, "annonces") == Reach(mobile="+33639981234")
    assert (await submit(client, PAGE, f"{PAGE}/usages", _form(stale.text))).status_code == 303
    assert await _reach(account, "annonces") == Reach(mobile="+33639981235")
    edited = {"version": "1", "mobile": "0639981236"}
    assert (await submit(client, PAGE, f"{PAGE}/{one.uid}", edited)).status_code == 303
    again = await submit(client, PAGE, f"{PAGE}/{one.uid}", {"version": "1", "mobile": "06 39 98 12 37"})
    assert again.status_code == 409
    assert 'value="06 39 98 12 37"' in again.text


async def test_deleting_says_which_uses_lose_it(client: httpx.AsyncClient) -> None:
    account = await signed_in(client)
    await _add(client, "mobile", "0639981234")
    (row,) = await _rows(account)
    where = f"{PAGE}/{row.uid}/supprimer"
    assert "Elle ne sert à rien" in (await client.get(where)).text
    await _assign(client, annonces_mobile=row.uid, ordre_mobile=row.uid)
    # The page that was read said nothing of these uses.
    unaware = await submit(client, where, where, {"version": "1", "usages": ""})
    assert unaware.status_code == 409
    assert "Ordre, Annonces" in unaware.text
    assert len(await _rows(account)) == 1
    done = await submit(client, where, where, {"version": "1", "usages": "ordre,annonces"})
    assert "Ordre, Annonces" in (await client.get(done.headers["location"])).text
    assert await _reach(account, "annonces") == Reach()
    assert (await client.get(where)).status_code == 404


async def test_an_email_that_changes_serves_for_nothing_until_it_is_confirmed(
    client: httpx.AsyncClient, smtp_sink: SmtpSink
) -> None:
    account = await signed_in(client)
    await _add(client, "email", "un@exemple.fr")
    (mail,) = await mailed(smtp_sink, "un@exemple.fr")
    await follow(client, link_in(mail))
    (row,) = await _rows(account)
    await _assign(client, annonces_email=row.uid)
    assert "elle ne sert plus pour" in (await client.get(f"{PAGE}/{row.uid}")).text
    done = await submit(client, f"{PAGE}/{row.uid}", f"{PAGE}/{row.uid}", {"version": "1", "email": "deux@exemple.fr"})
    said = html.unescape((await client.get(done.headers["location"])).text).replace("\u00a0", " ")
    assert "Elle ne sert plus pour : Annonces." in said
    assert await _reach(account, "annonces") == Reach()


async def test_nobody_touches_the_coordinates_of_another(client: httpx.AsyncClient) -> None:
    account = await signed_in(client)
    await _add(client, "mobile", "0639981234")
    (row,) = await _rows(account)
    client.cookies.clear()
    other = await signed_in(client)
    await _add(client, "mobile", "0639981235")
    where = f"{PAGE}/{row.uid}"
    for address in (where, f"{where}/supprimer", f"{PAGE}/{NOBODY}"):
        assert (await client.get(address)).status_code == 404
    for action, values in (
        (where, {"version": "1", "mobile": "0639981299"}),
        (f"{where}/supprimer", {"version": "1", "usages": ""}),
        (f"{where}/renvoyer", {}),
    ):
        assert (await submit(client, PAGE, action, values)).status_code == 404
    assert (await _assign(client, annonces_mobile=row.uid)).status_code == 422
    assert await _reach(other, "annonces") == Reach()
    assert [one.value for one in await _rows(account)] == ["+33639981234"]
    client.cookies.clear()
    gone = await client.get(PAGE, headers={"Accept": "text/html"})
    assert gone.headers["location"].startswith("/connexion")


async def test_it_is_taken_along_and_erased_and_no_history_or_log_holds_it(
    client: httpx.AsyncClient, smtp_sink: SmtpSink, capfd: pytest.CaptureFixture[str]
) -> None:
    account = await signed_in(client, ("professional", "rpps:10101010101"), rpps="10101010101")
    planted = ("canari-rue des Serins", "canari@exemple.fr", "39981279", "99001279")
    for kind, value in (
        ("address", f"1 {planted[0]}"),
        ("email", planted[1]),
        ("mobile", f"06{planted[2]}"),
        ("phone", f"01{planted[3]}"),
    ):
        await _add(client, kind, value)
    rows = {row.kind: row.uid for row in await _rows(account)}
    await follow(client, link_in((await mailed(smtp_sink, planted[1]))[0]))
    await _assign(client, **{f"{use}_{kind}": uid for use in USES for kind, uid in rows.items()})
    journal = (await client.get("/compte/journal")).text
    taken = (await client.get("/compte/donnees.json")).text
    assert all(value in taken for value in planted)
    assert {use for row in json.loads(taken)["coordonnees"]["coordonnees"] for use in row["uses"]} == set(USES)
    async with unit_of_work() as session:
        details = str((await session.scalars(select(AccountHistory.detail))).all())
    captured = capfd.readouterr()
    for text in (journal, details, captured.out, captured.err):
        assert not [value for value in planted if value in text]
    left = await submit(client, "/compte/suppression", "/compte/suppression", {"sure": "oui", "version": "1"})
    assert left.status_code == 303, left.text
    assert await _rows(account) == []
    async with unit_of_work() as session:
        assert await session.scalar(select(func.count()).select_from(CoordinateUse)) == 0
        assert await reach(session, account.id, "ordre") == Reach()
