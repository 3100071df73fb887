"""Answers that no honest provider gives: each is refused in French, and nobody is signed in."""

import base64
import hmac
import json
import time
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from sqlalchemy import func, select

from accounts import psc
from accounts.models import SignIn
from accounts.models_psc import PscCard
from core.db import unit_of_work
from tests.accounts.provider import CLIENT, SECRET, Forger, environ, free_port, running, show_card
from tests.accounts.psc import card_holder, leave


async def come_back(client: httpx.AsyncClient, forger: Forger, **more: str) -> httpx.Response:
    state = forger.sees(await leave(client))
    return await client.get(
        "/connexion/psc/retour", params={"state": state, "code": "le-code"} | more, headers={"Accept": "text/html"}
    )


async def nobody() -> bool:
    async with unit_of_work() as session:
        signed = await session.scalar(select(func.count()).select_from(SignIn))
        waiting = await session.scalar(select(func.count()).select_from(PscCard))
    return signed == 0 and waiting == 0


async def test_the_forger_is_believed_when_it_does_not_lie(client: httpx.AsyncClient, forger: Forger) -> None:
    await card_holder()
    answer = await come_back(client, forger)
    assert answer.headers["location"] == "/accueil"


HOUR = 3600


CLAIMS: list[tuple[dict[str, Any], int, str]] = [
    ({"nonce": "un autre"}, 400, "Réponse non vérifiée"),
    ({"nonce": None}, 400, "Réponse non vérifiée"),
    ({"iss": "http://127.0.0.1:1"}, 400, "Réponse non vérifiée"),
    ({"aud": "un autre site"}, 400, "Réponse non vérifiée"),
    ({"aud": [CLIENT, "un autre"], "azp": "un autre"}, 400, "Réponse non vérifiée"),
    ({"sub": None}, 400, "Réponse non vérifiée"),
    ({"exp": None}, 400, "Réponse non vérifiée"),
    ({"at_hash": "x"}, 400, "Réponse non vérifiée"),
    ({"sub": "y"}, 400, "Réponse non vérifiée"),
    ({"acr": "eidas0"}, 403, "Identification trop faible"),
    ({"acr": None}, 403, "Identification trop faible"),
    ({"acr": ["eidas1"]}, 403, "Identification trop faible"),
    ({"iat": int(time.time()) + HOUR, "exp": int(time.time()) + 2 * HOUR}, 503, "Les horloges ne s’accordent pas"),
    ({"iat": int(time.time()) - 2 * HOUR, "exp": int(time.time()) - HOUR}, 503, "Les horloges ne s’accordent pas"),
]


async def test_a_claim_that_does_not_hold(client: httpx.AsyncClient, forger: Forger) -> None:
    await card_holder()
    for claims, status, title in CLAIMS:
        forger.claims = claims
        answer = await come_back(client, forger)
        assert (answer.status_code, title in answer.text) == (status, True), claims
    assert await nobody()


LIES = ("none", "secret", "other key", "unknown key", "public key", "no token", "garbage")


async def test_a_signature_that_does_not_hold(client: httpx.AsyncClient, forger: Forger) -> None:
    await card_holder()
    for lie in LIES:
        forger.raw, forger.signer, forger.header = None, forger.key, {"alg": "RS256", "kid": "one"}
        answer = await lied_to(client, forger, lie)
        assert answer.status_code == 400, lie
        assert "Réponse non vérifiée" in answer.text
    assert await nobody()


