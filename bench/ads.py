"""`./repere bench ads`: searches of 50,000 published ads and the dashboard of a council, through HTTP.

It makes a database of its own and drops it: the whole country's places, ads written by SQL where doctors are (seven in
ten in large towns), with one to three places and periods. The reference asks the base tables the same questions, as a
first draft would: joins, and distances measured ad by ad.
"""

import asyncio
import http.client
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlencode

import psycopg
import typer
from psycopg import sql
from rich.console import Console
from rich.table import Table
from sqlalchemy.engine import make_url

from bench.search import percentile, server
from core.db import libpq_dsn
from core.settings import core_settings, load

app = typer.Typer()
ROOT: Final = Path(__file__).parent.parent
DATABASE: Final = "repere_bench_ads"
TARGETS: Final = {"search": 15.0, "dashboard": 30.0}
"""Milliseconds at the ninety-fifth percentile."""
DASHBOARD: Final = "/annonces/moderation"
COUNCIL: Final = "75"
NAIVE_ROUNDS: Final = 30

_PEOPLE: Final = """
SELECT setseed(0.42);
INSERT INTO accounts.account (status, first_name, last_name, email, email_confirmed_at, rpps)
SELECT 'active', 'Prénom' || i, 'NOM' || i, 'medecin' || i || '@exemple.test', core.now(), (10100000000 + i)::text
  FROM generate_series(1, {people}) i;
INSERT INTO directory.practitioner (national_id, rpps, last_name, first_name, profession, category, specialties)
SELECT '8' || a.rpps, a.rpps, a.last_name, a.first_name, '10', 'C', ARRAY['R38|SM54']
  FROM accounts.account a WHERE a.rpps IS NOT NULL;
INSERT INTO accounts.ordinal_file (account_id, council, council_confirmed_at, visited_at)
SELECT a.id, c.code, core.now(), core.now() FROM accounts.account a JOIN LATERAL (
       SELECT code, row_number() OVER (ORDER BY code) AS rank, count(*) OVER () AS many
         FROM maps.place WHERE kind = 'departement' AND retired_at IS NULL) c ON c.rank = 1 + a.id % c.many;
INSERT INTO accounts.grant (account_id, role, scope, origin, given_by)
SELECT id, 'moderator', 'council:{council}', 'demo', 'bench' FROM accounts.account WHERE id = 2;
"""
_ADS: Final = """
CREATE TEMP TABLE town AS SELECT row_number() OVER (ORDER BY population DESC, id) AS rank, id, departement_code
  FROM maps.place WHERE kind = 'commune' AND retired_at IS NULL AND point IS NOT NULL;
CREATE UNIQUE INDEX ON town (rank);
CREATE TEMP TABLE area AS SELECT row_number() OVER (ORDER BY kind, id) AS rank, id
  FROM maps.place WHERE kind IN ('departement', 'region', 'pays') AND retired_at IS NULL;
CREATE TEMP TABLE specialty AS SELECT row_number() OVER (ORDER BY code) AS rank, 'R38|' || code AS ref
  FROM directory.concept WHERE system = 'R38' AND code LIKE 'SM%' AND active;
CREATE TEMP TABLE drawn AS
SELECT i, random() AS kind, random() AS specialty, random() AS age, random() AS first, random() AS length,
       CASE WHEN random() < 0.7 THEN 1 + floor(power(random(), 2) * 1500)
            ELSE 1 + floor(random() * (SELECT count(*) FROM town)) END::bigint AS town
  FROM generate_series(1, {ads}) i;
INSERT INTO ads.ad (account_id, state, category, side, specialty, title, description, conditions, urgent, ends_on,
    council, content, accepted, submitted_at, published_at, updated_at)
SELECT (SELECT min(id) FROM accounts.account) + 2 + d.i % ({people} - 2), 'published',
       (ARRAY['remplacement','remplacement','remplacement','collaboration','assistanat','adjuvat','association',
              'succession'])[1 + d.i % 8],
       (ARRAY['seeks','offers'])[1 + (d.i / 8) % 2],
       -- One ad in three is of general medicine.
       CASE WHEN d.specialty < 0.33 THEN 'R38|SM54' ELSE
           (SELECT ref FROM specialty WHERE rank = 1 + floor(d.specialty * (SELECT count(*) - 1 FROM specialty))) END,
       'Cherche un remplaçant, annonce ' || d.i,
       'Cabinet de groupe, secrétariat, logiciel métier. Gardes ' ||
           (ARRAY['facultatives','partagées','absentes','le week-end'])[1 + d.i % 4] || '. Référence ' || d.i,
       'Rétrocession à discuter', d.i % 9 = 0, (core.now() + make_interval(days => 10 + (d.i % 170)::int))::date,
       t.departement_code, '\\x00', '\\x00', core.now() - make_interval(secs => d.age * 15000000),
       core.now() - make_interval(secs => d.age * 15000000), core.now() - make_interval(secs => d.age * 15000000)
  FROM drawn d JOIN town t ON t.rank = d.town ORDER BY d.i;
INSERT INTO ads.ad_place (ad_id, place_id, position)
SELECT a.id, CASE WHEN d.kind < 0.06 THEN (SELECT id FROM area WHERE rank = 1 + d.i % (SELECT count(*) FROM area))
                  ELSE t.id END, 0
  FROM ads.ad a JOIN drawn d ON d.i = a.number JOIN town t ON t.rank = d.town;
INSERT INTO ads.ad_place (ad_id, place_id, position)
SELECT a.id, t.id, n.n FROM ads.ad a JOIN drawn d ON d.i = a.number CROSS JOIN (VALUES (1), (2)) n(n)
  JOIN town t ON t.rank = least(d.town + 7 * n.n, (SELECT count(*) FROM town)) WHERE d.i % 10 < 3 - n.n
    ON CONFLICT DO NOTHING;
INSERT INTO ads.ad_period (ad_id, position, starts_on, ends_on)
SELECT a.id, n.n, s.start, CASE WHEN d.length < 0.25 THEN NULL ELSE s.start + 5 + (d.length * 90)::int END
  FROM ads.ad a JOIN drawn d ON d.i = a.number CROSS JOIN (VALUES (0), (1), (2)) n(n)
 CROSS JOIN LATERAL (SELECT core.now()::date + (d.first * 300)::int + 40 * n.n AS start) s WHERE d.i % 5 + 1 > 2 * n.n;
INSERT INTO ads.ad_history (ad_id, at, actor, council, action, from_state, to_state)
SELECT id, published_at, 'account:' || gen_random_uuid(), 'CD' || council, 'accept', 'pending', 'published' FROM ads.ad;
INSERT INTO ads.ad (account_id, state, category, side, specialty, title, description, ends_on, council, content,
    submitted_at, updated_at)
SELECT account_id, (ARRAY['pending','unpublished','refused'])[1 + id % 3], category, side, specialty, title,
       description, ends_on, council, content, submitted_at, updated_at FROM ads.ad WHERE id % 10 = 0;
"""
_TOWNS: Final = """
SELECT code, id FROM maps.place WHERE kind = 'commune' AND retired_at IS NULL AND code < '97' AND point IS NOT NULL
ORDER BY population DESC LIMIT 1500
"""
_NAIVE: Final = """
WITH asked AS (SELECT id, point FROM maps.place WHERE id = %(place)s)
SELECT a.id, count(*) OVER () FROM ads.ad a, asked
 WHERE a.state = 'published' AND a.ends_on >= core.now()::date AND a.specialty = %(specialty)s
   AND EXISTS (SELECT FROM ads.ad_period e WHERE e.ad_id = a.id
                AND daterange(e.starts_on, e.ends_on, '[]') && daterange(%(start)s, %(end)s, '[]'))
   AND EXISTS (SELECT FROM ads.ad_place l JOIN maps.place p ON p.id = l.place_id WHERE l.ad_id = a.id
                AND (p.id = asked.id
                     OR (p.kind IN ('commune', 'arrondissement', 'commune_deleguee')
                         AND ST_DWithin(p.point, asked.point, 20000))
                     OR EXISTS (SELECT FROM maps.place_containment c
                                 WHERE (c.place_id, c.container_id) IN ((p.id, asked.id), (asked.id, p.id)))))
 ORDER BY a.published_at DESC, a.id DESC LIMIT 15
"""


