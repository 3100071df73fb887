"""The ledger of what readers of the feed were shown, and the files that people download.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# One change for each transaction, made on first use; nothing outlives the transaction.
CHANGE = """
CREATE FUNCTION directory.feed_change_id() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE found bigint := nullif(current_setting('repere.feed_change', true), '')::bigint;
BEGIN
    IF found IS NULL THEN
        INSERT INTO directory.feed_change DEFAULT VALUES RETURNING id INTO found;
        PERFORM set_config('repere.feed_change', found::text, true);
    END IF;
    RETURN found;
END $$
"""

# A trigger, so that no writer of events can forget the ledger: a change without position would never be told.
ANNOUNCED = """
CREATE FUNCTION directory.feed_announced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE directory.feed_change SET position = (SELECT max(position) FROM written)
    WHERE id = nullif(current_setting('repere.feed_change', true), '')::bigint;
    INSERT INTO directory.feed_floor (id, position)
    SELECT 1, max(position) FROM written WHERE kind IN ('published_full', 'places_refreshed') HAVING count(*) > 0
    ON CONFLICT (id) DO UPDATE SET position = excluded.position;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "feed_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("core.now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_change")),
        schema="directory",
    )
    op.create_index("uq_feed_change_position", "feed_change", ["position"], unique=True, schema="directory")
    op.create_table(
        "feed_floor",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_floor")),
        schema="directory",
    )
    op.create_table(
        "feed_state",
        sa.Column("kind", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entity_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("change_1", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("change_2", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("began_1", sa.BigInteger(), nullable=True),
        sa.Column("began_2", sa.BigInteger(), nullable=True),
        sa.Column("at_1", sa.ARRAY(sa.Integer()), nullable=True),
        sa.Column("at_2", sa.ARRAY(sa.Integer()), nullable=True),
        sa.Column("ever_1", sa.ARRAY(sa.Integer()), nullable=True),
        sa.Column("ever_2", sa.ARRAY(sa.Integer()), nullable=True),
        sa.Column("version_1", sa.Integer(), server_default="1", nullable=False),
        sa.Column("version_2", sa.Integer(), server_default="1", nullable=False),
        sa.Column("digest_1", sa.BigInteger(), nullable=True),
        sa.Column("digest_2", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("kind", "entity_id", name=op.f("pk_feed_state")),
        schema="directory",
    )
    for level in (1, 2):
        op.create_index(
            f"ix_feed_state_change_{level}", "feed_state", [f"change_{level}", "kind", "entity_id"], schema="directory"
        )
    op.create_table(
        "dump",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("dataset", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dump")),
        schema="search_api",
    )
    op.create_index(
        "uq_dump_file", "dump", ["made_at", "level", "dataset", "format"], unique=True, schema="search_api"
    )
    op.execute(CHANGE)
    op.execute(ANNOUNCED)
    op.execute(
        "CREATE TRIGGER feed_announced AFTER INSERT ON core.event REFERENCING NEW TABLE AS written"
        " FOR EACH STATEMENT EXECUTE FUNCTION directory.feed_announced()"
    )
    # Nobody knows what was shown before today.
    op.execute(
        "INSERT INTO directory.feed_floor (id, position)"
        " SELECT 1, max(position) FROM core.event HAVING max(position) IS NOT NULL"
    )


def downgrade() -> None:
    op.drop_table("dump", schema="search_api")
    op.execute("DROP TRIGGER feed_announced ON core.event")
    op.execute("DROP FUNCTION directory.feed_announced()")
    op.execute("DROP FUNCTION directory.feed_change_id()")
    op.drop_table("feed_state", schema="directory")
    op.drop_table("feed_floor", schema="directory")
    op.drop_table("feed_change", schema="directory")
