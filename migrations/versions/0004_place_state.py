"""Places that left their source, and the mark that changes with the places.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("place", sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True), schema="maps")
    op.create_table(
        "place_state",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("token", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place_state")),
        schema="maps",
    )


def downgrade() -> None:
    op.drop_table("place_state", schema="maps")
    op.drop_column("place", "retired_at", schema="maps")
