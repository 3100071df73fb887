"""`./repere bench feed`: the bulk export of the feed beside a bare `COPY` of the same rows, and the memory it takes."""

import asyncio
import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer()

PUBLIC = 1


@dataclass(frozen=True)
class Measure:
    """Resources of a type, seconds to write them (and of our processor), seconds of a bare COPY, megabytes written."""

    name: str
    resources: int
    seconds: float
    cpu: float
    copied: float
    megabytes: float

    @property
    def rate(self) -> float:
        """Resources a second."""
        return self.resources / self.seconds if self.seconds else 0.0

    @property
    def ratio(self) -> float:
        """How many bare copies the export costs."""
        return self.seconds / self.copied if self.copied else float("nan")


async def _exported(name: str, level: int) -> tuple[int, float, float, float]:
    """Write a type as an export does; return how many resources, seconds, seconds of processor, megabytes."""
    from sqlalchemy import text

    from accounts.api import Caller
    from core import files
    from core.db import unit_of_work
    from search_api.fhir import export_work
    from search_api.fhir.export_question import ExportQuestion

    progress = export_work.Progress()
    begun, used = time.perf_counter(), time.process_time()
    async with unit_of_work() as session:
        await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        await session.execute(text("SET LOCAL statement_timeout = 0"))
        await export_work.write(session, ExportQuestion(types=(name,)), Caller(level=level), progress)
    seconds, cpu = time.perf_counter() - begun, time.process_time() - used
    for file in progress.output:
        files.discard(file["digest"], grace=0)
    return progress.written, seconds, cpu, sum(file["size"] for file in progress.output) / 1e6


def _copied(name: str, level: int) -> float:
    """Return the seconds that PostgreSQL takes to give the same rows as JSON, alone, and Python to drop them."""
    from sqlalchemy.dialects import postgresql

    from accounts.api import Caller
    from core.db import connect_direct
    from search_api.fhir.kinds import KINDS_OF_TYPE, MODELS
    from search_api.fhir.visible import visible

    begun = time.perf_counter()
    with connect_direct() as connection:
        for kind in KINDS_OF_TYPE[name]:
            dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
            ids = visible(kind, Caller(level=level)).compile(dialect=dialect, compile_kwargs={"literal_binds": True})
            table = MODELS[kind].__table__
            rows = f"SELECT row_to_json(t) FROM {table} t JOIN ({ids}) readable ON readable.id = t.id"
            with connection.cursor().copy(f"COPY ({rows}) TO STDOUT") as copy:
                for _ in copy:
                    pass
    return time.perf_counter() - begun


async def _measure(level: int) -> list[Measure]:
    from core.db import dispose
    from search_api.fhir.kinds import KINDS_OF_TYPE

    found = []
    for name in KINDS_OF_TYPE:
        # The first reading fills the caches of both.
        _copied(name, level)
        resources, seconds, cpu, megabytes = await _exported(name, level)
        found.append(Measure(name, resources, seconds, cpu, _copied(name, level), megabytes))
    await dispose()
    return found


def _peak(name: str, level: int) -> tuple[int, float]:
    """Return how many resources a process of its own wrote, and the most memory that it took, in megabytes."""
    program = (
        "import asyncio, json, sys; from bench.feed import alone; print(json.dumps(asyncio.run(alone(*sys.argv[1:]))))"
    )
    done = subprocess.run([sys.executable, "-c", program, name, str(level)], capture_output=True, text=True, check=True)
    resources, megabytes = json.loads(done.stdout.splitlines()[-1])
    return resources, megabytes


async def alone(name: str, level: str) -> tuple[int, float]:
    """Write a type in this process; return how many resources, and the most memory that the process took."""
    resources, _, _, _ = await _exported(name, int(level))
    return resources, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@app.command()
def feed(
    level: Annotated[int, typer.Option(min=1, max=2, help="Niveau de lecture : 1 public, 2 professionnels.")] = PUBLIC,
    as_json: Annotated[bool, typer.Option("--json", help="Résultat en JSON.")] = False,
) -> None:
    """Mesure l’extraction FHIR complète, à côté d’un COPY des mêmes lignes, et la mémoire à deux tailles."""
    found = asyncio.run(_measure(level))
    filled = sorted((one for one in found if one.resources), key=lambda one: one.resources)
    peaks = [(one.name, *_peak(one.name, level)) for one in (filled[0], filled[-1])] if filled else []
    total = Measure(
        "Total",
        sum(one.resources for one in found),
        sum(one.seconds for one in found),
        sum(one.cpu for one in found),
        sum(one.copied for one in found),
        sum(one.megabytes for one in found),
    )
    if as_json:
        print(json.dumps({"types": [asdict(one) for one in [*found, total]], "memory": peaks}))
        return
    console = Console()
    table = Table(title=f"Extraction FHIR, niveau {level}")
    columns: list[tuple[str, Any]] = [("Type", "left")] + [
        (name, "right") for name in ("Ressources", "Secondes", "CPU", "Par s", "COPY (s)", "Rapport", "Mo")
    ]
    for name, justify in columns:
        table.add_column(name, justify=justify)
    for one in [*found, total]:
        table.add_row(
            one.name,
            f"{one.resources:,}".replace(",", "\u202f"),
            f"{one.seconds:.1f}",
            f"{one.cpu:.1f}",
            f"{one.rate:,.0f}".replace(",", "\u202f"),
            f"{one.copied:.1f}",
            f"× {one.ratio:.1f}",
            f"{one.megabytes:.0f}",
        )
    console.print(table)
    for name, resources, megabytes in peaks:
        console.print(f"Mémoire au plus pour {resources} {name} : {megabytes:.0f} Mo")
