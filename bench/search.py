"""`./repere bench search`: the columns engine beside PostgreSQL, through HTTP, on the same database in the same run.

The database is the instance's own, or one that the measure makes once and keeps (`--size`). Questions vary, so that
nothing counted before serves again, except where the table says so.
"""

import http.client
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from core.db import libpq_dsn

app = typer.Typer()
ROOT = Path(__file__).parent.parent
ENGINES = ("postgis", "columns")
HEAVY_OFFERS = 96_000
TOWNS = 1_500
"""Far more than an engine keeps counts for: a town has left by the time that it comes again."""
READY_SECONDS = 120
CLIENTS = 2
WARM, WARM_SECONDS = 50, 3
"""Questions of the same kind before those that are measured, of other places: a process that has answered for a while
has its plans prepared and its pages mapped."""

CODES = """
SELECT c.system || '|' || c.code AS ref, count(*) FROM directory.offer_search s
CROSS JOIN LATERAL unnest(s.codes) AS held(id) JOIN directory.concept c ON c.id = held.id
WHERE c.system IN ('G15', 'J17', 'J16', 'R38', 'R282', 'J19', 'R338', 'J29') GROUP BY 1
"""
_TOWNS = """
SELECT code, ST_X(point::geometry), ST_Y(point::geometry) FROM maps.place
WHERE kind = 'commune' AND point IS NOT NULL AND code < '97' ORDER BY population DESC OFFSET 20 LIMIT 3000
"""

_MEMORY = """
import gc, json, sys, time
import web.app
from maps import api as maps
def anonymous():
    gc.collect()
    text = open("/proc/self/smaps_rollup").read()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Anonymous"))
maps.suggest("mantes")
before = anonymous()
from core.db import connect_direct
from search_api.columns.follower import Follower
from search_api.columns.builder import root
begun = time.perf_counter()
follower = Follower(root())
with connect_direct(autocommit=True) as conn:
    follower.catch_up(conn)
loaded = time.perf_counter() - begun
from search_api.columns.engine import ColumnsEngine
from search_api.engine import EngineQuery
engine = ColumnsEngine(follower.state)
for code in json.loads(sys.argv[1]):
    engine.answer_now(EngineQuery(codes=(frozenset([code]),)))
print(json.dumps({"load_s": round(loaded, 2), "own_mb": round((anonymous() - before) / 1024, 1)}))
"""


@dataclass
class Case:
    """A kind of question: addresses that vary without end, and how often to ask."""

    name: str
    addresses: Iterator[str]
    rounds: int
    throughput: bool = False
    samples: dict[str, list[float]] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)


