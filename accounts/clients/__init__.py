"""Programs that read the API: their keys, tokens, limits, and what administrators say of them."""
