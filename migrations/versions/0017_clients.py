"""Programs that read the API: secrets, tokens, limits, usage.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('call_window',
    sa.Column('subject', sa.LargeBinary(), nullable=False),
    sa.Column('daily', sa.Boolean(), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('taken', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('subject', 'daily', name=op.f('pk_call_window')),
    schema='accounts',
    prefixes=['UNLOGGED']
    )
    op.create_index('ix_call_window_ends_at', 'call_window', ['ends_at'], unique=False, schema='accounts')
    op.create_table('client',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('uid', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('public_id', sa.Text(), nullable=False),
    sa.Column('request_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('purpose', sa.Text(), server_default='', nullable=False),
    sa.Column('contact', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), server_default='active', nullable=False),
    sa.Column('scopes', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('zone', postgresql.ARRAY(sa.Text()), server_default='{}', nullable=False),
    sa.Column('per_minute', sa.Integer(), nullable=False),
    sa.Column('per_day', sa.Integer(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('demo', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_client')),
    sa.UniqueConstraint('demo', name=op.f('uq_client_demo')),
    sa.UniqueConstraint('public_id', name=op.f('uq_client_public_id')),
    sa.UniqueConstraint('request_id', name=op.f('uq_client_request_id')),
    sa.UniqueConstraint('uid', name=op.f('uq_client_uid')),
    schema='accounts'
    )
    op.create_index('ix_client_expires_at', 'client', ['expires_at', 'id'], unique=False, schema='accounts', postgresql_where=sa.text('expires_at IS NOT NULL'))
    op.create_table('client_history',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('client_id', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.ForeignKeyConstraint(['client_id'], ['accounts.client.id'], name=op.f('fk_client_history_client_id_client')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_client_history')),
    schema='accounts'
    )
    op.create_index('ix_client_history_client', 'client_history', ['client_id', 'id'], unique=False, schema='accounts')
    op.create_table('client_secret',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('client_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('hint', sa.Text(), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['client_id'], ['accounts.client.id'], name=op.f('fk_client_secret_client_id_client')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_client_secret')),
    sa.UniqueConstraint('digest', name=op.f('uq_client_secret_digest')),
    schema='accounts'
    )
    op.create_index('ix_client_secret_client', 'client_secret', ['client_id', 'id'], unique=False, schema='accounts')
    op.create_table('client_usage',
    sa.Column('client_id', sa.BigInteger(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('family', sa.Text(), nullable=False),
    sa.Column('requests', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('errors', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('refused', sa.BigInteger(), server_default='0', nullable=False),
    sa.ForeignKeyConstraint(['client_id'], ['accounts.client.id'], name=op.f('fk_client_usage_client_id_client'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('client_id', 'day', 'family', name=op.f('pk_client_usage')),
    schema='accounts'
    )
    op.create_table('client_token',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('secret_id', sa.BigInteger(), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('scopes', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['secret_id'], ['accounts.client_secret.id'], name=op.f('fk_client_token_secret_id_client_secret'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_client_token')),
    sa.UniqueConstraint('digest', name=op.f('uq_client_token_digest')),
    schema='accounts'
    )
    op.create_index('ix_client_token_expires_at', 'client_token', ['expires_at', 'id'], unique=False, schema='accounts')
    op.create_index('ix_client_token_secret', 'client_token', ['secret_id', 'id'], unique=False, schema='accounts')


def downgrade() -> None:
    op.drop_index('ix_client_token_secret', table_name='client_token', schema='accounts')
    op.drop_index('ix_client_token_expires_at', table_name='client_token', schema='accounts')
    op.drop_table('client_token', schema='accounts')
    op.drop_table('client_usage', schema='accounts')
    op.drop_index('ix_client_secret_client', table_name='client_secret', schema='accounts')
    op.drop_table('client_secret', schema='accounts')
    op.drop_index('ix_client_history_client', table_name='client_history', schema='accounts')
    op.drop_table('client_history', schema='accounts')
    op.drop_index('ix_client_expires_at', table_name='client', schema='accounts', postgresql_where=sa.text('expires_at IS NOT NULL'))
    op.drop_table('client', schema='accounts')
    op.drop_index('ix_call_window_ends_at', table_name='call_window', schema='accounts')
    op.drop_table('call_window', schema='accounts')