async def lied_to(client: httpx.AsyncClient, forger: Forger, lie: str) -> httpx.Response:
    state = forger.sees(await leave(client))
    if lie == "none":
        header = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
        forger.raw = f"{header}.{forger.token().split('.')[1]}."
    elif lie == "secret":
        claims = json.loads(base64.urlsafe_b64decode(forger.token().split(".")[1] + "=="))
        forger.raw = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET))
    elif lie == "public key":
        header = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').rstrip(b"=").decode()
        signed = f"{header}.{forger.token().split('.')[1]}"
        made = hmac.digest(forger.key.as_pem(private=False), signed.encode(), "sha256")
        forger.raw = f"{signed}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"
    elif lie == "other key":
        forger.signer = forger.other
    elif lie == "unknown key":
        forger.header = {"alg": "RS256", "kid": "inconnue"}
    else:
        forger.raw = {"no token": "a", "garbage": "é.è.ê"}[lie]
    sent = {"state": state, "code": "x"}
    return await client.get("/connexion/psc/retour", params=sent, headers={"Accept": "text/html"})


async def test_new_keys_are_read_when_a_token_names_one(client: httpx.AsyncClient, forger: Forger) -> None:
    await card_holder()
    assert (await come_back(client, forger)).status_code == 303
    client.cookies.clear()
    new = RSAKey.generate_key(2048, {"use": "sig", "kid": "two", "alg": "RS256"})
    forger.published, forger.signer, forger.header = [new], new, {"alg": "RS256", "kid": "two"}
    assert (await come_back(client, forger)).status_code == 303
    assert forger.asked.count("/jwks") == 2
    client.cookies.clear()
    assert (await come_back(client, forger)).status_code == 303
    assert forger.asked.count("/jwks") == 2


async def test_an_answer_of_another_issuer_is_not_exchanged(client: httpx.AsyncClient, forger: Forger) -> None:
    answer = await come_back(client, forger, iss="https://evil.example")
    assert answer.status_code == 400
    assert "/token" not in forger.asked


SAYINGS: list[tuple[dict[str, str], int, str]] = [
    ({"error": "access_denied"}, 400, "Connexion annulée"),
    ({"error": "temporarily_unavailable"}, 503, "Pro Santé Connect ne répond pas"),
    ({"error": "invalid_scope"}, 503, "mal réglée"),
    ({"error": "<script>alert(1)</script>"}, 503, "mal réglée"),
    ({"code": ""}, 400, "Réponse non vérifiée"),
]


async def test_what_the_provider_says_instead_of_a_code(client: httpx.AsyncClient, forger: Forger) -> None:
    for said, status, title in SAYINGS:
        answer = await come_back(client, forger, **said)
        assert (answer.status_code, title in answer.text) == (status, True), said
        assert "<script>alert" not in answer.text
    assert "/token" not in forger.asked


ILLS = [
    ("/token", 400, 503, "mal réglée"),
    ("/token", 500, 503, "ne répond pas"),
    ("/userinfo", 401, 503, "mal réglée"),
    ("/userinfo", 502, 503, "ne répond pas"),
    ("/jwks", 503, 503, "ne répond pas"),
]


async def test_a_provider_that_is_ill(client: httpx.AsyncClient, forger: Forger) -> None:
    await card_holder()
    for place, code, status, title in ILLS:
        psc.forget()
        forger.statuses = {place: code}
        answer = await come_back(client, forger)
        assert (answer.status_code, title in answer.text) == (status, True), place
    assert await nobody()


DOCUMENTS: list[dict[str, Any]] = [
    {"issuer": "https://evil.example"},
    {"token_endpoint": "http://evil.example/token"},
    {"authorization_endpoint": "javascript:alert(1)"},
    {"userinfo_endpoint": None},
]


async def test_a_discovery_document_that_is_not_the_one_of_the_settings(
    client: httpx.AsyncClient, forger: Forger
) -> None:
    for document in DOCUMENTS:
        forger.document = document
        answer = await client.get("/connexion/psc", headers={"Accept": "text/html"})
        assert answer.status_code == 503, document
        assert "mal réglée" in answer.text


