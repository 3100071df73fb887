"""Home of services: favourites, messages, support queue, delegations.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('delegation',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('uid', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('rpps', sa.Text(), nullable=False),
    sa.Column('professional_id', sa.BigInteger(), nullable=True),
    sa.Column('delegate_id', sa.BigInteger(), nullable=True),
    sa.Column('email', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('token', sa.LargeBinary(), nullable=True),
    sa.Column('opened_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.ForeignKeyConstraint(['delegate_id'], ['accounts.account.id'], name=op.f('fk_delegation_delegate_id_account')),
    sa.ForeignKeyConstraint(['professional_id'], ['accounts.account.id'], name=op.f('fk_delegation_professional_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delegation')),
    sa.UniqueConstraint('token', name=op.f('uq_delegation_token')),
    sa.UniqueConstraint('uid', name=op.f('uq_delegation_uid')),
    schema='accounts'
    )
    op.create_index('ix_delegation_delegate', 'delegation', ['delegate_id', 'id'], unique=False, schema='accounts')
    op.create_index('ix_delegation_email', 'delegation', [sa.literal_column('lower(email)')], unique=False, schema='accounts', postgresql_where=sa.text("state = 'invited'"))
    op.create_index('ix_delegation_rpps', 'delegation', ['rpps', 'id'], unique=False, schema='accounts')
    op.create_index('uq_delegation_invited', 'delegation', ['rpps', sa.literal_column('lower(email)')], unique=True, schema='accounts', postgresql_where=sa.text("state = 'invited'"))
    op.create_index('uq_delegation_live', 'delegation', ['rpps', 'delegate_id'], unique=True, schema='accounts', postgresql_where=sa.text("state IN ('requested', 'accepted')"))
    op.create_table('favourite',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('ref', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.account.id'], name=op.f('fk_favourite_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_favourite')),
    sa.UniqueConstraint('account_id', 'kind', 'ref', name=op.f('uq_favourite_account_id_kind_ref')),
    schema='accounts'
    )
    op.create_index('ix_favourite_shown', 'favourite', ['account_id', 'kind', 'position', 'id'], unique=False, schema='accounts')
    op.create_table('message',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('uid', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('body', sa.Text(), server_default='', nullable=False),
    sa.Column('link', sa.Text(), nullable=True),
    sa.Column('sent_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.account.id'], name=op.f('fk_message_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_message')),
    sa.UniqueConstraint('account_id', 'kind', 'key', name=op.f('uq_message_account_id_kind_key')),
    sa.UniqueConstraint('uid', name=op.f('uq_message_uid')),
    schema='accounts'
    )
    op.create_index('ix_message_account', 'message', ['account_id', 'id'], unique=False, schema='accounts')
    op.create_index('ix_message_unread', 'message', ['account_id'], unique=False, schema='accounts', postgresql_where=sa.text('read_at IS NULL'))
    op.create_table('support_request',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False, start=1001), nullable=False),
    sa.Column('uid', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=True),
    sa.Column('name', sa.Text(), server_default='', nullable=False),
    sa.Column('email', sa.Text(), nullable=True),
    sa.Column('phone', sa.Text(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('page', sa.Text(), nullable=True),
    sa.Column('ref_entity', sa.Text(), nullable=True),
    sa.Column('ref_uid', sa.Uuid(), nullable=True),
    sa.Column('state', sa.Text(), server_default='new', nullable=False),
    sa.Column('handler_id', sa.BigInteger(), nullable=True),
    sa.Column('origin_key', sa.Text(), nullable=True),
    sa.Column('source', sa.LargeBinary(), nullable=True),
    sa.Column('opened_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('touched_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.account.id'], name=op.f('fk_support_request_account_id_account')),
    sa.ForeignKeyConstraint(['handler_id'], ['accounts.account.id'], name=op.f('fk_support_request_handler_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_support_request')),
    sa.UniqueConstraint('origin_key', name=op.f('uq_support_request_origin_key')),
    sa.UniqueConstraint('uid', name=op.f('uq_support_request_uid')),
    schema='accounts'
    )
    op.create_index('ix_support_request_account', 'support_request', ['account_id', 'id'], unique=False, schema='accounts')
    op.create_index('ix_support_request_source', 'support_request', ['source', 'opened_at'], unique=False, schema='accounts', postgresql_where=sa.text('source IS NOT NULL'))
    op.create_index('ix_support_request_state', 'support_request', ['state', 'touched_at', 'id'], unique=False, schema='accounts')
    op.create_table('delegation_passage',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('delegation_id', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('from_state', sa.Text(), nullable=True),
    sa.Column('to_state', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['delegation_id'], ['accounts.delegation.id'], name=op.f('fk_delegation_passage_delegation_id_delegation')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delegation_passage')),
    schema='accounts'
    )
    op.create_index('ix_delegation_passage_delegation', 'delegation_passage', ['delegation_id', 'id'], unique=False, schema='accounts')
    op.create_table('support_entry',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('request_id', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('author', sa.Text(), nullable=False),
    sa.Column('side', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['request_id'], ['accounts.support_request.id'], name=op.f('fk_support_entry_request_id_support_request')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_support_entry')),
    schema='accounts'
    )
    op.create_index('ix_support_entry_request', 'support_entry', ['request_id', 'id'], unique=False, schema='accounts')
    op.create_table('support_link',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('request_id', sa.BigInteger(), nullable=False),
    sa.Column('token', sa.LargeBinary(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['request_id'], ['accounts.support_request.id'], name=op.f('fk_support_link_request_id_support_request')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_support_link')),
    sa.UniqueConstraint('token', name=op.f('uq_support_link_token')),
    schema='accounts'
    )
    op.create_index('ix_support_link_request', 'support_link', ['request_id', 'id'], unique=False, schema='accounts')
    op.create_table('support_passage',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('request_id', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('from_state', sa.Text(), nullable=True),
    sa.Column('to_state', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['request_id'], ['accounts.support_request.id'], name=op.f('fk_support_passage_request_id_support_request')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_support_passage')),
    schema='accounts'
    )
    op.create_index('ix_support_passage_request', 'support_passage', ['request_id', 'id'], unique=False, schema='accounts')


def downgrade() -> None:
    op.drop_index('ix_support_passage_request', table_name='support_passage', schema='accounts')
    op.drop_table('support_passage', schema='accounts')
    op.drop_index('ix_support_link_request', table_name='support_link', schema='accounts')
    op.drop_table('support_link', schema='accounts')
    op.drop_index('ix_support_entry_request', table_name='support_entry', schema='accounts')
    op.drop_table('support_entry', schema='accounts')
    op.drop_index('ix_delegation_passage_delegation', table_name='delegation_passage', schema='accounts')
    op.drop_table('delegation_passage', schema='accounts')
    op.drop_index('ix_support_request_state', table_name='support_request', schema='accounts')
    op.drop_index('ix_support_request_source', table_name='support_request', schema='accounts', postgresql_where=sa.text('source IS NOT NULL'))
    op.drop_index('ix_support_request_account', table_name='support_request', schema='accounts')
    op.drop_table('support_request', schema='accounts')
    op.drop_index('ix_message_unread', table_name='message', schema='accounts', postgresql_where=sa.text('read_at IS NULL'))
    op.drop_index('ix_message_account', table_name='message', schema='accounts')
    op.drop_table('message', schema='accounts')
    op.drop_index('ix_favourite_shown', table_name='favourite', schema='accounts')
    op.drop_table('favourite', schema='accounts')
    op.drop_index('uq_delegation_live', table_name='delegation', schema='accounts', postgresql_where=sa.text("state IN ('requested', 'accepted')"))
    op.drop_index('uq_delegation_invited', table_name='delegation', schema='accounts', postgresql_where=sa.text("state = 'invited'"))
    op.drop_index('ix_delegation_rpps', table_name='delegation', schema='accounts')
    op.drop_index('ix_delegation_email', table_name='delegation', schema='accounts', postgresql_where=sa.text("state = 'invited'"))
    op.drop_index('ix_delegation_delegate', table_name='delegation', schema='accounts')
    op.drop_table('delegation', schema='accounts')
