"""The four publication tables in duckdb, with the stable hash of each row."""

import duckdb

from ingest.normalise.macros import hash_of

TEXT = "text"

LEGAL = {
    "key": TEXT,
    "finess": TEXT,
    "siren": TEXT,
    "name": TEXT,
    "long_name": TEXT,
    "legal_status": TEXT,
    "street": TEXT,
    "postal_code": TEXT,
    "town": TEXT,
    "commune_code": TEXT,
    "phone": TEXT,
    "opened_on": "date",
    "closed_on": "date",
}
SITE = {
    "key": TEXT,
    "old_keys": "keys",
    "kind": TEXT,
    "finess": TEXT,
    "siret": TEXT,
    "structure_id": TEXT,
    "legal_key": TEXT,
    "name": TEXT,
    "long_name": TEXT,
    "category": TEXT,
    "sector": TEXT,
    "complement": TEXT,
    "street": TEXT,
    "postal_code": TEXT,
    "town": TEXT,
    "commune_id": "number",
    "commune_code": TEXT,
    "commune_how": TEXT,
    "commune_score": "number",
    "lon": "degrees",
    "lat": "degrees",
    "position_source": TEXT,
    "position_level": TEXT,
    "position_score": "number",
    "phone": TEXT,
    "phone2": TEXT,
    "fax": TEXT,
    "email": TEXT,
    "opened_on": "date",
    "closed_on": "date",
}
PRACTITIONER = {
    "key": TEXT,
    "rpps": TEXT,
    "adeli": TEXT,
    "title": TEXT,
    "civility": TEXT,
    "last_name": TEXT,
    "first_name": TEXT,
    "profession": TEXT,
    "category": TEXT,
    "specialties": "list",
    "qualifications": TEXT,
}
ROLE = {
    "key": TEXT,
    "practitioner_key": TEXT,
    "site_key": TEXT,
    "profession": TEXT,
    "category": TEXT,
    "specialties": "list",
    "mode": TEXT,
    "sector": TEXT,
    "function": TEXT,
    "activity_kind": TEXT,
    "authority": TEXT,
    "convention": TEXT,
    "fee_option": TEXT,
    "carte_vitale": "number",
    "ameli_phone": TEXT,
    "link_score": "number",
}

TABLES: dict[str, dict[str, str]] = {
    "pub_legal_entity": LEGAL,
    "pub_site": SITE,
    "pub_practitioner": PRACTITIONER,
    "pub_role": ROLE,
}
"""Columns of each publication table, in order, and how each enters the hash."""


def _canonical(column: str, kind: str) -> str | None:
    if kind == "keys":
        return None
    if kind == TEXT:
        return column
    if kind == "list":
        return f"array_to_string({column}, ',')"
    if kind == "degrees":
        return f"printf('%.6f', {column})"
    return f"{column}::VARCHAR"


def row_hash(table: str) -> str:
    """SQL of a row's hash: everything published except old keys, which say nothing of the entity's content."""
    return hash_of([text for c, kind in TABLES[table].items() if (text := _canonical(c, kind)) is not None])


def literal(column: str, kind: str) -> str:
    """SQL of a column as COPY takes it: arrays become PostgreSQL literals."""
    if kind not in ("list", "keys"):
        return f"t.{column}"
    item = "'\"' || replace(replace(v, '\\', '\\\\'), '\"', '\\\"') || '\"'"
    return f"'{{' || array_to_string(list_transform(t.{column}, lambda v: {item}), ',') || '}}'"


