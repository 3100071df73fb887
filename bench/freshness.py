"""`./repere bench freshness`: how long an edit takes to reach every web process, beside a search of the database.

It writes in the instance's database: descriptions of offers, by the services that people's pages call.
"""

import asyncio
import json
import random
import statistics
import time
import uuid
from typing import Annotated

import httpx
import typer
from sqlalchemy import select

from bench.search import server
from core.db import dispose, unit_of_work
from directory.api import Offer, OfferDescription, describe_offer

app = typer.Typer()
LOST_SECONDS = 30.0


async def _offers(count: int) -> list[tuple[uuid.UUID, int]]:
    async with unit_of_work() as session:
        rows = await session.execute(
            select(Offer.uid, Offer.version)
            .where(Offer.closed_on.is_(None), Offer.status == "published")
            .order_by(Offer.id)
            .limit(count * 50)
        )
        found = [(row.uid, row.version) for row in rows]
    return random.Random(5).sample(found, min(count, len(found)))


async def _edit(uid: uuid.UUID, version: int, turn: int) -> int:
    async with unit_of_work() as session:
        description = OfferDescription(accepts_new=bool(turn % 2))
        written = await describe_offer(session, uid, description, "bench", version)
    return written.position or 0


async def _measure(port: int, workers: int, edits: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds from each commit until every process knows, and those of one search of the database."""
    seen, searched = [], []
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        for turn, (uid, version) in enumerate(await _offers(edits)):
            position = await _edit(uid, version, turn)
            begun = time.perf_counter()
            fresh, first = 0, begun
            # Connections go to any process: as many answers in a row as leave no doubt.
            while fresh < 2 * workers:
                if time.perf_counter() - begun > LOST_SECONDS:
                    raise typer.BadParameter("Une modification n’est pas arrivée à l’index.")
                told = (await client.get("/readyz", headers={"Connection": "close"})).json()["search"]["index"]
                fresh = fresh + 1 if told["position"] >= position else 0
                if fresh == 1:
                    first = time.perf_counter()
            seen.append((first - begun) * 1000)
            begun = time.perf_counter()
            await client.get("/api/v1/search", params={"where": "france", "age": str(turn % 100)})
            searched.append((time.perf_counter() - begun) * 1000)
            await asyncio.sleep(0.05)
    await dispose()
    return seen, searched


@app.command()
def freshness(
    edits: Annotated[int, typer.Option(min=5, max=2000, help="Modifications à faire.")] = 100,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Processus de l’application.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Affiche un objet JSON.")] = False,
) -> None:
    """Fraîcheur : de l’enregistrement d’une fiche à sa présence dans l’index de tous les processus."""
    with server("columns", workers) as port:
        seen, searched = asyncio.run(_measure(port, workers, edits))
    p50, p95 = statistics.median(seen), sorted(seen)[round(0.95 * len(seen)) - 1]
    reference = statistics.median(searched)
    if as_json:
        typer.echo(json.dumps({"edits": edits, "p50_ms": round(p50, 1), "p95_ms": round(p95, 1),
                               "max_ms": round(max(seen), 1), "reference_ms": round(reference, 1),
                               "ratio": round(p50 / reference, 2)}))  # fmt: skip
    else:
        typer.echo(
            f"{len(seen)} modifications, {workers} processus : p50 {p50:.0f} ms, p95 {p95:.0f} ms,"
            f" max {max(seen):.0f} ms ; une recherche sur toute la France prend {reference:.0f} ms."
        )
