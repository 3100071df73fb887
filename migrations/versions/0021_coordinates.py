"""Coordinates, councils and standings of accounts.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('coordinate',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('uid', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('origin', sa.Text(), server_default='self', nullable=False),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('added_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.CheckConstraint("kind IN ('address', 'email', 'mobile', 'phone')", name=op.f('ck_coordinate_kind')),
    sa.CheckConstraint("origin IN ('self', 'register')", name=op.f('ck_coordinate_origin')),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.account.id'], name=op.f('fk_coordinate_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_coordinate')),
    sa.UniqueConstraint('id', 'account_id', 'kind', name=op.f('uq_coordinate_id_account_id_kind')),
    sa.UniqueConstraint('uid', name=op.f('uq_coordinate_uid')),
    schema='accounts'
    )
    op.create_index('uq_coordinate_value', 'coordinate', ['account_id', 'kind', sa.literal_column('lower(value)')], unique=True, schema='accounts')
    op.create_table('ordinal_file',
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('council', sa.Text(), nullable=True),
    sa.Column('council_confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ads_consent', sa.Text(), nullable=True),
    sa.Column('ads_consent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('visited_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.CheckConstraint("ads_consent IN ('accepted', 'refused')", name=op.f('ck_ordinal_file_ads_consent')),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.account.id'], name=op.f('fk_ordinal_file_account_id_account')),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_ordinal_file')),
    schema='accounts'
    )
    op.create_index('ix_ordinal_file_council', 'ordinal_file', ['council', 'account_id'], unique=False, schema='accounts')
    op.create_table('standing',
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('licence_until', sa.Date(), nullable=True),
    sa.Column('specialty', sa.Text(), nullable=True),
    sa.Column('given_by', sa.Text(), nullable=False),
    sa.Column('given_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.CheckConstraint("kind IN ('intern', 'licensed', 'junior')", name=op.f('ck_standing_kind')),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.account.id'], name=op.f('fk_standing_account_id_account')),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_standing')),
    schema='accounts'
    )
    op.create_table('coordinate_use',
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('use', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('coordinate_id', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("use IN ('ordre', 'rpps', 'domicile', 'annonces')", name=op.f('ck_coordinate_use_use')),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.account.id'], name=op.f('fk_coordinate_use_account_id_account')),
    sa.ForeignKeyConstraint(['coordinate_id', 'account_id', 'kind'], ['accounts.coordinate.id', 'accounts.coordinate.account_id', 'accounts.coordinate.kind'], name=op.f('fk_coordinate_use_coordinate_id_account_id_kind_coordinate')),
    sa.PrimaryKeyConstraint('account_id', 'use', 'kind', name=op.f('pk_coordinate_use')),
    schema='accounts'
    )
    op.create_index('ix_coordinate_use_coordinate', 'coordinate_use', ['coordinate_id'], unique=False, schema='accounts')


def downgrade() -> None:
    op.drop_index('ix_coordinate_use_coordinate', table_name='coordinate_use', schema='accounts')
    op.drop_table('coordinate_use', schema='accounts')
    op.drop_table('standing', schema='accounts')
    op.drop_index('ix_ordinal_file_council', table_name='ordinal_file', schema='accounts')
    op.drop_table('ordinal_file', schema='accounts')
    op.drop_index('uq_coordinate_value', table_name='coordinate', schema='accounts')
    op.drop_table('coordinate', schema='accounts')
