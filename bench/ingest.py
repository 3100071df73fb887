"""`repere bench ingest`: registers from files to the published directory, beside a bare COPY of the same RPPS file.

The sample files are made once and kept under REPERE_HOME/bench; the database is made for the measure and dropped.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from psycopg import sql
from rich.console import Console
from rich.table import Table
from sqlalchemy.engine import URL, make_url

from core.db import libpq_dsn
from core.settings import core_settings

app = typer.Typer()
ROOT = Path(__file__).parent.parent
BLOCK = 1 << 20

_PEAK = """
import json, resource, sys, time
from pathlib import Path
from ingest.pipeline import load
start = time.perf_counter()
report = load([Path(sys.argv[1])], force=sys.argv[2] == "force")
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({
    "seconds": round(time.perf_counter() - start, 1), "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
    "peak_mb": used.ru_maxrss // 1024, "status": report.status, "phases": report.phases,
    "publish": (report.published or {}).get("phases"), "registers": {
        name: r.model_dump(include={"read", "new", "changed", "unchanged", "rejected", "closed"})
        for name, r in report.registers.items()},
}))
"""


def _sample(size: str) -> Path:
    folder = core_settings().home.resolve() / "bench" / f"registers-{size}"
    if (folder / "facts.json").is_file():
        return folder
    territory = {"country": ["--france"], "idf": ["--region", "11", "--scale", "1"]}.get(size, ["--size", size])
    _run(["cli.py", "sample", str(folder), *territory], dict(os.environ))
    return folder


def _run(arguments: list[str], env: dict[str, str]) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=env, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise typer.Exit(done.returncode)
    return done.stdout.decode()


def _bare_copy(dsn: str, path: Path) -> float:
    """Seconds of one COPY of the file into a table of text columns, nothing else."""
    with path.open("rb") as stream, psycopg.connect(dsn, autocommit=True) as conn:
        fields = stream.readline().count(b"|") + 1
        columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(f"c{i}")) for i in range(fields))
        conn.execute("DROP TABLE IF EXISTS bare_copy")
        conn.execute(sql.SQL("CREATE TABLE bare_copy ({})").format(columns))
        start = time.perf_counter()
        # No byte of the register is a quote or an escape: the control characters never occur in it.
        statement = "COPY bare_copy FROM STDIN (FORMAT csv, DELIMITER '|', QUOTE E'\\x01', ESCAPE E'\\x02')"
        with conn.cursor().copy(statement) as copy:
            while block := stream.read(BLOCK):
                copy.write(block)
        seconds = time.perf_counter() - start
        conn.execute("DROP TABLE bare_copy")
    return seconds


@app.command()
def run(
    size: Annotated[str, typer.Option("--size", help="country, idf, ou un nombre de situations d’exercice.")] = "idf",
    folder: Annotated[
        Path | None, typer.Option("--dossier", help="Fichiers à charger plutôt qu’un échantillon.")
    ] = None,
    ban: Annotated[
        bool, typer.Option("--ban/--no-ban", help="Charger d’abord les adresses BAN de l’échantillon.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Écrire un seul objet JSON.")] = False,
) -> None:
    """Mesurer l’ingestion : premier chargement, rechargement identique, rechargement forcé."""
    if not re.fullmatch(r"country|idf|\d+", size):
        raise typer.BadParameter("country, idf ou un nombre.", param_hint="--size")
    files = folder or _sample(size)
    rpps = max((p for p in files.iterdir() if "ersonne" in p.name and "ctivite" in p.name), default=None)
    if rpps is None:
        raise typer.BadParameter(f"Aucun fichier RPPS non compressé dans {files}.")
    target = make_url(core_settings().direct_url).set(
        database=os.environ.get("REPERE_BENCH_DATABASE", "repere_bench_ingest")
    )
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(target.database or ""))
    with psycopg.connect(libpq_dsn(), autocommit=True) as admin:
        admin.execute(drop)
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(target.database or "")))
    try:
        results = _measure(target, files, rpps, ban=ban, quiet=as_json)
    finally:
        with psycopg.connect(libpq_dsn(), autocommit=True) as admin:
            admin.execute(drop)
    if as_json:
        typer.echo(json.dumps({"bench": "ingest", "size": str(folder or size), **results}))
    else:
        _show(results)


def _measure(target: URL, files: Path, rpps: Path, *, ban: bool, quiet: bool) -> dict[str, Any]:
    url = target.render_as_string(hide_password=False)
    with tempfile.TemporaryDirectory(prefix="repere-bench-") as home:
        env = os.environ | {"REPERE_DATABASE_URL": url, "REPERE_DATABASE_DIRECT_URL": url, "REPERE_HOME": home}
        _run(["-m", "alembic", "upgrade", "head"], env)
        _run(["cli.py", "places", "load"], env)
        _run(["cli.py", "nomenclatures", "load"], env)
        if ban and (files / "ban").is_dir():
            _run(["cli.py", "places", "ban", str(files / "ban")], env)
        dsn = target.set(drivername="postgresql").render_as_string(hide_password=False)
        results: dict[str, Any] = {"rpps_mb": rpps.stat().st_size // 10**6}
        results["bare_copy"] = round(_bare_copy(dsn, rpps), 2)
        for name, force in (("first", ""), ("unchanged", ""), ("forced", "force")):
            if not quiet:
                typer.echo(f"{_LABELS[name]}…", err=True)
            found = json.loads(_run(["-c", _PEAK, str(files), force], env).splitlines()[-1])
            found["ratio"] = round(found["seconds"] / results["bare_copy"], 2)
            results[name] = found
    return results


_LABELS = {"first": "Premier chargement", "unchanged": "Rechargement identique", "forced": "Rechargement forcé"}


def _show(results: dict[str, Any]) -> None:
    console = Console()
    console.print(f"COPY nu du fichier RPPS ({results['rpps_mb']} Mo) : {results['bare_copy']:.1f} s".replace(".", ","))
    table = Table(title="Ingestion")
    for heading in ("", "Durée (s)", "× COPY nu", "Processeur (s)", "Mémoire (Mo)"):
        table.add_column(heading, justify="right" if heading else "left")
    for name, label in _LABELS.items():
        one = results[name]
        row = (one["seconds"], one["ratio"], one["cpu_seconds"], one["peak_mb"])
        table.add_row(label, *(str(v).replace(".", ",") for v in row), style="bold")
        for indent, phases in (("  ", one["phases"]), ("    publish/", one["publish"] or {})):
            for phase, seconds in phases.items():
                if seconds >= 0.05:
                    table.add_row(f"{indent}{phase}", str(seconds).replace(".", ","), "", "", "")
    console.print(table)
