"""The pages of administrators on programs that read the API, as a browser without scripts uses them."""

import html
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import func, select, update

from accounts.clients import mails
from accounts.clients.demo import KEY, PUBLIC_ID, SECRET, demo_clients, sandbox
from accounts.models_clients import Client, ClientSecret
from core.db import unit_of_work
from core.mail.delivery import deliver
from core.settings import load
from tests.accounts.clients import make_client
from tests.accounts.helpers import form_token, signed_in, submit
from tests.smtp import SmtpSink, text_of

PAGE = "/administration/applications"
SEARCH = "/api/v1/places?q=mantes"
FORM = {
    "nom": "Portail <b>d’essai</b>",
    "usage": "Un portail.",
    "contact": "portail@exemple.fr",
    "lecture": "directory.read",
    "par_minute": "60",
    "par_jour": "1 000",
    "fin": "",
    "acces": "key",
    "action": "enregistrer",
}
_SECRET = re.compile(r'id="valeur" value="([^"]+)"')


@pytest.fixture
async def admin(client: httpx.AsyncClient, places: None) -> httpx.AsyncClient:
    await signed_in(client, ("administrator", ""))
    return client


async def _new(admin: httpx.AsyncClient, **changes: str) -> tuple[str, httpx.Response, dict[str, str]]:
    """Fill the form of a new client; return the page of what it made, the answer and what was sent."""
    opened = await admin.get(f"{PAGE}/nouvelle")
    reference = re.search(r'name="demande" value="([^"]+)"', opened.text)
    assert reference
    sent = FORM | {"demande": reference[1], "_csrf": form_token(opened.text)} | changes
    answer = await admin.post(f"{PAGE}/nouvelle", data=sent)
    found = re.search(rf"{PAGE}/[0-9a-f-]{{36}}", answer.text)
    return found[0] if found else "", answer, sent


def _secret(answer: httpx.Response) -> str:
    found = _SECRET.search(answer.text)
    assert found, answer.text
    return html.unescape(found[1])


async def test_only_administrators_come_here(client: httpx.AsyncClient) -> None:
    assert (await client.get(PAGE)).status_code == 401
    await signed_in(client, ("coordinator", "departement:78"), ("moderator", "council:78"))
    for path in (PAGE, f"{PAGE}/nouvelle"):
        assert (await client.get(path)).status_code == 403
    made, _ = await make_client()
    assert (await client.get(f"{PAGE}/{made.uid}")).status_code == 403


async def test_an_application_is_registered_and_its_key_shown_once(
    admin: httpx.AsyncClient, smtp_sink: SmtpSink
) -> None:
    page, shown, sent = await _new(admin)
    key = _secret(shown)
    assert key.startswith("rpk_")
    assert shown.headers["cache-control"] == "private, no-store"
    assert (await admin.get(SEARCH, headers={"X-API-Key": key})).status_code == 200
    # The same form sent again, or the page drawn again, makes nothing and shows nothing.
    again = await admin.post(f"{PAGE}/nouvelle", data=sent)
    assert again.status_code == 303
    assert again.headers["location"].startswith(page)
    sheet = await admin.get(page)
    assert key not in sheet.text
    assert key[:10] in sheet.text
    assert "&lt;b&gt;" in sheet.text
    listed = await admin.get(PAGE)
    assert "d’essai" in listed.text
    async with unit_of_work() as session:
        assert await session.scalar(select(func.count()).select_from(Client)) == 1
    await deliver()
    (told,) = smtp_sink.to("portail@exemple.fr")
    assert key not in text_of(told)
    assert "clé d’API" in text_of(told)


async def test_what_is_wrong_is_told_at_its_field_and_kept(admin: httpx.AsyncClient) -> None:
    _, answer, _ = await _new(
        admin,
        nom=" ",
        contact="personne",
        lecture="x",
        par_minute="-3",
        par_jour="9" * 14,
        fin="31/02/2027",
        zone="commune:00000",
        usage="y" * 1001,
    )
    assert answer.status_code == 422
    for name in ("nom", "contact", "lecture", "par_minute", "par_jour", "fin", "zone", "usage"):
        assert f'id="{name}-erreur"' in answer.text, name
    assert "y" * 1001 in answer.text
    assert 'value="personne"' in answer.text
    _, past, _ = await _new(admin, fin="2020-01-01")
    assert past.status_code == 422
    async with unit_of_work() as session:
        assert await session.scalar(select(func.count()).select_from(Client)) == 0


