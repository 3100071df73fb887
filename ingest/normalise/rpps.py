"""RPPS lines to activities (`rpps_act`), practices (`practice`), people (`person`) and roles (`role_base`)."""

import duckdb

from ingest.normalise.writing import first_name, map_values, way
from ingest.readers.rows import Rejects

SKILL_SYSTEMS = {
    "S": "R38",
    "C": "R39",
    "CEX": "R40",
    "DSM": "R42",
    "CAPA": "R43",
    "PAC": "R44",
    "FQ": "R45",
    "DEC": "R97",
}
"""Type of savoir-faire → nomenclature of its codes."""

_SKILL = (
    "CASE skill_type "
    + " ".join(f"WHEN '{kind}' THEN '{system}'" for kind, system in SKILL_SYSTEMS.items())
    + " ELSE 'R01' END || '|' || skill"
)

_ADDRESS = [
    "addressee",
    "access_point",
    "number",
    "repetition",
    "way_type",
    "way_label",
    "way",
    "distribution",
    "cedex_office",
    "postal_code",
    "commune_code",
    "commune_label",
    "phone",
    "phone2",
    "fax",
    "email",
    "company_name",
    "trade_name",
    "siret",
    "finess",
    "sector",
]


def normalise_rpps(con: duckdb.DuckDBPyConnection, file: str, rejects: Rejects) -> None:
    """Turn `rpps_line` into `rpps_act`, without its unusable lines, and merge lines into entities.

    Needs `known_finess(finess)`: the establishments that are open, from this load or from the directory.
    """
    con.execute(
        f"""CREATE OR REPLACE TABLE rpps_act AS
        SELECT * EXCLUDE (skill_type, skill, national_id), coalesce(structure_id, site_key, '') AS place,
            CASE WHEN skill IS NULL THEN NULL ELSE {_SKILL} END AS skill
        FROM (SELECT *, {_REASON} AS reason, {_SITE_KEY} AS site_key FROM (
            SELECT *, coalesce(national_id, id_type || id_number) AS nid, {_FINESS} AS finess_site
            FROM rpps_line))"""  # noqa: S608
    )
    con.execute("DROP VIEW rpps_line")
    found = con.execute("SELECT line, reason FROM rpps_act WHERE reason IS NOT NULL ORDER BY line").fetchall()
    rejects.extend(file, found)
    if found:
        con.execute("DELETE FROM rpps_act WHERE reason IS NOT NULL")
    _practices(con)
    _people(con)
    _roles(con)


_REASON = """CASE
    WHEN nid IS NULL THEN 'identifiant absent'
    WHEN NOT regexp_full_match(nid, '8\\d{11}|0[0-9A-Z]{9}') THEN 'identifiant national invalide'
    WHEN last_name IS NULL THEN 'nom absent'
    WHEN profession IS NULL THEN 'profession absente'
    END"""

# The structure's own number says FINESS (1), SIRET (3) or nothing (4: practice of one person).
_FINESS = """CASE
    WHEN structure_id[1] = '1' AND finess_ok(structure_id[2:]) THEN structure_id[2:]
    WHEN finess IN (SELECT finess FROM known_finess) THEN finess
    WHEN structure_id IS NULL AND NOT siret_ok(siret) AND finess_ok(finess) THEN finess END"""

_SITE_KEY = """CASE
    WHEN finess_site IS NOT NULL THEN 'finess:' || finess_site
    WHEN structure_id[1] = '3' AND siret_ok(structure_id[2:]) THEN 'siret:' || structure_id[2:]
    WHEN structure_id IS NOT NULL THEN 'struct:' || structure_id
    WHEN siret_ok(siret) THEN 'siret:' || siret
    WHEN coalesce(commune_code, postal_code) IS NOT NULL AND coalesce(way, commune_label) IS NOT NULL
        THEN 'adr:' || left(md5(concat_ws('/', nid, number, way, postal_code, commune_code)), 20)
    END"""


