"""`./repere bench coverage`: a report from question to files, beside one naive query per commune on the same rows."""

import asyncio
import json
import time
import uuid
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer()

QUESTIONS: dict[str, tuple[str, str]] = {
    "infirmiers, intercommunalité": ("G15|60", "epci:200059889"),
    "infirmiers, département": ("G15|60", "departement:78"),
    "sages-femmes, région": ("G15|50", "region:11"),
    "infirmiers, région": ("G15|60", "region:11"),
    "infirmiers, France": ("G15|60", "france"),
}
SAMPLED = 20
"""Communes that the naive query is run on; its time is multiplied up to the territory."""

# What a first draft would do: for each commune count, then measure to every offer of the country.
NAIVE = """
    SELECT p.code,
           (SELECT count(*) FROM directory.offer_search s WHERE p.id = ANY(s.places) AND :concept = ANY(s.codes)),
           (SELECT min(ST_Distance(s.position, p.point)) FROM directory.offer_search s WHERE :concept = ANY(s.codes)),
           EXISTS (SELECT FROM directory.offer_search s WHERE :concept = ANY(s.codes) AND (p.id = ANY(s.territory)
               OR EXISTS (SELECT FROM maps.place_containment c
                           WHERE c.place_id = p.id AND c.container_id = ANY(s.territory))))
      FROM maps.place p WHERE p.id = ANY(:ids)
"""


@dataclass(frozen=True)
class Measure:
    """Seconds of one report, and of the naive figures of the same communes."""

    name: str
    communes: int
    offers: int
    seconds: float
    naive: float

    @property
    def ratio(self) -> float:
        """How much of the naive time the whole report takes, files included."""
        return self.seconds / self.naive if self.naive else float("nan")


async def _measure(name: str, code: str, where: str) -> Measure | None:
    from sqlalchemy import delete, select, text

    from core import files
    from core.db import unit_of_work
    from core.errors import InvalidInput
    from directory.api import concept_index
    from search_api.coverage import question, service, work
    from search_api.models_coverage import CoverageReport

    pairs = [("code", code), ("where", where)]
    try:
        asked = await asyncio.to_thread(question.read, pairs)
    except InvalidInput:
        return None
    uid: uuid.UUID | None = None
    made: set[str] = set()
    try:
        # A mark of its own: what someone asked for before must not answer.
        async with unit_of_work() as session:
            row = CoverageReport(
                fingerprint=f"bench-{uuid.uuid4()}", question=[list(pair) for pair in pairs], title=name, communes=0
            )
            session.add(row)
            await session.flush()
            uid = row.uid
        begun = time.perf_counter()
        await work.carry_out(uid)
        seconds = time.perf_counter() - begun
        async with unit_of_work() as session:
            found = await service.find(session, uid)
            status = await service.status(session, found)
            made = set(found.files.values())
        if status.summary is None:
            raise typer.BadParameter(f"{name} : {status.message}")
    finally:
        async with unit_of_work() as session:
            await session.execute(delete(CoverageReport).where(CoverageReport.uid == uid))
            # The rows of a report that someone asked for may be the very same content.
            kept = {
                digest for named in await session.scalars(select(CoverageReport.files)) for digest in named.values()
            }
        for digest in made - kept:
            files.discard(digest, grace=-1)
    step = max(1, len(asked.communes) // SAMPLED)
    sampled = [commune.id for commune in asked.communes[::step]]
    async with unit_of_work() as session:
        concept = (await concept_index(session)).id(code)
        await session.execute(text("SET LOCAL statement_timeout = 0"))
        begun = time.perf_counter()
        await session.execute(text(NAIVE), {"concept": concept, "ids": sampled})
        naive = (time.perf_counter() - begun) * len(asked.communes) / len(sampled)
    return Measure(name, status.summary.communes, status.summary.offers, seconds, naive)


async def _all(rounds: int) -> list[Measure]:
    from core.db import dispose

    found = []
    try:
        for name, (code, where) in QUESTIONS.items():
            measures = [one for _ in range(rounds) if (one := await _measure(name, code, where)) is not None]
            if measures:
                found.append(min(measures, key=lambda one: one.seconds))
    finally:
        await dispose()
    return found


@app.command()
def coverage(
    rounds: Annotated[int, typer.Option(min=1, max=20, help="Répétitions ; la meilleure est montrée.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Affiche un objet JSON.")] = False,
) -> None:
    """Couverture : temps d’un rapport avec ses fichiers, et rapport à une requête naïve par commune."""
    found = asyncio.run(_all(rounds))
    if as_json:
        body = [
            {
                "name": one.name,
                "communes": one.communes,
                "offers": one.offers,
                "seconds": round(one.seconds, 2),
                "naive_seconds": round(one.naive, 2),
                "ratio": round(one.ratio, 4),
            }
            for one in found
        ]
        typer.echo(json.dumps({"measures": body}, ensure_ascii=False))
        return
    table = Table(title=f"Couverture, {rounds} répétitions (référence mesurée sur {SAMPLED} communes)")
    table.add_column("Rapport")
    for title in ("communes", "offres", "rapport (s)", "référence (s)", "rapport à la référence"):
        table.add_column(title, justify="right")
    for one in found:
        numbers = (f"{one.seconds:.2f}", f"{one.naive:.1f}", f"{one.ratio:.3f}")
        table.add_row(one.name, str(one.communes), str(one.offers), *(text.replace(".", ",") for text in numbers))
    (Console() if Console().is_terminal else Console(width=110)).print(table)
