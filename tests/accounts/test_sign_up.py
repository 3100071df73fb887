"""Signing up: the form, the proof of work, the mail, what a stranger may learn."""

import asyncio
import re

import httpx
import pytest
from sqlalchemy import func, select

from accounts.models import Account
from accounts.models_password import SpentChallenge
from accounts.tidying import tidy
from core.db import unit_of_work
from core.models_mail import Mail
from tests.accounts.doors import FORM, PASSWORD, follow, link_in, mailed, member, open_sign_up, post, sign_up
from tests.accounts.helpers import make_account
from tests.conftest import Later
from tests.smtp import SmtpSink

EMAIL = "anne.durand@exemple.fr"


async def accounts() -> list[Account]:
    async with unit_of_work() as session:
        return list(await session.scalars(select(Account).order_by(Account.id)))


async def test_an_account_opens_once_its_address_is_validated(client: httpx.AsyncClient, smtp_sink: SmtpSink) -> None:
    answer = await sign_up(client)
    assert (answer.status_code, answer.headers["location"]) == (303, "/inscription/envoyee")
    (account,) = await accounts()
    assert (account.status, account.email, account.email_wanted) == ("pending", None, "Anne.Durand@exemple.fr")
    assert account.phone == "+33612345678"
    assert account.password_hash is not None and account.password_hash.startswith("$argon2id$")
    (text,) = await mailed(smtp_sink, "Anne.Durand@exemple.fr")
    assert "Je valide mon adresse mail" in text
    link = link_in(text)
    # A program that reads mails opens the link: nothing happens.
    for _ in range(2):
        assert "Je valide mon adresse mail" in (await client.get(link)).text
    assert (await accounts())[0].status == "pending"
    assert "est validée" in (await follow(client, link)).text
    (account,) = await accounts()
    assert (account.status, account.email, account.email_wanted) == ("active", "Anne.Durand@exemple.fr", None)
    again = await client.get(link)
    assert again.status_code == 200
    assert "déjà validée" in again.text


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("title", "Sire", "Choisissez un titre"),
        ("last_name", "", "Indiquez votre nom"),
        ("last_name", "http://evil.example", "que des lettres"),
        ("first_name", "A" * 81, "trop long"),
        ("first_name", "\0\n", "obligatoire"),
        ("password", "", "Choisissez un mot de passe"),
        ("email", "anne", "forme d’une adresse"),
        ("email", "", "Indiquez votre adresse"),
        ("email_again", "autre@exemple.fr", "pas les mêmes"),
        ("identifier", "12", "11 chiffres"),
        ("identifier", "101010101011", "11 chiffres"),
        ("phone", "00 00", "n’existe pas"),
        ("comment", "é" * 1001, "trop long"),
        ("password", "court", "trop court"),
        ("password", "azertyuiop123456", "devinerait"),
        ("password", "x" * 257, "trop long"),
        ("password", "durand guitare vapeur", "contient votre nom"),
        ("password", "ANNE-DURÀND tournesol vapeur", "contient votre nom"),
        ("password_again", "autre chose", "pas les mêmes"),
        ("terms", "", "conditions"),
    ],
)
async def test_what_is_refused_is_said_at_its_field_and_the_rest_is_kept(
    client: httpx.AsyncClient, field: str, value: str, message: str
) -> None:
    answer = await sign_up(client, **{field: value})
    assert answer.status_code == 422
    summary = answer.text.partition("error-summary")[2].partition("</section>")[0]
    assert f'href="#{field}"' in summary
    assert re.search(rf'id="{field}-erreur".*?{re.escape(message)}', answer.text, re.S)
    assert 'value="Sage-femme"' in answer.text
    assert PASSWORD not in answer.text
    assert await accounts() == []


@pytest.mark.parametrize("name", ["d’Arc", "Le Goff-Ô’Brien", "N'Diaye", "J. Pierre", "Łukasz", "李"])
async def test_names_of_people_are_accepted(client: httpx.AsyncClient, name: str) -> None:
    assert (await sign_up(client, last_name=name)).status_code == 303
    assert (await accounts())[0].last_name == name


@pytest.mark.parametrize(
    ("typed", "rpps", "other"),
    [
        ("10 100 112 228", "10100112228", None),
        ("2A0 12345 6", None, "2A0123456"),
        ("mat-0042", None, "MAT0042"),
    ],
)
async def test_an_identifier_is_declared_and_proves_nothing(
    client: httpx.AsyncClient, typed: str, rpps: str | None, other: str | None
) -> None:
    await sign_up(client, identifier=typed)
    (account,) = await accounts()
    assert (account.rpps, account.rpps_claimed, account.identifier_claimed) == (None, rpps, other)


