"""Territories and containers that change after the offers' rows were written."""

from pathlib import Path

import httpx
import psycopg
from sqlalchemy.engine import URL
from typer.testing import CliRunner

from cli import assemble
from core.db import unit_of_work
from maps.api import invalidate
from search_api import indexing
from tests.search_api.conftest import dsn

SITES = (
    "SELECT count(DISTINCT site_id) FROM directory.offer_search s"
    " JOIN maps.place p ON p.id = s.commune_id WHERE NOT s.sensitive AND p.code = ANY(%s)"
)


async def total(api: httpx.AsyncClient, where: str) -> int:
    answer = await api.get("/api/v1/search", params={"where": where})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["total"])


async def test_a_territory_loaded_after_the_offers_is_searched_at_once(
    filled: URL, api: httpx.AsyncClient, tmp_path: Path
) -> None:
    with psycopg.connect(dsn(filled)) as conn:
        without = conn.execute(
            "SELECT min(p.code) FROM maps.place p WHERE p.kind = 'commune' AND p.departement_code = '78'"
            " AND NOT EXISTS (SELECT FROM directory.offer_search s WHERE s.commune_id = p.id)"
        ).fetchone()
    assert without is not None and without[0]
    path = tmp_path / "territoires.csv"
    lines = ["code;nom;type;commune", "CPTS-9;CPTS d’essai;CPTS;78361", f"VIDE;Sans offre;CPTS;{without[0]}"]
    path.write_text("\n".join(lines), "utf-8")
    assert CliRunner().invoke(assemble(), ["places", "territory", "load", str(path)]).exit_code == 0
    with psycopg.connect(dsn(filled)) as conn:
        row = conn.execute(SITES, (["78361"],)).fetchone()
    assert row is not None and row[0] > 0
    assert await total(api, "territory:CPTS-9") == row[0]
    assert await total(api, "territory:VIDE") == 0


async def test_a_build_takes_in_the_containers_that_changed(filled: URL, api: httpx.AsyncClient) -> None:
    before = await total(api, "departement:78")
    assert before > 0
    with psycopg.connect(dsn(filled)) as conn:
        conn.execute(
            "DELETE FROM maps.place_containment c USING maps.place q, maps.place d"
            " WHERE q.id = c.place_id AND d.id = c.container_id AND q.code = '78361' AND q.kind = 'commune'"
            " AND d.kind = 'departement'"
        )
        row = conn.execute(SITES, (["78361"],)).fetchone()
    invalidate()
    async with unit_of_work() as session:
        await indexing.build(session)
    assert row is not None and row[0] > 0
    assert await total(api, "departement:78") == before - row[0]
