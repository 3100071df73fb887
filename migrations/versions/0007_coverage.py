"""Coverage reports: what was asked, how far the work is, which files hold the answer.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "coverage_report",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("question", JSONB(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("communes", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="asked", nullable=False),
        sa.Column("progress", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("summary", JSONB(), nullable=True),
        sa.Column("files", JSONB(), server_default="{}", nullable=False),
        sa.Column("history", JSONB(), server_default="[]", nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coverage_report")),
        sa.UniqueConstraint("uid", name=op.f("uq_coverage_report_uid")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_coverage_report_fingerprint")),
        schema="search_api",
    )
    op.create_index("ix_coverage_report_state", "coverage_report", ["state", "id"], schema="search_api")
    op.create_index("ix_coverage_report_asked", "coverage_report", ["asked_at", "id"], schema="search_api")


def downgrade() -> None:
    op.drop_table("coverage_report", schema="search_api")
