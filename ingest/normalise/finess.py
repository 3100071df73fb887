"""FINESS lines, from either form, to one shape: `finess_site`, `finess_legal`, and who each line speaks of."""

import duckdb
import pandas as pd

from ingest.normalise.writing import WAY_TYPES
from ingest.readers.rows import Rejects
from maps.api import epsg_of

_SITE_COLUMNS = (
    "finess, legal, siret, name, long_name, complement, category, number, repetition, way_type, way, locality,"
    " postal_code, town, insee, phone, fax, email, opened, closed, x, y, projection, epsg, ban_key"
)
_LEGAL_COLUMNS = (
    "finess, siren, name, long_name, legal_status, number, repetition, way_type, way, locality, postal_code, town,"
    " insee, phone, opened, closed"
)

# Overseas départements are 9A to 9J in FINESS; the three figures of the commune already start with the last one
# of the real département number, except Saint-Barthélemy and Saint-Martin, still under their former codes.
_INSEE = """CASE
    WHEN commune IS NULL OR departement IS NULL THEN NULL
    WHEN regexp_full_match(departement, '9[A-F]') THEN '97' || lpad(commune, 3, '0')
    WHEN regexp_full_match(departement, '9[G-J]') THEN '98' || lpad(commune, 3, '0')
    ELSE departement || lpad(commune, 3, '0') END"""


def from_csv(con: duckdb.DuckDBPyConnection, rejects: Rejects) -> None:
    """Build `finess_site`, `finess_legal`, `finess_line(file, line, entity, finess)` from the Etalab tables."""
    con.execute(
        """CREATE OR REPLACE TABLE finess_et AS SELECT *, CASE
            WHEN NOT finess_ok(nofinesset) THEN 'numéro FINESS invalide'
            WHEN coalesce(rs, rslongue) IS NULL THEN 'nom absent'
            WHEN row_number() OVER (PARTITION BY nofinesset ORDER BY file DESC, line) > 1
                THEN 'doublon de numéro FINESS'
            END AS reason
        FROM finess_structureet"""
    )
    sources = con.execute("SELECT DISTINCT sourcecoordet FROM finess_geolocalisation").fetchall()
    frame = pd.DataFrame({"source": [s for (s,) in sources], "epsg": [epsg_of(s) or 0 for (s,) in sources]})
    con.register("projections", frame.astype({"source": "str", "epsg": "int64"}))
    con.execute(
        """CREATE OR REPLACE TABLE finess_geo AS SELECT g.*, p.epsg, TRY_CAST(coordxet AS DOUBLE) AS x,
            TRY_CAST(coordyet AS DOUBLE) AS y, CASE
            WHEN NOT finess_ok(g.nofinesset) THEN 'numéro FINESS invalide'
            WHEN e.nofinesset IS NULL THEN 'géolocalisation sans établissement'
            WHEN TRY_CAST(coordxet AS DOUBLE) IS NULL OR TRY_CAST(coordyet AS DOUBLE) IS NULL
                THEN 'coordonnées illisibles'
            WHEN coalesce(p.epsg, 0) = 0 THEN 'projection inconnue'
            WHEN row_number() OVER (PARTITION BY g.nofinesset ORDER BY g.file DESC, g.line) > 1
                THEN 'doublon de géolocalisation' END AS reason
        FROM finess_geolocalisation g
        LEFT JOIN (SELECT nofinesset FROM finess_et WHERE reason IS NULL) e USING (nofinesset)
        LEFT JOIN projections p ON p.source = g.sourcecoordet"""
    )
    con.unregister("projections")
    con.execute(
        """CREATE OR REPLACE TABLE finess_ej AS SELECT *, CASE
            WHEN NOT finess_ok(nofiness) THEN 'numéro FINESS invalide'
            WHEN coalesce(rs, rslongue) IS NULL THEN 'nom absent'
            WHEN row_number() OVER (PARTITION BY nofiness ORDER BY file DESC, line) > 1 THEN 'doublon de numéro FINESS'
            END AS reason
        FROM finess_structureej"""
    )
    con.execute(
        f"""CREATE OR REPLACE TABLE finess_site AS
        SELECT e.nofinesset AS finess, nofinessej AS legal, siret, rs AS name, rslongue AS long_name,
            concat_ws(', ', complrs, compldistrib) AS complement, categetab AS category, numvoie AS number,
            compvoie AS repetition, typvoie AS way_type, voie AS way, lieuditbp AS locality,
            regexp_extract(ligneacheminement, '^\\d{{5}}') AS postal_code,
            trim(regexp_replace(ligneacheminement, '^\\d{{5}}', '')) AS town, {_INSEE} AS insee,
            telephone AS phone, telecopie AS fax, NULL::VARCHAR AS email, day(dateouv) AS opened,
            NULL::DATE AS closed, g.x, g.y, g.sourcecoordet AS projection, g.epsg,
            NULL::VARCHAR AS ban_key
        FROM finess_et e LEFT JOIN (SELECT * FROM finess_geo WHERE reason IS NULL) g USING (nofinesset)
        WHERE e.reason IS NULL"""  # noqa: S608
    )
    con.execute(
        f"""CREATE OR REPLACE TABLE finess_legal AS
        SELECT nofiness AS finess, siren, rs AS name, rslongue AS long_name, statutjuridique AS legal_status,
            numvoie AS number, compvoie AS repetition, typvoie AS way_type, voie AS way, lieuditbp AS locality,
            regexp_extract(ligneacheminement, '^\\d{{5}}') AS postal_code,
            trim(regexp_replace(ligneacheminement, '^\\d{{5}}', '')) AS town, {_INSEE} AS insee, telephone AS phone,
            day(datecrea) AS opened, NULL::DATE AS closed
        FROM finess_ej WHERE reason IS NULL"""  # noqa: S608
    )
    con.execute(
        """CREATE OR REPLACE TABLE finess_line AS
        SELECT file, line, 'site' AS entity, nofinesset AS finess, reason FROM finess_et
        UNION ALL SELECT file, line, 'site', nofinesset, reason FROM finess_geo
        UNION ALL SELECT file, line, 'legal', nofiness, reason FROM finess_ej"""
    )
    _finish(con, rejects)


