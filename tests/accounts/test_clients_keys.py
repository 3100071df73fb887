"""Public keys of programs: given by administrators, published at an address, replaced, taken back."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, OctKey
from sqlalchemy import URL, func, select, update

from accounts.models_clients import Client, ClientKeys, ClientSecret
from core.command_line import run
from core.db import dispose, unit_of_work
from core.mail.delivery import deliver
from core.settings import load
from tests.accounts.clients import make_client
from tests.accounts.helpers import form_token, signed_in
from tests.accounts.key_holder import (
    OTHER_RSA,
    P256,
    P384,
    RSA,
    Publisher,
    asks,
    public,
    publishing,
    signed,
    signer,
)
from tests.accounts.test_clients_pages import FORM, PAGE
from tests.accounts.test_clients_pages import admin as admin
from tests.smtp import SmtpSink, text_of


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Addresses of this machine may be read."""
    monkeypatch.setenv("REPERE_API_KEYS_LOCAL", "true")
    load.cache_clear()
    yield
    monkeypatch.undo()
    load.cache_clear()


@pytest.fixture
def publisher(local: None) -> Iterator[Publisher]:
    with publishing(RSA, P384) as found:
        yield found


async def _later(minutes: int) -> None:
    """Have the addresses of keys be read so long ago."""
    past = func.make_interval(0, 0, 0, 0, 0, minutes)
    async with unit_of_work() as session:
        await session.execute(
            update(ClientKeys).values(read_at=ClientKeys.read_at - past, tried_at=ClientKeys.tried_at - past)
        )


async def _give(admin: httpx.AsyncClient, client: Client, **fields: str) -> httpx.Response:
    address = f"{PAGE}/{client.uid}/cles"
    opened = await admin.get(address)
    found = re.search(r'name="version" value="(\d+)"', opened.text)
    assert found
    data = {"_csrf": form_token(opened.text), "version": found[1], "delai": "7", "cles": "", "adresse": ""}
    return await admin.post(address, data=data | fields)


async def test_an_application_that_signs_is_registered_with_its_keys(
    admin: httpx.AsyncClient, smtp_sink: SmtpSink
) -> None:
    opened = await admin.get(f"{PAGE}/nouvelle")
    reference = re.search(r'name="demande" value="([^"]+)"', opened.text)
    assert reference
    sent = FORM | {"demande": reference[1], "_csrf": form_token(opened.text), "acces": "jwks"}
    made = await admin.post(f"{PAGE}/nouvelle", data=sent)
    assert made.status_code == 303 and made.headers["location"].endswith("/cles")
    async with unit_of_work() as session:
        client = (await session.scalars(select(Client))).one()
        assert await session.scalar(select(func.count()).select_from(ClientSecret)) == 0
    answer = await _give(admin, client, cles=json.dumps(public(RSA, P256)))
    assert answer.status_code == 303
    sheet = (await admin.get(answer.headers["location"])).text
    for key in (RSA, P256):
        assert key.thumbprint() in sheet
    assert "RSA 2048 bits" in sheet and "EC P-256" in sheet
    assert (await asks(admin, signed(client.public_id, "ES256"))).status_code == 200
    await deliver()
    told = [text_of(mail) for mail in smtp_sink.to("portail@exemple.fr")]
    assert any("gardez les clés privées" in text for text in told)
    assert any(RSA.thumbprint() in text for text in told)


async def test_keys_are_replaced_with_an_overlap_then_taken_back(admin: httpx.AsyncClient) -> None:
    client = await signer(RSA)
    assert (await _give(admin, client, cles=json.dumps(public(P384)))).status_code == 303
    for alg in ("RS384", "ES384"):
        assert (await asks(admin, signed(client.public_id, alg))).status_code == 200
    sheet = (await admin.get(f"{PAGE}/{client.uid}")).text
    assert "finit bientôt" in sheet
    # At once this time: what was there before ends now.
    token = (await asks(admin, signed(client.public_id, "ES384"))).json()["access_token"]
    assert (await _give(admin, client, cles=json.dumps(public(P256)), delai="0")).status_code == 303
    for alg, status in (("RS384", 401), ("ES384", 401), ("ES256", 200)):
        assert (await asks(admin, signed(client.public_id, alg))).status_code == status, alg
    read = {"Authorization": f"Bearer {token}"}
    assert (await admin.get("/api/v1/places?q=mantes", headers=read)).status_code == 200
    async with unit_of_work() as session:
        rows = (await session.scalars(select(ClientSecret).order_by(ClientSecret.id))).all()
    sheet = (await admin.get(f"{PAGE}/{client.uid}")).text
    version = re.search(r'name="version" value="(\d+)"', sheet)
    assert version
    form = {"_csrf": form_token(sheet), "version": version[1], "acces": str(rows[-1].id)}
    assert (await admin.post(f"{PAGE}/{client.uid}/acces/retirer", data=form)).status_code == 303
    assert (await asks(admin, signed(client.public_id, "ES256"))).status_code == 401
    assert P256.thumbprint() in (await admin.get(f"{PAGE}/{client.uid}")).text


