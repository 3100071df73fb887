"""Cards of results: what a page shows of an offer and its site, in one row.

Revision ID: 0026
Revises: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = '0026'
down_revision = '0025'
branch_labels = None
depends_on = None

_CLOCKS = (
    ("971", "America/Guadeloupe"), ("972", "America/Martinique"), ("973", "America/Cayenne"),
    ("974", "Indian/Reunion"), ("975", "America/Miquelon"), ("976", "Indian/Mayotte"),
    ("977", "America/St_Barthelemy"), ("978", "America/Marigot"), ("984", "Indian/Kerguelen"), ("986", "Pacific/Wallis"),
    ("987", "Pacific/Tahiti"), ("988", "Pacific/Noumea"),
)  # fmt: skip


def upgrade() -> None:
    op.create_table('search_card',
    sa.Column('offer_id', sa.BigInteger(), nullable=False),
    sa.Column('site_id', sa.BigInteger(), nullable=False),
    sa.Column('uid', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('type_id', sa.Integer(), nullable=True),
    sa.Column('title', sa.Text(), nullable=True),
    sa.Column('first_name', sa.Text(), nullable=True),
    sa.Column('last_name', sa.Text(), nullable=True),
    sa.Column('convention', sa.Text(), nullable=True),
    sa.Column('carte_vitale', sa.Boolean(), nullable=True),
    sa.Column('site_uid', sa.Uuid(), nullable=False),
    sa.Column('site_name', sa.Text(), nullable=False),
    sa.Column('site_kind', sa.Text(), nullable=False),
    sa.Column('category', sa.Text(), nullable=True),
    sa.Column('street', sa.Text(), nullable=True),
    sa.Column('postal_code', sa.Text(), nullable=True),
    sa.Column('town', sa.Text(), nullable=True),
    sa.Column('phone', sa.Text(), nullable=True),
    sa.Column('clock', sa.Text(), nullable=False),
    sa.Column('contacts', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('offer_id', name=op.f('pk_search_card')),
    schema='directory'
    )
    values = ", ".join(f"('{code}', '{zone}')" for code, zone in _CLOCKS)
    op.execute(
        f"""
        INSERT INTO directory.search_card (
            offer_id, site_id, uid, name, type_id, title, first_name, last_name, convention, carte_vitale, site_uid,
            site_name, site_kind, category, street, postal_code, town, phone, clock, contacts
        )
        SELECT o.id, s.id, o.uid, o.name, o.type_id, p.title, p.first_name, p.last_name, r.convention,
               r.carte_vitale, s.uid, s.name, s.kind, s.category, s.street, s.postal_code, s.town, s.phone,
               coalesce(z.name, 'Europe/Paris'),
               EXISTS (SELECT FROM directory.contact_point c WHERE c.offer_id = o.id AND c.confidentiality = 1)
               OR EXISTS (SELECT FROM directory.contact_point c WHERE c.site_id = s.id AND c.confidentiality = 1)
        FROM directory.offer_search w
        JOIN directory.offer o ON o.id = w.offer_id
        JOIN directory.site s ON s.id = o.site_id
        LEFT JOIN directory.role r ON r.id = o.role_id
        LEFT JOIN directory.practitioner p ON p.id = r.practitioner_id
        LEFT JOIN maps.place commune ON commune.id = s.commune_id
        LEFT JOIN (VALUES {values}) z (code, name) ON z.code = commune.departement_code
        ORDER BY o.id
        """
    )


def downgrade() -> None:
    op.drop_table('search_card', schema='directory')
