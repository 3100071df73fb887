"""The `columns` engine: an immutable memory-mapped snapshot of the projection, and what changed since."""
