"""`./repere bench search-page`: the search's JSON answer and page, beside a naive query over the same rows."""

import asyncio
import itertools
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

import httpx
import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer()

Params = list[tuple[str, str]]

QUESTIONS: dict[str, Params] = {
    "kiné, commune": [("q", "kinésithérapeute"), ("where", "commune:78361")],
    "kiné, 20 km, page 3": [("q", "kiné"), ("where", "commune:78646"), ("radius_km", "20"), ("page", "3")],
    "nom": [("q", "martin"), ("where", "departement:75")],
    "facettes, région": [("where", "region:11"), ("professions", "G15|60"), ("convention", "R282|1")],
    "pertinence": [("q", "médecin généraliste"), ("where", "commune:92012"), ("sort", "relevance")],
    "ouvert, enfant": [("where", "commune:75112"), ("age", "4"), ("open_at", "2026-11-28T09:30")],
    "rien, commune": [("where", "commune:78361")],
    "rien, région": [("where", "region:11")],
}

# What a first draft would do: every distance, a full sort, codes unnested offer by offer.
NAIVE = """
WITH m AS (
    SELECT s.*, ST_Distance(position, ST_SetSRID(ST_MakePoint(1.7154, 48.9894), 4326)::geography) AS metres
    FROM directory.offer_search s
), page AS (SELECT site_id, min(metres) AS metres FROM m GROUP BY site_id ORDER BY 2, 1 LIMIT 15)
SELECT (SELECT count(DISTINCT site_id) FROM m), (SELECT count(*) FROM m), (SELECT count(*) FROM page),
       (SELECT count(*) FROM (SELECT code, count(*) FROM m, unnest(codes) code GROUP BY code) facets)
"""


@dataclass(frozen=True)
class Measure:
    """Milliseconds of repeated answers to one question."""

    name: str
    samples: list[float]

    @property
    def p50(self) -> float:
        return statistics.median(self.samples)

    @property
    def p95(self) -> float:
        return sorted(self.samples)[max(0, round(0.95 * len(self.samples)) - 1)]


async def _time(name: str, rounds: int, call: Callable[[], Awaitable[None]]) -> Measure:
    await call()
    samples = []
    for _ in range(rounds):
        begun = time.perf_counter()
        await call()
        samples.append((time.perf_counter() - begun) * 1000)
    return Measure(name, samples)


async def _measure(url: str | None, rounds: int) -> tuple[list[Measure], Measure]:
    from sqlalchemy import text

    from core.db import dispose, unit_of_work
    from web.app import create_app

    async def naive() -> None:
        async with unit_of_work() as session:
            await session.execute(text("SET LOCAL statement_timeout = 0"))
            await session.execute(text(NAIVE))

    transport = None if url else httpx.ASGITransport(app=create_app())
    found: list[Measure] = []
    async with httpx.AsyncClient(transport=transport, base_url=url or "http://repere.bench", timeout=120) as client:

        def asking(address: str, accept: str) -> Callable[[], Awaitable[None]]:
            async def ask() -> None:
                answer = await client.get(address, headers={"Accept": accept})
                if answer.status_code not in (200, 503):
                    raise typer.BadParameter(f"{address} : réponse {answer.status_code}.")

            return ask

        def anew(params: Params) -> Callable[[], Awaitable[None]]:
            # Another age is another match set: nothing that was counted before serves again.
            ages = itertools.cycle(range(20, 100))

            async def ask() -> None:
                await client.get("/api/v1/search", params=[*params, ("age", str(next(ages)))])

            return ask

        for name, params in QUESTIONS.items():
            query = urlencode(params)
            if "age" not in dict(params):
                found.append(await _time(f"API, à froid : {name}", rounds, anew(params)))
            api = asking(f"/api/v1/search?{query}", "application/json")
            found.append(await _time(f"API : {name}", rounds, api))
            page = asking(f"/recherche?{query}", "text/html")
            found.append(await _time(f"Page : {name}", rounds, page))
        for typed in ("kin", "dupont", "réeducation"):
            query = urlencode([("q", typed), ("where", "commune:78361")])
            call = asking(f"/api/v1/suggest?{query}", "application/json")
            found.append(await _time(f"Suggestions : {typed}", rounds, call))
    reference = await _time("Référence naïve", max(3, rounds // 4), naive)
    await dispose()
    return found, reference


@app.command()
def search_page(
    rounds: Annotated[int, typer.Option(min=1, max=500, help="Répétitions de chaque question.")] = 20,
    url: Annotated[
        str | None, typer.Option(help="Instance à mesurer ; sans elle, l’application est appelée en place.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Affiche un objet JSON.")] = False,
) -> None:
    """Recherche : temps de la réponse JSON, de la page et des suggestions, et rapport à une requête naïve."""
    found, reference = asyncio.run(_measure(url, rounds))
    if as_json:
        body = {
            "reference_p50_ms": round(reference.p50, 1),
            "measures": [
                {
                    "name": one.name,
                    "p50_ms": round(one.p50, 1),
                    "p95_ms": round(one.p95, 1),
                    "ratio": round(one.p50 / reference.p50, 3),
                }
                for one in found
            ],
        }
        typer.echo(json.dumps(body, ensure_ascii=False))
        return
    table = Table(title=f"Recherche, {rounds} répétitions")
    table.add_column("Question")
    for title in ("p50 (ms)", "p95 (ms)", "rapport à la référence"):
        table.add_column(title, justify="right")
    for one in [*found, reference]:
        ratio = f"{one.p50 / reference.p50:.2f}".replace(".", ",")
        table.add_row(one.name, f"{one.p50:.0f}", f"{one.p95:.0f}", ratio)
    (Console() if Console().is_terminal else Console(width=110)).print(table)
