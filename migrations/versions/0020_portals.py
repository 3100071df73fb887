"""Portals: searches of their own address, zone and colours.

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('portal',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('slug', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('logo', sa.Text(), nullable=False),
    sa.Column('intro', sa.Text(), server_default='', nullable=False),
    sa.Column('places', sa.ARRAY(sa.Text()), nullable=False),
    sa.Column('colour', sa.Text(), nullable=False),
    sa.Column('band', sa.Text(), nullable=False),
    sa.Column('filters', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('hosts', sa.ARRAY(sa.Text()), server_default='{}', nullable=False),
    sa.Column('state', sa.Text(), server_default='active', nullable=False),
    sa.Column('history', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_portal')),
    sa.UniqueConstraint('slug', name=op.f('uq_portal_slug')),
    schema='search_api'
    )


def downgrade() -> None:
    op.drop_table('portal', schema='search_api')
