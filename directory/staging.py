"""The four publication tables that a load fills and `publish()` reads; they are remade for each load."""

import psycopg

SCHEMA = "staging"

TABLES: dict[str, str] = {
    "pub_legal_entity": """
        key text PRIMARY KEY,
        finess text,
        siren text,
        name text,
        long_name text,
        legal_status text,
        street text,
        postal_code text,
        town text,
        commune_code text,
        phone text,
        opened_on date,
        closed_on date,
        hash bigint NOT NULL
    """,
    "pub_site": """
        key text PRIMARY KEY,
        old_keys text[],
        kind text NOT NULL,
        finess text,
        siret text,
        structure_id text,
        legal_key text,
        name text,
        long_name text,
        category text,
        sector text,
        complement text,
        street text,
        postal_code text,
        town text,
        commune_id integer,
        commune_code text,
        commune_how text,
        commune_score smallint,
        lon double precision,
        lat double precision,
        position_source text,
        position_level text,
        position_score smallint,
        phone text,
        phone2 text,
        fax text,
        email text,
        opened_on date,
        closed_on date,
        hash bigint NOT NULL
    """,
    "pub_practitioner": """
        key text PRIMARY KEY,
        rpps text,
        adeli text,
        title text,
        civility text,
        last_name text,
        first_name text,
        profession text,
        category text,
        specialties text[],
        qualifications jsonb,
        hash bigint NOT NULL
    """,
    "pub_role": """
        key text PRIMARY KEY,
        practitioner_key text NOT NULL,
        site_key text,
        profession text NOT NULL,
        category text,
        specialties text[],
        mode text,
        sector text,
        function text,
        activity_kind text,
        authority text,
        convention text,
        fee_option text,
        carte_vitale boolean,
        ameli_phone text,
        link_score smallint,
        hash bigint NOT NULL
    """,
}
"""Column definitions by table."""


def create(conn: psycopg.Connection) -> None:
    """Make the publication tables anew, empty and unlogged, in the caller's transaction.

    Keys carry no index, so that rows are copied at full speed; `publish()` refuses a table with a key twice.
    """
    conn.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    for table, columns in TABLES.items():
        body = columns.replace("PRIMARY KEY", "NOT NULL")
        conn.execute(f"DROP TABLE IF EXISTS {SCHEMA}.{table}")
        conn.execute(f"CREATE UNLOGGED TABLE {SCHEMA}.{table} ({body})")