async def test_a_zone_is_chosen_without_scripts(admin: httpx.AsyncClient) -> None:
    _, searched, sent = await _new(admin, action="chercher", lieu="mantes la")
    assert 'value="commune:78361"' in searched.text
    assert html.escape(FORM["nom"], quote=False) in searched.text
    added = await admin.post(f"{PAGE}/nouvelle", data=sent | {"action": "ajouter", "nouveau": "commune:78361"})
    assert re.search(r'name="zone" value="commune:78361" checked', added.text)
    made = await admin.post(
        f"{PAGE}/nouvelle", data=sent | {"zone": ["commune:78361", "departement:2A"], "action": "enregistrer"}
    )
    assert made.status_code == 200
    async with unit_of_work() as session:
        assert await session.scalar(select(Client.zone)) == ["commune:78361", "departement:2A"]
    # The return key names no button: it searches what was just typed, and saves otherwise.
    _, returned, _ = await _new(admin, action="", lieu="versailles")
    assert 'value="commune:78646"' in returned.text
    _, nothing, _ = await _new(admin, action="chercher", lieu="zzzzqq")
    assert "Aucun lieu" in nothing.text


async def test_a_stale_form_changes_nothing_and_keeps_what_was_typed(admin: httpx.AsyncClient) -> None:
    page, _, _ = await _new(admin)
    edit = f"{page}/modifier"
    values = FORM | {"version": "1", "nom": "Premier"}
    assert (await submit(admin, edit, edit, values)).status_code == 303
    stale = await submit(admin, edit, edit, FORM | {"version": "1", "nom": "Second"})
    assert stale.status_code == 409
    assert "Second" in stale.text
    sheet = await admin.get(page)
    assert "Premier" in sheet.text
    assert "de «\u00a0Portail &lt;b&gt;d’essai&lt;/b&gt;\u00a0» à «\u00a0Premier\u00a0»" in sheet.text


async def test_a_rotation_lets_the_former_key_live_for_a_while(admin: httpx.AsyncClient, smtp_sink: SmtpSink) -> None:
    page, shown, _ = await _new(admin)
    first = _secret(shown)
    rotated = await submit(admin, page, f"{page}/acces", {"version": "1", "sorte": "key", "delai": "7"})
    second = _secret(rotated)
    for key in (first, second):
        assert (await admin.get(SEARCH, headers={"X-API-Key": key})).status_code == 200
    await deliver()
    assert any("ne vaudra plus" in text_of(one) for one in smtp_sink.to("portail@exemple.fr"))
    async with unit_of_work() as session:
        await session.execute(
            update(ClientSecret)
            .where(ClientSecret.expires_at.is_not(None))
            .values(expires_at=func.core.now() - timedelta(seconds=1))
        )
    assert (await admin.get(SEARCH, headers={"X-API-Key": first})).status_code == 401
    assert (await admin.get(SEARCH, headers={"X-API-Key": second})).status_code == 200
    # Two tabs: the second one to ask is told that the first did.
    stale = await submit(admin, page, f"{page}/acces", {"version": "1", "sorte": "key", "delai": "0"})
    assert stale.status_code == 409
    third = _secret(await submit(admin, page, f"{page}/acces", {"version": "2", "sorte": "key", "delai": "0"}))
    assert (await admin.get(SEARCH, headers={"X-API-Key": second})).status_code == 401
    assert (await admin.get(SEARCH, headers={"X-API-Key": third})).status_code == 200
    for hostile in ({"sorte": "x", "delai": "0"}, {"sorte": "key", "delai": "3"}):
        assert (await submit(admin, page, f"{page}/acces", {"version": "3"} | hostile)).status_code == 422


async def test_a_key_is_taken_back_at_once_and_a_foreign_one_is_not_found(admin: httpx.AsyncClient) -> None:
    page, shown, _ = await _new(admin)
    key = _secret(shown)
    other, _ = await make_client()
    async with unit_of_work() as session:
        own = await session.scalar(select(ClientSecret.id).where(ClientSecret.client_id != other.id))
        foreign = await session.scalar(select(ClientSecret.id).where(ClientSecret.client_id == other.id))
    refused = await submit(admin, page, f"{page}/acces/retirer", {"version": "1", "acces": str(foreign)})
    assert refused.status_code == 404
    done = await submit(admin, page, f"{page}/acces/retirer", {"version": "1", "acces": str(own)})
    assert done.status_code == 303
    assert (await admin.get(SEARCH, headers={"X-API-Key": key})).status_code == 401