class _Client:
    """One kept connection; the lightest client there is, so that it is the server that is measured."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def get(self, address: str) -> bytes:
        self.connection.request("GET", address, headers={"Accept": "application/json"})
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status not in (200, 503):
            raise RuntimeError(f"{address} : {answer.status} {body[:300]!r}")
        return body


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def server(engine: str, workers: int) -> Iterator[int]:
    """Run the application with an engine, and yield its port once every process answers with it."""
    port = _free_port()
    command = [sys.executable, "-m", "uvicorn", "web.app:app", "--port", str(port), "--workers", str(workers)]
    command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "error"]
    env = os.environ | {"REPERE_SEARCH_ENGINE": engine}
    log = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        _wait(port, engine)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(port: int, engine: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    seen = 0
    while time.monotonic() < deadline:
        try:
            ready = json.loads(_Client(port).get("/readyz"))
            seen = seen + 1 if ready.get("search", {}).get("engine") == engine else 0
            if seen >= 8:
                return
        except (OSError, ValueError):
            seen = 0
        time.sleep(0.1)
    raise typer.BadParameter(f"Le moteur {engine} n’est pas prêt : lancez d’abord ./repere index build.")


def _query(*pairs: tuple[str, str]) -> str:
    return "/api/v1/search?" + urlencode(pairs)


def heavy_code(counts: Mapping[str, int]) -> str:
    """Return the code whose number of offers is nearest to that of a profession of the whole country."""
    return min(
        (ref for ref in counts if ref.startswith(("G15", "J17"))), key=lambda ref: abs(counts[ref] - HEAVY_OFFERS)
    )


def _cases(rounds: int) -> tuple[list[Case], dict[str, Any]]:
    with psycopg.connect(libpq_dsn()) as conn:
        counts: dict[str, int] = dict(conn.execute(CODES).fetchall())
        towns = conn.execute(_TOWNS).fetchall()
        row = conn.execute("SELECT count(*), count(DISTINCT site_id) FROM directory.offer_search").fetchone()
    offers, sites = row if row else (0, 0)
    if not counts or not towns:
        raise typer.BadParameter("La base est vide : chargez des registres, ou donnez --size.")
    heavy = heavy_code(counts)
    rare = min((ref for ref in counts if counts[ref] >= 5), key=lambda r: counts[r])
    step = max(1, len(towns) // TOWNS)
    towns = towns[::step][:TOWNS]
    saturday = date.today() + timedelta(days=(5 - date.today().weekday()) % 7)
    near = itertools.cycle(towns)
    ages = itertools.cycle(range(20, 100))
    views = itertools.count()
    act = max((ref for ref in counts if ref.startswith("J16")), key=lambda r: counts[r])
    words = (
        "kinesithérapeuthe",
        "infirmeir",
        "orthophonsite",
        "cardiolgie",
        "dentsite",
        "radiolgie",
        "martni",
        "dupond",
    )

    def forever(make: Callable[[], str]) -> Iterator[str]:
        while True:
            yield make()

    def town() -> tuple[str, str]:
        return ("where", f"commune:{next(near)[0]}")

    def age() -> tuple[str, str]:
        return ("age", str(next(ages)))

    def four() -> str:
        return _query(
            ("professions", "G15|70"), ("professions", "G15|60"), ("convention", "R282|1"), ("patients", "adulte"),
            ("kind", "liberal"), ("open_at", f"{saturday}T09:30"), town(), ("radius_km", "20"),
        )  # fmt: skip

    def view() -> str:
        _, lon, lat = next(near)
        box = f"{lon - 0.12:.4f},{lat - 0.06:.4f},{lon + 0.12:.4f},{lat + 0.06:.4f}"
        return "/api/v1/map?" + urlencode([("code", heavy), age(), ("view", box), ("zoom", "12")])

    def country() -> str:
        return f"{-5.5 - next(views) / 10_000:.4f},41,10,51.5"

    def suggestion() -> str:
        return "/api/v1/suggest?" + urlencode([("q", next(typed)), town()])

    typed = itertools.cycle(words)
    france = ("where", "france")
    cases = [
        Case(
            "code fréquent, 20 km", forever(lambda: _query(("code", heavy), town(), ("radius_km", "20"))), rounds, True
        ),
        Case("4 groupes de filtres, samedi 9 h 30, 20 km", forever(four), rounds, True),
        Case("code fréquent près d’une commune", forever(lambda: _query(("code", heavy), age(), town())), rounds),
        Case("code fréquent, France", forever(lambda: _query(("code", heavy), france, age())), rounds, True),
        Case("code rare, France", forever(lambda: _query(("code", rare), france, age())), rounds),
        Case("tout, près d’une commune", forever(lambda: _query(age(), town())), max(5, rounds // 4)),
        Case("acte, pertinence", forever(lambda: _query(("code", act), ("sort", "relevance"), age(), town())), rounds),
        Case("suggestions avec une faute", forever(suggestion), rounds),
        Case(
            "carte, France",
            forever(
                # Each view is new: none is answered from what was kept of another.
                lambda: "/api/v1/map?" + urlencode([("code", heavy), age(), ("view", country()), ("zoom", "5")])
            ),
            rounds,
        ),
        Case("carte, zone d’une ville", forever(view), rounds),
        Case("code fréquent, France, déjà compté", forever(lambda: _query(("code", heavy), town())), rounds),
    ]
    facts = {"offers": offers, "sites": sites, "heavy": heavy, "heavy_offers": counts[heavy], "rare": rare}
    return cases, facts


def _ask(case: Case, engine: str, port: int) -> None:
    client = _Client(port)
    slow = 0.0
    until = time.perf_counter() + WARM_SECONDS
    for _ in range(WARM):
        client.get(next(case.addresses))
        if time.perf_counter() > until:
            break
    samples = []
    for _ in range(case.rounds):
        address = next(case.addresses)
        begun = time.perf_counter()
        client.get(address)
        samples.append((time.perf_counter() - begun) * 1000)
        slow += samples[-1]
        if slow > 30_000 and len(samples) >= 10:
            break
    case.samples[engine] = samples


def _rate(case: Case, engine: str, port: int, seconds: float) -> None:
    """Count the answers that two clients get in some seconds."""
    lock = threading.Lock()
    done = [0] * CLIENTS
    until = time.perf_counter() + seconds

    def ask(number: int) -> None:
        client = _Client(port)
        while time.perf_counter() < until:
            with lock:
                address = next(case.addresses)
            client.get(address)
            done[number] += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(CLIENTS)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    case.rates[engine] = sum(done) / (time.perf_counter() - begun)


def percentile(samples: list[float], share: float) -> float:
    """Return the sample below which a share of the others stand."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, round(share * len(ordered)))]


