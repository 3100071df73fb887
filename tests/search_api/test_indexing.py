"""The words of names: built by a command, again after a publication, never with what is restricted."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
from sqlalchemy import select
from sqlalchemy.engine import URL

from core.db import unit_of_work
from core.events import NewEvent, record
from search_api import indexing, tasks
from search_api.lexicon import synonyms
from search_api.models import Token
from tests.conftest import ROOT
from tests.search_api.conftest import dsn
from tests.search_api.seed import CANARY


async def test_a_build_holds_the_words_that_the_public_may_find(filled: URL) -> None:
    async with unit_of_work() as session:
        first = await indexing.build(session)
    async with unit_of_work() as session:
        second = await indexing.build(session)
        words = set(await session.scalars(select(Token.token)))
        assert not await indexing.stale(session)
    assert (first.words, first.position) == (second.words, second.position)
    assert {"dupont", "lefevre", "celik", "elodie", "hospitalier"} <= words
    assert not any(CANARY.lower() in word for word in words)


async def test_a_publication_makes_the_words_stale_until_the_task_has_run(filled: URL) -> None:
    async with unit_of_work() as session:
        await indexing.build(session)
    async with unit_of_work() as session:
        await record(session, [NewEvent(kind="published", entity="load", load_id=1)])
    async with unit_of_work() as session:
        assert await indexing.stale(session)
    await tasks.follow()
    async with unit_of_work() as session:
        assert not await indexing.stale(session)


def test_the_command_says_what_it_did(filled: URL) -> None:
    done = subprocess.run(
        [sys.executable, "cli.py", "index", "build", "--json"],
        cwd=ROOT,
        env=os.environ | {"REPERE_DATABASE_URL": filled.render_as_string(hide_password=False)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["words"] > 10
    with psycopg.connect(dsn(filled)) as conn:
        row = conn.execute("SELECT count(*) FROM search_api.token").fetchone()
    assert row == (json.loads(done.stdout)["words"],)


def test_every_code_of_the_synonyms_is_in_the_starter_nomenclatures() -> None:
    folder = Path(ROOT) / "directory" / "nomenclatures"
    known = set()
    for path in folder.glob("*.tsv"):
        with path.open(encoding="utf-8", newline="") as lines:
            known |= {f"{path.stem}|{row['code']}" for row in csv.DictReader(lines, delimiter="\t")}
    assert {code for codes, _ in synonyms().codes.values() for code in codes} <= known
