"""Loading of BAN files: the numbered addresses of a département, replaced as a whole."""

import gzip
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import duckdb
import pandas as pd
import psycopg

from core.errors import InvalidInput
from maps import store
from maps.schemas import BanReport
from maps.store import PlaceSet
from maps.streets import repetition_of, street_key

REQUIRED = ("id", "numero", "rep", "nom_voie", "code_postal", "code_insee", "lon", "lat")
"""Columns that a BAN file must have; the other columns of its 23 are not needed."""

_FAR = 0.6
"""Degrees from the town's point beyond which a position is a mistake (the widest communes are in Guyane)."""
_FAR_GUYANE = 2.5
_READABLE = 0.5
"""Share of readable lines under which a file is not what it claims to be."""

_READ = """
    CREATE OR REPLACE TEMP TABLE raw AS
    SELECT {columns} FROM read_csv(?, delim=';', header=true, all_varchar=true, quote='"', escape='"',
        strict_mode=false, null_padding=true, ignore_errors=true, store_rejects=true, compression={compression})
"""

_SORT = """
    CREATE OR REPLACE TEMP TABLE sorted AS
    SELECT r.id, c.present AS commune_code, k.street_key, TRY_CAST(r.numero AS INTEGER) AS number,
           coalesce(p.repetition, '') AS repetition, trim(r.nom_voie) AS street, coalesce(r.code_postal, '') AS postal,
           TRY_CAST(r.lon AS DOUBLE) AS lon, TRY_CAST(r.lat AS DOUBLE) AS lat,
           CASE WHEN r.certification = '1' THEN 1 ELSE 0 END AS certified,
           CASE
               WHEN coalesce(trim(r.id), '') = '' THEN 'identifiant absent'
               WHEN c.present IS NULL THEN 'commune inconnue'
               WHEN coalesce(k.street_key, '') = '' THEN 'voie absente'
               WHEN TRY_CAST(r.numero AS INTEGER) IS NULL OR TRY_CAST(r.numero AS INTEGER) NOT BETWEEN 0 AND 99998
                   THEN 'numéro absent ou illisible'
               WHEN TRY_CAST(r.lon AS DOUBLE) IS NULL OR TRY_CAST(r.lat AS DOUBLE) IS NULL
                    OR NOT isfinite(CAST(r.lon AS DOUBLE)) OR NOT isfinite(CAST(r.lat AS DOUBLE))
                   THEN 'position absente ou illisible'
               WHEN abs(CAST(r.lon AS DOUBLE) - c.lon) > c.far OR abs(CAST(r.lat AS DOUBLE) - c.lat) > c.far
                   THEN 'position loin de la commune'
               WHEN row_number() OVER (PARTITION BY r.id) > 1 THEN 'identifiant en double'
           END AS reason
      FROM raw r
      LEFT JOIN communes c ON c.written = r.code_insee
      LEFT JOIN streets k ON k.street = r.nom_voie
      LEFT JOIN repetitions p ON p.written = r.rep
"""

_ADDRESSES = """
    COPY (SELECT id, commune_code, street_key, number, repetition, street, postal,
                 'SRID=4326;POINT(' || lon || ' ' || lat || ')', certified
            FROM sorted WHERE reason IS NULL ORDER BY commune_code, street_key, number)
    TO '{path}' (FORMAT csv, HEADER false, FORCE_QUOTE *)
"""

_STREETS = """
    COPY (
        WITH middle AS (
            SELECT commune_code, street_key, avg(lon) AS x, avg(lat) AS y, count(*) AS addresses,
                   mode(street ORDER BY street) AS name
              FROM sorted WHERE reason IS NULL GROUP BY ALL
        )
        SELECT m.commune_code, m.street_key, any_value(m.name),
               arg_min('SRID=4326;POINT(' || s.lon || ' ' || s.lat || ')',
                       (s.lon - m.x) ** 2 + (s.lat - m.y) ** 2 + s.number * 1e-15),
               any_value(m.addresses)
          FROM middle m JOIN sorted s USING (commune_code, street_key) WHERE s.reason IS NULL
         GROUP BY m.commune_code, m.street_key
    ) TO '{path}' (FORMAT csv, HEADER false, FORCE_QUOTE *)
"""