REFUSED: dict[str, str] = {
    "": "l’un des deux",
    "pas du JSON": "n’est pas du JSON",
    "[" * 5000: "n’est pas du JSON",
    "{}": "seules les clés RSA et EC",
    '{"keys": []}': "est vide",
    '{"keys": {}}': "est vide",
    '{"keys": [3]}': "n° 1",
    json.dumps(OctKey.generate_key(256).as_dict(private=True)): "secret partagé",
    json.dumps(RSA.as_dict(private=True)): "clé privée",
    json.dumps({"kty": "RSA", "e": "AQAB", "n": "u" * 171}): "2048 à 4096",
    json.dumps(ECKey.generate_key("P-521").as_dict(private=False)): "P-256 ou P-384",
    json.dumps(P256.as_dict(private=False) | {"x": "AAAA"}): "ne peut être lue",
    json.dumps(P256.as_dict(private=False) | {"use": "enc"}): "ne sert pas à vérifier",
    json.dumps(P256.as_dict(private=False) | {"alg": "ES384"}): "son algorithme",
    json.dumps(P256.as_dict(private=False) | {"kid": 3}): "son kid",
    json.dumps(RSA.as_dict(private=False) | {"n": None}): "il lui manque",
    json.dumps(RSA.as_dict(private=False) | {"e": "A" * 300}): "refusée",
    json.dumps(public(RSA, OTHER_RSA)): "même kid",
    json.dumps({"keys": public(RSA)["keys"] * 21}): "trop de clés",
}


async def test_keys_that_cannot_serve_are_refused_and_kept_in_the_form(admin: httpx.AsyncClient) -> None:
    client, _ = await make_client(kind="secret")
    for text, message in REFUSED.items():
        answer = await _give(admin, client, cles=text)
        assert answer.status_code == 422, text[:80]
        assert message in answer.text and 'id="cles-erreur"' in answer.text, (message, text[:80])
    both = await _give(admin, client, cles="{}", adresse="https://portail.exemple.fr/jwks")
    assert both.status_code == 422 and 'value="https://portail.exemple.fr/jwks"' in both.text
    delay = await _give(admin, client, cles=json.dumps(public(RSA)), delai="3")
    assert 'id="delai-erreur"' in delay.text or "délai" in delay.text
    assert "&#34;kty&#34;" in delay.text
    stale = await _give(admin, client, cles=json.dumps(public(RSA)), version="9")
    assert stale.status_code == 409 and "&#34;kty&#34;" in stale.text
    async with unit_of_work() as session:
        assert await session.scalar(select(func.count()).select_from(ClientKeys)) == 0
    await signed_in(admin, ("coordinator", "departement:78"))
    assert (await admin.get(f"{PAGE}/{client.uid}/cles")).status_code == 403


@pytest.mark.parametrize(
    "url",
    [
        "http://portail.exemple.fr/jwks",
        "https://127.0.0.1/jwks",
        "https://10.0.0.1/jwks",
        "https://[::1]/jwks",
        "https://169.254.169.254/latest",
        "https://localhost.localdomain/jwks",
        "https://quelqu@un:9.9.9.9/",
        "ftp://x",
    ],
)
async def test_keys_are_never_read_on_a_network_behind_us(admin: httpx.AsyncClient, url: str) -> None:
    client, _ = await make_client(kind="secret")
    answer = await _give(admin, client, adresse=url)
    assert answer.status_code == 422
    assert 'id="adresse-erreur"' in answer.text


async def test_answers_that_hold_no_keys_are_refused(admin: httpx.AsyncClient, publisher: Publisher) -> None:
    client, _ = await make_client(kind="secret")
    for status, body, message in (
        (404, b"{}", "404"),
        (200, b"<html>", "pas un jeu de clés"),
        (200, b"[" * 9000, "pas un jeu de clés"),
        (200, b"\xff\xfe", "pas un jeu de clés"),
        (200, b"[]", "aucune clé"),
        (200, json.dumps({"keys": [RSA.as_dict(private=True)]}).encode(), "aucune clé"),
        (200, b" " * 200_000, "trop longue"),
    ):
        publisher.status, publisher.body = status, body
        answer = await _give(admin, client, adresse=publisher.url)
        assert answer.status_code == 422 and message in answer.text, message
    # A place that sends elsewhere is not followed, wherever that leads.
    with publishing(RSA) as inside:
        publisher.status, publisher.headers = 302, {"Location": inside.url}
        answer = await _give(admin, client, adresse=publisher.url)
        assert answer.status_code == 422 and "redirections" in answer.text
        assert inside.asked == 0