def _practices(con: duckdb.DuckDBPyConnection) -> None:
    # Lines repeat their structure's address and do not always agree: the fullest description wins, then a stable
    # order, so that the file's order changes nothing. Most places have one line: nothing to weigh there.
    filled = " + ".join(f"({c} IS NOT NULL)::INT" for c in _ADDRESS)
    content = ", ".join(f"coalesce({c}, '')" for c in _ADDRESS)
    con.execute(
        """CREATE OR REPLACE TABLE best_line AS SELECT site_key, min(line) AS line, count(*) AS lines
        FROM rpps_act WHERE site_key IS NOT NULL GROUP BY site_key"""
    )
    con.execute(
        f"""CREATE OR REPLACE TABLE practice_line AS SELECT line FROM best_line WHERE lines = 1
        UNION ALL SELECT arg_max(a.line, ({filled})::BIGINT * 1000000000000000
                + stable(concat_ws('/', {content})) % 1000000000000000)
            FROM rpps_act a JOIN best_line b ON b.site_key = a.site_key AND b.lines > 1 GROUP BY a.site_key"""  # noqa: S608
    )
    con.execute(
        """CREATE OR REPLACE TABLE old_key AS SELECT site_key, list_sort(list(DISTINCT old_key)) AS old_keys FROM (
            SELECT site_key, 'struct:' || old_structure_id AS old_key FROM rpps_act
            WHERE site_key IS NOT NULL AND old_structure_id IS NOT NULL
            UNION ALL SELECT site_key, 'struct:' || structure_id FROM rpps_act
            WHERE finess_site IS NOT NULL AND structure_id IS NOT NULL
            UNION ALL SELECT site_key, 'siret:' || siret FROM rpps_act
            WHERE finess_site IS NOT NULL AND siret_ok(siret))
        GROUP BY site_key"""
    )
    columns = ", ".join(f"a.{c}" for c in _ADDRESS if c not in ("siret", "finess"))
    con.execute(
        f"""CREATE OR REPLACE TABLE practice AS
        SELECT a.site_key AS key, a.finess_site AS finess,
            CASE WHEN siret_ok(a.siret) THEN a.siret WHEN a.site_key LIKE 'siret:%' THEN a.site_key[7:] END AS siret,
            a.structure_id, {columns}, o.old_keys
        FROM rpps_act a JOIN practice_line USING (line) LEFT JOIN old_key o ON o.site_key = a.site_key"""  # noqa: S608
    )
    map_values(con, "practice", "way", "nice_way", way)


def _people(con: duckdb.DuckDBPyConnection) -> None:
    map_values(con, "rpps_act", "first_name", "nice_first", first_name)
    con.execute(
        """CREATE OR REPLACE TABLE person AS
        SELECT nid AS key, CASE WHEN min(id_type) = '8' THEN nid[2:] END AS rpps,
            CASE WHEN min(id_type) = '0' THEN nid[2:] END AS adeli, min(title) AS title, min(civility) AS civility,
            min(upper(last_name)) AS last_name, coalesce(max(n.nice), '') AS first_name,
            min(profession) AS profession, min(category) AS category,
            list_sort(list_distinct(list(skill) FILTER (skill IS NOT NULL))) AS skills
        FROM rpps_act LEFT JOIN nice_first n ON n.raw = first_name GROUP BY nid"""
    )


