"""« Où ? »: what suggestions cost and how often they are right, beside plain ILIKE in PostgreSQL on the same texts."""

import json as jsonlib
import random
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from core.db import connect_direct
from maps import store, suggest
from maps.store import PlaceSet
from maps.text import fold, normal_name

app = typer.Typer()

QUERIES = 1_000
PLAIN_QUERIES = 150

# What someone would write first: names folded like core.fold, best the most populated.
_PLAIN = """
    SELECT kind || ':' || code FROM maps.place
     WHERE core.fold(name) ILIKE %(like)s OR code ILIKE %(like)s
     ORDER BY core.fold(name) <> %(text)s, population DESC, id LIMIT 5
"""


@dataclass(frozen=True, slots=True)
class Query:
    """A text, the reference that it means (or any of those that bear the same name), how it was made."""

    text: str
    expected: frozenset[str]
    kind: str


@dataclass(slots=True)
class Result:
    """Times in milliseconds (on the clock, and of this thread alone) and shares of right answers."""

    queries: int
    p50_ms: float
    p95_ms: float
    p95_cpu_ms: float
    recall_at_1: float
    recall_at_5: float
    misses: dict[str, int]


def queries(places: PlaceSet, count: int, seed: int = 1) -> list[Query]:
    """Draw texts as people type them, of towns drawn by the square root of their population."""
    draw = random.Random(seed)
    towns = [r for r, k in enumerate(places.kinds) if k == "commune" and places.populations[r] > 200]
    weights = [places.populations[r] ** 0.5 for r in towns]
    namesakes: dict[str, set[str]] = {}
    for row in range(len(places)):
        namesakes.setdefault(normal_name(places.names[row]), set()).add(places.hit(row).ref)
    makers: list[tuple[str, Callable[[str, int], str | None]]] = [
        ("exact", lambda name, row: name),
        ("folded", lambda name, row: fold(name)),
        ("spaces", lambda name, row: fold(name).replace("-", " ").replace("'", " ")),
        ("saint", lambda name, row: _abbreviated(name)),
        ("article", lambda name, row: _without_article(name)),
        ("beginning", lambda name, row: name[: max(5, round(len(name) * 0.7))] if len(name) >= 7 else None),
        ("typo", lambda name, row: _typo(fold(name), draw) if len(name) >= 5 else None),
        ("two typos", lambda name, row: _typo(_typo(fold(name), draw), draw) if len(name) >= 10 else None),
        ("swapped words", lambda name, row: _swapped(name)),
        ("with département", lambda name, row: f"{fold(name)} {places.departements[row]}"),
        ("run together", lambda name, row: fold(name).replace("-", "").replace(" ", "") if "-" in name else None),
        ("sur", lambda name, row: fold(name).replace("-sur-", " s/ ") if "-sur-" in name else None),
    ]
    made: list[Query] = []
    while len(made) < count:
        [row] = draw.choices(towns, weights)
        name = places.names[row]
        label, maker = draw.choice(makers)
        text = maker(name, row)
        if not text:
            continue
        expected = namesakes[normal_name(name)] if label != "with département" else {places.hit(row).ref}
        made.append(Query(text, frozenset(expected), label))
    made.extend(_postal(places, draw, towns, weights) for _ in range(count // 10))
    for row in range(len(places)):
        if places.kinds[row] in ("departement", "region"):
            hit = places.hit(row)
            same = frozenset(namesakes[normal_name(hit.name)] | {hit.ref})
            made.append(Query(hit.name, same, "wider"))
            if hit.kind == "departement":
                made.append(Query(hit.code.lower(), frozenset({hit.ref}), "number"))
    return made


def _abbreviated(name: str) -> str | None:
    short = fold(name).replace("sainte-", "ste ").replace("saint-", "st ").replace("-", " ")
    return short if short != fold(name).replace("-", " ") else None


def _without_article(name: str) -> str | None:
    for article in ("Le ", "La ", "Les ", "L'"):
        if name.startswith(article):
            return name[len(article) :]
    return None


def _swapped(name: str) -> str | None:
    words = [word for word in normal_name(name).split() if len(word) > 3]
    return " ".join(reversed(words)) if len(words) == 2 else None


def _typo(text: str, draw: random.Random) -> str:
    at = draw.randrange(1, len(text) - 1)
    kind = draw.randrange(4)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + text[at] + text[at:]
    if kind == 2:
        return text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :]
    return text[:at] + draw.choice("abcdefghijklmnoprstuv") + text[at + 1 :]


def _postal(places: PlaceSet, draw: random.Random, towns: list[int], weights: list[float]) -> Query:
    """The start of a postal code: any of the three most populated towns that it begins for is right."""
    while True:
        [row] = draw.choices(towns, weights)
        if places.postal_codes[row]:
            break
    text = places.postal_codes[row][0][: draw.choice((3, 4, 5))]
    rows = {r for code, served in places.by_postal.items() if code.startswith(text) for r in served}
    best = sorted((r for r in rows if places.kinds[r] != "commune_deleguee"), key=lambda r: -places.populations[r])
    refs = {places.hit(r).ref for r in best[:3]} | {f"cp:{c}" for c in places.by_postal if c.startswith(text)}
    return Query(text, frozenset(refs), "postal code")


def measure(made: list[Query], ask: Callable[[str], list[str]]) -> Result:
    """Ask every query, once to warm up and once with the clock."""
    for query in made[:50]:
        ask(query.text)
    times, cpu, first, five = [], [], 0, 0
    misses: dict[str, int] = {}
    for query in made:
        start, spent = time.perf_counter(), time.thread_time()
        answer = ask(query.text)
        times.append((time.perf_counter() - start) * 1000)
        cpu.append((time.thread_time() - spent) * 1000)
        first += bool(answer) and answer[0] in query.expected
        found = any(ref in query.expected for ref in answer[:5])
        five += found
        if not found:
            misses[query.kind] = misses.get(query.kind, 0) + 1
    times.sort()
    cpu.sort()
    return Result(
        len(made),
        round(times[len(times) // 2], 3),
        round(times[int(len(times) * 0.95)], 3),
        round(cpu[int(len(cpu) * 0.95)], 3),
        round(first / len(made), 4),
        round(five / len(made), 4),
        dict(sorted(misses.items())),
    )


def main(json: bool = False) -> int:
    """Measure and print; the exit code tells whether there were places to measure on."""
    known = store.current()
    if len(known) < 1000:
        sys.stderr.write("Les lieux ne sont pas chargés : lancez d’abord « ./repere places load ».\n")
        return 1
    start = time.perf_counter()
    suggest.warm()
    built = time.perf_counter() - start
    made = queries(known, QUERIES)
    ours = measure(made, lambda text: [hit.ref for hit in suggest.suggest(text, 5)])
    sampled = random.Random(2).sample(made, PLAIN_QUERIES)
    with connect_direct(autocommit=True) as connection:

        def plain(text: str) -> list[str]:
            folded = fold(text)
            rows = connection.execute(_PLAIN, {"like": folded + "%", "text": folded}).fetchall()
            return [ref.replace("code_postal:", "cp:").replace("arrondissement:", "commune:") for (ref,) in rows]

        reference = measure(sampled, plain)
    ratio = {"p50": round(reference.p50_ms / ours.p50_ms, 1), "p95": round(reference.p95_ms / ours.p95_ms, 1)}
    if json:
        document = {"build_s": round(built, 2), "ours": asdict(ours), "plain": asdict(reference), "ratio": ratio}
        sys.stdout.write(jsonlib.dumps(document, ensure_ascii=False) + "\n")
        return 0
    for name, result in (("En mémoire", ours), ("ILIKE dans PostgreSQL", reference)):
        sys.stdout.write(
            f"{name} : p50 {result.p50_ms} ms, p95 {result.p95_ms} ms (processeur {result.p95_cpu_ms} ms),"
            f" premier juste {result.recall_at_1:.1%}, dans les cinq {result.recall_at_5:.1%}"
            f" ({result.queries} textes)\n"
        )
    sys.stdout.write(f"Rapport : {ratio['p50']} fois plus rapide (p50), {ratio['p95']} fois (p95).\n")
    return 0


@app.command()
def places(json: Annotated[bool, typer.Option("--json", help="Écrire un objet JSON.")] = False) -> None:
    """Mesure les suggestions de lieux, à côté d’un ILIKE dans PostgreSQL sur les mêmes textes."""
    raise typer.Exit(main(json))