async def test_an_address_that_begins_to_redirect_gives_nothing_more(
    admin: httpx.AsyncClient, publisher: Publisher
) -> None:
    client, _ = await make_client(kind="secret")
    assert (await _give(admin, client, adresse=publisher.url)).status_code == 303
    await _later(2)
    with publishing(OTHER_RSA, P256) as inside:
        publisher.status, publisher.headers = 307, {"Location": inside.url}
        assert (await asks(admin, signed(client.public_id, "ES256"))).status_code == 401
        assert inside.asked == 0
    # What was read before still holds, for a day.
    assert (await asks(admin, signed(client.public_id, "ES384"))).status_code == 200
    await _later(25 * 60)
    assert (await asks(admin, signed(client.public_id, "ES384"))).status_code == 401


async def test_an_address_is_read_again_for_a_key_that_is_not_known(
    admin: httpx.AsyncClient, publisher: Publisher
) -> None:
    client, _ = await make_client(kind="secret")
    assert (await _give(admin, client, adresse=publisher.url)).status_code == 303
    assert publisher.asked == 1
    assert (await asks(admin, signed(client.public_id))).status_code == 200
    assert publisher.asked == 1
    publisher.publish(P256)
    # Strangers cannot have it asked more than once a minute, and a minute has not passed since it was.
    for _ in range(3):
        assert (await asks(admin, signed(client.public_id, "ES256"))).status_code == 401
    assert publisher.asked == 1
    await _later(2)
    publisher.slow = 0.5
    answers = await asyncio.gather(*(asks(admin, signed(client.public_id, "ES256")) for _ in range(5)))
    assert [answer.status_code for answer in answers] == [200] * 5
    assert publisher.asked == 2
    # The former key left the address.
    assert (await asks(admin, signed(client.public_id))).status_code == 401
    sheet = (await admin.get(f"{PAGE}/{client.uid}")).text
    assert "Clés publiques changées" in sheet and P256.thumbprint() in sheet


async def test_a_key_that_left_its_address_ends_within_the_hour(admin: httpx.AsyncClient, publisher: Publisher) -> None:
    client, _ = await make_client(kind="secret")
    assert (await _give(admin, client, adresse=publisher.url)).status_code == 303
    publisher.publish(P384)
    assert (await asks(admin, signed(client.public_id))).status_code == 200
    await _later(61)
    assert (await asks(admin, signed(client.public_id))).status_code == 401
    assert (await asks(admin, signed(client.public_id, "ES384"))).status_code == 200


def _command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    from cli import assemble

    code = run(assemble(), ["accounts", "keys", *arguments])
    shown = capsys.readouterr()
    return code, (shown.out + shown.err).replace("\u00a0", " ")


async def _made() -> Client:
    try:
        return (await make_client(kind="secret"))[0]
    finally:
        await dispose()


def test_the_command_line_gives_shows_and_ends_keys(
    clean_database: URL, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    public_id = asyncio.run(_made()).public_id
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(public(RSA)))
    code, said = _command(capsys, "give", public_id, "--file", str(file))
    assert (code, RSA.thumbprint() in said) == (0, True)
    listed: Any = json.loads(_command(capsys, "list", public_id, "--json")[1])
    assert [(one["state"], one["keys"][0]["thumbprint"]) for one in listed] == [("live", RSA.thumbprint())]
    file.write_text(json.dumps(public(P384)))
    assert _command(capsys, "give", public_id, "--file", str(file), "--grace", "0")[0] == 0
    assert _command(capsys, "end", public_id, str(listed[0]["access"]))[0] == 0
    said = _command(capsys, "list", public_id)[1]
    assert "(en cours)" in said and "(retiré)" in said
    file.write_bytes(b"\xff")
    for wrong in (
        ("list", "app_x"),
        ("give", public_id),
        ("give", public_id, "--file", str(file)),
        ("give", public_id, "--url", "https://10.0.0.1/jwks"),
        ("end", public_id, "999"),
    ):
        assert _command(capsys, *wrong)[0] == 1, wrong
