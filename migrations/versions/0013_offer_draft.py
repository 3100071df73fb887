"""Drafts of offers, and forms sent after a sign-in had ended.

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('held_form',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('holder', sa.LargeBinary(), nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('fields', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('held_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_held_form')),
    schema='directory'
    )
    op.create_index(op.f('ix_held_form_held_at'), 'held_form', ['held_at'], unique=False, schema='directory')
    op.create_index('uq_held_form', 'held_form', ['holder', 'address'], unique=True, schema='directory')
    op.create_table('offer_draft',
    sa.Column('offer_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('data', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('base', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('base_version', sa.Integer(), nullable=False),
    sa.Column('base_site_version', sa.Integer(), nullable=False),
    sa.Column('reached', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('tab', sa.Text(), server_default='', nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('updated_by', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.ForeignKeyConstraint(['offer_id'], ['directory.offer.id'], name=op.f('fk_offer_draft_offer_id_offer')),
    sa.PrimaryKeyConstraint('offer_id', name=op.f('pk_offer_draft')),
    schema='directory'
    )


def downgrade() -> None:
    op.drop_table('offer_draft', schema='directory')
    op.drop_index('uq_held_form', table_name='held_form', schema='directory')
    op.drop_index(op.f('ix_held_form_held_at'), table_name='held_form', schema='directory')
    op.drop_table('held_form', schema='directory')
