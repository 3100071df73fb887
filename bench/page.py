"""`./repere bench page`: how soon the results page, map included, can be used in Chromium, beside a page of text.

Times count from the start of the navigation, as the page itself sees it. Cold: a browser that has nothing of the
site; warm: the same browser opens the page again. The page of text comes from the same server in the same run.
"""

import json
import os
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

import psycopg
import typer
from rich.console import Console
from rich.table import Table

from bench.search import CODES, heavy_code, percentile, server
from core.db import libpq_dsn

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

app = typer.Typer()

TEXT = "/mentions-legales"
QUIET_MS = 300
"""A page is still when nothing has kept it busy for so long after its map was drawn."""
READY_SECONDS = 30
STEPS = {
    "list": "liste lisible",
    "pins": "résultats sur la carte",
    "map": "carte entière",
    "interactive": "page utilisable",
}

# The status of the map is written in the task that draws what surrounds the results; the frame after shows both.
_WATCH = """
(() => {
  const seen = (window.repereBench = { busy: 0 });
  new PerformanceObserver((list) => {
    for (const task of list.getEntries()) seen.busy = Math.max(seen.busy, task.startTime + task.duration);
  }).observe({ type: "longtask", buffered: true });
  const note = (name) => requestAnimationFrame(() => setTimeout(() => (seen[name] ??= performance.now())));
  new MutationObserver(() => {
    if (!seen.pinsAsked && document.querySelector(".pin-rank")) {
      seen.pinsAsked = true;
      note("pins");
    }
    if (!seen.mapAsked && document.querySelector("[data-map-status]")?.textContent) {
      seen.mapAsked = true;
      note("map");
    }
  }).observe(document, { childList: true, subtree: true, characterData: true });
  document.addEventListener("DOMContentLoaded", () => note("list"));
})();
"""


@dataclass
class Series:
    """What was seen of a kind of visit: milliseconds by step, and what the browser asked for."""

    name: str
    steps: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    requests: list[int] = field(default_factory=list)

    def take(self, seen: dict[str, float], requests: int) -> None:
        """Add one visit."""
        for step, value in seen.items():
            self.steps[step].append(value)
        self.requests.append(requests)


def _visit(context: "BrowserContext", address: str, *, mapped: bool) -> tuple[dict[str, float], int]:
    """Open an address in a new tab and return the milliseconds of each step, and the number of requests."""
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    try:
        answer = page.goto(address, wait_until="domcontentloaded")
        if answer is None or answer.status != 200:
            raise typer.BadParameter(f"{address} : réponse {answer.status if answer else 'absente'}.")
        if mapped:
            drawn = page.locator("[data-map-status]:not(:empty)")
            drawn.wait_for(state="attached", timeout=READY_SECONDS * 1000)
        page.wait_for_timeout(QUIET_MS)
        seen: dict[str, float] = page.evaluate("window.repereBench")
    finally:
        page.close()
    times = {step: seen[step] for step in ("list", "pins", "map") if step in seen}
    return times | {"interactive": max(*times.values(), seen["busy"])}, len(asked)


def _measure(browser: "Browser", base: str, address: str, rounds: int) -> list[Series]:
    found = [Series("page de texte, à froid"), Series("page de texte, revue"), Series("à froid"), Series("revue")]
    for _ in range(rounds):
        for at, (path, mapped) in enumerate(((TEXT, False), (address, True))):
            # Nothing is kept from one context to the next: neither files nor compiled scripts nor connections.
            context = browser.new_context(viewport={"width": 1366, "height": 900}, locale="fr-FR", base_url=base)
            context.add_init_script(_WATCH)
            for again in (0, 1):
                found[2 * at + again].take(*_visit(context, path, mapped=mapped))
            context.close()
    return found


def _question() -> str:
    with psycopg.connect(libpq_dsn()) as conn:
        counts: dict[str, int] = dict(conn.execute(CODES).fetchall())
    if not counts:
        raise typer.BadParameter("La base est vide : chargez des registres.")
    return "/recherche?" + urlencode([("code", heavy_code(counts)), ("where", "commune:78361"), ("radius_km", "20")])


@app.command()
def page(
    rounds: Annotated[int, typer.Option(min=3, max=200, help="Visites de chaque sorte.")] = 15,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Processus de l’application.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Affiche un objet JSON.")] = False,
) -> None:
    """Page de résultats dans Chromium, carte comprise : du début de la navigation à la page utilisable."""
    executable = os.environ.get("REPERE_CHROMIUM") or "/usr/bin/chromium"
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise typer.BadParameter("Les outils d’essai manquent : ./repere test les installe.") from None
    if not Path(executable).is_file():
        raise typer.BadParameter(f"Chromium est introuvable ({executable}) : indiquez-le par REPERE_CHROMIUM.")
    address = _question()
    with server("columns", workers) as port, sync_playwright() as playwright:
        base = f"http://127.0.0.1:{port}"
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        _measure(browser, base, address, 2)
        begun = time.monotonic()
        found = _measure(browser, base, address, rounds)
        spent = time.monotonic() - begun
        browser.close()
    if as_json:
        typer.echo(json.dumps({"address": address, "visits": [_out(series) for series in found]}, ensure_ascii=False))
    else:
        _show(address, found, spent)


def _out(series: Series) -> dict[str, Any]:
    steps = {
        step: {"p50_ms": round(statistics.median(values), 1), "p95_ms": round(percentile(values, 0.95), 1)}
        for step, values in series.steps.items()
    }
    return {"name": series.name, "requests": statistics.median(series.requests), **steps}


def _show(address: str, found: list[Series], spent: float) -> None:
    console = Console() if Console().is_terminal else Console(width=130)
    console.print(f"{address} : {len(found[0].requests)} visites de chaque sorte en {spent:.0f} s")
    table = Table(title="p50 / p95 en millisecondes depuis le début de la navigation")
    for heading in ("Visite", "requêtes", *STEPS.values(), "rapport à la page de texte"):
        table.add_column(heading, justify="left" if heading == "Visite" else "right")
    for at, series in enumerate(found):
        out = _out(series)
        cells = [f"{out[s]['p50_ms']:.0f} / {out[s]['p95_ms']:.0f}" if s in out else "" for s in STEPS]
        reference = statistics.median(found[at % 2].steps["interactive"])
        ratio = statistics.median(series.steps["interactive"]) / reference
        table.add_row(series.name, f"{out['requests']:.0f}", *cells, f"× {ratio:.1f}".replace(".", ","))
    console.print(table)
