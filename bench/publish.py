"""Publication of a synthetic country: first load, unchanged reload, a daily change. Makes and drops its own database.

The publication tables are filled by SQL, so that what is measured is `directory.publish` alone.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from psycopg import sql
from sqlalchemy.engine import make_url

from core.db import libpq_dsn
from core.settings import core_settings
from directory.api import create_publication_tables, publish

app = typer.Typer()
ROOT = Path(__file__).parent.parent

_FILL = """
SELECT setseed(0.42);
INSERT INTO staging.pub_legal_entity (key, finess, siren, name, hash)
SELECT 'finess:' || lpad((900000000 + i)::text, 9, '0'), (900000000 + i)::text, (300000000 + i)::text,
       'ENTITE JURIDIQUE ' || i, hashtextextended('le' || i, 0)
FROM generate_series(1, {legal}) i;
INSERT INTO staging.pub_site (key, kind, finess, legal_key, name, category, street, postal_code, town, commune_id,
    commune_code, commune_how, commune_score, lon, lat, position_source, position_level, position_score, phone, hash)
SELECT 'finess:' || (100000000 + i), 'establishment', (100000000 + i)::text,
       'finess:' || (900000000 + 1 + i % {legal}), 'ETABLISSEMENT ' || i,
       (ARRAY['620','500','355','124','611','354','156','246','183','603'])[1 + i % 10], i % 90 || ' RUE DES TILLEULS',
       '78200', c.name, c.id, c.code, 'insee', 100, ST_X(c.point::geometry) + (i % 100) * 0.0001,
       ST_Y(c.point::geometry), 'FINESS', 'place', 90, '0199000000', hashtextextended('e' || i, 0)
FROM generate_series(1, {establishments}) i JOIN bench_commune c ON c.rank = 1 + (i * 7919) % {communes};
INSERT INTO staging.pub_site (key, old_keys, kind, siret, structure_id, name, sector, street, postal_code, town,
    commune_id, commune_code, commune_how, commune_score, lon, lat, position_source, position_level, position_score,
    phone, hash)
SELECT CASE WHEN i % 3 = 0 THEN 'siret:' || lpad(i::text, 14, '0') ELSE 'struct:4' || lpad(i::text, 14, '0') END,
       NULL, 'practice', CASE WHEN i % 3 = 0 THEN lpad(i::text, 14, '0') END,
       CASE WHEN i % 3 = 0 THEN '3' ELSE '4' END || lpad(i::text, 14, '0'), 'CABINET ' || md5(i::text),
       'SA07', i % 90 || ' AVENUE DE LA GARE', '75001', c.name, c.id, c.code, 'insee', 100,
       ST_X(c.point::geometry) + (i % 100) * 0.0001, ST_Y(c.point::geometry), 'BAN',
       CASE WHEN i % 10 = 0 THEN 'commune' ELSE 'number' END, 80, '0199000000', hashtextextended('p' || i, 0)
FROM generate_series(1, {practices}) i JOIN bench_commune c ON c.rank = 1 + (i * 104729::bigint) % {communes};
INSERT INTO staging.pub_practitioner (key, rpps, civility, last_name, first_name, profession, category, specialties,
    hash)
SELECT '8' || (10000000000 + i), (10000000000 + i)::text, 'M', upper(substr(md5(i::text), 1, 8)),
       'Prenom' || i % 3000, p.code, 'C', CASE WHEN p.code = '10' THEN ARRAY['R38|SM26'] ELSE '{{}}' END,
       hashtextextended('x' || i, 0)
FROM generate_series(1, {practitioners}) i
JOIN LATERAL (SELECT (ARRAY['10','10','60','60','60','70','50','91','21','40'])[1 + i % 10] AS code) p ON true;
INSERT INTO staging.pub_role (key, practitioner_key, site_key, profession, category, specialties, mode, sector,
    authority, convention, carte_vitale, hash)
