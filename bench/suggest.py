"""« Qui, quoi ? »: what the names of suggestions cost by the index of texts, beside PostgreSQL on the same texts."""

import asyncio
import json
import random
import re
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer()

ENOUGH = 200
"""Practitioners below which a measure says nothing."""
SQL_TEXTS = 120
NAMES = 30

_DRAWN = """
SELECT p.first_name, p.last_name FROM directory.practitioner p
WHERE p.id IN (SELECT r.practitioner_id FROM directory.offer_search s JOIN directory.role r ON r.id = s.role_id
               WHERE NOT s.sensitive AND s.offer_id %% %(step)s = 0)
ORDER BY p.id LIMIT 5000
"""


def _typo(word: str, draw: random.Random) -> str:
    at = draw.randrange(1, len(word) - 1)
    return draw.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + draw.choice("aeiourstln") + word[at:],
            word[:at] + draw.choice("aeiourstln") + word[at + 1 :],
            word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :],
        ]
    )


def texts(conn: psycopg.Connection, count: int) -> dict[str, list[str]]:
    """Draw names of the directory and write them as people do: whole, unfinished, with a wrong letter, two words."""
    row = conn.execute("SELECT count(*) FROM directory.offer_search").fetchone()
    people = conn.execute(_DRAWN, {"step": max(1, (row[0] if row else 0) // 5000)}).fetchall()
    if len(people) < ENOUGH:
        raise typer.BadParameter("le répertoire est trop petit : chargez d’abord des registres.")
    if conn.execute("SELECT FROM search_api.token LIMIT 1").fetchone() is None:
        raise typer.BadParameter("PostgreSQL n’a pas ses mots : lancez d’abord « ./repere index build ».")
    draw = random.Random(1)
    plain = [(first, last) for first, last in people if len(last) >= 5 and re.fullmatch(r"\w+", last)]
    each = [draw.choice(plain) for _ in range(count)]
    return {
        "nom entier": [last for _, last in each],
        "début, 3 lettres": [last[:3] for _, last in each],
        "début, 4 à 6 lettres": [last[: draw.randint(4, 6)] for _, last in each],
        "une lettre fausse": [_typo(last.lower(), draw) for _, last in each],
        "prénom et début": [f"{first} {last[:3]}" for first, last in each],
        "prénom et lettre fausse": [f"{first} {_typo(last.lower(), draw)}" for first, last in each],
        "lieu": [f"cabinet {last[:4]}" for _, last in each],
    }


async def _times(some: list[str], ask: Callable[[str], Awaitable[int]]) -> dict[str, float]:
    """Milliseconds on the clock, and of this thread's processor alone: the machine may have other work."""
    for typed in some[:10]:
        await ask(typed)
    clock, cpu = [], []
    for typed in some:
        begun, spent = time.perf_counter(), time.thread_time()
        await ask(typed)
        clock.append((time.perf_counter() - begun) * 1000)
        cpu.append((time.thread_time() - spent) * 1000)
    clock.sort()
    cpu.sort()
    last = round(0.95 * len(some)) - 1
    return {"p50_ms": statistics.median(clock), "p95_ms": clock[last], "p95_cpu_ms": cpu[last]}


def _own_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.findall(r"RssAnon:\s+(\d+)", status)[0]) / 1024


async def _measure(folder: Path, count: int) -> dict[str, Any]:
    from core.db import connect_direct, dispose, unit_of_work
    from directory.api import concept_index
    from search_api import suggestions
    from search_api.engine import PUBLIC, SuggestArea
    from search_api.lexicon import lexicon
    from search_api.postgis import PostgisEngine
    from search_api.text import meaningful
    from search_api.texts.reader import TextReader
    from search_api.texts.writer import TextWriter
    from search_api.words import SqlWords, TextWords

    with connect_direct() as conn, TextWriter(folder) as writer:
        report = writer.rebuild(conn, 0)
        drawn = texts(conn, count)
    before = _own_mb()
    reader = TextReader(folder)
    by_index, by_sql, engine = TextWords(reader), SqlWords(), PostgisEngine()
    groups: dict[str, dict[str, Any]] = {}
    async with unit_of_work() as session:
        lex = lexicon(await concept_index(session))

        async def ask_index(typed: str) -> int:
            terms = await suggestions.name_terms(session, by_index, meaningful(typed))
            return len(await by_index.cards(session, reader.names(terms, PUBLIC, NAMES), PUBLIC))

        async def ask_sql(typed: str) -> int:
            terms = await suggestions.name_terms(session, by_sql, meaningful(typed))
            found = await engine.suggest(session, frozenset(), terms, SuggestArea(), PUBLIC)
            return len(await by_sql.cards(session, found.names, PUBLIC))

        async def ask_codes(typed: str) -> int:
            return len(suggestions.codes(meaningful(typed), lex))

        for name, some in drawn.items():
            groups[name] = {
                "index": await _times(some, ask_index),
                "sql": await _times(some[: SQL_TEXTS // len(drawn)], ask_sql),
                "codes": await _times(some, ask_codes),
            }
            groups[name]["ratio"] = groups[name]["sql"]["p50_ms"] / groups[name]["index"]["p50_ms"]
    own = _own_mb() - before
    await dispose()
    return {
        "build_s": report.seconds,
        "people": report.people,
        "sites": report.sites,
        "words": report.words,
        "own_mb": round(own, 1),
        "texts": groups,
    }


@app.command()
def suggest(
    count: Annotated[int, typer.Option(min=20, max=5000, help="Textes de chaque sorte.")] = 200,
    as_json: Annotated[bool, typer.Option("--json", help="Écrire un objet JSON.")] = False,
) -> None:
    """Mesure la partie « noms » des suggestions : index des textes, et PostgreSQL sur les mêmes textes."""
    with tempfile.TemporaryDirectory(prefix="repere-bench-") as folder:
        found = asyncio.run(_measure(Path(folder), count))
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        found["disk_mb"] = round(size / 1e6)
    if as_json:
        typer.echo(json.dumps({"bench": "suggest", **found}, ensure_ascii=False))
        return

    def said(number: float, digits: int = 2) -> str:
        return f"{number:.{digits}f}".replace(".", ",")

    table = Table(title="Suggestions de noms (millisecondes, p50 / p95)")
    table.add_column("Texte")
    for heading in ("index des textes", "p95, processeur", "PostgreSQL", "rapport", "codes, en mémoire"):
        table.add_column(heading, justify="right")
    for name, one in found["texts"].items():
        index, sql, codes = (f"{said(one[k]['p50_ms'])} / {said(one[k]['p95_ms'])}" for k in ("index", "sql", "codes"))
        table.add_row(name, index, said(one["index"]["p95_cpu_ms"]), sql, f"× {said(one['ratio'], 0)}", codes)
    console = Console() if Console().is_terminal else Console(width=110)
    console.print(
        f"Construit en {said(found['build_s'], 1)} s : {found['people']} professionnels, {found['sites']} lieux,"
        f" {found['words']} mots, {found['disk_mb']} Mo ; mémoire propre du lecteur {said(found['own_mb'], 1)} Mo."
    )
    console.print(table)
