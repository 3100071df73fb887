"""The referential: legal entities, sites, practitioners, roles, offers and their nomenclatures."""
