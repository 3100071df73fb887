"""Schemas, extensions, text configuration and the clock that every deadline compares with.

Revision ID: 0001
Revises:
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMAS = ("core", "maps", "directory", "ingest")


def upgrade() -> None:
    for extension in ("postgis", "pg_trgm", "unaccent", "fuzzystrmatch"):
        op.execute(f"CREATE EXTENSION IF NOT EXISTS {extension} SCHEMA public")
    for schema in SCHEMAS:
        op.execute(f"CREATE SCHEMA {schema}")
    # A test shifts time with ALTER DATABASE … SET repere.clock_shift = '3 days'.
    op.execute(
        """
        CREATE FUNCTION core.now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
            SELECT now() + coalesce(nullif(current_setting('repere.clock_shift', true), ''), '0')::interval
        $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION core.fold(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
            SELECT lower(public.unaccent('public.unaccent'::regdictionary, value))
        $$
        """
    )
    op.execute("CREATE TEXT SEARCH CONFIGURATION directory.simple_fr (COPY = pg_catalog.simple)")
    op.execute(
        """
        ALTER TEXT SEARCH CONFIGURATION directory.simple_fr
            ALTER MAPPING FOR hword, hword_part, word, asciiword, asciihword, hword_asciipart
            WITH public.unaccent, simple
        """
    )


def downgrade() -> None:
    op.execute("DROP TEXT SEARCH CONFIGURATION directory.simple_fr")
    op.execute("DROP FUNCTION core.fold(text)")
    op.execute("DROP FUNCTION core.now()")
    for schema in reversed(SCHEMAS):
        op.execute(f"DROP SCHEMA {schema} CASCADE")