@dataclass
class Case:
    """A kind of question: addresses that vary without end, and how long the answers took."""

    name: str
    addresses: Iterator[str]
    target: float | None = None
    samples: list[float] = field(default_factory=list)


@contextmanager
def _database(ads: int, people: int) -> Iterator[None]:
    """Make the database of the measure, have this process and its children use it, and drop it."""
    target = make_url(core_settings().direct_url).set(database=DATABASE)
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(DATABASE))
    instance = libpq_dsn()
    with psycopg.connect(instance, autocommit=True) as admin:
        admin.execute(drop)
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    url = target.render_as_string(hide_password=False)
    os.environ |= {"REPERE_DATABASE_URL": url, "REPERE_DATABASE_DIRECT_URL": url}
    load.cache_clear()
    try:
        for step in (["-m", "alembic", "upgrade", "head"], ["cli.py", "places", "load"],
                     ["cli.py", "nomenclatures", "load"]):  # fmt: skip
            subprocess.run([sys.executable, *step], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        with psycopg.connect(libpq_dsn(), options="-c timezone=UTC") as conn:
            conn.execute(_PEOPLE.format(people=people, council=COUNCIL))
            conn.execute(_ADS.format(ads=ads, people=people))
            conn.execute("ANALYZE")
        asyncio.run(_project())
        with psycopg.connect(libpq_dsn(), autocommit=True) as conn:
            conn.execute("VACUUM ANALYZE")
        yield
    finally:
        with psycopg.connect(instance, autocommit=True) as admin:
            admin.execute(drop)


async def _project() -> None:
    from core.db import dispose
    from modules.ads.tasks import follow_places

    await follow_places()
    await dispose()


async def _sign_in(account_id: int) -> str:
    """Return the cookie of somebody who is signed in."""
    from accounts.models import Account
    from accounts.person import cookie_name
    from accounts.service import open_sign_in
    from core.db import dispose, unit_of_work

    async with unit_of_work() as session:
        token = await open_sign_in(session, await session.get_one(Account, account_id), "password", "bench")
    await dispose()
    return f"{cookie_name()}={token}"


def _draw(seed: int) -> tuple[Callable[[], dict[str, object]], int]:
    """Return what draws a place, a specialty and a period, and how many ads there are."""
    with psycopg.connect(libpq_dsn()) as conn:
        towns = conn.execute(_TOWNS).fetchall()
        specialties = [row[0] for row in conn.execute("SELECT DISTINCT specialty FROM ads.ad ORDER BY 1").fetchall()]
        row = conn.execute("SELECT count(*) FROM ads.ad_search").fetchone()
    draw = random.Random(seed)

    def one() -> dict[str, object]:
        code, place = towns[int(draw.random() ** 2 * len(towns))]
        start = date.today() + timedelta(days=draw.randrange(200))
        return {
            "code": code,
            "place": place,
            "specialty": "R38|SM54" if draw.random() < 0.5 else draw.choice(specialties),
            "start": start,
            "end": start + timedelta(days=draw.randrange(5, 60)),
        }

    return one, row[0] if row else 0


def _cases(draw: Callable[[], dict[str, object]]) -> list[Case]:
    def forever(make: Callable[[dict[str, object]], str]) -> Iterator[str]:
        while True:
            yield make(draw())

    def asked(one: dict[str, object], *more: tuple[str, object], path: str = "/api/v1/ads") -> str:
        pairs = [("specialty", one["specialty"]), ("place", f"commune:{one['code']}"), *more]
        return f"{path}?" + urlencode([*pairs, ("period", f"{one['start']}/{one['end']}")])

    numbers = itertools.count(1)
    return [
        Case("API : ville et 20 km, spécialité, période", forever(asked), TARGETS["search"]),
        Case(
            "Page : ville et 20 km, spécialité, période",
            forever(lambda one: asked(one, path="/annonces")),
            TARGETS["search"],
        ),
        Case(
            "API : les plus proches d’abord, 100 km",
            forever(lambda one: asked(one, ("radius_km", 100), ("sort", "distance"))),
        ),
        Case("API : toutes les annonces", forever(lambda _: f"/api/v1/ads?page={1 + next(numbers) % 13}")),
        Case("API : mots", forever(lambda one: f"/api/v1/ads?q=gardes+partagees&place=commune:{one['code']}")),
        Case("Carte : une spécialité, France", forever(lambda one: f"/api/v1/ads/map?specialty={one['specialty']}")),
    ]


def _dashboard() -> Case:
    numbers = itertools.count(1)

    def forever() -> Iterator[str]:
        while True:
            yield f"{DASHBOARD}?page={1 + next(numbers) % 5}"

    return Case("Tableau de bord d’un conseil", forever(), TARGETS["dashboard"])


def _ask(case: Case, port: int, cookie: str, rounds: int) -> bool:
    """Ask; return whether the address exists."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for turn in range(rounds + 10):
        address = next(case.addresses)
        begun = time.perf_counter()
        connection.request("GET", address, headers={"Cookie": cookie, "Accept": "text/html, application/json"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status == 404:
            return False
        if answer.status == 303:
            # The page's canonical address, which people's links and forms reach once.
            connection.request("GET", answer.headers["location"], headers={"Cookie": cookie, "Accept": "text/html"})
            answer = connection.getresponse()
            body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{address} : {answer.status} {body[:300]!r}")
        if turn >= 10:
            case.samples.append((time.perf_counter() - begun) * 1000)
    return True


def _naive(draw: Callable[[], dict[str, object]]) -> list[float]:
    samples = []
    with psycopg.connect(libpq_dsn(), options="-c jit=off") as conn:
        for _ in range(NAIVE_ROUNDS):
            begun = time.perf_counter()
            conn.execute(_NAIVE, draw()).fetchall()
            samples.append((time.perf_counter() - begun) * 1000)
    return samples


@app.command()
def ads(
    number: Annotated[int, typer.Option("--ads", min=1000, max=1_000_000, help="Annonces publiées.")] = 50_000,
    rounds: Annotated[int, typer.Option(min=20, max=5000, help="Répétitions de chaque question.")] = 300,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Processus de l’application.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Affiche un objet JSON.")] = False,
) -> None:
    """Annonces : recherche par lieu, spécialité et période, et tableau de bord d’un conseil, à travers HTTP."""
    with _database(number, max(10, number // 10)):
        reader, moderator = asyncio.run(_sign_in(1)), asyncio.run(_sign_in(2))
        draw, published = _draw(7)
        cases, dashboard = _cases(draw), _dashboard()
        with server("postgis", workers) as port:
            for case in cases:
                _ask(case, port, reader, rounds)
            if _ask(dashboard, port, moderator, rounds):
                cases.append(dashboard)
        naive = _naive(draw)
    told = [
        {"name": case.name, "p50_ms": round(statistics.median(case.samples), 1),
         "p95_ms": round(percentile(case.samples, 0.95), 1), "target_ms": case.target}
        for case in cases
    ]  # fmt: skip
    reference = {"p50_ms": round(statistics.median(naive), 1), "p95_ms": round(percentile(naive, 0.95), 1)}
    ratio = round(statistics.median(naive) / statistics.median(cases[0].samples), 1)
    if as_json:
        found = {"bench": "ads", "published": published, "cases": told, "naive_sql": reference, "ratio": ratio}
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    table = Table(title=f"{published} annonces publiées ; millisecondes, HTTP compris")
    table.add_column("Question")
    for heading in ("p50", "p95", "au plus"):
        table.add_column(heading, justify="right")
    for one in told:
        cells = [f"{one['p50_ms']}", f"{one['p95_ms']}", "" if one["target_ms"] is None else f"{one['target_ms']:g}"]
        table.add_row(str(one["name"]), *(cell.replace(".", ",") for cell in cells))
    table.add_row(
        "Référence : jointures sur les tables, SQL seul", *(f"{v}".replace(".", ",") for v in reference.values())
    )
    (Console() if Console().is_terminal else Console(width=110)).print(table)
    typer.echo(f"La référence prend {f'{ratio:g}'.replace('.', ',')} fois le temps de la première question.")
