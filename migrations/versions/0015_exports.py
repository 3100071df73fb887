"""Bulk exports of the feed.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('export',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('uid', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('owner', sa.Text(), nullable=True),
    sa.Column('asker', sa.Text(), nullable=False),
    sa.Column('level', sa.SmallInteger(), nullable=False),
    sa.Column('zone', sa.ARRAY(sa.Text()), server_default='{}', nullable=False),
    sa.Column('request', sa.Text(), nullable=False),
    sa.Column('question', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('state', sa.Text(), server_default='asked', nullable=False),
    sa.Column('attempt', sa.Integer(), server_default='0', nullable=False),
    sa.Column('progress', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('written', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('position', sa.BigInteger(), nullable=True),
    sa.Column('transaction_time', sa.DateTime(timezone=True), nullable=True),
    sa.Column('output', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('deleted', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('history', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('touched_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_export')),
    sa.UniqueConstraint('uid', name=op.f('uq_export_uid')),
    schema='search_api'
    )
    op.create_index('ix_export_asker', 'export', ['asker', 'id'], unique=False, schema='search_api')
    op.create_index('ix_export_state', 'export', ['state', 'id'], unique=False, schema='search_api')


def downgrade() -> None:
    op.drop_index('ix_export_state', table_name='export', schema='search_api')
    op.drop_index('ix_export_asker', table_name='export', schema='search_api')
    op.drop_table('export', schema='search_api')
