"""Rows of `ingest.*`: loads, AMELI links, decisions."""

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import psycopg
from psycopg.types.json import Jsonb

from ingest.copying import copy_in, copy_out
from ingest.errors import LoadRunning
from ingest.normalise.ameli import FIELDS
from ingest.schemas import LoadReport, RegisterReport
from ingest.workspace import Workspace

LOCK_KEY = 0x494E47455354
"""Session lock held during a load, on the direct connection: the server frees it when the process dies."""

PIPELINE = "1"
"""Renewed when the code would publish the same files differently, so that no load is skipped as unchanged."""


def take_lock(conn: psycopg.Connection) -> None:
    """Take the load lock, then mark as failed the runs that died holding it.

    Raises:
        LoadRunning: another load holds it.
    """
    row = conn.execute("SELECT pg_try_advisory_lock(%s)", (LOCK_KEY,)).fetchone()
    if not row or not row[0]:
        other = conn.execute(
            "SELECT id, to_char(started_at AT TIME ZONE 'Europe/Paris', 'DD/MM/YYYY à HH24:MI') FROM ingest.load"
            " WHERE status = 'running' ORDER BY id DESC LIMIT 1"
        ).fetchone()
        which = f" (n° {other[0]}, commencé le {other[1]})" if other else ""
        raise LoadRunning(f"Un autre chargement est en cours{which}. Attendez sa fin, puis recommencez.")
    # The event is written in the publishing transaction: it tells whether the dead run had published.
    dead = conn.execute(
        """UPDATE ingest.load l SET finished_at = now(),
            status = CASE WHEN published THEN 'published' ELSE 'failed' END,
            error = CASE WHEN published THEN 'Interrompu après la publication : le répertoire est à jour.'
                ELSE 'Interrompu avant la publication : le répertoire n’a pas changé.' END
        FROM (SELECT id, EXISTS (SELECT FROM core.event e WHERE e.load_id = w.id) AS published
            FROM ingest.load w WHERE status = 'running') r
        WHERE l.id = r.id RETURNING l.id, r.published"""
    ).fetchall()
    for load_id, published in dead:
        if published:
            merge_links(conn, load_id)
    conn.commit()


def begin(conn: psycopg.Connection) -> int:
    """Write the row of a new load."""
    row = conn.execute("INSERT INTO ingest.load (status) VALUES ('running') RETURNING id").fetchone()
    assert row is not None  # noqa: S101 - RETURNING gives the row
    conn.commit()
    return int(row[0])


def finish(conn: psycopg.Connection, load_id: int, status: str, report: LoadReport | None, error: str | None) -> None:
    """Write how a load ended."""
    data: Any = Jsonb(report.model_dump(mode="json")) if report else None
    files = [f.model_dump(mode="json") for r in report.registers.values() for f in r.files] if report else []
    conn.execute(
        "UPDATE ingest.load SET status = %s, finished_at = %s, report = %s, files = %s, error = %s WHERE id = %s",
        (status, datetime.now(UTC), data, Jsonb(files), error, load_id),
    )
    conn.commit()


def last_reports(conn: psycopg.Connection) -> dict[str, tuple[int, str, RegisterReport]]:
    """For each register, the last load that published it: (load, context, its report)."""
    found: dict[str, tuple[int, str, RegisterReport]] = {}
    for register in ("rpps", "finess", "ameli"):
        row = conn.execute(
            """SELECT id, report ->> 'context', report -> 'registers' -> %s FROM ingest.load
            WHERE status IN ('published', 'unchanged') AND report -> 'registers' ? %s ORDER BY id DESC LIMIT 1""",
            (register, register),
        ).fetchone()
        if row:
            found[register] = (int(row[0]), row[1] or "", RegisterReport.model_validate(row[2]))
    return found


def last_published(conn: psycopg.Connection) -> int:
    """The number of the last load that changed or confirmed the directory, 0 before the first."""
    row = conn.execute("SELECT max(id) FROM ingest.load WHERE status IN ('published', 'unchanged')").fetchone()
    return int(row[0] or 0) if row else 0


def has_places(conn: psycopg.Connection) -> bool:
    """Whether the communes are loaded."""
    row = conn.execute("SELECT EXISTS (SELECT FROM maps.place WHERE kind = 'commune')").fetchone()
    return bool(row and row[0])


def context(conn: psycopg.Connection) -> str:
    """A mark of everything but the files that a load depends on: code, places, BAN, operators' decisions."""
    row = conn.execute(
        """SELECT concat_ws('/', (SELECT token FROM maps.place_state),
            (SELECT n_tup_ins || '-' || n_tup_del FROM pg_stat_user_tables
                WHERE schemaname = 'maps' AND relname = 'address'),
            (SELECT count(*) || '-' || coalesce(max(decided_at)::text, '') FROM ingest.link_decision))"""
    ).fetchone()
    return f"{PIPELINE}/{row[0] if row else ''}"


def decisions(conn: psycopg.Connection) -> pd.DataFrame:
    """What operators decided, in the order they did, as the linkage takes it."""
    rows = conn.execute(
        "SELECT fingerprint, rpps, structure, CASE WHEN accepted THEN 'accept' ELSE 'refuse' END"
        " FROM ingest.link_decision ORDER BY decided_at, fingerprint, rpps, structure"
    ).fetchall()
    return pd.DataFrame(rows, columns=["fingerprint", "rpps", "structure", "verdict"]).astype("str")


# -- AMELI links -------------------------------------------------------------------------------------------

_CONTENT = "to_json({" + ", ".join(f"'{f}': {f}" for f in FIELDS) + "})::VARCHAR"

