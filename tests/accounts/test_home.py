"""The home of services: what a person may use, what they keep on top, what they are told."""

import asyncio
import re

import httpx
import pytest

from accounts.api import add_favourite, favourites, note_favourite, raise_favourite, remove_favourite, send_message
from accounts.person import Person, cookie_name, known
from accounts.registry import Service, add_service, everybody
from accounts.support import annotate
from core import personal
from core.db import unit_of_work
from core.errors import InvalidInput, NotFound
from tests.accounts.helpers import form_token, make_account, sign_in, signed_in, submit

EMPTY = "Vous n’avez pas de service favori."


def _order(page: str, *titles: str) -> list[str]:
    return sorted(titles, key=lambda title: page.index(f'<span class="service-title">{title}</span>'))


async def test_the_star_keeps_a_service_on_top_and_lets_it_go(client: httpx.AsyncClient) -> None:
    await signed_in(client)
    page = (await client.get("/accueil")).text
    assert EMPTY in page
    assert _order(page, "Aide", "Rechercher une offre") == ["Rechercher une offre", "Aide"]
    for _ in range(2):
        kept = await submit(client, "/accueil", "/accueil/favoris", {"service": "aide", "action": "garder"})
        assert kept.headers["location"] == "/accueil"
    page = (await client.get("/accueil")).text
    assert EMPTY not in page
    assert _order(page, "Aide", "Rechercher une offre") == ["Aide", "Rechercher une offre"]
    await submit(client, "/accueil", "/accueil/favoris", {"service": "rechercher", "action": "garder"})
    await submit(client, "/accueil", "/accueil/favoris", {"service": "rechercher", "action": "monter"})
    page = (await client.get("/accueil")).text
    assert _order(page, "Aide", "Rechercher une offre") == ["Rechercher une offre", "Aide"]
    for key in ("aide", "aide", "rechercher"):
        await submit(client, "/accueil", "/accueil/favoris", {"service": key, "action": "retirer"})
    assert EMPTY in (await client.get("/accueil")).text


