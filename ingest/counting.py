"""What became of each line: new, changed, unchanged, rejected; computed before publishing, from the same hashes."""

import duckdb

from ingest.schemas import RegisterReport
from ingest.workspace import Workspace

UNITS = {
    "rpps": "lignes",
    "finess": "lignes ou objets",
    "ameli": "lignes",
}


def _tally(con: duckdb.DuckDBPyConnection, query: str) -> dict[str, int]:
    return {status: int(count) for status, count in con.execute(query).fetchall() if status is not None}


def _status(old: str, now: str) -> str:
    return f"CASE WHEN {old}.key IS NULL THEN 'new' WHEN {old}.hash <> {now}.hash THEN 'changed' ELSE 'unchanged' END"


def _apply(report: RegisterReport, tally: dict[str, int]) -> None:
    report.new += tally.get("new", 0)
    report.changed += tally.get("changed", 0)
    report.unchanged += tally.get("unchanged", 0)


def _one(con: duckdb.DuckDBPyConnection, query: str) -> int:
    row = con.execute(query).fetchone()
    return int(row[0] or 0) if row else 0


def count_rpps(work: Workspace, report: RegisterReport, side_tables: list[str]) -> None:
    """Count RPPS lines with their role, person and place; side files count with their person."""
    con = work.con
    first = not work.count("old_pub_role")
    _apply(
        report,
        {"new": _one(con, "SELECT sum(lines) FROM role_base")}
        if first
        else _tally(
            con,
            """SELECT CASE WHEN o.key IS NULL THEN 'new'
                WHEN o.hash <> r.hash OR op.hash <> p.hash OR os.hash <> s.hash THEN 'changed'
                ELSE 'unchanged' END AS status, sum(b.lines)
            FROM pub_role r JOIN role_base b USING (key)
            LEFT JOIN old_pub_role o ON o.key = r.key
            LEFT JOIN pub_practitioner p ON p.key = r.practitioner_key
            LEFT JOIN old_pub_practitioner op ON op.key = r.practitioner_key
            LEFT JOIN pub_site s ON s.key = r.site_key
            LEFT JOIN old_pub_site os ON os.key = r.site_key GROUP BY 1""",
        ),
    )
    for table in side_tables:
        _apply(
            report,
            _tally(
                con,
                f"""SELECT {_status("o", "p")}, count(*)
                FROM {table} t JOIN pub_practitioner p ON p.key = coalesce(t.national_id, t.id_type || t.id_number)
                LEFT JOIN old_pub_practitioner o ON o.key = p.key WHERE t.reason IS NULL GROUP BY 1""",  # noqa: S608
            ),
        )
    report.closed = _one(con, "SELECT count(*) FROM old_pub_role WHERE key NOT IN (SELECT key FROM role_base)")
    report.merged = _one(con, "SELECT sum(lines) - count(*) FROM role_base")
    report.rows = _one(con, "SELECT sum(lines) FROM role_base")


def count_finess(work: Workspace, report: RegisterReport) -> None:
    """Count FINESS lines with their establishment or legal entity."""
    con = work.con
    _apply(
        report,
        _tally(
            con,
            f"""SELECT CASE WHEN l.entity = 'site' THEN {_status("o", "s")} ELSE {_status("ol", "e")} END, count(*)
            FROM finess_line l
            LEFT JOIN pub_site s ON l.entity = 'site' AND s.key = 'finess:' || l.finess
            LEFT JOIN old_pub_site o ON l.entity = 'site' AND o.key = 'finess:' || l.finess
            LEFT JOIN pub_legal_entity e ON l.entity = 'legal' AND e.key = 'finess:' || l.finess
            LEFT JOIN old_pub_legal_entity ol ON l.entity = 'legal' AND ol.key = 'finess:' || l.finess
            WHERE l.reason IS NULL GROUP BY 1""",  # noqa: S608
        ),
    )
    report.closed = _one(
        con,
        """SELECT count(*) FROM old_pub_site o LEFT JOIN pub_site s USING (key)
        WHERE o.kind = 'establishment' AND o.closed_on IS NULL AND (s.key IS NULL OR s.closed_on IS NOT NULL)""",
    )
    report.rows = _one(con, "SELECT count(*) FROM finess_site WHERE closed IS NULL")
    report.merged = report.read - report.rejected - work.count("finess_site") - work.count("finess_legal")


def count_ameli(work: Workspace, report: RegisterReport) -> None:
    """Count AMELI lines by content and link; a line whose person was known under another content has changed.

    Needs `old_link(fingerprint, identity, rpps, structure, decision, content)`.
    """
    con = work.con
    _apply(
        report,
        _tally(
            con,
            """SELECT CASE
                WHEN o.fingerprint IS NOT NULL AND o.content = n.content AND o.decision = n.decision
                    AND o.rpps IS NOT DISTINCT FROM n.rpps AND o.structure IS NOT DISTINCT FROM n.structure
                    THEN 'unchanged'
                WHEN o.fingerprint IS NOT NULL OR n.identity IN (SELECT identity FROM old_link) THEN 'changed'
                ELSE 'new' END AS status, sum(n.same)
            FROM ameli_now n LEFT JOIN old_link o USING (fingerprint) GROUP BY 1""",
        ),
    )
    report.closed = _one(
        con,
        """SELECT count(*) FROM old_link WHERE fingerprint NOT IN (SELECT fingerprint FROM ameli_now)
        AND identity NOT IN (SELECT identity FROM ameli_now)""",
    )
    report.rows = work.count("ameli_line")
