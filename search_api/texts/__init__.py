"""Words and names on tantivy: files that every process maps, written by one, read by all."""
