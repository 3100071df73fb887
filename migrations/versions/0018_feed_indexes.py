"""Indexes of the feed's searches: what changed since, names without accents, numbers of registers, places around.

Revision ID: 0018
Revises: 0017
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_legal_entity_updated": "legal_entity (updated_at, id)",
    "ix_legal_entity_siren": "legal_entity (siren)",
    "ix_legal_entity_name": 'legal_entity ((core.fold(name) COLLATE "C"), id)',
    "ix_site_place": "site USING gist (COALESCE(pin, position))",
    "ix_site_updated": "site (updated_at, id)",
    "ix_site_commune_code": "site (commune_code, id)",
    "ix_site_siret": "site (siret)",
    "ix_site_structure": "site (structure_id)",
    "ix_site_name": 'site ((core.fold(name) COLLATE "C"), id)',
    "ix_site_town": 'site ((core.fold(town) COLLATE "C"), id)',
    "ix_site_postal_code": 'site ((core.fold(postal_code) COLLATE "C"), id)',
    "ix_practitioner_updated": "practitioner (updated_at, id)",
    "ix_practitioner_family": 'practitioner ((core.fold(last_name) COLLATE "C"), id)',
    "ix_practitioner_given": 'practitioner ((core.fold(first_name) COLLATE "C"), id)',
    "ix_role_updated": "role (updated_at, id)",
    "ix_offer_updated": "offer (updated_at, id)",
    "ix_offer_name": 'offer ((core.fold(name) COLLATE "C"), id)',
    "ix_site_equipment_concept": "site_equipment (concept_id, site_id)",
}


def upgrade() -> None:
    for name, definition in INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON directory.{definition}")
    # The statistics of the expressions, which the planner needs from the first search on.
    for table in ("legal_entity", "site", "practitioner", "offer"):
        op.execute(f"ANALYZE directory.{table}")


def downgrade() -> None:
    for name in INDEXES:
        op.execute(f"DROP INDEX directory.{name}")
