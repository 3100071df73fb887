"""`./repere bench portal`: from the save of an offer to the results of a portal that show it, beside the API itself.

It writes in the instance's database: descriptions of offers, by the services that people's pages call. The portal
and the API are asked in turn, by a reader who is not the author and gets no favour.
"""

import asyncio
import json
import random
import statistics
import time
import uuid
from typing import Annotated, Final
from urllib.parse import urlencode

import httpx
import typer
from sqlalchemy import select

from bench.search import server
from core.db import dispose, unit_of_work
from core.errors import NotFound
from directory.api import Offer, OfferDescription, Practitioner, Role, describe_offer
from search_api.portals import service
from search_api.portals.states import ACTIVE

app = typer.Typer()
LOST_SECONDS: Final = 30.0
SLUG: Final = "mesure"


async def _portal(*, opened: bool) -> None:
    """Open the portal of the measure, or close it."""
    draft = service.DEMO[0].model_copy(
        update={"slug": SLUG, "title": "Mesure", "logo": "Mesure", "places": ("france",)}
    )
    async with unit_of_work() as session:
        try:
            found = await service.any_state(session, SLUG)
        except NotFound:
            found = await service.create(session, draft, "bench")
        if (found.state == ACTIVE) is not opened:
            await service.move(session, SLUG, "open" if opened else "close", found.version, "bench")


async def _offers(count: int) -> list[tuple[uuid.UUID, int, str]]:
    async with unit_of_work() as session:
        rows = await session.execute(
            select(Offer.uid, Offer.version, Practitioner.first_name, Practitioner.last_name)
            .join(Role, Role.id == Offer.role_id)
            .join(Practitioner, Practitioner.id == Role.practitioner_id)
            .where(Offer.closed_on.is_(None), Offer.status == "published", Offer.sensitive.is_(False))
            .order_by(Offer.id)
            .limit(count * 50)
        )
        found = [(row.uid, row.version, f"{row.first_name} {row.last_name}") for row in rows]
    return random.Random(5).sample(found, min(count, len(found)))


async def _edit(uid: uuid.UUID, version: int, accepts: bool) -> int:
    async with unit_of_work() as session:
        written = await describe_offer(session, uid, OfferDescription(accepts_new=accepts), "bench", version)
    return written.version


async def _until(client: httpx.AsyncClient, path: str, uid: uuid.UUID, listed: bool) -> float:
    """Ask until an offer is listed, or no longer; return the milliseconds that it took."""
    begun = time.perf_counter()
    while True:
        answer = await client.get(path, follow_redirects=True)
        answer.raise_for_status()
        if (str(uid) in answer.text) is listed:
            return (time.perf_counter() - begun) * 1000
        if time.perf_counter() - begun > LOST_SECONDS:
            raise typer.BadParameter(f"Une modification n’est pas arrivée à {path.partition('?')[0]}.")


async def _measure(port: int, edits: int) -> tuple[list[float], list[float]]:
    """Return the milliseconds from each commit until the portal's results show it, and until the API's do."""
    await _portal(opened=True)
    pages: list[float] = []
    answers: list[float] = []
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        for turn, (uid, version, name) in enumerate(await _offers(2 * edits)):
            asked = urlencode({"q": name, "scope": "noms", "accepts_new": "1"})
            # Half of the edits are looked for in the portal, half in the API: neither waits for the other.
            path, found = (
                (f"/maillage/{SLUG}?{asked}", pages) if turn % 2 else (f"/api/v1/search?{asked}&within=france", answers)
            )
            version = await _edit(uid, version, False)
            await _until(client, path, uid, listed=False)
            await _edit(uid, version, True)
            found.append(await _until(client, path, uid, listed=True))
    await _portal(opened=False)
    await dispose()
    return pages, answers


@app.command()
def portal(
    edits: Annotated[int, typer.Option(min=5, max=1000, help="Modifications à faire de chaque côté.")] = 50,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Processus de l’application.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Affiche un objet JSON.")] = False,
) -> None:
    """Portail : de l’enregistrement d’une offre à la page qui la montre, à côté de l’API seule."""
    with server("columns", workers) as port:
        pages, answers = asyncio.run(_measure(port, edits))
    told = {
        name: {"p50_ms": statistics.median(found), "p95_ms": sorted(found)[round(0.95 * len(found)) - 1],
               "max_ms": max(found)}
        for name, found in (("portal", pages), ("api", answers))
    }  # fmt: skip
    ratio = told["portal"]["p50_ms"] / told["api"]["p50_ms"]
    if as_json:
        rounded = {name: {key: round(value, 1) for key, value in one.items()} for name, one in told.items()}
        typer.echo(json.dumps({"edits": len(pages), **rounded, "ratio": round(ratio, 2)}))
        return
    for name, label in (("portal", "Page du portail"), ("api", "API")):
        one = told[name]
        typer.echo(f"{label} : p50 {one['p50_ms']:.0f} ms, p95 {one['p95_ms']:.0f} ms, max {one['max_ms']:.0f} ms.")
    typer.echo(f"La page prend {ratio:.1f} fois le temps de l’API seule.")
