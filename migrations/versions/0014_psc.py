"""Pro Santé Connect: attempts under way, identities that wait for an account.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('psc_card',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('uid', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('browser', sa.LargeBinary(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('rpps', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=True),
    sa.Column('last_name', sa.Text(), nullable=False),
    sa.Column('first_name', sa.Text(), nullable=False),
    sa.Column('profession', sa.Text(), nullable=True),
    sa.Column('specialty', sa.Text(), nullable=True),
    sa.Column('id_token', sa.Text(), nullable=False),
    sa.Column('target', sa.Text(), nullable=False),
    sa.Column('shown_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_psc_card')),
    sa.UniqueConstraint('uid', name=op.f('uq_psc_card_uid')),
    schema='accounts'
    )
    op.create_index('ix_psc_card_expires_at', 'psc_card', ['expires_at'], unique=False, schema='accounts')
    op.create_table('psc_attempt',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('state', sa.LargeBinary(), nullable=False),
    sa.Column('browser', sa.LargeBinary(), nullable=False),
    sa.Column('nonce', sa.Text(), nullable=False),
    sa.Column('verifier', sa.Text(), nullable=False),
    sa.Column('target', sa.Text(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.account.id'], name=op.f('fk_psc_attempt_account_id_account'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_psc_attempt')),
    sa.UniqueConstraint('state', name=op.f('uq_psc_attempt_state')),
    schema='accounts'
    )
    op.create_index('ix_psc_attempt_expires_at', 'psc_attempt', ['expires_at'], unique=False, schema='accounts')


def downgrade() -> None:
    op.drop_index('ix_psc_attempt_expires_at', table_name='psc_attempt', schema='accounts')
    op.drop_table('psc_attempt', schema='accounts')
    op.drop_index('ix_psc_card_expires_at', table_name='psc_card', schema='accounts')
    op.drop_table('psc_card', schema='accounts')
