"""Ads: what they say, their files, their history.

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA ads")
    op.execute("CREATE SEQUENCE ads.ad_number AS integer")
    op.create_table('ad',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('uid', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('number', sa.Integer(), server_default=sa.text("nextval('ads.ad_number')"), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Text(), server_default='draft', nullable=False),
    sa.Column('category', sa.Text(), nullable=True),
    sa.Column('side', sa.Text(), nullable=True),
    sa.Column('specialty', sa.Text(), nullable=True),
    sa.Column('title', sa.Text(), server_default='', nullable=False),
    sa.Column('description', sa.Text(), server_default='', nullable=False),
    sa.Column('conditions', sa.Text(), server_default='', nullable=False),
    sa.Column('urgent', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('anonymous', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=True),
    sa.Column('council', sa.Text(), nullable=True),
    sa.Column('content', sa.LargeBinary(), nullable=True),
    sa.Column('accepted', sa.LargeBinary(), nullable=True),
    sa.Column('refusals', sa.Integer(), server_default='0', nullable=False),
    sa.Column('unpublish_reason', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('submitted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('warned_for', sa.Date(), nullable=True),
    sa.Column('escalated_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.account.id'], name=op.f('fk_ad_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ad')),
    sa.UniqueConstraint('number', name=op.f('uq_ad_number')),
    sa.UniqueConstraint('uid', name=op.f('uq_ad_uid')),
    schema='ads'
    )
    op.create_index('ix_ad_author', 'ad', ['account_id', 'id'], unique=False, schema='ads')
    op.create_index('ix_ad_council', 'ad', ['council', 'state', 'updated_at', 'id'], unique=False, schema='ads')
    op.create_index('ix_ad_ends', 'ad', ['ends_on', 'id'], unique=False, schema='ads', postgresql_where=sa.text("state IN ('published', 'pending')"))
    op.create_index('ix_ad_shown', 'ad', ['published_at', 'id'], unique=False, schema='ads', postgresql_where=sa.text("state = 'published'"))
    op.create_index('ix_ad_state', 'ad', ['state', 'updated_at', 'id'], unique=False, schema='ads')
    op.create_table('ad_file',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('uid', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('ad_id', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.SmallInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('thumb', sa.Text(), nullable=True),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('width', sa.Integer(), nullable=True),
    sa.Column('height', sa.Integer(), nullable=True),
    sa.Column('added_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.ForeignKeyConstraint(['ad_id'], ['ads.ad.id'], name=op.f('fk_ad_file_ad_id_ad'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ad_file')),
    sa.UniqueConstraint('ad_id', 'position', deferrable=True, initially='DEFERRED', name=op.f('uq_ad_file_ad_id_position')),
    sa.UniqueConstraint('uid', name=op.f('uq_ad_file_uid')),
    schema='ads'
    )
    op.create_index('ix_ad_file_digest', 'ad_file', ['digest'], unique=False, schema='ads')
    op.create_index('ix_ad_file_thumb', 'ad_file', ['thumb'], unique=False, schema='ads')
    op.create_table('ad_history',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('ad_id', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('council', sa.Text(), nullable=True),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('from_state', sa.Text(), nullable=True),
    sa.Column('to_state', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('detail', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.ForeignKeyConstraint(['ad_id'], ['ads.ad.id'], name=op.f('fk_ad_history_ad_id_ad')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ad_history')),
    schema='ads'
    )
    op.create_index('ix_ad_history_ad', 'ad_history', ['ad_id', 'id'], unique=False, schema='ads')
    op.create_table('ad_period',
    sa.Column('ad_id', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.SmallInteger(), nullable=False),
    sa.Column('starts_on', sa.Date(), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=True),
    sa.ForeignKeyConstraint(['ad_id'], ['ads.ad.id'], name=op.f('fk_ad_period_ad_id_ad'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('ad_id', 'position', name=op.f('pk_ad_period')),
    schema='ads'
    )
    op.create_table('ad_place',
    sa.Column('ad_id', sa.BigInteger(), nullable=False),
    sa.Column('place_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.SmallInteger(), nullable=False),
    sa.ForeignKeyConstraint(['ad_id'], ['ads.ad.id'], name=op.f('fk_ad_place_ad_id_ad'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('ad_id', 'place_id', name=op.f('pk_ad_place')),
    schema='ads'
    )
    op.create_index('ix_ad_place_place', 'ad_place', ['place_id', 'ad_id'], unique=False, schema='ads')


def downgrade() -> None:
    for table in ("ad_place", "ad_period", "ad_history", "ad_file", "ad"):
        op.drop_table(table, schema='ads')
    op.execute("DROP SCHEMA ads CASCADE")
