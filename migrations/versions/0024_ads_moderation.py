"""Moderation of the ads: models of reasons, wording of mails, what statistics read.

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('refusal_model',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('council', sa.Text(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('updated_by', sa.Text(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_refusal_model')),
    schema='ads'
    )
    op.create_index('ix_refusal_model_council', 'refusal_model', ['council', 'id'], unique=False, schema='ads')
    op.create_table('mail_wording',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('council', sa.Text(), nullable=False),
    sa.Column('event', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=True),
    sa.Column('body', sa.Text(), nullable=True),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.CheckConstraint('(subject IS NULL) = (body IS NULL)', name=op.f('ck_mail_wording_both')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mail_wording')),
    sa.UniqueConstraint('council', 'event', 'version', name=op.f('uq_mail_wording_council_event_version')),
    schema='ads'
    )
    for name, key in (
        ('updated', 'updated_at'), ('number', 'number'), ('title', '(core.fold(title) COLLATE "C")'), ('category', 'category'),
    ):
        op.create_index(
            f'ix_ad_told_{name}', 'ad', [sa.text(key), 'id'], unique=False, schema='ads',
            postgresql_where=sa.text("state IN ('pending', 'published', 'unpublished', 'refused')"),
            postgresql_include=['state', 'ends_on', 'submitted_at', 'council'],
        )
    op.create_index(
        'ix_account_name', 'account',
        [sa.text('(core.fold(last_name) COLLATE "C")'), sa.text('(core.fold(first_name) COLLATE "C")'), 'id'],
        unique=False, schema='accounts',
    )
    op.create_index(
        'ix_ad_history_decided', 'ad_history', ['at', 'id'], unique=False, schema='ads',
        postgresql_where=sa.text("action IN ('submit', 'revise', 'accept', 'refuse')"),
    )


def downgrade() -> None:
    op.drop_index('ix_account_name', table_name='account', schema='accounts')
    for name in ('updated', 'number', 'title', 'category'):
        op.drop_index(f'ix_ad_told_{name}', table_name='ad', schema='ads')
    op.drop_index('ix_ad_history_decided', table_name='ad_history', schema='ads')
    op.drop_table('mail_wording', schema='ads')
    op.drop_table('refusal_model', schema='ads')