SELECT '8' || (10000000000 + 1 + i % {practitioners}) || '/s' || i || '/L/CNOM',
       '8' || (10000000000 + 1 + i % {practitioners}),
       CASE WHEN i % 3 = 0 THEN 'finess:' || (100000000 + 1 + i % {establishments})
            WHEN (1 + i % {practices}) % 3 = 0 THEN 'siret:' || lpad((1 + i % {practices})::text, 14, '0')
            ELSE 'struct:4' || lpad((1 + i % {practices})::text, 14, '0') END,
       p.code, 'C', CASE WHEN p.code = '10' THEN ARRAY['R38|SM26'] ELSE '{{}}' END,
       CASE WHEN i % 3 = 0 THEN 'S' ELSE 'L' END, 'SA07', 'CNOM', (1 + i % 3)::text, true,
       hashtextextended('r' || i, 0)
FROM generate_series(1, {roles}) i
JOIN LATERAL (SELECT (ARRAY['10','10','60','60','60','70','50','91','21','40'])[
    1 + (1 + i % {practitioners}) % 10] AS code) p ON true;
"""

_DAY = """
UPDATE staging.pub_role SET hash = hash + 1, convention = '1' WHERE hash % 500 = 0;
DELETE FROM staging.pub_role WHERE hash % 1000 = 1;
UPDATE staging.pub_site SET hash = hash + 1, phone = '0199000001' WHERE hash % 1000 = 0;
"""


def _fill(conn: psycopg.Connection, roles: int) -> None:
    create_publication_tables(conn)
    conn.execute("DROP TABLE IF EXISTS bench_commune")
    conn.execute(
        "CREATE TEMP TABLE bench_commune AS SELECT row_number() OVER (ORDER BY id) AS rank, id, code, name, point"
        " FROM maps.place WHERE kind = 'commune' AND point IS NOT NULL"
    )
    row = conn.execute("SELECT count(*) FROM bench_commune").fetchone()
    sizes = {
        "legal": max(1, roles // 20), "establishments": max(1, roles // 20), "practices": max(1, roles * 2 // 5),
        "practitioners": max(1, roles * 7 // 10), "roles": roles, "communes": row[0] if row else 0,
    }  # fmt: skip
    conn.execute(_FILL.format(**sizes))


@app.command()
def run(
    roles: Annotated[int, typer.Option(help="Nombre de situations d’exercice.")] = 1_000_000,
    as_json: Annotated[bool, typer.Option("--json", help="Afficher un objet JSON.")] = False,
) -> None:
    """Mesurer la publication : premier chargement, rechargement identique, changement d’un jour."""
    name = "repere_bench_publish"
    target = make_url(core_settings().direct_url).set(database=os.environ.get("REPERE_BENCH_DATABASE", name))
    assert target.database
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(target.database))
    with psycopg.connect(libpq_dsn(), autocommit=True) as admin:
        admin.execute(drop)
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(target.database)))
    url = target.render_as_string(hide_password=False)
    env = os.environ | {"REPERE_DATABASE_URL": url, "REPERE_DATABASE_DIRECT_URL": url}
    for command in (["-m", "alembic", "upgrade", "head"], ["cli.py", "places", "load"], ["cli.py", "nomenclatures",
                    "load"]):  # fmt: skip
        subprocess.run([sys.executable, *command], cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL)
    results: list[dict[str, object]] = []
    dsn = target.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(dsn, autocommit=True, options="-c timezone=UTC") as conn:
        _fill(conn, roles)
        for load_id, (label, change) in enumerate((("premier", ""), ("identique", ""), ("un jour", _DAY)), start=1):
            if change:
                conn.execute(change)
            started = time.perf_counter()
            report = publish(conn, load_id, {"rpps", "finess", "ameli"})
            seconds = round(time.perf_counter() - started, 1)
            results.append({"name": label, "seconds": seconds, **report.model_dump()})
            if not as_json:
                typer.echo(f"{label} : {seconds} s, {report.searchable} offres ; phases {report.phases}")
    with psycopg.connect(libpq_dsn(), autocommit=True) as admin:
        admin.execute(drop)
    if as_json:
        typer.echo(json.dumps({"bench": "publish", "roles": roles, "results": results}))