def load_ban(
    conn: psycopg.Connection, paths: Iterable[Path], *, progress: Callable[[str], None] | None = None
) -> BanReport:
    """Load BAN files. See `maps.api.load_ban`."""
    tell = progress or (lambda _: None)
    start = time.monotonic()
    report = BanReport()
    places = store.current()
    if not len(places):
        raise InvalidInput("Les communes ne sont pas chargées : lancez d’abord « ./repere places load ».")
    files = list(_files(paths))
    if not files:
        raise InvalidInput("Aucun fichier d’adresses de la BAN (adresses-NN.csv.gz) à cet endroit.")
    columns = {path: _check(path) for path in files}
    rejected: Counter[str] = Counter()
    for rank, path in enumerate(files, 1):
        tell(f"Adresses : {path.name} ({rank} sur {len(files)})")
        _load_file(conn, path, columns[path], places, report, rejected)
    report.files = len(files)
    report.rejected = dict(sorted(rejected.items()))
    report.departements = sorted(set(report.departements))
    report.seconds = round(time.monotonic() - start, 2)
    return report


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.iterdir() if p.name.startswith("adresses-") and ".csv" in p.name)
        else:
            yield path


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _check(path: Path) -> frozenset[str]:
    """Return the columns of a file, once its first line was seen to be that of the BAN."""
    try:
        with gzip.open(path, "rb") if _is_gzip(path) else path.open("rb") as file:
            first = file.readline(10_000)
        header = first.decode("utf-8-sig").strip().split(";")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path.name}, ligne 1 : le fichier n’est pas en UTF-8.") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInput(f"{path.name} ne peut pas être lu : fichier absent, tronqué ou abîmé.") from error
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        names = ", ".join(f"« {name} »" for name in missing)
        raise InvalidInput(
            f"{path.name}, ligne 1 : il manque {names}. Un fichier « adresses-NN.csv » de la BAN est attendu."
        )
    return frozenset(header)


def _load_file(
    conn: psycopg.Connection,
    path: Path,
    columns: frozenset[str],
    places: PlaceSet,
    report: BanReport,
    rejected: Counter[str],
) -> None:
    with tempfile.TemporaryDirectory(prefix="repere-ban-") as folder, duckdb.connect() as duck:
        duck.execute("SET memory_limit = '1GB'")
        duck.execute(f"SET temp_directory = '{folder}'")
        read, unreadable = _read(duck, path, columns)
        _describe(duck, places)
        duck.execute(_SORT)
        counts = duck.execute("SELECT reason, count(*) FROM sorted GROUP BY reason").fetchall()
        loaded = sum(count for reason, count in counts if reason is None)
        communes = [
            row[0] for row in duck.execute("SELECT DISTINCT commune_code FROM sorted WHERE reason IS NULL").fetchall()
        ]
        addresses, streets = Path(folder, "addresses.csv"), Path(folder, "streets.csv")
        duck.execute(_ADDRESSES.format(path=addresses))
        duck.execute(_STREETS.format(path=streets))
        departement = _main_departement(communes, places)
        replaced = sorted({*communes, *_communes_of(places, departement)})
        with conn.transaction():
            for table in ("address", "street"):
                conn.execute(f"DELETE FROM maps.{table} WHERE commune_code = ANY(%s)", (replaced,))  # noqa: S608
            _copy(
                conn,
                "COPY maps.address (id, commune_code, street_key, number, repetition, street, postal_code, point,"
                " certified) FROM STDIN (FORMAT csv)",
                addresses,
            )
            _copy(
                conn,
                "COPY maps.street (commune_code, street_key, name, point, addresses) FROM STDIN (FORMAT csv)",
                streets,
            )
    report.read += read
    report.loaded += loaded
    report.departements.append(departement)
    rejected.update({reason: count for reason, count in counts if reason is not None})
    if unreadable:
        rejected["ligne illisible"] += unreadable


