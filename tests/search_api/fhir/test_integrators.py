"""The page of the integrators, and its examples run as they stand against the real server."""

import asyncio
import base64
import hashlib
import hmac
import html
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey
from sqlalchemy import select

from accounts.api import READ_PROFESSIONAL, Caller
from core.db import unit_of_work
from core.settings import load
from directory.api import unpublish_offer
from search_api.fhir import export_work
from search_api.models_export import Export
from tests.accounts.clients import make_client
from tests.accounts.key_holder import give
from tests.conftest import ROOT
from tests.search_api.fhir.conftest import Feed
from tests.search_api.fhir.following import everything
from tests.search_api.fhir.test_search_client import served as served

EXAMPLES = ROOT / "web" / "examples"


def _environment(served: str, **more: str) -> dict[str, str]:
    return {**os.environ, "REPERE_URL": served.removesuffix("/fhir"), **more}


def _run(*command: str, env: dict[str, str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def _work(until: "asyncio.Task[str]") -> None:
    """Do what a worker does with each export that is asked, until the example ends."""
    while not until.done():
        async with unit_of_work() as session:
            waiting = await session.scalar(select(Export.uid).where(Export.state == "asked"))
        if waiting is not None:
            await export_work.carry_out(waiting)
        await asyncio.sleep(0.2)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
async def test_the_first_search_is_sorted_by_distance(served: str, feed: Feed) -> None:
    _, key = await make_client()
    found = json.loads(await asyncio.to_thread(
        _run, "sh", str(EXAMPLES / "rechercher.sh"), env=_environment(served, REPERE_CLE=key)
    ))  # fmt: skip
    matches = [one for one in found["entry"] if one["search"]["mode"] == "match"]
    metres = [one["search"]["extension"][0]["valueDistance"]["value"] for one in matches]
    assert metres == sorted(metres) and len(metres) > 1
    kinds = {one["resource"]["resourceType"] for one in found["entry"] if one["search"]["mode"] == "include"}
    assert kinds == {"Location", "PractitionerRole"}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
async def test_a_token_is_given_for_the_secret(served: str, feed: Feed) -> None:
    client, secret = await make_client(READ_PROFESSIONAL, kind="secret")
    env = _environment(served, REPERE_APPLICATION=client.public_id, REPERE_SECRET=secret)
    told = json.loads(await asyncio.to_thread(_run, "sh", str(EXAMPLES / "jeton.sh"), env=env))
    headers = {"Authorization": f"Bearer {told['access_token']}"}
    assert told["expires_in"] == 3600
    async with httpx.AsyncClient(headers=headers) as http:
        assert (await http.get(f"{served}/Location?_count=1")).status_code == 200


async def test_a_token_is_given_for_a_signed_request(served: str, feed: Feed, tmp_path: Path) -> None:
    client, _ = await make_client(READ_PROFESSIONAL, kind="secret")
    kept = tmp_path / "cle-privee.json"
    env = _environment(served, REPERE_APPLICATION=client.public_id, REPERE_CLE_PRIVEE=str(kept))
    command = (sys.executable, str(EXAMPLES / "jeton_signe.py"))
    refused = json.loads(await asyncio.to_thread(_run, *command, env=env))
    assert refused["error"] == "invalid_client"
    await give(client, ECKey.import_key(json.loads((tmp_path / "jwks.json").read_text())["keys"][0]))
    told = json.loads(await asyncio.to_thread(_run, *command, env=env))
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {told['access_token']}"}) as http:
        assert (await http.get(f"{served}/Location?_count=1")).status_code == 200


async def test_a_copy_is_taken_then_follows(served: str, feed: Feed, tmp_path: Path) -> None:
    _, key = await make_client("directory.read", "export")
    env = _environment(served, REPERE_CLE=key, REPERE_DOSSIER=str(tmp_path / "copie"))
    taking = asyncio.create_task(asyncio.to_thread(_run, sys.executable, str(EXAMPLES / "extraire.py"), env=env))
    await _work(taking)
    await taking
    before = await everything(Caller())
    copied = [line for path in (tmp_path / "copie").glob("*.ndjson") for line in path.read_text().splitlines()]
    assert len(copied) == len(before)
    uid = next(uid for kind, uid in before if kind == "HealthcareService")
    [(version,)] = feed.sql("SELECT version FROM directory.offer WHERE uid = %s", uid)
    assert isinstance(version, int)
    async with unit_of_work() as session:
        await unpublish_offer(session, uuid.UUID(uid), "essai", version)
    told = await asyncio.to_thread(_run, sys.executable, str(EXAMPLES / "suivre.py"), env=env)
    after = await everything(Caller())
    assert len(after) < len(before)
    assert told.startswith(f"{len(after)} ressources")


def test_a_notice_is_verified() -> None:
    spec = importlib.util.spec_from_file_location("avis", EXAMPLES / "avis.py")
    assert spec is not None and spec.loader is not None
    example: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    key, body, now = os.urandom(32), b'{"type":"ping"}', str(int(time.time()))
    secret = "whsec_" + base64.b64encode(key).decode()
    good = base64.b64encode(hmac.new(key, b"msg_1." + now.encode() + b"." + body, hashlib.sha256).digest()).decode()
    headers = {"webhook-id": "msg_1", "webhook-timestamp": now, "webhook-signature": f"v1,AAAA v1,{good}"}
    assert example.authentique(secret, headers, body)
    assert not example.authentique(secret, headers, body + b" ")
    old = str(int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()))
    assert not example.authentique(secret, headers | {"webhook-timestamp": old}, body)


async def test_the_sandbox_is_named_in_the_demonstration_only(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = html.unescape((await client.get("/integrateurs")).text)
    assert "votre clé" in page and "rpk_" not in page
    assert all(path.read_text().strip() in page for path in EXAMPLES.iterdir())
    monkeypatch.setenv("REPERE_DEMO", "true")
    load.cache_clear()
    try:
        assert "rpk_bac-a-sable" in (await client.get("/integrateurs")).text
    finally:
        monkeypatch.undo()
        load.cache_clear()


async def test_a_program_without_the_scope_takes_no_export(served: str, feed: Feed) -> None:
    _, key = await make_client("directory.read")
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as http:
        refused = await http.get(f"{served}/$export")
    assert refused.status_code == 403
    assert refused.json()["resourceType"] == "OperationOutcome"
    assert 'scope="export"' in refused.headers["www-authenticate"]
