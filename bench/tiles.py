"""`./repere bench tiles`: vector tiles and pages of features, beside a naive tile over the same rows."""

import asyncio
import itertools
import json
import math
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

PLACE = (2.3488, 48.8534)
"""Longitude and latitude of the tiles that are drawn: the densest of the sample registers."""

# What a first draft would do: every offer as a point of its own, filtered by the projected point, no index.
NAIVE = """
SELECT length(ST_AsMVT(t, 'offers', 4096, 'shape')) FROM (
    SELECT ST_AsMVTGeom(ST_Transform(position::geometry, 3857), ST_TileEnvelope(8, 129, 88), 4096, 64, true) AS shape,
           offer_id, site_id, kind
    FROM directory.offer_search
    WHERE NOT sensitive AND ST_Intersects(ST_Transform(position::geometry, 3857), ST_TileEnvelope(8, 129, 88))
) t
"""


@dataclass(frozen=True)
class Measure:
    """Milliseconds of repeated answers to one question, and the bytes of the last one."""

    name: str
    samples: list[float]
    size: int

    @property
    def p50(self) -> float:
        return statistics.median(self.samples)

    @property
    def p95(self) -> float:
        return sorted(self.samples)[max(0, round(0.95 * len(self.samples)) - 1)]


def tile(z: int) -> str:
    """Return the address of the tile of a zoom that holds the place."""
    sine = math.sin(math.radians(PLACE[1]))
    x = math.floor((PLACE[0] + 180) / 360 * 2**z)
    y = math.floor((0.5 - math.log((1 + sine) / (1 - sine)) / (4 * math.pi)) * 2**z)
    return f"{z}/{x}/{y}.mvt"


async def _time(name: str, rounds: int, call: Callable[[], Awaitable[int]]) -> Measure:
    size = await call()
    samples = []
    for _ in range(rounds):
        begun = time.perf_counter()
        size = await call()
        samples.append((time.perf_counter() - begun) * 1000)
    return Measure(name, samples, size)


async def _measure(rounds: int) -> tuple[list[Measure], Measure]:
    from sqlalchemy import text

    from core.db import dispose, unit_of_work
    from web.app import create_app

    async def naive() -> int:
        async with unit_of_work() as session:
            await session.execute(text("SET LOCAL statement_timeout = 0"))
            return int(await session.scalar(text(NAIVE)) or 0)

    found: list[Measure] = []
    transport = httpx.ASGITransport(app=create_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://repere.bench", timeout=120) as client:

        def asking(address: str, *, anew: bool = False, held: str = "") -> Callable[[], Awaitable[int]]:
            # Another age is another search: nothing that was drawn before serves again.
            ages = itertools.cycle(range(1, 100))
            headers = {"If-None-Match": held} if held else {}

            async def ask() -> int:
                more = f"{'&' if '?' in address else '?'}age={next(ages)}" if anew else ""
                answer = await client.get(address + more, headers=headers)
                if answer.status_code != (304 if held else 200):
                    raise typer.BadParameter(f"{address} : réponse {answer.status_code}.")
                return len(answer.content)

            return ask

        for z in (0, 6, 8, 10, 12, 14):
            cold = asking(f"/tiles/offers/{tile(z)}", anew=True)
            found.append(await _time(f"Offres, zoom {z}, à froid", rounds, cold))
        kine = asking(f"/tiles/offers/{tile(8)}?q=kin%C3%A9sith%C3%A9rapeute", anew=True)
        found.append(await _time("Offres d’une recherche, zoom 8, à froid", rounds, kine))
        found.append(await _time("Offres, zoom 8, gardée", rounds, asking(f"/tiles/offers/{tile(8)}")))
        tag = (await client.get(f"/tiles/offers/{tile(8)}")).headers["etag"]
        found.append(await _time("Offres, zoom 8, 304", rounds, asking(f"/tiles/offers/{tile(8)}", held=tag)))
        found += await _places(rounds)
        for name, address in (
            ("Carte, zoom 12", "/api/v1/map?zoom=12&view=2.2,48.8,2.5,48.9"),
            ("Carte de France, zoom 6", "/api/v1/map?zoom=6&view=-5,41,10,52"),
        ):
            found.append(await _time(f"{name}, à froid", rounds, asking(address, anew=True)))
        for collection in ("sites", "offers", "communes"):
            items = f"/ogc/collections/{collection}/items"
            box = "bbox=2.2,48.8,2.5,48.9"
            for name, address in (
                ("100 objets", f"{items}?limit=100"),
                ("100 objets d’une zone", f"{items}?limit=100&{box}"),
                ("page la plus grande", f"{items}?limit=10000"),
                ("nombre dans une zone", f"{items}?resultType=hits&{box}"),
            ):
                found.append(await _time(f"{collection} : {name}", rounds, asking(address)))
    reference = await _time("Référence naïve (tuile, zoom 8)", max(3, rounds // 2), naive)
    await dispose()
    return found, reference


async def _places(rounds: int) -> list[Measure]:
    from core.db import unit_of_work
    from maps.tiles import LAYERS, Tile, contours, draw, tile_at

    def drawing(layer: str, at: Tile) -> Callable[[], Awaitable[int]]:
        async def drawn() -> int:
            async with unit_of_work() as session:
                return len(await draw(session, contours(LAYERS[layer], at), layer, at))

        return drawn

    found = []
    for layer, z in (("departements", 4), ("departements", 6), ("communes", 7), ("communes", 9), ("communes", 12)):
        at = tile_at(*map(int, tile(z).removesuffix(".mvt").split("/")))
        found.append(await _time(f"{layer}, zoom {z}, à froid", rounds, drawing(layer, at)))
    return found


@app.command()
def tiles(
    rounds: Annotated[int, typer.Option(min=1, max=500, help="Répétitions de chaque question.")] = 15,
    as_json: Annotated[bool, typer.Option("--json", help="Affiche un objet JSON.")] = False,
) -> None:
    """Tuiles et objets géographiques : temps, taille, et rapport à une tuile naïve des mêmes offres."""
    found, reference = asyncio.run(_measure(rounds))
    if as_json:
        body = {
            "reference_p50_ms": round(reference.p50, 1),
            "measures": [
                {
                    "name": one.name,
                    "p50_ms": round(one.p50, 1),
                    "p95_ms": round(one.p95, 1),
                    "bytes": one.size,
                    "ratio": round(one.p50 / reference.p50, 3),
                }
                for one in found
            ],
        }
        typer.echo(json.dumps(body, ensure_ascii=False))
        return
    table = Table(title=f"Tuiles et objets géographiques, {rounds} répétitions")
    table.add_column("Question")
    for title in ("p50 (ms)", "p95 (ms)", "taille (ko)", "rapport à la référence"):
        table.add_column(title, justify="right")
    for one in [*found, reference]:
        ratio = f"{one.p50 / reference.p50:.2f}".replace(".", ",")
        size = f"{one.size / 1000:.1f}".replace(".", ",")
        table.add_row(one.name, f"{one.p50:.0f}", f"{one.p95:.0f}", size, ratio)
    (Console() if Console().is_terminal else Console(width=120)).print(table)