def _read(duck: duckdb.DuckDBPyConnection, path: Path, columns: frozenset[str]) -> tuple[int, int]:
    certification = "certification_commune" if "certification_commune" in columns else "NULL"
    wanted = f"{', '.join(REQUIRED)}, {certification} AS certification"
    compression = "'gzip'" if _is_gzip(path) else "'none'"
    try:
        duck.execute(_READ.format(columns=wanted, compression=compression), [str(path)])
    except duckdb.Error as error:
        raise InvalidInput(
            f"{path.name} ne peut pas être lu jusqu’au bout : fichier tronqué, abîmé ou d’un autre format."
            " Les adresses déjà chargées restent en place."
        ) from error
    row = duck.execute("SELECT count(*) FROM raw").fetchone()
    good = row[0] if row else 0
    row = duck.execute("SELECT count(DISTINCT line) FROM reject_errors").fetchone()
    bad = row[0] if row else 0
    if good < _READABLE * (good + bad) or good == 0:
        first = duck.execute("SELECT line, error_message FROM reject_errors ORDER BY line LIMIT 1").fetchone()
        where = f", ligne {first[0]}" if first else ""
        raise InvalidInput(f"{path.name}{where} : lignes illisibles ou fichier vide ; rien n’a été changé.")
    return good + bad, bad


def _describe(duck: duckdb.DuckDBPyConnection, places: PlaceSet) -> None:
    """Give DuckDB what Python knows of the communes, streets and repetition marks of the file."""
    written = [row[0] for row in duck.execute("SELECT DISTINCT code_insee FROM raw").fetchall() if row[0]]
    communes = []
    for code in written:
        row = places.find("commune", code)
        if row is not None and places.kinds[row] == "commune_deleguee":
            row = places.by_id.get(places.parents[row])
        if row is not None:
            far = _FAR_GUYANE if places.departements[row] in ("973", "987", "988") else _FAR
            communes.append((code, places.codes[row], places.lons[row], places.lats[row], far))
    streets = [row[0] for row in duck.execute("SELECT DISTINCT nom_voie FROM raw").fetchall() if row[0]]
    repetitions = [row[0] for row in duck.execute("SELECT DISTINCT rep FROM raw").fetchall() if row[0]]
    frames = {
        "communes": pd.DataFrame(communes, columns=["written", "present", "lon", "lat", "far"]),
        "streets": pd.DataFrame({"street": streets, "street_key": [street_key(s) for s in streets]}, dtype=object),
        "repetitions": pd.DataFrame(
            {"written": repetitions, "repetition": [repetition_of(r) for r in repetitions]}, dtype=object
        ),
    }
    for name, frame in frames.items():
        typed = frame.astype({c: "string" for c in frame.columns if c not in ("lon", "lat", "far")})
        duck.register(f"{name}_frame", typed)
        duck.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM {name}_frame")  # noqa: S608
        duck.unregister(f"{name}_frame")


def _main_departement(communes: list[str], places: PlaceSet) -> str:
    counts = Counter(places.departements[row] for code in communes if (row := places.find("commune", code)) is not None)
    return next((d for d, _ in counts.most_common(1) if d), "")


def _communes_of(places: PlaceSet, departement: str) -> Iterator[str]:
    for row, kind in enumerate(places.kinds):
        if kind in ("commune", "arrondissement") and places.departements[row] == departement:
            yield places.codes[row]


def _copy(conn: psycopg.Connection, statement: str, path: Path) -> None:
    with conn.cursor() as cursor, cursor.copy(statement) as copy, path.open("rb") as file:
        while block := file.read(1 << 20):
            copy.write(block)
