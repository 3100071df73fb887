"""Ads: what searches read, saved searches and what they were told, reports; mails that are answered or unsubscribed.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('mail', sa.Column('reply_to', sa.Text(), nullable=True), schema='core')
    op.add_column('mail', sa.Column('unsubscribe', sa.Text(), nullable=True), schema='core')
    op.execute("CREATE TEXT SEARCH CONFIGURATION ads.french (COPY = pg_catalog.french)")
    op.execute(
        """
        ALTER TEXT SEARCH CONFIGURATION ads.french
            ALTER MAPPING FOR hword, hword_part, word, asciiword, asciihword, hword_asciipart
            WITH public.unaccent, french_stem
        """
    )
    op.create_table('ad_search',
    sa.Column('ad_id', sa.BigInteger(), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=False),
    sa.Column('urgent', sa.Boolean(), nullable=False),
    sa.Column('placed', sa.Boolean(), nullable=False),
    sa.Column('tags', sa.ARRAY(sa.Text(collation='C')), nullable=False),
    sa.Column('towns', sa.ARRAY(sa.Integer()), nullable=False),
    sa.Column('periods', postgresql.DATEMULTIRANGE(), nullable=False),
    sa.Column('words', postgresql.TSVECTOR(), nullable=False),
    sa.ForeignKeyConstraint(['ad_id'], ['ads.ad.id'], name=op.f('fk_ad_search_ad_id_ad'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('ad_id', name=op.f('pk_ad_search')),
    schema='ads'
    )
    op.create_index('ix_ad_search_tags', 'ad_search', ['tags'], unique=False, schema='ads', postgresql_using='gin', postgresql_with={'fastupdate': 'off'})
    op.create_index('ix_ad_search_periods', 'ad_search', ['periods'], unique=False, schema='ads', postgresql_using='gist')
    op.create_index('ix_ad_search_recent', 'ad_search', [sa.text('published_at DESC'), sa.text('ad_id DESC')], unique=False, schema='ads', postgresql_include=['ends_on', 'placed'])
    op.create_index('ix_ad_search_words', 'ad_search', ['words'], unique=False, schema='ads', postgresql_using='gin', postgresql_with={'fastupdate': 'off'})
    op.create_table('ad_spot',
    sa.Column('ad_id', sa.BigInteger(), nullable=False),
    sa.Column('key', sa.Integer(), nullable=False),
    sa.Column('specialty', sa.Text(collation='C'), nullable=True),
    sa.Column('category', sa.Text(collation='C'), nullable=True),
    sa.Column('side', sa.Text(collation='C'), nullable=True),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=False),
    sa.Column('placed', sa.Boolean(), nullable=False),
    sa.Column('periods', postgresql.DATEMULTIRANGE(), nullable=False),
    sa.ForeignKeyConstraint(['ad_id'], ['ads.ad_search.ad_id'], name=op.f('fk_ad_spot_ad_id_ad_search'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('ad_id', 'key', name=op.f('pk_ad_spot')),
    schema='ads'
    )
    op.create_index('ix_ad_spot_found', 'ad_spot', ['key', 'specialty', 'category', 'side'], unique=False, schema='ads', postgresql_include=['ad_id', 'published_at', 'ends_on', 'placed', 'periods'])
    op.create_table('ad_publication',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('ad_id', sa.BigInteger(), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('noted_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('handled_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['ad_id'], ['ads.ad.id'], name=op.f('fk_ad_publication_ad_id_ad'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ad_publication')),
    sa.UniqueConstraint('ad_id', 'published_at', name=op.f('uq_ad_publication_ad_id_published_at')),
    schema='ads'
    )
    op.create_index('ix_ad_publication_waiting', 'ad_publication', ['id'], unique=False, schema='ads', postgresql_where=sa.text('handled_at IS NULL'))
    op.create_table('saved_search',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('uid', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('query', sa.Text(), nullable=False),
    sa.Column('frequency', sa.Text(), nullable=False),
    sa.Column('digest_on', sa.Date(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False),
    sa.CheckConstraint("frequency IN ('now', 'daily', 'none')", name=op.f('ck_saved_search_frequency')),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.account.id'], name=op.f('fk_saved_search_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_search')),
    sa.UniqueConstraint('uid', name=op.f('uq_saved_search_uid')),
    schema='ads'
    )
    op.create_index('ix_saved_search_account', 'saved_search', ['account_id', 'id'], unique=False, schema='ads')
    op.create_index('ix_saved_search_told', 'saved_search', ['id'], unique=False, schema='ads', postgresql_where=sa.text("frequency <> 'none'"))
    op.create_table('search_alert',
    sa.Column('search_id', sa.BigInteger(), nullable=False),
    sa.Column('publication_id', sa.BigInteger(), nullable=False),
    sa.Column('told_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['publication_id'], ['ads.ad_publication.id'], name=op.f('fk_search_alert_publication_id_ad_publication'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['search_id'], ['ads.saved_search.id'], name=op.f('fk_search_alert_search_id_saved_search'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('search_id', 'publication_id', name=op.f('pk_search_alert')),
    schema='ads'
    )
    op.create_index('ix_search_alert_publication', 'search_alert', ['publication_id'], unique=False, schema='ads')
    op.create_index('ix_search_alert_waiting', 'search_alert', ['search_id', 'publication_id'], unique=False, schema='ads', postgresql_where=sa.text('told_at IS NULL'))
    op.create_table('ad_report',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('uid', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('ad_id', sa.BigInteger(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('reported_at', sa.DateTime(timezone=True), server_default=sa.text('core.now()'), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_by', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.account.id'], name=op.f('fk_ad_report_account_id_account')),
    sa.ForeignKeyConstraint(['ad_id'], ['ads.ad.id'], name=op.f('fk_ad_report_ad_id_ad'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ad_report')),
    sa.UniqueConstraint('uid', name=op.f('uq_ad_report_uid')),
    schema='ads'
    )
    op.create_index('ix_ad_report_account', 'ad_report', ['account_id', 'id'], unique=False, schema='ads')
    op.create_index('ix_ad_report_open', 'ad_report', ['ad_id', 'id'], unique=False, schema='ads', postgresql_where=sa.text('closed_at IS NULL'))
    op.create_index('uq_ad_report_once', 'ad_report', ['ad_id', 'account_id'], unique=True, schema='ads', postgresql_where=sa.text('closed_at IS NULL'))


def downgrade() -> None:
    for table in ("ad_report", "search_alert", "saved_search", "ad_publication", "ad_spot", "ad_search"):
        op.drop_table(table, schema='ads')
    op.execute("DROP TEXT SEARCH CONFIGURATION ads.french")
    op.drop_column('mail', 'unsubscribe', schema='core')
    op.drop_column('mail', 'reply_to', schema='core')
