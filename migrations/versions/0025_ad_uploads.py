"""Ads: contents that were sent, on an ad or not yet.

Revision ID: 0025
Revises: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('ad_upload',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('uid', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('thumb', sa.Text(), nullable=True),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('width', sa.Integer(), nullable=True),
    sa.Column('height', sa.Integer(), nullable=True),
    sa.Column('added_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.account.id'], name=op.f('fk_ad_upload_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ad_upload')),
    sa.UniqueConstraint('uid', name=op.f('uq_ad_upload_uid')),
    schema='ads'
    )
    op.create_index('ix_ad_upload_account', 'ad_upload', ['account_id'], unique=False, schema='ads')
    op.create_index('ix_ad_upload_age', 'ad_upload', ['added_at', 'id'], unique=False, schema='ads')
    op.create_index('ix_ad_upload_digest', 'ad_upload', ['digest'], unique=False, schema='ads')
    op.create_index('ix_ad_upload_thumb', 'ad_upload', ['thumb'], unique=False, schema='ads')


def downgrade() -> None:
    op.drop_table('ad_upload', schema='ads')
