"""`./repere bench documents`: sheets as PDF, drawn anew and asked again, beside their HTML page."""

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer()

OFFERS = """
    SELECT o.uid FROM directory.offer o LEFT JOIN directory.offer_territory t ON t.offer_id = o.id
     WHERE o.closed_on IS NULL AND o.status = 'published' AND NOT o.sensitive
     GROUP BY o.id HAVING count(t.place_id) {bound} ORDER BY count(t.place_id) DESC, o.id LIMIT :most
"""
SITES = "SELECT uid FROM directory.site WHERE closed_on IS NULL ORDER BY id LIMIT :most"
SUBJECTS = {
    "Offre avec territoire": ("/offres", OFFERS.format(bound="> 0")),
    "Offre sans territoire": ("/offres", OFFERS.format(bound="= 0")),
    "Lieu": ("/sites", SITES),
}


@dataclass(frozen=True)
class Measure:
    """Median milliseconds of the page, of a document drawn anew, of one that the caller has; kilobytes."""

    name: str
    page: float
    drawn: float
    known: float
    kilobytes: float

    @property
    def ratio(self) -> float:
        """How many pages a document costs."""
        return self.drawn / self.page


async def _median(calls: list[Callable[[], Awaitable[httpx.Response]]]) -> tuple[float, list[httpx.Response]]:
    samples, answers = [], []
    for call in calls:
        begun = time.perf_counter()
        answers.append(await call())
        samples.append((time.perf_counter() - begun) * 1000)
    return statistics.median(samples), answers


async def _measure(rounds: int) -> list[Measure]:
    from sqlalchemy import text

    from core.db import dispose, unit_of_work
    from web.app import create_app

    found = []
    transport = httpx.ASGITransport(app=create_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://repere.bench", timeout=120) as client:

        def asking(path: str, **headers: str) -> Callable[[], Awaitable[httpx.Response]]:
            return lambda: client.get(path, headers=headers)

        for name, (folder, statement) in SUBJECTS.items():
            async with unit_of_work() as session:
                uids = list(await session.scalars(text(statement), {"most": rounds + 1}))
            if len(uids) < 2:
                continue
            paths = [f"{folder}/{uid}" for uid in uids]
            # The first one pays for what the process reads once: fonts, places, concepts.
            await client.get(paths[0])
            await client.get(f"{paths[0]}/fiche.pdf")
            page, _ = await _median([asking(path, Accept="text/html") for path in paths[1:]])
            drawn, answers = await _median([asking(f"{path}/fiche.pdf") for path in paths[1:]])
            tags = [answer.headers["etag"] for answer in answers]
            held = [
                asking(f"{path}/fiche.pdf", **{"If-None-Match": tag}) for path, tag in zip(paths[1:], tags, strict=True)
            ]
            known, _ = await _median(held)
            size = statistics.median(len(answer.content) for answer in answers) / 1000
            found.append(Measure(name, page, drawn, known, size))
    await dispose()
    return found


@app.command()
def documents(
    rounds: Annotated[int, typer.Option(min=1, max=200, help="Fiches différentes de chaque sorte.")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="Affiche un objet JSON.")] = False,
) -> None:
    """Documents : temps d’une fiche en PDF, dessinée puis déjà connue, et rapport à sa page HTML."""
    found = asyncio.run(_measure(rounds))
    if as_json:
        body = [
            {
                "name": one.name,
                "page_ms": round(one.page, 1),
                "pdf_ms": round(one.drawn, 1),
                "known_ms": round(one.known, 1),
                "kilobytes": round(one.kilobytes, 1),
                "ratio": round(one.ratio, 2),
            }
            for one in found
        ]
        typer.echo(json.dumps({"measures": body}, ensure_ascii=False))
        return
    table = Table(title=f"Fiches en PDF, {rounds} de chaque sorte (médianes)")
    table.add_column("Fiche")
    for title in ("page (ms)", "PDF dessiné (ms)", "PDF connu (ms)", "taille (ko)", "rapport à la page"):
        table.add_column(title, justify="right")
    for one in found:
        numbers = (one.page, one.drawn, one.known, one.kilobytes)
        ratio = f"{one.ratio:.1f}".replace(".", ",")
        table.add_row(one.name, *(f"{value:.0f}" for value in numbers), ratio)
    (Console() if Console().is_terminal else Console(width=110)).print(table)
