"""Coverage of a territory by a profession, an act or any search: figures, files, pages, JSON."""