def from_json(con: duckdb.DuckDBPyConnection, file: str, rejects: Rejects) -> None:
    """Build the same tables from the JSON's; closed objects (état I) are kept with their closing date."""
    con.execute(
        """CREATE OR REPLACE TABLE finess_js AS SELECT *, CASE
            WHEN NOT finess_ok(finess) THEN 'numéro FINESS invalide'
            WHEN coalesce(name, long_name) IS NULL THEN 'nom absent'
            WHEN active NOT IN ('A', 'I') OR active IS NULL THEN 'état inconnu'
            WHEN row_number() OVER (PARTITION BY finess ORDER BY active, line) > 1 THEN 'doublon de numéro FINESS'
            END AS reason
        FROM finess_json_site"""
    )
    con.execute(
        """CREATE OR REPLACE TABLE finess_jl AS SELECT *, CASE
            WHEN NOT finess_ok(finess) THEN 'numéro FINESS invalide'
            WHEN coalesce(name, long_name) IS NULL THEN 'nom absent'
            WHEN active NOT IN ('A', 'I') OR active IS NULL THEN 'état inconnu'
            WHEN row_number() OVER (PARTITION BY finess ORDER BY active, line) > 1 THEN 'doublon de numéro FINESS'
            END AS reason
        FROM finess_json_legal"""
    )
    con.execute(
        f"""CREATE OR REPLACE TABLE finess_site AS SELECT {_SITE_COLUMNS} FROM (
            SELECT * REPLACE (concat_ws(', ', complement, access_point) AS complement, day(opened) AS opened,
                CASE WHEN active = 'I' THEN coalesce(day(closed), current_date) END AS closed),
                TRY_CAST(lon AS DOUBLE) AS x, TRY_CAST(lat AS DOUBLE) AS y,
                NULL::VARCHAR AS projection,
                CASE WHEN lon IS NOT NULL THEN 4326 END AS epsg
            FROM finess_js WHERE reason IS NULL)"""  # noqa: S608
    )
    con.execute(
        f"""CREATE OR REPLACE TABLE finess_legal AS SELECT {_LEGAL_COLUMNS} FROM (
            SELECT * REPLACE (day(opened) AS opened,
                CASE WHEN active = 'I' THEN coalesce(day(closed), current_date) END AS closed)
            FROM finess_jl WHERE reason IS NULL)"""  # noqa: S608
    )
    con.execute(
        """CREATE OR REPLACE TABLE finess_line AS
        SELECT ? AS file, line, 'site' AS entity, finess, reason FROM finess_js
        UNION ALL SELECT ?, line, 'legal', finess, reason FROM finess_jl""",
        [file, file],
    )
    _finish(con, rejects)


def _finish(con: duckdb.DuckDBPyConnection, rejects: Rejects) -> None:
    rows = con.execute("SELECT file, line, reason FROM finess_line WHERE reason IS NOT NULL ORDER BY file, line")
    for file, line, reason in rows.fetchall():
        rejects.add(file, line, reason)
    con.register("ways", pd.DataFrame({"code": list(WAY_TYPES), "label": list(WAY_TYPES.values())}).astype("str"))
    con.execute("CREATE OR REPLACE TABLE way_type AS SELECT code::VARCHAR AS code, label::VARCHAR AS label FROM ways")
    con.unregister("ways")
