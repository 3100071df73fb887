"""Sites: FINESS establishments and RPPS practices in one shape, their communes and positions."""

import duckdb
import pandas as pd
import psycopg

from ingest.normalise.writing import map_values, way
from ingest.workspace import Workspace
from maps import api as maps

GEOCODE_CHUNK = 150_000
"""Addresses geocoded at a time: bounds the memory of the frames."""

_REPETITION = """CASE upper(repetition) WHEN 'B' THEN 'bis' WHEN 'T' THEN 'ter' WHEN 'Q' THEN 'quater'
    ELSE lower(repetition) END"""


def draft_sites(con: duckdb.DuckDBPyConnection, *, rpps: bool, finess: bool) -> None:
    """Build `site_draft`, one row per site to publish, from `finess_site` and `practice`.

    A practice is published only when FINESS does not know its number; it stands in for a closed establishment.
    """
    con.execute(
        """CREATE OR REPLACE TABLE site_draft (
            key VARCHAR, old_keys VARCHAR[], kind VARCHAR, finess VARCHAR, siret VARCHAR, structure_id VARCHAR,
            legal_key VARCHAR, name VARCHAR, long_name VARCHAR, category VARCHAR, sector VARCHAR, complement VARCHAR,
            number VARCHAR, repetition VARCHAR, street VARCHAR, postal_code VARCHAR, town VARCHAR, cedex VARCHAR,
            insee VARCHAR, x DOUBLE, y DOUBLE, epsg INTEGER, projection VARCHAR, ban_key VARCHAR,
            phone VARCHAR, phone2 VARCHAR, fax VARCHAR, email VARCHAR, opened_on DATE, closed_on DATE)"""
    )
    if finess:
        _establishments(con, rpps=rpps)
    if rpps:
        _practices(con)


def _establishments(con: duckdb.DuckDBPyConnection, *, rpps: bool) -> None:
    map_values(con, "finess_site", "way", "nice_finess_way", way)
    keys = "NULL::VARCHAR[]"
    join = ""
    shadow = ""
    if rpps:
        keys = "p.old_keys"
        join = "LEFT JOIN practice p ON p.key = 'finess:' || s.finess"
        shadow = "WHERE s.closed IS NULL OR p.key IS NULL"
    con.execute(
        f"""INSERT INTO site_draft
        SELECT 'finess:' || s.finess, {keys}, 'establishment', s.finess,
            CASE WHEN siret_ok(s.siret) THEN s.siret END, NULL,
            CASE WHEN s.legal IS NOT NULL THEN 'finess:' || s.legal END,
            coalesce(tidy(s.name), tidy(s.long_name)),
            CASE WHEN tidy(s.long_name) <> tidy(s.name) THEN tidy(s.long_name) END, s.category, NULL,
            nullif(concat_ws(', ', tidy(s.complement), tidy(s.locality)), ''), s.number, {_REPETITION_S},
            nullif(concat_ws(' ', CASE WHEN t.label IS NOT NULL AND NOT starts_with(upper(coalesce(s.way, '')),
                upper(t.label)) THEN t.label WHEN t.label IS NULL THEN s.way_type END, w.nice), ''),
            s.postal_code, tidy(s.town), NULL, s.insee, s.x, s.y, s.epsg, s.projection, s.ban_key, phone(s.phone), NULL,
            phone(s.fax), email(s.email), s.opened, s.closed
        FROM finess_site s LEFT JOIN way_type t ON t.code = s.way_type
        LEFT JOIN nice_finess_way w ON w.raw = s.way {join} {shadow}"""  # noqa: S608
    )


_REPETITION_S = _REPETITION.replace("repetition", "s.repetition")
_REPETITION_P = _REPETITION.replace("repetition", "p.repetition")


def _practices(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        f"""INSERT INTO site_draft
        SELECT p.key, p.old_keys, 'practice', p.finess, p.siret, p.structure_id, NULL,
            coalesce(tidy(p.trade_name), tidy(p.company_name), 'Cabinet ' || one.name, 'Cabinet'),
            CASE WHEN tidy(p.company_name) <> tidy(p.trade_name) THEN tidy(p.company_name) END, NULL, p.sector,
            nullif(concat_ws(', ', tidy(p.addressee), tidy(p.access_point), tidy(p.distribution)), ''), p.number,
            {_REPETITION_P}, nullif(concat_ws(' ', coalesce(p.way_label, p.way_type), w.nice), ''),
            regexp_extract(coalesce(p.postal_code, p.cedex_office), '\\d{{5}}'), tidy(p.commune_label),
            p.cedex_office, p.commune_code, NULL, NULL, NULL, NULL, NULL, phone(p.phone), phone(p.phone2), phone(p.fax),
            email(p.email), NULL, NULL
        FROM practice p LEFT JOIN nice_way w ON w.raw = p.way
        LEFT JOIN (
            SELECT site_key, min(trim(first_name || ' ' || last_name)) AS name
            FROM role_base r JOIN person ON person.key = r.nid GROUP BY site_key HAVING count(DISTINCT nid) = 1
        ) one ON one.site_key = p.key
        WHERE p.finess IS NULL OR p.finess NOT IN (SELECT finess FROM known_finess)"""  # noqa: S608
    )