async def test_an_application_is_suspended_let_in_again_and_closed(
    admin: httpx.AsyncClient, smtp_sink: SmtpSink
) -> None:
    page, shown, _ = await _new(admin)
    headers = {"X-API-Key": _secret(shown)}

    async def pass_to(version: int, status: str, **more: str) -> int:
        values = {"version": str(version), "statut": status} | more
        return (await submit(admin, page, f"{page}/statut", values)).status_code

    assert await pass_to(1, "suspended", motif="Trop de requêtes la nuit") == 303
    assert (await admin.get(SEARCH, headers=headers)).status_code == 401
    assert await pass_to(2, "suspended") == 409
    assert await pass_to(2, "active") == 303
    assert (await admin.get(SEARCH, headers=headers)).status_code == 200
    assert await pass_to(3, "closed") == 422
    assert await pass_to(3, "closed", sur="oui") == 303
    assert (await admin.get(SEARCH, headers=headers)).status_code == 401
    # Nothing is offered any more: the page holds no form that could be sent.
    sheet = await admin.get(page)
    assert "Trop de requêtes la nuit" in sheet.text
    assert f'action="{page}/' not in sheet.text
    assert "Portail" not in (await admin.get(PAGE)).text
    assert "Portail" in (await admin.get(f"{PAGE}?statut=closed")).text
    await deliver()
    told = [text_of(one) for one in smtp_sink.to("portail@exemple.fr")]
    assert any("suspendu" in one and "Trop de requêtes la nuit" in one for one in told)


async def test_what_an_application_asked_is_shown_by_day(admin: httpx.AsyncClient) -> None:
    page, shown, _ = await _new(admin)
    headers = {"X-API-Key": _secret(shown)}
    for path in (SEARCH, SEARCH, "/ogc/conformance", "/api/v1/places?nothing=1"):
        await admin.get(path, headers=headers)
    sheet = (await admin.get(page)).text
    assert "4\u00a0requêtes, 1\u00a0erreur" in sheet
    assert "<rect" in sheet
    assert "Recherche et fiches (API JSON)" in sheet


async def test_contacts_are_told_once_of_an_end_that_comes(places: None, smtp_sink: SmtpSink) -> None:
    now = datetime.now(UTC)
    for days, name in ((5, "bientot"), (20, "plus-tard"), (60, "loin")):
        await make_client(contact=f"{name}@exemple.fr", expires_at=now + timedelta(days=days))
    await make_client(contact="suspendue@exemple.fr", expires_at=now + timedelta(days=5), status="suspended")
    for _ in range(2):
        async with unit_of_work() as session:
            await mails.warn(session)
    await deliver()
    assert [len(smtp_sink.to(f"{name}@exemple.fr")) for name in ("bientot", "plus-tard", "loin", "suspendue")] == [
        1,
        1,
        0,
        0,
    ]


async def test_the_key_of_the_demonstration_opens_nothing_elsewhere(
    client: httpx.AsyncClient, places: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        async with unit_of_work() as session:
            await demo_clients(session)
    form = {"grant_type": "client_credentials"}
    auth = httpx.BasicAuth(PUBLIC_ID, SECRET)
    assert sandbox() is None
    assert (await client.get(SEARCH, headers={"X-API-Key": KEY})).status_code == 401
    assert (await client.post("/oauth/token", data=form, auth=auth)).status_code == 401
    monkeypatch.setenv("REPERE_DEMO", "true")
    load.cache_clear()
    try:
        given = sandbox()
        assert given is not None
        assert (await client.get(SEARCH, headers={"X-API-Key": given.key})).status_code == 200
        token = (await client.post("/oauth/token", data=form, auth=auth)).json()["access_token"]
        assert (await client.get(SEARCH, headers={"Authorization": f"Bearer {token}"})).status_code == 200
    finally:
        monkeypatch.undo()
        load.cache_clear()