@pytest.mark.parametrize("typed", ["+590 690 12 34 56", "0690123456", "02 62 20 12 34"])
async def test_phones_of_everywhere_are_known(client: httpx.AsyncClient, typed: str) -> None:
    await sign_up(client, phone=typed)
    (account,) = await accounts()
    assert account.phone is not None and account.phone.startswith(("+590", "+262"))


async def test_a_stranger_does_not_learn_whose_addresses_are_known(
    client: httpx.AsyncClient, smtp_sink: SmtpSink
) -> None:
    await member(email="connue@exemple.fr")
    new, known = [
        await sign_up(client, email=email, email_again=email) for email in ("neuve@exemple.fr", "Connue@exemple.fr")
    ]
    assert (new.status_code, new.headers["location"]) == (known.status_code, known.headers["location"])
    assert len(await accounts()) == 2
    (told,) = await mailed(smtp_sink, "connue@exemple.fr")
    assert "déjà un compte" in told
    assert "jeton" not in told
    for page, action in (("/inscription/renvoyer",) * 2, ("/mot-de-passe-oublie",) * 2):
        answers = [await post(client, page, action, email=email) for email in ("connue@exemple.fr", "nul@exemple.fr")]
        assert {answer.status_code for answer in answers} == {303}
        assert len({answer.headers["location"] for answer in answers}) == 1


async def test_a_proof_of_work_serves_once(client: httpx.AsyncClient) -> None:
    done = await open_sign_up(client)
    assert (await client.post("/inscription", data=done | FORM)).status_code == 303
    again = await client.post("/inscription", data=done | FORM)
    assert again.status_code == 422
    assert "déjà été envoyée" in again.text
    assert len(await accounts()) == 1