def _index() -> dict[str, Any]:
    """Time a build, and the memory and time that a process needs to open it."""
    with psycopg.connect(libpq_dsn()) as conn:
        codes = [row[0] for row in conn.execute("SELECT id FROM directory.concept WHERE system = 'G15'").fetchall()]
    from search_api.columns import builder

    report = builder.build(builder.root())
    if report is None:
        raise typer.BadParameter("Aucun registre n’est publié dans cette base.")
    done = subprocess.run(
        [sys.executable, "-c", _MEMORY, json.dumps(codes)], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout.decode().splitlines()[-1])
    return found | {"build_s": report.seconds, "read_s": report.read_seconds, "snapshot_mb": report.megabytes}


@app.command()
def search(
    rounds: Annotated[int, typer.Option(min=5, max=2000, help="Répétitions de chaque question.")] = 100,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Processus de l’application.")] = 2,
    seconds: Annotated[float, typer.Option(min=1, max=120, help="Durée de la mesure du débit.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Affiche un objet JSON.")] = False,
) -> None:
    """Recherche : le moteur en colonnes et PostgreSQL, à travers HTTP, sur la base de l’instance."""
    cases, facts = _cases(rounds)
    facts |= _index()
    for engine in ENGINES:
        with server(engine, workers) as port:
            for case in cases:
                if not as_json:
                    typer.echo(f"{engine} : {case.name}…", err=True)
                _ask(case, engine, port)
                if case.throughput:
                    _rate(case, engine, port, seconds)
    if as_json:
        typer.echo(json.dumps(facts | {"cases": [_out(case) for case in cases]}, ensure_ascii=False))
    else:
        _show(cases, facts)


def _out(case: Case) -> dict[str, Any]:
    found: dict[str, Any] = {"name": case.name}
    for engine in ENGINES:
        samples = case.samples[engine]
        found[engine] = {"p50_ms": round(statistics.median(samples), 2), "p95_ms": round(percentile(samples, 0.95), 2)}
        if engine in case.rates:
            found[engine]["per_second"] = round(case.rates[engine], 1)
    found["ratio"] = round(statistics.median(case.samples["postgis"]) / statistics.median(case.samples["columns"]), 1)
    if case.rates:
        found["rate_ratio"] = round(case.rates["columns"] / case.rates["postgis"], 1)
    return found


def _show(cases: list[Case], facts: dict[str, Any]) -> None:
    console = Console() if Console().is_terminal else Console(width=130)
    console.print(
        f"{facts['offers']:,} offres, {facts['sites']:,} lieux ; code fréquent : {facts['heavy']}"
        f" ({facts['heavy_offers']:,} offres)".replace(",", " ")
    )
    console.print(
        f"Instantané : {facts['snapshot_mb']:.0f} Mo construit en {facts['build_s']:.1f} s ; ouvert en"
        f" {facts['load_s']:.2f} s ; mémoire propre d’un processus : {facts['own_mb']:.0f} Mo".replace(".", ",")
    )
    table = Table(title="p50 / p95 en millisecondes, HTTP compris")
    table.add_column("Question")
    for heading in ("columns", "postgis", "rapport", "columns /s", "postgis /s", "rapport de débit"):
        table.add_column(heading, justify="right")
    for case in cases:
        out = _out(case)
        times = [f"{out[engine]['p50_ms']:.1f} / {out[engine]['p95_ms']:.1f}" for engine in ("columns", "postgis")]
        rates = (
            [f"{out[engine].get('per_second', 0):.0f}" for engine in ("columns", "postgis")] if case.rates else ["", ""]
        )
        cells = [*times, f"× {out['ratio']:.0f}", *rates, f"× {out['rate_ratio']:.1f}" if case.rates else ""]
        table.add_row(case.name, *(cell.replace(".", ",") for cell in cells))
    console.print(table)
