"""Words of names, for typing errors in searches.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA IF NOT EXISTS search_api")
    op.create_table(
        "token",
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("offers", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_token")),
        schema="search_api",
    )
    op.create_index(
        "ix_token_trigram",
        "token",
        ["token"],
        schema="search_api",
        postgresql_using="gin",
        postgresql_ops={"token": "gin_trgm_ops"},
    )
    op.create_index(
        "ix_token_prefix", "token", ["token"], schema="search_api", postgresql_ops={"token": "text_pattern_ops"}
    )
    op.create_table(
        "index_state",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("built_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_index_state")),
        schema="search_api",
    )


def downgrade() -> None:
    op.drop_table("index_state", schema="search_api")
    op.drop_table("token", schema="search_api")
    op.execute("DROP SCHEMA search_api")