async def test_a_provider_that_is_slow_or_absent(
    client: httpx.AsyncClient, forger: Forger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psc, "_TIMEOUT", httpx.Timeout(0.2))
    forger.delay = 1
    slow = await client.get("/connexion/psc", headers={"Accept": "text/html"})
    assert slow.status_code == 503
    assert "ne répond pas" in slow.text
    assert "mot de passe" in slow.text
    forger.server.shutdown()
    forger.server.server_close()
    absent = await client.get("/connexion/psc", headers={"Accept": "text/html"})
    assert absent.status_code == 503


NUMBERS: list[tuple[dict[str, Any], str]] = [
    ({"SubjectNameID": "0780000001", "otherIds": [{"identifiant": "10101010101", "origine": "RPPS"}]}, "/accueil"),
    ({"SubjectNameID": "0780000001", "otherIds": [{"identifiant": "810101010101", "origine": "rpps"}]}, "/accueil"),
    ({"SubjectNameID": "0780000001", "otherIds": [{"identifiant": "10101010101", "origine": "FINESS"}]}, "RPPS"),
    ({"SubjectNameID": ["810101010101"]}, "RPPS"),
    ({"SubjectNameID": "8१०१०१०१०१०१"}, "RPPS"),
    ({"SubjectNameID": None, "otherIds": "10101010101", "SubjectRefPro": 3}, "RPPS"),
    ({"SubjectRole": ["10^1.2.250.1.71.1.2.8"]}, "en formation"),
    (
        {
            "SubjectRefPro": {
                "exercices": [{"codeCategorieProfessionnelle": "E"}, {"codeCategorieProfessionnelle": "C"}]
            }
        },
        "/accueil",
    ),
    ({"SubjectRefPro": {"exercices": [None, "x", {}]}, "given_name": 3, "family_name": "A\x00B"}, "/accueil"),
]


async def test_which_claim_holds_the_number(client: httpx.AsyncClient, forger: Forger) -> None:
    await card_holder()
    for said, expected in NUMBERS:
        client.cookies.clear()
        forger.userinfo = said
        answer = await come_back(client, forger)
        if expected.startswith("/"):
            assert answer.headers["location"] == expected, said
        else:
            assert answer.status_code == 403, said
            assert expected in answer.text


async def test_codes_tokens_and_secrets_are_in_no_log(
    client: httpx.AsyncClient, forger: Forger, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    await card_holder()
    forger.claims = {"nonce": "un autre"}
    await come_back(client, forger, code="code-tres-secret")
    forger.claims, forger.statuses = {}, {"/token": 400}
    await come_back(client, forger, code="code-tres-secret")
    forger.statuses = {}
    await come_back(client, forger, code="code-tres-secret")
    out, err = capfd.readouterr()
    # What the test's own client logs of its requests is not the application's.
    ours = "\n".join(r.getMessage() for r in caplog.records if "repere.test" not in r.getMessage())
    for text in (out, err, ours):
        for secret in ("code-tres-secret", SECRET, 'acces"', forger.nonce, "eyJ"):
            assert secret not in text


async def test_the_provider_stops_then_comes_back_with_new_keys(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, known: int, provider_folder: Any
) -> None:
    await card_holder()
    port = free_port()
    for name, value in environ(port).items():
        monkeypatch.setenv(name, value)
    from core.settings import load

    load.cache_clear()
    psc.forget()
    async with httpx.AsyncClient() as outside:
        with running(port, "http://repere.test", provider_folder):
            back = httpx.URL(await show_card(outside, await leave(client), "anne"))
        stopped = await client.get(str(back.raw_path, "ascii"), headers={"Accept": "text/html"})
        assert stopped.status_code == 503
        assert "ne répond pas" in stopped.text
    async with httpx.AsyncClient() as outside:
        with running(port, "http://repere.test", provider_folder):
            for _ in range(2):
                back = httpx.URL(await show_card(outside, await leave(client, "/connexion/psc?autre=1"), "anne"))
                answer = await client.get(str(back.raw_path, "ascii"))
                assert answer.headers["location"] == "/accueil"
                client.cookies.clear()
