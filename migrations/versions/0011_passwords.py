"""Signing in with an address and a password: links, codes, known devices, limits, what a sign-up says.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('rate',
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('subject', sa.LargeBinary(), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('kind', 'subject', name=op.f('pk_rate')),
    schema='accounts'
    )
    op.create_index('ix_rate_due_at', 'rate', ['due_at'], unique=False, schema='accounts')
    op.create_table('spent_challenge',
    sa.Column('challenge', sa.LargeBinary(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('challenge', name=op.f('pk_spent_challenge')),
    schema='accounts'
    )
    op.create_index('ix_spent_challenge_expires_at', 'spent_challenge', ['expires_at'], unique=False, schema='accounts')
    op.create_table('known_device',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('uid', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('token', sa.LargeBinary(), nullable=False),
    sa.Column('device', sa.Text(), server_default='', nullable=False),
    sa.Column('known_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.account.id'], name=op.f('fk_known_device_account_id_account'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_known_device')),
    sa.UniqueConstraint('token', name=op.f('uq_known_device_token')),
    sa.UniqueConstraint('uid', name=op.f('uq_known_device_uid')),
    schema='accounts'
    )
    op.create_index('ix_known_device_account', 'known_device', ['account_id', 'id'], unique=False, schema='accounts')
    op.create_table('mail_link',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('token', sa.LargeBinary(), nullable=False),
    sa.Column('email', sa.Text(), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('cancelled_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.account.id'], name=op.f('fk_mail_link_account_id_account'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mail_link')),
    sa.UniqueConstraint('token', name=op.f('uq_mail_link_token')),
    schema='accounts'
    )
    op.create_index('ix_mail_link_account', 'mail_link', ['account_id', 'purpose', 'id'], unique=False, schema='accounts')
    op.create_table('sign_in_code',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('token', sa.LargeBinary(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('tries', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('sent', sa.SmallInteger(), server_default='1', nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.account.id'], name=op.f('fk_sign_in_code_account_id_account'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_in_code')),
    sa.UniqueConstraint('token', name=op.f('uq_sign_in_code_token')),
    schema='accounts'
    )
    op.create_index('ix_sign_in_code_account', 'sign_in_code', ['account_id', 'id'], unique=False, schema='accounts')
    op.add_column('account', sa.Column('phone_fixed', sa.Text(), nullable=True), schema='accounts')
    op.add_column('account', sa.Column('identifier_claimed', sa.Text(), nullable=True), schema='accounts')
    op.add_column('account', sa.Column('comment', sa.Text(), nullable=True), schema='accounts')
    op.create_index('ix_account_email_wanted', 'account', [sa.text('lower(email_wanted)'), 'id'], unique=False, schema='accounts', postgresql_where=sa.text('email_wanted IS NOT NULL'))


def downgrade() -> None:
    op.drop_index('ix_account_email_wanted', table_name='account', schema='accounts')
    op.drop_column('account', 'comment', schema='accounts')
    op.drop_column('account', 'identifier_claimed', schema='accounts')
    op.drop_column('account', 'phone_fixed', schema='accounts')
    op.drop_index('ix_sign_in_code_account', table_name='sign_in_code', schema='accounts')
    op.drop_table('sign_in_code', schema='accounts')
    op.drop_index('ix_mail_link_account', table_name='mail_link', schema='accounts')
    op.drop_table('mail_link', schema='accounts')
    op.drop_index('ix_known_device_account', table_name='known_device', schema='accounts')
    op.drop_table('known_device', schema='accounts')
    op.drop_index('ix_spent_challenge_expires_at', table_name='spent_challenge', schema='accounts')
    op.drop_table('spent_challenge', schema='accounts')
    op.drop_index('ix_rate_due_at', table_name='rate', schema='accounts')
    op.drop_table('rate', schema='accounts')
