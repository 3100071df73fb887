"""From the registers' lines to the publication tables: cleaning, merging, places, links, hashes."""
