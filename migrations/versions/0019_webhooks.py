"""Webhooks: subscriptions of programs, their outbox.

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('webhook_subscription',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('uid', sa.Uuid(), nullable=False),
    sa.Column('client_id', sa.BigInteger(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('types', postgresql.ARRAY(sa.Text()), server_default='{}', nullable=False),
    sa.Column('state', sa.Text(), server_default='active', nullable=False),
    sa.Column('position', sa.Text(), nullable=False),
    sa.Column('generation', sa.Integer(), server_default='1', nullable=False),
    sa.Column('former_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('told_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('succeeded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('failing_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.ForeignKeyConstraint(['client_id'], ['accounts.client.id'], name=op.f('fk_webhook_subscription_client_id_client')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook_subscription')),
    sa.UniqueConstraint('uid', name=op.f('uq_webhook_subscription_uid')),
    schema='search_api'
    )
    op.create_index('ix_webhook_subscription_client', 'webhook_subscription', ['client_id', 'id'], unique=False, schema='search_api')
    op.create_table('webhook_delivery',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('uid', sa.Uuid(), nullable=False),
    sa.Column('subscription_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('since', sa.Text(), nullable=True),
    sa.Column('position', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), server_default='queued', nullable=False),
    sa.Column('attempts', sa.SmallInteger(), server_default='0', nullable=False),
    sa.Column('status', sa.SmallInteger(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('history', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('touched_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['subscription_id'], ['search_api.webhook_subscription.id'], name=op.f('fk_webhook_delivery_subscription_id_webhook_subscription')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_webhook_delivery')),
    sa.UniqueConstraint('subscription_id', 'position', name=op.f('uq_webhook_delivery_subscription_id_position')),
    sa.UniqueConstraint('uid', name=op.f('uq_webhook_delivery_uid')),
    schema='search_api'
    )
    op.create_index('ix_webhook_delivery_due', 'webhook_delivery', ['next_at', 'id'], unique=False, schema='search_api', postgresql_where=sa.text("state IN ('queued', 'sending')"))
    op.create_index('ix_webhook_delivery_subscription', 'webhook_delivery', ['subscription_id', 'id'], unique=False, schema='search_api')


def downgrade() -> None:
    op.drop_index('ix_webhook_delivery_subscription', table_name='webhook_delivery', schema='search_api')
    op.drop_index('ix_webhook_delivery_due', table_name='webhook_delivery', schema='search_api', postgresql_where=sa.text("state IN ('queued', 'sending')"))
    op.drop_table('webhook_delivery', schema='search_api')
    op.drop_index('ix_webhook_subscription_client', table_name='webhook_subscription', schema='search_api')
    op.drop_table('webhook_subscription', schema='search_api')