_LINK_COLUMNS = ("fingerprint", "line", "rpps", "structure", "score", "decision", "explanation", "content")


def read_old_links(work: Workspace, conn: psycopg.Connection) -> None:
    """Make `old_link(fingerprint, identity, rpps, structure, decision, content)` in duckdb."""
    copy_out(
        work.con,
        conn,
        """SELECT fingerprint, md5(concat_ws('|', content ->> 'last_name', content ->> 'first_name',
                content ->> 'gender', content ->> 'specialty')), rpps, structure, decision, content ->> 'mark'
        FROM ingest.ameli_link""",
        "old_link",
        dict.fromkeys(("fingerprint", "identity", "rpps", "structure", "decision", "content"), "VARCHAR"),
        work.folder,
    )


def read_stored_lines(work: Workspace, conn: psycopg.Connection, fingerprint: str | None = None) -> int:
    """Make `ameli_line` from the lines kept with the links (or with one link); how many there are."""
    columns = ", ".join(f"content ->> '{f}'" for f in FIELDS)
    only = "" if fingerprint is None else f"WHERE fingerprint = '{sanitised(fingerprint)}'"
    copy_out(
        work.con,
        conn,
        f"""SELECT (n.line)::bigint + 1, (n.line)::bigint, {columns} FROM ingest.ameli_link
        CROSS JOIN LATERAL jsonb_array_elements_text(content -> 'lines') AS n(line) {only}""",  # noqa: S608
        "ameli_line",
        {"line": "BIGINT", "rank": "BIGINT"} | dict.fromkeys(FIELDS, "VARCHAR"),
        work.folder,
    )
    return work.count("ameli_line")


def sanitised(key: str) -> str:
    """A fingerprint or an identifier as it may stand inside a SQL literal: letters and digits only."""
    return "".join(c for c in key if c.isalnum())


def make_link_rows(work: Workspace) -> None:
    """Make `ameli_now`, one row per fingerprint: the lines that say the same of the same person share it."""
    fields = ", ".join(f"coalesce(a.{f}, '')" for f in FIELDS)
    content = ", ".join(f"'{f}': any_value(a.{f})" for f in FIELDS)
    work.con.execute(
        f"""CREATE OR REPLACE TABLE ameli_now AS
        SELECT fingerprint, same, line, rpps, structure, score, decision, explanation, identity, content,
            json_merge_patch('{{}}', to_json(struct_insert(body, mark := content, lines := lines)))::VARCHAR AS body
        FROM (
            SELECT l.fingerprint, count(*) AS same, min(l.rank) AS line, arg_min(l.rpps, l.rank) AS rpps,
                arg_min(l.structure, l.rank) AS structure, arg_min(l.score, l.rank) AS score,
                arg_min(l.decision, l.rank) AS decision,
                arg_min(CASE WHEN l.candidates IS NULL THEN l.explanation ELSE
                    json_object('explanation', coalesce(l.explanation, '{{}}')::JSON, 'candidates',
                        l.candidates::JSON)::VARCHAR END, l.rank) AS explanation,
                md5(concat_ws('|', any_value(a.last_name), any_value(a.first_name), any_value(a.gender),
                    any_value(a.specialty))) AS identity,
                md5(string_agg(concat_ws('|', {fields}), ';' ORDER BY l.rank)) AS content,
                {{{content}}} AS body, list(l.rank ORDER BY l.rank) AS lines
            FROM ameli_linked l JOIN ameli_line a USING (rank) GROUP BY l.fingerprint)"""  # noqa: S608
    )


def stage_links(work: Workspace, conn: psycopg.Connection, load_id: int) -> None:
    """Copy the links into `staging.ameli_link`; they replace the present ones once the load is published."""
    conn.execute("DROP TABLE IF EXISTS staging.ameli_link")
    conn.execute("CREATE UNLOGGED TABLE staging.ameli_link (LIKE ingest.ameli_link)")
    conn.execute("CREATE TABLE IF NOT EXISTS staging.link_load (load_id bigint)")
    conn.execute("TRUNCATE staging.link_load")
    conn.execute("INSERT INTO staging.link_load VALUES (%s)", (load_id,))
    copy_in(
        work.con,
        conn,
        "SELECT fingerprint, line, rpps, structure, score, decision, explanation, body FROM ameli_now",
        ("staging", "ameli_link"),
        _LINK_COLUMNS,
        work.folder,
    )


def merge_links(conn: psycopg.Connection, load_id: int) -> None:
    """Make the staged links of a published load the present ones; nothing when they are not this load's."""
    staged = conn.execute("SELECT to_regclass('staging.link_load') IS NOT NULL").fetchone()
    if not staged or not staged[0]:
        return
    row = conn.execute("SELECT load_id FROM staging.link_load").fetchone()
    if not row or row[0] != load_id:
        return
    conn.execute("ANALYZE staging.ameli_link")
    same = " AND ".join(f"l.{c} IS NOT DISTINCT FROM s.{c}" for c in _LINK_COLUMNS)
    conn.execute(
        f"""DELETE FROM ingest.ameli_link l WHERE NOT EXISTS
        (SELECT FROM staging.ameli_link s WHERE s.fingerprint = l.fingerprint AND {same})"""  # noqa: S608
    )
    columns = ", ".join(_LINK_COLUMNS)
    conn.execute(
        f"INSERT INTO ingest.ameli_link ({columns}) SELECT {columns} FROM staging.ameli_link"  # noqa: S608
        " ON CONFLICT (fingerprint) DO NOTHING"
    )
    conn.execute("TRUNCATE staging.link_load")
