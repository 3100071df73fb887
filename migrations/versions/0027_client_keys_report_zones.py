"""Accounts: public keys of the programs that read the API, signed requests that were used;
coverage reports: zone to which their figures are limited.

Revision ID: 0027
Revises: 0026
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0027'
down_revision = '0026'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('client_assertion',
    sa.Column('client_id', sa.BigInteger(), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['client_id'], ['accounts.client.id'], name=op.f('fk_client_assertion_client_id_client'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('client_id', 'digest', name=op.f('pk_client_assertion')),
    schema='accounts'
    )
    op.create_index('ix_client_assertion_expires_at', 'client_assertion', ['expires_at'], unique=False, schema='accounts')
    op.create_table('client_keys',
    sa.Column('secret_id', sa.BigInteger(), nullable=False),
    sa.Column('url', sa.Text(), nullable=True),
    sa.Column('keys', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('tried_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.ForeignKeyConstraint(['secret_id'], ['accounts.client_secret.id'], name=op.f('fk_client_keys_secret_id_client_secret'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('secret_id', name=op.f('pk_client_keys')),
    schema='accounts'
    )
    op.alter_column('client_secret', 'digest',
               existing_type=postgresql.BYTEA(),
               nullable=True,
               schema='accounts')
    op.add_column('coverage_report', sa.Column('zone', postgresql.ARRAY(sa.Text()), server_default='{}', nullable=False), schema='search_api')


def downgrade() -> None:
    op.drop_column('coverage_report', 'zone', schema='search_api')
    op.execute("DELETE FROM accounts.client_secret WHERE kind = 'jwks'")
    op.alter_column('client_secret', 'digest',
               existing_type=postgresql.BYTEA(),
               nullable=False,
               schema='accounts')
    op.drop_table('client_keys', schema='accounts')
    op.drop_index('ix_client_assertion_expires_at', table_name='client_assertion', schema='accounts')
    op.drop_table('client_assertion', schema='accounts')