async def test_a_double_click_opens_one_account(client: httpx.AsyncClient) -> None:
    done = await open_sign_up(client)
    answers = await asyncio.gather(*(client.post("/inscription", data=done | FORM) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [303, 422, 422]
    assert len(await accounts()) == 1


@pytest.mark.parametrize(
    "forged",
    [
        {"solution": "bm9u"},
        {"solution": "e30="},
        {"solution": "W10=" * 600},
        {"solution": "eyJudW1iZXIiOiAiMSJ9"},
        {"ticket": "a.1.b"},
        {"ticket": ""},
        {"ticket": "é.1.é"},
        {"ticket": "a.99999999999999999999999.b"},
    ],
)
async def test_a_forged_proof_is_refused(client: httpx.AsyncClient, forged: dict[str, str]) -> None:
    answer = await client.post("/inscription", data=await open_sign_up(client) | FORM | forged)
    assert answer.status_code == 422
    assert 'href="#challenge"' in answer.text
    assert await accounts() == []


async def test_a_solution_serves_its_own_page_only(client: httpx.AsyncClient) -> None:
    first, second = await open_sign_up(client), await open_sign_up(client)
    answer = await client.post("/inscription", data=first | FORM | {"solution": second["solution"]})
    assert answer.status_code == 422


async def test_without_scripts_one_waits_a_little_and_not_for_ever(client: httpx.AsyncClient, later: Later) -> None:
    bare = await open_sign_up(client) | {"solution": ""}
    early = await client.post("/inscription", data=bare | FORM)
    assert early.status_code == 422
    assert "attendez" in early.text
    assert bare["ticket"] in early.text, "the wait goes on from the first opening"
    await later("21 seconds")
    assert (await client.post("/inscription", data=bare | FORM)).status_code == 303
    await later("3 hours")
    old = await open_sign_up(client)
    await later("6 hours")
    assert "trop longtemps" in (await client.post("/inscription", data=old | FORM)).text


async def test_sign_ups_without_scripts_are_few(client: httpx.AsyncClient, later: Later) -> None:
    opened = [await open_sign_up(client) | {"solution": ""} for _ in range(6)]
    await later("30 seconds")
    answers = [await client.post("/inscription", data=one | FORM) for one in opened]
    assert [answer.status_code for answer in answers] == [303] * 4 + [422] * 2
    assert "minutes puis renvoyez" in answers[-1].text
    await later("20 minutes")
    assert (await client.post("/inscription", data=opened[-1] | FORM)).status_code == 303


async def test_two_who_name_one_address_wait_each_for_their_link(
    client: httpx.AsyncClient, smtp_sink: SmtpSink
) -> None:
    prepared = [await open_sign_up(client) for _ in range(2)]
    forms = [one | FORM | {"first_name": name} for one, name in zip(prepared, ("Anne", "Autre"), strict=True)]
    answers = await asyncio.gather(*(client.post("/inscription", data=form) for form in forms))
    assert [answer.status_code for answer in answers] == [303, 303]
    texts = await mailed(smtp_sink, "Anne.Durand@exemple.fr")
    mine, other = sorted(texts, key=lambda text: "Autre" in text)
    results = await asyncio.gather(follow(client, link_in(mine)), follow(client, link_in(other)))
    assert sorted(result.status_code for result in results) == [200, 410]
    confirmed = [account for account in await accounts() if account.email]
    assert len(confirmed) == 1
    assert confirmed[0].status == "active"


async def test_a_link_expires_and_is_replaced(client: httpx.AsyncClient, smtp_sink: SmtpSink, later: Later) -> None:
    await sign_up(client, email=EMAIL, email_again=EMAIL)
    (first,) = await mailed(smtp_sink, EMAIL)
    assert (
        await post(client, "/inscription/renvoyer", "/inscription/renvoyer", email=EMAIL.upper())
    ).status_code == 303
    second = (await mailed(smtp_sink, EMAIL))[-1]
    assert link_in(first) != link_in(second)
    replaced = await client.get(link_in(first))
    assert (replaced.status_code, "remplacé" in replaced.text) == (410, True)
    await later("25 hours")
    expired = await follow_refused(client, link_in(second))
    assert (expired.status_code, "a expiré" in expired.text) == (410, True)
    assert (await accounts())[0].status == "pending"


async def follow_refused(client: httpx.AsyncClient, link: str) -> httpx.Response:
    path, _, token = link.partition("?jeton=")
    return await post(client, "/connexion", path, jeton=token)


@pytest.mark.parametrize("token", ["", "x" * 5000, "é", "' OR 1=1 --", "%00"])
async def test_a_foreign_link_leads_nowhere(client: httpx.AsyncClient, token: str) -> None:
    for path in ("/inscription/valider", "/mot-de-passe/nouveau", "/compte/adresse/valider"):
        answer = await client.get(path, params={"jeton": token})
        assert answer.status_code == 410
        assert "ne mène à rien" in answer.text


async def test_nobody_is_flooded_with_links(client: httpx.AsyncClient, smtp_sink: SmtpSink) -> None:
    await sign_up(client, email=EMAIL, email_again=EMAIL)
    for _ in range(8):
        await post(client, "/inscription/renvoyer", "/inscription/renvoyer", email=EMAIL)
    assert len(await mailed(smtp_sink, EMAIL)) == 4


async def test_an_rpps_that_another_account_has_proven_is_refused_with_ways_out(client: httpx.AsyncClient) -> None:
    await make_account(rpps="10100112228")
    answer = await sign_up(client, identifier="10100112228")
    assert answer.status_code == 422
    assert "même numéro RPPS" in answer.text
    for way in ("/connexion", "/mot-de-passe-oublie"):
        assert f'<a href="{way}">' in answer.text
    # Claimed by somebody, it is not theirs.
    assert (await sign_up(client, identifier="10101010101")).status_code == 303
    assert (await sign_up(client, identifier="10101010101", email="b@c.fr", email_again="b@c.fr")).status_code == 303


async def test_sign_ups_that_nobody_confirms_are_erased(client: httpx.AsyncClient, later: Later) -> None:
    await member(email="ancienne@exemple.fr")
    await sign_up(client)
    await later("6 days")
    async with unit_of_work() as session:
        assert (await tidy(session))["sign_ups"] == 0
    await later("8 days")
    async with unit_of_work() as session:
        assert (await tidy(session))["sign_ups"] == 1
        assert await session.scalar(select(func.count()).select_from(SpentChallenge)) == 0
    assert [account.email for account in await accounts()] == ["ancienne@exemple.fr"]


async def test_a_mail_that_opens_something_is_erased_from_the_outbox(
    client: httpx.AsyncClient, smtp_sink: SmtpSink
) -> None:
    await sign_up(client)
    assert await mailed(smtp_sink, "Anne.Durand@exemple.fr")
    async with unit_of_work() as session:
        assert await session.scalar(select(Mail.text)) is None


async def test_a_form_of_another_site_or_too_long_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.post("/inscription", data=FORM)).status_code == 403
    huge = await client.post("/inscription", data=await open_sign_up(client) | FORM | {"comment": "x" * 300_000})
    assert huge.status_code == 413
    assert await accounts() == []


async def test_the_lists_are_offered_and_other_words_are_kept(client: httpx.AsyncClient) -> None:
    from core.db import connect_direct
    from directory import nomenclature

    with connect_direct(autocommit=True) as connection:
        nomenclature.load(connection)
    page = (await client.get("/inscription")).text
    assert '<option value="Masseur-kinésithérapeute">' in page
    await sign_up(client, profession="masseur-kinesitherapeute")
    await sign_up(client, profession="Médiatrice en santé", email="b@c.fr", email_again="b@c.fr")
    assert [a.profession for a in await accounts()] == ["Masseur-kinésithérapeute", "Médiatrice en santé"]


async def test_the_terms_can_be_read(client: httpx.AsyncClient) -> None:
    answer = await client.get("/conditions")
    assert answer.status_code == 200
    assert "Conditions d’utilisation" in answer.text
