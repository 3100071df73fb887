"""The personas of the demonstration over sample registers: all there, where they are said to be, and let in."""

from pathlib import Path

import httpx
import pytest

from accounts.personas import PERSONAS
from core.db import unit_of_work
from core.settings import load as settings
from directory.demo_personas import make_personas
from ingest.pipeline import load
from ingest.sample.generate import write_sample
from ingest.sample.options import SampleOptions
from tests.accounts.helpers import form_token
from tests.ingest.conftest import Query

FEW = SampleOptions(departements=("78",), roles=400)


async def test_every_persona_exists_on_a_small_sample_and_signs_in(
    directory: object, client: httpx.AsyncClient, registers: Path, query: Query, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sample(registers, FEW)
    assert load([registers]).status == "published"
    async with unit_of_work() as session:
        assert await make_personas(session) == len(PERSONAS)
    people = "SELECT demo, rpps FROM accounts.account WHERE rpps IS NOT NULL ORDER BY demo"
    before = query(people)
    query("UPDATE directory.offer SET described = true RETURNING id")
    async with unit_of_work() as session:
        await make_personas(session)
    assert query(people) == before, "who described their offer stays the persona"
    monkeypatch.setenv("REPERE_DEMO", "1")
    settings.cache_clear()
    for persona in PERSONAS:
        page = (await client.get("/connexion")).text
        assert persona.label in page, persona.key
        data = {"_csrf": form_token(page), "persona": persona.key}
        entered = await client.post("/demo/connexion", data=data)
        assert entered.headers["location"] == "/accueil", persona.key
        home = await client.get("/accueil")
        assert home.status_code == 200, persona.key
        await client.post("/deconnexion", data={"_csrf": form_token(home.text)})
        client.cookies.clear()
    towns = query(
        "SELECT a.demo, s.commune_code FROM accounts.account a"
        " JOIN directory.practitioner p ON p.rpps = a.rpps JOIN directory.role r ON r.practitioner_id = p.id"
        " JOIN directory.site s ON s.id = r.site_id JOIN directory.offer o ON o.role_id = r.id"
        " WHERE o.kind = 'liberal' AND s.commune_code = '78361' GROUP BY 1, 2 ORDER BY 1"
    )
    assert towns == [("kine", "78361"), ("sage-femme", "78361")]