async def test_htmx_is_given_the_list_alone(client: httpx.AsyncClient) -> None:
    await signed_in(client)
    token = form_token((await client.get("/accueil")).text)
    values = {"_csrf": token, "service": "aide", "action": "garder"}
    answer = await client.post("/accueil/favoris", data=values, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<div id="services">')
    assert 'aria-pressed="true"' in answer.text


@pytest.mark.parametrize(
    ("service", "action"), [("comptes", "garder"), ("", "garder"), ("x" * 5000, "garder"), ("aide", "brûler")]
)
async def test_only_a_service_that_is_open_to_them_is_kept(
    client: httpx.AsyncClient, service: str, action: str
) -> None:
    account = await signed_in(client)
    answer = await submit(client, "/accueil", "/accueil/favoris", {"service": service, "action": action})
    assert answer.status_code in (404, 422)
    async with unit_of_work() as session:
        assert await favourites(session, account.id, "service") == []


async def test_a_favourite_is_put_before_another_or_kept_where_it_falls(client: httpx.AsyncClient) -> None:
    await signed_in(client)

    async def place(service: str, before: str, action: str = "placer") -> list[str]:
        given = {"service": service, "action": action, "avant": before}
        assert (await submit(client, "/accueil", "/accueil/favoris", given)).status_code == 303
        kept = (await client.get("/accueil")).text.partition('id="autres"')[0]
        return re.findall('data-service="([^"]+)"', kept)

    assert await place("aide", "") == ["aide"]
    assert await place("compte", "") == ["aide", "compte"]
    assert await place("favoris", "aide") == ["favoris", "aide", "compte"]
    assert await place("compte", "aide") == ["favoris", "compte", "aide"]
    assert await place("favoris", "inconnu") == ["compte", "aide", "favoris"]
    assert await place("aide", "aide") == ["compte", "aide", "favoris"]
    assert await place("aide", "favoris", "retirer") == ["compte", "favoris"]


async def test_a_favourite_whose_right_has_gone_is_not_shown(client: httpx.AsyncClient) -> None:
    account = await signed_in(client)
    async with unit_of_work() as session:
        await add_favourite(session, account.id, "service", "comptes")
    page = (await client.get("/accueil")).text
    assert EMPTY in page
    assert "Comptes et droits" not in page


async def test_two_tabs_never_give_two_favourites_one_position(client: httpx.AsyncClient) -> None:
    account = await make_account()

    async def add(ref: str) -> bool:
        async with unit_of_work() as session:
            return await add_favourite(session, account.id, "offer", ref)

    added = await asyncio.gather(*(add(ref) for ref in ("a", "b", "a", "c", "a")))
    assert sum(added) == 3
    async with unit_of_work() as session:
        kept = [one.ref for one in await favourites(session, account.id, "offer")]
        assert sorted(kept) == ["a", "b", "c"]
        for _ in range(3):
            await raise_favourite(session, account.id, "offer", kept[2])
        await raise_favourite(session, account.id, "offer", "elsewhere")
        found = [one.ref for one in await favourites(session, account.id, "offer")]
        assert found == [kept[2], kept[0], kept[1]]


async def test_a_note_belongs_to_its_owner_and_goes_with_the_favourite(client: httpx.AsyncClient) -> None:
    mine, other = await make_account(), await make_account()
    async with unit_of_work() as session:
        for account in (mine, other):
            await add_favourite(session, account.id, "offer", "a")
        await note_favourite(session, mine.id, "offer", "a", "  prend les enfants ")
        assert (await favourites(session, mine.id, "offer"))[0].note == "prend les enfants"
        assert (await favourites(session, other.id, "offer"))[0].note == ""
        with pytest.raises(InvalidInput):
            await note_favourite(session, mine.id, "offer", "a", "x" * 2001)
        await remove_favourite(session, mine.id, "offer", "a")
        with pytest.raises(NotFound):
            await note_favourite(session, mine.id, "offer", "a", "")


async def test_a_package_cannot_take_the_key_of_another_s_page() -> None:
    with pytest.raises(ValueError, match="aide"):
        add_service(Service("aide", "Aide", "", "/ailleurs", "star", everybody))
    with pytest.raises(ValueError, match="Mal Dit"):
        add_service(Service("Mal Dit", "Aide", "", "/ailleurs", "star", everybody))


async def test_messages_are_sent_once_counted_read_and_never_another_s(client: httpx.AsyncClient) -> None:
    account = await signed_in(client)
    other = await make_account()
    async with unit_of_work() as session:
        for _ in range(2):
            await send_message(session, account.id, kind="k", key="1", subject="Premier <b>", link="/aide")
        assert await send_message(session, account.id, kind="k", key="2", subject="Second")
        await send_message(session, other.id, kind="k", key="1", subject="Secret")
    page = (await client.get("/aide")).text
    assert "Mes services (2<span" in page
    assert "Premier &lt;b&gt;" in (await client.get("/accueil")).text
    listed = (await client.get("/messages")).text
    assert listed.index("Second") < listed.index("Premier")
    assert "Secret" not in listed
    uid = listed.split("/messages/")[-1].split("/lu")[0]
    opened = await submit(client, "/messages", f"/messages/{uid}/lu", {"ouvrir": "1"})
    assert opened.headers["location"] == "/aide"
    unread = (await client.get("/messages?montrer=non-lus")).text
    assert "Second" in unread
    assert "Premier" not in unread
    await submit(client, "/messages", "/messages/lus", {})
    assert "Mes services</a>" in (await client.get("/aide")).text
    assert "Vous avez tout lu." in (await client.get("/messages?montrer=non-lus")).text
    await sign_in(client, other)
    stolen = await submit(client, "/messages", f"/messages/{uid}/lu", {"ouvrir": "1"})
    assert stolen.status_code == 404


async def test_messages_come_thirty_a_page_and_the_count_stops_at_99(client: httpx.AsyncClient) -> None:
    account = await signed_in(client)
    async with unit_of_work() as session:
        for key in range(101):
            await send_message(session, account.id, kind="k", key=str(key), subject=f"Message {key}.")
    first = (await client.get("/messages")).text
    assert "Mes services (99+<span" in first
    assert first.count('class="message-unread"') == 30
    last = (await client.get("/messages?page=4")).text
    assert "Message 0." in last
    assert last.count('class="message-unread"') == 11
    assert (await client.get("/messages?page=900")).text.count('class="message-unread"') == 11
    assert (await client.get("/messages?page=zéro")).status_code == 422


async def test_a_message_only_leads_to_a_page_of_ours(client: httpx.AsyncClient) -> None:
    account = await make_account()
    async with unit_of_work() as session:
        for link in ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
            with pytest.raises(ValueError, match=r"evil|alert"):
                await send_message(session, account.id, kind="k", key=link, subject="x", link=link)


async def test_people_take_along_what_is_kept_of_their_home(client: httpx.AsyncClient) -> None:
    account = await signed_in(client)
    other = await make_account()
    async with unit_of_work() as session:
        await add_favourite(session, account.id, "offer", "a")
        await note_favourite(session, account.id, "offer", "a", "prend les enfants")
        await send_message(session, account.id, kind="k", key="1", subject="Bienvenue")
        await send_message(session, other.id, kind="k", key="1", subject="Secret")
        subject = personal.Subject(account.id, account.uid, None, ())
    await submit(
        client, "/assistance", "/assistance", {"objet": "other", "texte": "À l’aide", "email": "a@example.org"}
    )
    async with unit_of_work() as session:
        await annotate(session, 1001, "note interne", await _person(client))
        taken = str(await personal.export(session, subject))
    for kept in ("prend les enfants", "Bienvenue", "À l’aide", "a@example.org"):
        assert kept in taken, kept
    for hidden in ("Secret", "note interne"):
        assert hidden not in taken, hidden


async def _person(client: httpx.AsyncClient) -> Person:
    found = await known(str(client.cookies[cookie_name()]))
    assert found is not None
    return found
