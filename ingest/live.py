"""What the directory holds now, read into duckdb: hashes to compare with, and rows of registers not given."""

import psycopg

from ingest.copying import copy_out
from ingest.workspace import Workspace

ENTITIES = {
    "pub_legal_entity": "legal_entity",
    "pub_site": "site",
    "pub_practitioner": "practitioner",
    "pub_role": "role",
}


def is_empty(conn: psycopg.Connection) -> bool:
    """Whether nothing was ever published."""
    row = conn.execute(
        "SELECT NOT EXISTS (SELECT FROM directory.role) AND NOT EXISTS (SELECT FROM directory.site)"
    ).fetchone()
    return bool(row and row[0])


def read_hashes(work: Workspace, conn: psycopg.Connection, table: str) -> None:
    """Make `old_<table>(key, hash)` from the directory; sites carry kind and closing date too."""
    entity = ENTITIES[table]
    key = "national_id" if entity == "practitioner" else "key"
    columns = {"key": "VARCHAR", "hash": "BIGINT"}
    more = ""
    if entity == "site":
        columns |= {"kind": "VARCHAR", "closed_on": "DATE"}
        more = ", kind, closed_on"
    # Establishments that FINESS keeps as closed are compared like the others.
    only = "" if entity in ("site", "legal_entity") else " WHERE closed_on IS NULL"
    query = f"SELECT {key}, register_hash{more} FROM directory.{entity}{only}"  # noqa: S608
    copy_out(work.con, conn, query, f"old_{table}", columns, work.folder)


def read_known_finess(work: Workspace, conn: psycopg.Connection) -> None:
    """Make `known_finess(finess)` from the establishments that the directory has."""
    copy_out(
        work.con,
        conn,
        "SELECT finess FROM directory.site WHERE kind = 'establishment' AND closed_on IS NULL AND finess IS NOT NULL",
        "known_finess",
        {"finess": "VARCHAR"},
        work.folder,
    )


def read_qualifications(work: Workspace, conn: psycopg.Connection) -> None:
    """Make `old_qualification(key, skills, diplomas)`: what a load without the side files must not forget."""
    copy_out(
        work.con,
        conn,
        "SELECT national_id, qualifications -> 'savoir_faire', qualifications -> 'diplomes'"
        " FROM directory.practitioner WHERE closed_on IS NULL AND qualifications IS NOT NULL",
        "old_qualification",
        {"key": "VARCHAR", "skills": "JSON", "diplomas": "JSON"},
        work.folder,
    )


def read_roles(work: Workspace, conn: psycopg.Connection, rpps: str | None = None) -> None:
    """Make `role_base` from the directory's open roles, or from those of one person."""
    only = "" if rpps is None else f" AND (p.rpps = '{rpps}' OR p.adeli = '{rpps}')"
    copy_out(
        work.con,
        conn,
        f"""SELECT r.key, p.national_id, split_part(r.key, '/', 2), s.key, r.profession, r.category,
            array_to_string(r.specialties, ','), r.mode, r.sector, r.function, r.activity_kind, r.authority
        FROM directory.role r JOIN directory.practitioner p ON p.id = r.practitioner_id
        LEFT JOIN directory.site s ON s.id = r.site_id WHERE r.closed_on IS NULL{only}""",  # noqa: S608
        "role_text",
        dict.fromkeys(
            [
                "key",
                "nid",
                "place",
                "site_key",
                "profession",
                "category",
                "specialties",
                "mode",
                "sector",
                "function",
                "activity_kind",
                "authority",
            ],
            "VARCHAR",
        ),
        work.folder,
    )
    work.con.execute(
        """CREATE OR REPLACE TABLE role_base AS SELECT * REPLACE (
            CASE WHEN coalesce(specialties, '') = '' THEN [] ELSE string_split(specialties, ',') END AS specialties),
            1 AS lines, 0 AS line FROM role_text"""
    )


def read_people(work: Workspace, conn: psycopg.Connection) -> None:
    """Make `person` and `live_site` from the directory, which the linkage compares when RPPS is not given."""
    copy_out(
        work.con,
        conn,
        """SELECT national_id, last_name, first_name, civility FROM directory.practitioner WHERE closed_on IS NULL""",
        "person",
        dict.fromkeys(("key", "last_name", "first_name", "civility"), "VARCHAR"),
        work.folder,
    )
    copy_out(
        work.con,
        conn,
        """SELECT key, name, street, postal_code, commune_code, town, phone, phone2
        FROM directory.site WHERE closed_on IS NULL""",
        "live_site",
        dict.fromkeys(["key", "name", "street", "postal_code", "commune_code", "town", "phone", "phone2"], "VARCHAR"),
        work.folder,
    )


def keep_legal_entities(conn: psycopg.Connection) -> None:
    """Publish again the legal entities that the directory has: their file was not given, so none is closed."""
    conn.execute(
        """INSERT INTO staging.pub_legal_entity (key, finess, siren, name, long_name, legal_status, street,
            postal_code, town, commune_code, phone, opened_on, closed_on, hash)
        SELECT key, finess, siren, name, long_name, legal_status, street, postal_code, town, commune_code, phone,
            opened_on, closed_on, coalesce(register_hash, 0) FROM directory.legal_entity WHERE closed_on IS NULL"""
    )
