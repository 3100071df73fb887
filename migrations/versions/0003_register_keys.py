"""Register keys stand on the entity itself; aliases keep only the other and former ones.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "nomenclature",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("system", name=op.f("pk_nomenclature")),
        schema="directory",
    )
    for table in ("legal_entity", "site"):
        op.add_column(table, sa.Column("key", sa.Text(), nullable=False), schema="directory")
        op.create_unique_constraint(op.f(f"uq_{table}_key"), table, ["key"], schema="directory")
    op.create_unique_constraint(op.f("uq_role_key"), "role", ["key"], schema="directory")
    op.drop_index("ix_site_position", table_name="site", schema="directory")
    op.add_column("offer", sa.Column("origin", sa.Text(), nullable=True), schema="directory")
    op.add_column(
        "offer", sa.Column("languages", sa.ARRAY(sa.Text()), server_default="{}", nullable=False), schema="directory"
    )
    op.create_index(
        "uq_offer_origin",
        "offer",
        ["site_id", "origin"],
        unique=True,
        schema="directory",
        postgresql_where=sa.text("origin IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("uq_offer_origin", table_name="offer", schema="directory")
    op.drop_column("offer", "languages", schema="directory")
    op.drop_column("offer", "origin", schema="directory")
    op.create_index("ix_site_position", "site", ["position"], schema="directory", postgresql_using="gist")
    op.drop_constraint(op.f("uq_role_key"), "role", schema="directory")
    for table in ("site", "legal_entity"):
        op.drop_constraint(op.f(f"uq_{table}_key"), table, schema="directory")
        op.drop_column(table, "key", schema="directory")
    op.drop_table("nomenclature", schema="directory")
