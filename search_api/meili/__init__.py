"""The `meilisearch` engine: its server, its documents, its queries, and what keeps it up to date."""