def resolve_places(work: Workspace, conn: psycopg.Connection) -> None:
    """Build `site_address(key, address, commune_id, how …)` and `address_position(address, lon, lat, level …)`.

    Each distinct address is looked up once.
    """
    con = work.con
    con.execute(
        """CREATE OR REPLACE TABLE site_draft AS SELECT *, stable(concat_ws('|', coalesce(insee, ''),
            coalesce(postal_code, ''), coalesce(town, ''), coalesce(cedex, ''))) AS triple FROM site_draft"""
    )
    con.execute(
        """CREATE OR REPLACE TABLE address_triple AS SELECT triple AS id, any_value(insee) AS insee,
            any_value(postal_code) AS postal_code, any_value(town) AS town, any_value(cedex) AS cedex
        FROM site_draft GROUP BY triple"""
    )
    frame = con.execute(
        "SELECT id, insee AS commune_code, postal_code, town, cedex FROM address_triple ORDER BY id"
    ).df()
    found = maps.resolve_communes(frame)
    found["id"] = frame["id"]
    codes = sorted({c for c in found["commune_code"] if isinstance(c, str)})
    hits = {code: maps.resolve_ref("commune", code) for code in codes}
    names = pd.DataFrame({"code": codes, "name": [_town(hits[c].name) if hits[c] else None for c in codes]})  # type: ignore[union-attr]
    con.register("found_communes", found.astype({"commune_code": "str", "how": "str"}))
    con.register("commune_names", names.astype("str"))
    con.execute(
        """CREATE OR REPLACE TABLE triple_commune AS
        SELECT a.*, f.commune_id::INTEGER AS commune_id,
            CASE WHEN f.commune_id IS NOT NULL THEN f.commune_code::VARCHAR END AS commune_code, f.how::VARCHAR AS how,
            f.score::SMALLINT AS score, n.name::VARCHAR AS town_name
        FROM address_triple a JOIN found_communes f USING (id)
        LEFT JOIN commune_names n ON n.code = f.commune_code"""
    )
    con.unregister("found_communes")
    con.unregister("commune_names")
    _positions(con, conn)


def _town(name: str) -> str:
    """ "Paris 12e arrondissement" is written Paris on an envelope."""
    words = name.split()
    return " ".join(words[:-2]) if words[-1] == "arrondissement" and len(words) > 2 else name


_ADDRESS = "commune_id, commune_code, number, repetition, street, x, y, epsg, projection, ban_key"


def _positions(con: duckdb.DuckDBPyConnection, conn: psycopg.Connection) -> None:
    text = ", ".join(f"coalesce({c}::VARCHAR, '')" for c in _ADDRESS.split(", "))
    con.execute(
        f"""CREATE OR REPLACE TABLE site_address AS
        SELECT s.key, t.how, t.score, t.town_name, {_ADDRESS}, stable(concat_ws('|', {text})) AS address
        FROM site_draft s JOIN triple_commune t ON t.id = s.triple"""  # noqa: S608
    )
    con.execute(
        f"""CREATE OR REPLACE TABLE address AS SELECT *, row_number() OVER () AS rank FROM (
            SELECT address, {", ".join(f"any_value({c}) AS {c}" for c in _ADDRESS.split(", "))}
            FROM site_address GROUP BY address)"""  # noqa: S608
    )
    con.execute(
        """CREATE OR REPLACE TABLE address_position (address BIGINT, lon DOUBLE, lat DOUBLE, source VARCHAR,
            level VARCHAR, score SMALLINT)"""
    )
    total = con.execute("SELECT count(*) FROM address").fetchone()
    assert total is not None  # noqa: S101 - an aggregate always returns a row
    for start in range(0, total[0], GEOCODE_CHUNK):
        frame = con.execute(
            f"SELECT address, {_ADDRESS} FROM address WHERE rank > ? AND rank <= ?",  # noqa: S608
            [start, start + GEOCODE_CHUNK],
        ).df()
        frame = frame.astype({"commune_id": "Int32"})
        found = maps.geocode(conn, frame)
        found["address"] = frame["address"]
        con.register("found_positions", found.astype({"position_source": "str", "position_level": "str"}))
        con.execute(
            """INSERT INTO address_position
            SELECT address, CASE WHEN isfinite(lon) THEN round(lon, 6) END,
                CASE WHEN isfinite(lat) THEN round(lat, 6) END,
                CASE WHEN position_level <> 'none' THEN position_source::VARCHAR END, position_level::VARCHAR,
                position_score::SMALLINT FROM found_positions"""
        )
        con.unregister("found_positions")
