"""AMELI lines: rejects, linkage to activities, and the convention of each role."""

from collections.abc import Callable

import duckdb
import pandas as pd

from ingest.linkage import SqlSource, link
from ingest.readers.layouts import AMELI_OFFICIAL
from ingest.readers.rows import Rejects
from ingest.readers.tables import sql_text
from ingest.workspace import Workspace

FIELDS = list(AMELI_OFFICIAL)

_CONVENTION = """CASE lower(convention)
    WHEN 'nc' THEN '0' WHEN 'c1' THEN '1' WHEN 'c2' THEN '2' WHEN 'c3' THEN '3'
    WHEN '0' THEN '0' WHEN '1' THEN '1' WHEN '2' THEN '2' WHEN '3' THEN '3' END"""
"""R282; the four letters were deprecated in September 2026 and older files still carry them."""


def reject_ameli(con: duckdb.DuckDBPyConnection, file: str, rejects: Rejects) -> None:
    """Take out of `ameli_line` the lines that name nobody, no specialty or no place."""
    con.execute(
        """CREATE OR REPLACE TEMP TABLE ameli_bad AS SELECT line, CASE
            WHEN last_name IS NULL THEN 'nom absent'
            WHEN specialty IS NULL THEN 'spécialité absente'
            WHEN postal_code IS NULL AND town IS NULL THEN 'adresse absente' END AS reason
        FROM ameli_line WHERE last_name IS NULL OR specialty IS NULL OR (postal_code IS NULL AND town IS NULL)"""
    )
    rejects.extend(file, con.execute("SELECT line, reason FROM ameli_bad ORDER BY line").fetchall())
    con.execute("DELETE FROM ameli_line WHERE line IN (SELECT line FROM ameli_bad)")


_ACTIVITIES = """SELECT r.nid[2:] AS rpps, r.place AS structure, coalesce(r.mode, '') AS mode, p.last_name,
        p.first_name, p.civility, r.profession,
        array_to_string(list_transform(coalesce(r.specialties, []), lambda s: split_part(s, '|', 2)), ',')
            AS specialties,
        {address}
    FROM role_base r JOIN person p ON p.key = r.nid {join}"""

_FROM_LINES = _ACTIVITIES.format(
    address="""l.number, l.repetition, l.way_type, l.way, l.postal_code, l.cedex_office, l.commune_code,
        l.commune_label, l.phone, l.phone2, l.departement AS department, l.company_name AS structure_name""",
    join="JOIN rpps_act l ON l.line = r.line",
)

_FROM_DIRECTORY = _ACTIVITIES.format(
    address="""regexp_extract(s.street, '^\\d+') AS number, '' AS repetition, '' AS way_type,
        trim(regexp_replace(s.street, '^\\d+\\s*', '')) AS way, s.postal_code, '' AS cedex_office, s.commune_code,
        s.town AS commune_label, s.phone, s.phone2, '' AS department, s.name AS structure_name""",
    join="LEFT JOIN live_site s ON s.key = r.site_key",
)


def link_ameli(
    work: Workspace,
    decisions: pd.DataFrame,
    *,
    from_directory: bool,
    progress: Callable[[str, float], None] | None = None,
) -> dict[str, object]:
    """Link `ameli_line` to the activities of `role_base`; build `ameli_linked` and `convention`.

    `ameli_linked(rank, fingerprint, rpps, structure, score, decision, explanation, candidates)`, one row per line.
    `from_directory`: the activities come from the directory rather than from this load's RPPS lines.

    Returns:
        The statistics of the linkage.
    """
    con = work.con
    activities = work.folder / "activities.parquet"
    lines = work.folder / "ameli.parquet"
    query = _FROM_DIRECTORY if from_directory else _FROM_LINES
    con.execute(f"COPY ({query}) TO {sql_text(activities)} (FORMAT parquet)")
    official = ", ".join(f"{short} AS {name}" for short, name in AMELI_OFFICIAL.items())
    con.execute(f"COPY (SELECT rank AS line, {official} FROM ameli_line) TO {sql_text(lines)} (FORMAT parquet)")  # noqa: S608
    with work.released():
        result = link(
            SqlSource(f"SELECT * FROM read_parquet({sql_text(lines)})"),  # noqa: S608
            SqlSource(f"SELECT * FROM read_parquet({sql_text(activities)})"),  # noqa: S608
            decisions,
            progress,
        )
    con = work.con
    activities.unlink()
    lines.unlink()
    con.register("links", result.links)
    con.register("proposals", result.candidates)
    con.execute(
        """CREATE OR REPLACE TABLE ameli_linked AS
        SELECT l.line::BIGINT AS rank, l.fingerprint::VARCHAR AS fingerprint, nullif(l.rpps::VARCHAR, '') AS rpps,
            nullif(l.structure::VARCHAR, '') AS structure, l.score::SMALLINT AS score,
            l.decision::VARCHAR AS decision, nullif(l.explanation::VARCHAR, '') AS explanation, p.candidates
        FROM links l LEFT JOIN (
            SELECT line::BIGINT AS line, to_json(list({'rpps': rpps::VARCHAR, 'structure': structure::VARCHAR,
                'score': score::INTEGER, 'explanation': explanation::VARCHAR} ORDER BY rank))::VARCHAR AS candidates
            FROM proposals GROUP BY line) p ON p.line = l.line"""
    )
    con.unregister("links")
    con.unregister("proposals")
    make_conventions(con)
    return {k: v for k, v in result.stats.items() if isinstance(v, (int, float, dict))}


def make_conventions(con: duckdb.DuckDBPyConnection) -> None:
    """Make `convention(key, …)` of each role that a line is linked to, from `ameli_linked` and `ameli_line`."""
    # A link names a person and a structure; among their roles there, the independent one is AMELI's.
    con.execute(
        f"""CREATE OR REPLACE TABLE convention AS
        SELECT key, arg_min(convention, rank) AS convention, arg_min(fee_option, rank) AS fee_option,
            arg_min(carte_vitale, rank) AS carte_vitale, arg_min(phone, rank) AS phone, arg_min(score, rank) AS score
        FROM (
            SELECT r.key, l.rank, {_CONVENTION} AS convention, fee_option,
                CASE upper(carte_vitale) WHEN 'O' THEN true WHEN 'N' THEN false END AS carte_vitale,
                phone(a.phone) AS phone, l.score
            FROM ameli_linked l JOIN ameli_line a USING (rank)
            JOIN (SELECT DISTINCT ON (nid, place) nid, place, key FROM role_base
                ORDER BY nid, place, (mode = 'L') DESC NULLS LAST, key) r
                ON r.nid[2:] = l.rpps AND r.place = coalesce(l.structure, '')
            WHERE l.decision = 'auto')
        GROUP BY key"""  # noqa: S608
    )


def no_conventions(con: duckdb.DuckDBPyConnection) -> None:
    """Make `convention` empty, when no AMELI line is known."""
    con.execute(
        """CREATE OR REPLACE TABLE convention (key VARCHAR, convention VARCHAR, fee_option VARCHAR,
        carte_vitale BOOLEAN, phone VARCHAR, score SMALLINT)"""
    )