def _roles(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        """CREATE OR REPLACE TABLE role_group AS
        SELECT concat_ws('/', nid, place, coalesce(mode, ''), coalesce(authority, '')) AS key, nid, place,
            any_value(structure_id) AS structure_id, any_value(site_key) AS site_key, profession,
            min(category) AS category, list_sort(list_distinct(list(skill) FILTER (skill IS NOT NULL))) AS specialties,
            mode, min(sector) AS sector, min(function) AS function, min(activity_kind) AS activity_kind, authority,
            count(*) AS lines, min(line) AS line
        FROM rpps_act GROUP BY nid, place, profession, mode, authority"""
    )
    # Two professions under one key are two roles: the first keeps the key, the others add theirs to it.
    con.execute(
        """CREATE OR REPLACE TABLE role_base AS
        SELECT g.* REPLACE (g.key || CASE WHEN profession > first THEN '/' || profession ELSE '' END AS key)
        FROM role_group g LEFT JOIN (
            SELECT key, min(profession) AS first FROM role_group GROUP BY key HAVING count(*) > 1) t USING (key)"""
    )
    con.execute("DROP TABLE role_group")


def read_qualifications(con: duckdb.DuckDBPyConnection, *, skills: bool, diplomas: bool) -> None:
    """Build `qualification(key, savoir_faire, diplomes, codes)` from the two side files that were given."""
    system = (
        "CASE kind "
        + " ".join(f"WHEN '{kind}' THEN '{name}'" for kind, name in SKILL_SYSTEMS.items())
        + " ELSE 'R01' END"
    )
    con.execute("CREATE OR REPLACE TABLE skill_list (key VARCHAR, items JSON, codes VARCHAR[])")
    con.execute("CREATE OR REPLACE TABLE diploma_list (key VARCHAR, items JSON)")
    if skills:
        con.execute(
            f"""INSERT INTO skill_list
            SELECT key, to_json(list_sort(list(DISTINCT {{'type': kind, 'code': code, 'label': label}}))),
                list_sort(list(DISTINCT {system} || '|' || code))
            FROM (SELECT coalesce(national_id, id_type || id_number) AS key, kind, code, label FROM rpps_skills_line)
            WHERE key IS NOT NULL AND code IS NOT NULL GROUP BY key"""  # noqa: S608
        )
    if diplomas:
        con.execute(
            """INSERT INTO diploma_list
            SELECT key, to_json(list_sort(list(DISTINCT {'type': kind, 'code': code, 'label': label,
                'permit_type': permit_kind, 'permit': permit, 'permit_label': permit_label})))
            FROM (SELECT coalesce(national_id, id_type || id_number) AS key, * EXCLUDE (national_id)
                FROM rpps_diplomas_line)
            WHERE key IS NOT NULL AND coalesce(code, permit) IS NOT NULL GROUP BY key"""
        )


def reject_side_lines(con: duckdb.DuckDBPyConnection, table: str) -> list[tuple[int, str]]:
    """Mark the lines of a side file that speak of nobody in the activities; returns them."""
    con.execute(
        f"""CREATE OR REPLACE TABLE {table} AS SELECT t.*, CASE WHEN p.key IS NULL
            THEN 'professionnel absent du fichier des activités' END AS reason
        FROM {table} t LEFT JOIN person p ON p.key = coalesce(t.national_id, t.id_type || t.id_number)"""  # noqa: S608
    )
    return con.execute(f"SELECT line, reason FROM {table} WHERE reason IS NOT NULL ORDER BY line").fetchall()  # noqa: S608


def keep_qualifications(con: duckdb.DuckDBPyConnection, *, skills: bool, diplomas: bool) -> None:
    """Take over from the directory what the absent side files once said (`old_qualification`)."""
    if skills:
        systems = " ".join(f"WHEN '{kind}' THEN '{name}'" for kind, name in SKILL_SYSTEMS.items())
        con.execute(
            f"""INSERT INTO skill_list SELECT key, skills, list_transform(
                from_json(skills, '[{{"type": "VARCHAR", "code": "VARCHAR"}}]'),
                lambda s: CASE s.type {systems} ELSE 'R01' END || '|' || s.code)
            FROM old_qualification WHERE skills IS NOT NULL"""  # noqa: S608
        )
    if diplomas:
        con.execute("INSERT INTO diploma_list SELECT key, diplomas FROM old_qualification WHERE diplomas IS NOT NULL")
