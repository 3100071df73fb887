"""Accounts: who signs in, sign-ins, grants, their history.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA accounts")
    op.create_table('account',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('uid', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('status', sa.Text(), server_default='pending', nullable=False),
    sa.Column('title', sa.Text(), nullable=True),
    sa.Column('last_name', sa.Text(), server_default='', nullable=False),
    sa.Column('first_name', sa.Text(), server_default='', nullable=False),
    sa.Column('email', sa.Text(), nullable=True),
    sa.Column('email_confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('email_wanted', sa.Text(), nullable=True),
    sa.Column('password_hash', sa.Text(), nullable=True),
    sa.Column('phone', sa.Text(), nullable=True),
    sa.Column('profession', sa.Text(), nullable=True),
    sa.Column('specialty', sa.Text(), nullable=True),
    sa.Column('psc_subject', sa.Text(), nullable=True),
    sa.Column('rpps', sa.Text(), nullable=True),
    sa.Column('rpps_claimed', sa.Text(), nullable=True),
    sa.Column('demo', sa.Text(), nullable=True),
    sa.Column('terms_accepted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_account')),
    sa.UniqueConstraint('demo', name=op.f('uq_account_demo')),
    sa.UniqueConstraint('psc_subject', name=op.f('uq_account_psc_subject')),
    sa.UniqueConstraint('rpps', name=op.f('uq_account_rpps')),
    sa.UniqueConstraint('uid', name=op.f('uq_account_uid')),
    schema='accounts'
    )
    op.create_index('uq_account_email', 'account', [sa.literal_column('lower(email)')], unique=True, schema='accounts', postgresql_where=sa.text('email IS NOT NULL'))
    op.create_table('account_history',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.account.id'], name=op.f('fk_account_history_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_account_history')),
    schema='accounts'
    )
    op.create_index('ix_account_history_account', 'account_history', ['account_id', 'id'], unique=False, schema='accounts')
    op.create_table('grant',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('scope', sa.Text(), server_default='', nullable=False),
    sa.Column('origin', sa.Text(), nullable=False),
    sa.Column('given_by', sa.Text(), nullable=False),
    sa.Column('given_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('ended_by', sa.Text(), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.account.id'], name=op.f('fk_grant_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_grant')),
    schema='accounts'
    )
    op.create_index('ix_grant_scope', 'grant', ['role', 'scope', 'id'], unique=False, schema='accounts')
    op.create_index('uq_grant_live', 'grant', ['account_id', 'role', 'scope'], unique=True, schema='accounts', postgresql_where=sa.text('ended_at IS NULL'))
    op.create_table('sign_in',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('uid', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('token', sa.LargeBinary(), nullable=False),
    sa.Column('method', sa.Text(), nullable=False),
    sa.Column('device', sa.Text(), server_default='', nullable=False),
    sa.Column('id_token', sa.Text(), nullable=True),
    sa.Column('opened_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.account.id'], name=op.f('fk_sign_in_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_in')),
    sa.UniqueConstraint('token', name=op.f('uq_sign_in_token')),
    sa.UniqueConstraint('uid', name=op.f('uq_sign_in_uid')),
    schema='accounts'
    )
    op.create_index('ix_sign_in_account', 'sign_in', ['account_id', 'id'], unique=False, schema='accounts')


def downgrade() -> None:
    op.drop_index('ix_sign_in_account', table_name='sign_in', schema='accounts')
    op.drop_table('sign_in', schema='accounts')
    op.drop_index('uq_grant_live', table_name='grant', schema='accounts', postgresql_where=sa.text('ended_at IS NULL'))
    op.drop_index('ix_grant_scope', table_name='grant', schema='accounts')
    op.drop_table('grant', schema='accounts')
    op.drop_index('ix_account_history_account', table_name='account_history', schema='accounts')
    op.drop_table('account_history', schema='accounts')
    op.drop_index('uq_account_email', table_name='account', schema='accounts', postgresql_where=sa.text('email IS NOT NULL'))
    op.drop_table('account', schema='accounts')
    op.execute("DROP SCHEMA accounts")