def create_empty(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Create a publication table without rows."""
    kinds = {TEXT: "VARCHAR", "keys": "VARCHAR[]", "list": "VARCHAR[]", "date": "DATE", "degrees": "DOUBLE"}
    columns = ", ".join(f"{c} {kinds.get(kind, 'INTEGER')}" for c, kind in TABLES[table].items())
    con.execute(f"CREATE OR REPLACE TABLE {table} ({columns}, hash BIGINT)")


def _make(con: duckdb.DuckDBPyConnection, table: str, select: str) -> None:
    columns = ", ".join(TABLES[table])
    con.execute(
        f"CREATE OR REPLACE TABLE {table} AS SELECT {columns}, {row_hash(table)} AS hash FROM ({select})"  # noqa: S608
    )


def make_legal_entities(con: duckdb.DuckDBPyConnection) -> None:
    """Make `pub_legal_entity` from `finess_legal`."""
    _make(
        con,
        "pub_legal_entity",
        """SELECT 'finess:' || finess AS key, finess, siren, coalesce(tidy(name), tidy(long_name)) AS name,
            CASE WHEN tidy(long_name) <> tidy(name) THEN tidy(long_name) END AS long_name, legal_status,
            nullif(concat_ws(' ', number, lower(repetition), coalesce(t.label, way_type), way), '') AS street,
            postal_code, tidy(town) AS town, insee AS commune_code, phone(phone) AS phone, opened AS opened_on,
            closed AS closed_on
        FROM finess_legal LEFT JOIN way_type t ON t.code = way_type""",
    )


def make_sites(con: duckdb.DuckDBPyConnection) -> None:
    """Make `pub_site` from `site_draft`, its communes and its positions.

    An old key shared by several sites (one SIRET for all the establishments of an association) identifies none.
    """
    con.execute(
        """CREATE OR REPLACE TABLE own_key AS
        SELECT old_key, any_value(key) AS key FROM (SELECT key, unnest(old_keys) AS old_key FROM site_draft)
        WHERE old_key NOT IN (SELECT key FROM site_draft) GROUP BY old_key HAVING count(DISTINCT key) = 1"""
    )
    _make(
        con,
        "pub_site",
        """SELECT d.key, o.keys AS old_keys, d.kind, d.finess, d.siret, d.structure_id, d.legal_key, d.name,
            d.long_name, d.category, d.sector, d.complement,
            nullif(concat_ws(' ', d.number, d.repetition, d.street), '') AS street, d.postal_code,
            coalesce(CASE WHEN a.score >= 70 THEN a.town_name END, d.town) AS town, a.commune_id,
            coalesce(a.commune_code, d.insee) AS commune_code, a.how AS commune_how, a.score AS commune_score,
            p.lon, p.lat, p.source AS position_source, coalesce(p.level, 'none') AS position_level,
            p.score AS position_score, d.phone, CASE WHEN d.phone2 <> d.phone THEN d.phone2 END AS phone2, d.fax,
            d.email, d.opened_on, d.closed_on
        FROM site_draft d JOIN site_address a USING (key) LEFT JOIN address_position p USING (address)
        LEFT JOIN (SELECT key, list_sort(list(old_key)) AS keys FROM own_key GROUP BY key) o USING (key)""",
    )


def make_practitioners(con: duckdb.DuckDBPyConnection) -> None:
    """Make `pub_practitioner` from `person` and `qualification` (savoir-faire and diplomas of the side files)."""
    _make(
        con,
        "pub_practitioner",
        """SELECT p.key, p.rpps, p.adeli, p.title, p.civility, p.last_name, p.first_name, p.profession, p.category,
            coalesce(list_sort(list_distinct(list_concat(coalesce(p.skills, []), coalesce(s.codes, [])))), [])
                AS specialties,
            CASE WHEN s.items IS NOT NULL OR d.items IS NOT NULL THEN json_merge_patch(
                coalesce(json_object('savoir_faire', s.items), '{}'), coalesce(json_object('diplomes', d.items), '{}'))
                ::VARCHAR END AS qualifications
        FROM person p LEFT JOIN skill_list s USING (key) LEFT JOIN diploma_list d USING (key)""",
    )


def make_roles(con: duckdb.DuckDBPyConnection) -> None:
    """Make `pub_role` from `role_base` and `convention(key, …)`."""
    _make(
        con,
        "pub_role",
        """SELECT r.key, r.nid AS practitioner_key, r.site_key, r.profession, r.category,
            coalesce(r.specialties, []) AS specialties, r.mode, r.sector, r.function, r.activity_kind, r.authority,
            c.convention, c.fee_option, c.carte_vitale, c.phone AS ameli_phone, c.score AS link_score
        FROM role_base r LEFT JOIN convention c USING (key)""",
    )
