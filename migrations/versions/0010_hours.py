"""Hours: exceptions by date, hours of public holidays.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("offer", sa.Column("public_holidays", sa.Text(), nullable=True), schema="directory")
    op.create_table(
        "hours_exception",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("offer_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("replacement", sa.Text(), nullable=True),
        sa.Column("replacement_phone", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["offer_id"], ["directory.offer.id"], name=op.f("fk_hours_exception_offer_id_offer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hours_exception")),
        schema="directory",
    )
    op.create_index(
        "ix_hours_exception_offer", "hours_exception", ["offer_id", "starts_on", "id"], schema="directory"
    )
    op.create_table(
        "special_slot",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("offer_id", sa.BigInteger(), nullable=False),
        sa.Column("exception_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("opens", sa.Time(), nullable=False),
        sa.Column("closes", sa.Time(), nullable=False),
        sa.ForeignKeyConstraint(["offer_id"], ["directory.offer.id"], name=op.f("fk_special_slot_offer_id_offer")),
        sa.ForeignKeyConstraint(
            ["exception_id"],
            ["directory.hours_exception.id"],
            name=op.f("fk_special_slot_exception_id_hours_exception"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_special_slot")),
        schema="directory",
    )
    op.create_index(
        "ix_special_slot_offer", "special_slot", ["offer_id", "exception_id", "opens", "id"], schema="directory"
    )


def downgrade() -> None:
    op.drop_table("special_slot", schema="directory")
    op.drop_table("hours_exception", schema="directory")
    op.drop_column("offer", "public_holidays", schema="directory")
